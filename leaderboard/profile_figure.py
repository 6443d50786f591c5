"""Performance profiles as a picture: a curve for each method, the best ones marked."""

from typing import TYPE_CHECKING

from .figure_style import GREY, GRID, bare, figure_style, marks_of, short_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_MARK_EVERY = 10


def profile_figure(profiles: "pd.DataFrame", standings: "pd.DataFrame") -> "Figure":
    """Return the figure of performance profiles, with bands of 95% intervals.

    Seven methods, from the best to the last, have colours, dashes and marks of their own; others
    are thin and grey.

    Args:
        profiles: from `performance_profiles`.
        standings: from `standings`, of the same results.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    marks = marks_of(standings)
    curves = {str(name): rows for name, rows in profiles.groupby("method")}
    with figure_style():
        figure = Figure(figsize=(7.0, 4.4), layout="constrained")
        axes = figure.add_subplot()
        others = [name for name in curves if name not in marks]
        for place, name in enumerate(others):
            rows = curves[name]
            label = f"{len(others)} more" if place == 0 else None
            axes.plot(rows["threshold"], rows["share"], color=GREY, linewidth=0.6, label=label)
        for place, (name, mark) in enumerate(marks.items()):
            rows = curves[name]
            band = rows["low"], rows["high"]
            axes.fill_between(rows["threshold"], *band, color=mark.color, alpha=0.1, linewidth=0)
            axes.plot(
                rows["threshold"],
                rows["share"],
                color=mark.color,
                linestyle=mark.dashes,
                marker=mark.marker,
                # Marks of neighbours stand beside each other where curves are one.
                markevery=(place, _MARK_EVERY),
                markersize=5,
                linewidth=1.6,
                label=short_name(name),
                zorder=10 - place,
            )
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("Normalised score, 0 at the floor and 1 at the oracle")
        axes.set_ylabel("Share of runs that score at least that")
        axes.grid(color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        bare(axes, "top", "right")
        handles, labels = axes.get_legend_handles_labels()
        first = len(others) > 0
        figure.legend(
            [*handles[first:], *handles[:first], Patch(color=GREY, alpha=0.25, linewidth=0)],
            [*labels[first:], *labels[:first], "95% intervals"],
            loc="outside right upper",
            frameon=False,
            fontsize=9,
            handlelength=3.5,
        )
    return figure
