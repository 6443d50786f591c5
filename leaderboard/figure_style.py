"""Figure style: fonts, colours and marks of all figures, and how they are written.

The colours are Okabe and Ito's (2008), which those who do not see red or green can tell apart, in
an order in which neighbours differ in lightness too. Marks and dashes say the same as colours do,
for print in grey.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compiler.picture_file import drawing_style
from ..whole_file import write_whole
from .escapes import one_line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREY, GUIDE, GRID = "#0072B2", "#D55E00", "#707070", "#B0B0B0", "#E6E6E6"
_LONGEST = 40


@dataclass(frozen=True)
class Mark:
    """How a method is drawn in every figure.

    Attributes:
        color: of its lines and marks.
        dashes: of its lines, as matplotlib's `linestyle`.
        marker: at its points.
    """

    color: str
    dashes: Any
    marker: str


MARKS = (
    Mark(BLUE, "-", "o"),
    Mark("#E69F00", (0, (6, 2)), "s"),
    Mark(VERMILION, (0, (3, 1.5)), "v"),
    Mark("#56B4E9", (0, (6, 1.5, 1, 1.5)), "D"),
    Mark("#009E73", (0, (6, 1.5, 1, 1.5, 1, 1.5)), "P"),
    Mark("#000000", (0, (1, 1.2)), "^"),
    Mark("#CC79A7", (0, (10, 3)), "X"),
)


def marks_of(standings: "pd.DataFrame") -> Mapping[str, Mark]:
    """Return how some methods are drawn, best first; there are no more marks than can be told.

    Of more methods some are chosen at even distances in the ranking, the best and the last with
    them: where the best are alike, a figure of these alone would show nothing.

    Args:
        standings: from `standings`.
    """
    methods = standings.loc[standings["role"] == "method", "method"]
    places = np.linspace(0, len(methods) - 1, min(len(methods), len(MARKS))).round().astype(int)
    return dict(zip(methods.iloc[places], MARKS, strict=False))


def short_name(name: str) -> str:
    """Return the name of a method in one line that has room in a figure."""
    name = one_line(name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def figure_style() -> AbstractContextManager[None]:
    """Draw and write with this style, whatever is set outside."""
    return drawing_style({"pdf.fonttype": 42, "font.family": "DejaVu Sans", "font.size": 10.0})


def bare(axes: "Axes", *sides: str) -> None:
    """Leave out the given sides of the frame."""
    for side in sides:
        axes.spines[side].set_visible(False)


def figure_files(figure: "Figure") -> dict[str, bytes]:
    """Return `figure` as SVG and PDF by suffix, the same bytes each time.

    Args:
        figure: from one of the functions that draw.
    """
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    layout = figure.get_layout_engine()
    found = {}
    for suffix, canvas in (("svg", FigureCanvasSVG), ("pdf", FigureCanvasPdf)):
        written = BytesIO()
        canvas(figure)
        with figure_style():
            if layout is not None:
                layout.execute(figure)
                # Otherwise the figure is drawn twice, the first time for its layout alone.
                figure.set_layout_engine(None)
            figure.savefig(written, format=suffix, metadata=_METADATA[suffix])
        figure.set_layout_engine(layout)
        found[suffix] = written.getvalue()
    return found


def write_figure(figure: "Figure", stem: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Write `figure` as SVG and PDF, the same bytes each time, and return both paths.

    Args:
        figure: from one of the functions that draw.
        stem: the path without a suffix.
    """
    stem = Path(stem)
    svg, pdf = (
        write_whole(content, stem.with_name(f"{stem.name}.{suffix}"))
        for suffix, content in figure_files(figure).items()
    )
    return svg, pdf


_METADATA: Mapping[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
