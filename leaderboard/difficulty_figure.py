"""Score against difficulty as a picture: a panel for each covariate, a line for each method."""

from typing import TYPE_CHECKING

from .difficulty import COVARIATES
from .figure_style import GRID, bare, figure_style, marks_of, short_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 6
_COLUMNS = 3
_WIDE = 15.0


def difficulty_figure(bins: "pd.DataFrame", standings: "pd.DataFrame") -> "Figure":
    """Return the figure: the mean score of some methods in each bin, with its interval.

    They are seven at most, from the best to the last.

    Args:
        bins: from `difficulty_bins`, of one covariate at least; the first six are drawn.
        standings: from `standings`, of the same results.
    """
    from matplotlib.figure import Figure

    there = set(bins["covariate"])
    names = [name for name in COVARIATES if name in there][:MOST_PANELS]
    columns = min(_COLUMNS, len(names))
    lines = -(-len(names) // columns)
    with figure_style():
        size = (max(5.0, 3.2 * columns), 0.9 + 2.7 * lines)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(lines, columns, sharey=True, squeeze=False).ravel()
        for axes, name in zip(panels, names, strict=False):
            _draw_panel(axes, name, bins[bins["covariate"] == name], standings)
        for axes in panels[len(names) :]:
            axes.set_visible(False)
        for axes in panels[::columns]:
            axes.set_ylabel("Normalised score")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=min(4, len(labels)) if columns > 1 else 2,
            frameon=False,
            fontsize=9,
            handlelength=3.5,
        )
    return figure


def _draw_panel(axes: "Axes", name: str, bins: "pd.DataFrame", standings: "pd.DataFrame") -> None:
    """Draw one covariate; a range of more than fifteen times is drawn in logarithms."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    marks = marks_of(standings)
    least, greatest = bins["centre"].min(), bins["centre"].max()
    is_wide = least > 0 and greatest / least > _WIDE
    if is_wide:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    width = (greatest - least) * 0.012
    for place, (method, mark) in enumerate(marks.items()):
        rows = bins[bins["method"] == method].sort_values("bin")
        # Methods stand side by side, so that their intervals can be told.
        shift = (place - (len(marks) - 1) / 2) * (0 if is_wide else width)
        spread = [rows["normalised"] - rows["low"], rows["high"] - rows["normalised"]]
        axes.errorbar(
            rows["centre"] + shift,
            rows["normalised"],
            yerr=[part.fillna(0).clip(lower=0) for part in spread],
            color=mark.color,
            linestyle=mark.dashes,
            marker=mark.marker,
            markersize=5,
            linewidth=1.4,
            elinewidth=0.7,
            label=short_name(method),
        )
    axes.set_xlabel(COVARIATES[name], fontsize=9)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    bare(axes, "top", "right")
