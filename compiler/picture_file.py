"""Picture files: matplotlib figures as SVG or PNG, the same bytes each time."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import GlassbenchError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".png")
"""The kinds of picture that can be written."""

FONT_INCHES = 8 / 72
CHARACTER = 0.6021 * FONT_INCHES
"""The width of a character at the usual size, in inches."""

_STYLE: Mapping[str, Any] = {
    "svg.hashsalt": "glassbench",
    "svg.fonttype": "path",
    "text.usetex": False,
    "text.parse_math": False,
    "figure.dpi": 100.0,
}


def picture_style() -> AbstractContextManager[None]:
    """Draw in the style of all pictures of models, whatever the user's own settings are."""
    return drawing_style({"font.family": "DejaVu Sans Mono", "font.size": FONT_INCHES * 72})


@contextmanager
def drawing_style(own: Mapping[str, Any]) -> Iterator[None]:
    """Draw the same bytes each time and names as plain text, whatever the user's own settings are.

    Args:
        own: settings of matplotlib beside these.
    """
    from matplotlib import style

    with style.context(["default", {**_STYLE, **own}]), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; tables write it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        yield


def write_drawing(draw: Callable[[], "Figure"], path: str | os.PathLike[str]) -> Path:
    """Write a figure, and return where to; folders are made.

    Args:
        draw: makes the figure; called when the path is known to be good.
        path: its ending chooses the kind.

    Raises:
        GlassbenchError: `path` ends neither in `.svg` nor in `.png`.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise GlassbenchError(
            f"A picture must be named like picture.svg or picture.png, got {str(path)!r}."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(draw, kind))
    return path


def picture(draw: Callable[[], "Figure"], kind: str = ".svg") -> bytes:
    """Return a figure as the bytes of a picture.

    Args:
        draw: makes the figure.
        kind: one of `SUFFIXES`.
    """
    written = BytesIO()
    with picture_style():
        figure = draw()
        if kind == ".svg":
            figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
        else:
            figure.savefig(written, format="png", dpi=160, metadata={"Software": None})
    return written.getvalue()
