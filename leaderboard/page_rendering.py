"""Page rendering: templates to bytes; every name that comes from outside is escaped."""

import math
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from .tables import three_decimals

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

ASSETS = ("icon.svg", "site.js", "style.css")
_PART = re.compile(r"[^/\[,]+[/\[,]*|[/\[,]+")
_LEFT, _ZERO, _WIDTH = -0.25, 25.0, 99.0


@cache
def _templates() -> "Environment":
    """Return the templates of the site, with the filters that they use."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"place": _place, "seconds": _seconds, "whole": _whole}
    templates.filters |= {"parted": _parted, "score": three_decimals}
    templates.globals["nan"] = math.nan
    return templates


def rendered(name: str, content: Mapping[str, Any]) -> bytes:
    """Return a page as bytes.

    Args:
        name: of the template.
        content: what it shows.
    """
    # Halves of surrogate pairs are no text, and stand as question marks.
    return _templates().get_template(name).render(content).encode(errors="replace")


def asset(name: str) -> bytes:
    """Return a file of the site that is the same whatever the results."""
    return (files(__package__) / "templates" / name).read_bytes()


@lru_cache(2**16)
def _parted(name: str) -> "Markup":
    """Return the name of a task that may go on in the next line after each of its parts.

    Example:
        >>> _parted("sort-v1/exact<b>")
        Markup('sort-v1/<wbr>exact&lt;b&gt;')
    """
    from markupsafe import Markup

    return Markup("<wbr>").join(_PART.findall(name))


def _seconds(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _whole(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.0f}"


def _place(value: float) -> str:
    """Return where a score stands on the line of a cell: the floor at 25, the oracle at 124.

    Example:
        >>> _place(0.0), _place(1.0), _place(-7.0)
        ('25', '124', '4')
    """
    inside = min(max(value, _LEFT), 1.0)
    return f"{max(_ZERO + _WIDTH * inside, 4.0):.4g}"
