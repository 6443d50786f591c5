"""The standings as a picture: every task a dot, the mean and its interval below."""

import math
from typing import TYPE_CHECKING

import numpy as np

from .figure_style import BLUE, GREY, GRID, GUIDE, VERMILION, bare, figure_style, short_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 60
"""Of more methods and references, the best are drawn."""


def standings_figure(standings: "pd.DataFrame", scores: "pd.DataFrame") -> "Figure":
    """Return the figure: one row per method, best on top, floors and ceiling among them.

    Dots are tasks, at the same height in every row; the diamond with a bar below
    them is the mean with its interval. A cross is a task without an answer to some run, which
    counts as random.

    Args:
        standings: from `standings`.
        scores: from `task_scores`, of the same results.
    """
    from matplotlib.figure import Figure

    left_out = max(0, len(standings) - MOST_ROWS)
    standings = standings.head(MOST_ROWS)
    with figure_style():
        rows = len(standings)
        figure = Figure(figsize=(8.0, 1.9 + 0.42 * rows), layout="constrained")
        axes = figure.add_subplot()
        _draw_guides(axes)
        primary = scores[scores["primary"]]
        for height, (_, row) in enumerate(standings.iterrows()):
            same = (primary["role"] == row["role"]) & (primary["method"] == row["method"])
            _draw_row(axes, height, row, primary[same].sort_values("task"))
        lowest = min(primary["normalised"].min(), standings["low"].min(), 0.0)
        axes.set_xlim(lowest - 0.08, 1.08)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.set_yticks(range(rows), [_label(row) for _, row in standings.iterrows()])
        for label, (_, row) in zip(axes.get_yticklabels(), standings.iterrows(), strict=True):
            label.set_color("black" if row["role"] == "method" else GREY)
        tasks = primary["task"].nunique()
        text = f"Normalised score on {tasks} task{'s' if tasks != 1 else ''}"
        axes.set_xlabel(f"{text}; {left_out} rows more are not drawn" if left_out else text)
        axes.tick_params(axis="y", length=0)
        bare(axes, "top", "right", "left")
        _draw_legend(figure, primary)
    return figure


def _label(row: "pd.Series") -> str:
    name = short_name(str(row["method"]))
    return f"{row['rank']}  {name}" if row["role"] == "method" else name


def _draw_guides(axes: "Axes") -> None:
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for place, text in ((0.0, "floor"), (1.0, "oracle")):
        axes.axvline(place, color=GUIDE, linewidth=1.2, linestyle="--", zorder=1)
        axes.annotate(
            text,
            (place, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color="#505050",
            fontsize=9,
        )
    axes.annotate(
        "Rank  Method",
        (0, 1.0),
        xycoords="axes fraction",
        xytext=(-4, 3),
        textcoords="offset points",
        ha="right",
        color="#505050",
        fontsize=9,
    )


def _draw_row(axes: "Axes", height: int, row: "pd.Series", tasks: "pd.DataFrame") -> None:
    colour = BLUE if row["role"] == "method" else GREY
    values = tasks["normalised"].to_numpy()
    heights = height + np.linspace(-0.32, 0.16, len(values) + 2)[1:-1]
    answered = (tasks["outcome"] == "ok").to_numpy()
    axes.scatter(
        values[answered],
        heights[answered],
        s=22,
        facecolor=colour,
        edgecolor="white",
        linewidth=0.4,
        alpha=0.55,
        zorder=3,
    )
    axes.scatter(values[~answered], heights[~answered], s=28, marker="x", color=VERMILION, zorder=4)
    mean, below = row["normalised"], height + 0.24
    if not math.isnan(row["low"]):
        ends = [row["low"], row["high"]]
        axes.plot(ends, [below, below], color=colour, linewidth=2.2, zorder=5)
    axes.plot(mean, below, "D", color=colour, markersize=7, markeredgecolor="white", zorder=6)


def _draw_legend(figure: "Figure", primary: "pd.DataFrame") -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=BLUE, marker="D", linewidth=2.2, markersize=7),
        Line2D([], [], color=BLUE, marker="o", linewidth=0, markersize=5, alpha=0.55),
    ]
    texts = ["mean, 95% interval over tasks", "a task"]
    if (primary["outcome"] != "ok").any():
        marks.append(Line2D([], [], color=VERMILION, marker="x", linewidth=0, markersize=6))
        texts.append("no answer to some run: it counts as random")
    figure.legend(
        marks, texts, loc="outside lower center", ncols=len(marks), frameon=False, fontsize=9
    )
