"""Critical-difference diagram as a picture: mean ranks on a line, bars over what is tied."""

import math
from typing import TYPE_CHECKING

from .critical_difference import CriticalDifference
from .figure_style import GREY, figure_style, short_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_METHODS = 40
"""Of more, the best are drawn."""
_BAR, _ROW = 0.32, 0.62


def critical_difference_figure(found: CriticalDifference) -> "Figure":
    """Return the diagram: the best mean rank on the left, a bar under methods not told apart.

    Args:
        found: from `critical_difference`.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    ranks = found.ranks.head(MOST_METHODS)
    groups = [(a, min(b, len(ranks) - 1)) for a, b in found.groups if a < len(ranks) - 1]
    places = ranks["mean_rank"].tolist()
    left, right = math.floor(min(places)), math.ceil(max(places))
    right = max(right, left + 1)
    below = 0.35 + _BAR * len(groups)
    rows = (len(ranks) + 1) // 2
    bottom = below + _ROW * rows + 0.2
    with figure_style():
        figure = Figure(figsize=(8.0, 0.9 + 0.36 * bottom), layout="constrained")
        axes = figure.add_subplot()
        axes.set_ylim(bottom, 0)
        axes.set_xlim(left - 0.02 * (right - left), right + 0.02 * (right - left))
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12, steps=[1, 2, 5, 10]))
        axes.set_yticks([])
        axes.set_xlabel(_title(found, len(ranks)), fontsize=9)
        for side in ("left", "right", "bottom"):
            axes.spines[side].set_visible(False)
        for number, (first, last) in enumerate(groups):
            height = 0.35 + _BAR * number
            reach = 0.004 * (right - left)
            ends = [places[first] - reach, places[last] + reach]
            axes.plot(ends, [height] * 2, color="black", linewidth=4, solid_capstyle="butt")
        _draw_names(axes, list(ranks["method"]), places, (left, right), below)
    return figure


def _draw_names(
    axes: "Axes", names: list[str], places: list[float], ends: tuple[float, float], below: float
) -> None:
    """Draw each name with a line to its rank: the better half on the left, others on the right."""
    half = (len(names) + 1) // 2
    for place, (name, rank) in enumerate(zip(names, places, strict=True)):
        is_left = place < half
        row = place if is_left else len(names) - 1 - place
        short = short_name(str(name))
        height, end = below + _ROW * (row + 0.5), ends[not is_left]
        axes.plot([rank, rank, end], [0, height, height], color=GREY, linewidth=0.8, clip_on=False)
        axes.annotate(
            f"{short}  {rank:.2f}" if is_left else f"{rank:.2f}  {short}",
            (end, height),
            xytext=(-4 if is_left else 4, 0),
            textcoords="offset points",
            ha="right" if is_left else "left",
            va="center",
            annotation_clip=False,
        )


def _title(found: CriticalDifference, drawn: int) -> str:
    """Return what the line is, and what Friedman's test says."""
    title = "Mean rank over tasks; bars join methods that are not told apart"
    if not math.isnan(found.p):
        told = "p < 0.001" if found.p < 0.0005 else f"p = {found.p:.3f}"
        title += f" (Friedman's test: {told})"
    if drawn < len(found.ranks):
        title += f"; the best {drawn} of {len(found.ranks)}"
    return title
