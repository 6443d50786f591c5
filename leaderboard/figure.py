"""The standings as a picture: every task a dot, the mean and its interval below."""

import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .tables import one_line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which the colour-blind can tell apart. Shape and
# place say the same as colour does.
_METHOD, _REFERENCE, _FAILED, _GUIDE = "#0072B2", "#707070", "#D55E00", "#B0B0B0"
_LOWEST = -1.0
_STYLE = {
    "svg.hashsalt": "glassbench",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "text.usetex": False,
    "text.parse_math": False,
    "figure.dpi": 100.0,
}


def standings_figure(standings: "pd.DataFrame", scores: "pd.DataFrame") -> "Figure":
    """Return the figure: one row per method, best on top, floors and ceiling among them.

    Dots are tasks, at the same height in every row; the diamond with a bar below
    them is the mean with its interval. A cross is a task without an answer, which counts as
    the floor. What lies below -1 is drawn at -1 as a triangle that points left.

    Args:
        standings: from `standings`.
        scores: from `task_scores`, of the same results.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", _STYLE]):
        rows = len(standings)
        figure = Figure(figsize=(8.0, 1.9 + 0.42 * rows), layout="constrained")
        axes = figure.add_subplot()
        _draw_guides(axes)
        primary = scores[scores["primary"]]
        for height, (_, row) in enumerate(standings.iterrows()):
            same = (primary["role"] == row["role"]) & (primary["method"] == row["method"])
            _draw_row(axes, height, row, primary[same].sort_values("task"))
        lowest = min(primary["normalised"].min(), standings["low"].min(), 0.0)
        axes.set_xlim(max(lowest, _LOWEST) - 0.08, 1.08)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.set_yticks(range(rows), [_label(row) for _, row in standings.iterrows()])
        for label, (_, row) in zip(axes.get_yticklabels(), standings.iterrows(), strict=True):
            label.set_color("black" if row["role"] == "method" else _REFERENCE)
        tasks = primary["task"].nunique()
        axes.set_xlabel(f"Normalised score on {tasks} task{'s' if tasks != 1 else ''}")
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        _draw_legend(figure, primary)
    return figure


def _label(row: "pd.Series") -> str:
    name = one_line(str(row["method"]))
    name = name if len(name) <= 40 else f"{name[:39]}…"
    return f"{row['rank']}  {name}" if row["role"] == "method" else name


def _draw_guides(axes: "Axes") -> None:
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.6)
    axes.set_axisbelow(True)
    for place, text in ((0.0, "floor"), (1.0, "oracle")):
        axes.axvline(place, color=_GUIDE, linewidth=1.2, linestyle="--", zorder=1)
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


def _draw_row(axes: "Axes", height: int, row: "pd.Series", tasks: "pd.DataFrame") -> None:
    colour = _METHOD if row["role"] == "method" else _REFERENCE
    values = tasks["normalised"].to_numpy()
    heights = height + np.linspace(-0.32, 0.16, len(values) + 2)[1:-1]
    answered = (tasks["outcome"] == "ok").to_numpy()
    inside = values >= _LOWEST
    for mask, marker in ((answered & inside, "o"), (answered & ~inside, "<")):
        axes.scatter(
            np.maximum(values[mask], _LOWEST),
            heights[mask],
            s=22,
            marker=marker,
            facecolor=colour,
            edgecolor="white",
            linewidth=0.4,
            alpha=0.55,
            zorder=3,
        )
    axes.scatter(
        np.maximum(values[~answered], _LOWEST),
        heights[~answered],
        s=28,
        marker="x",
        color=_FAILED,
        zorder=4,
    )
    mean, below = max(row["normalised"], _LOWEST), height + 0.24
    if not math.isnan(row["low"]):
        ends = np.maximum([row["low"], row["high"]], _LOWEST)
        axes.plot(ends, [below, below], color=colour, linewidth=2.2, zorder=5)
    axes.plot(mean, below, "D", color=colour, markersize=7, markeredgecolor="white", zorder=6)


def _draw_legend(figure: "Figure", primary: "pd.DataFrame") -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=_METHOD, marker="D", linewidth=2.2, markersize=7),
        Line2D([], [], color=_METHOD, marker="o", linewidth=0, markersize=5, alpha=0.55),
    ]
    texts = ["mean, 95% interval over tasks", "a task"]
    if (primary["outcome"] != "ok").any():
        marks.append(Line2D([], [], color=_FAILED, marker="x", linewidth=0, markersize=6))
        texts.append("no answer: counts as random")
    if (primary["normalised"] < _LOWEST).any():
        marks.append(Line2D([], [], color=_REFERENCE, marker="<", linewidth=0, markersize=5))
        texts.append(f"below {_LOWEST:.0f}")
    figure.legend(
        marks, texts, loc="outside lower center", ncols=len(marks), frameon=False, fontsize=9
    )


def write_figure(figure: "Figure", stem: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Write `figure` as SVG and PNG, the same bytes each time, and return both paths.

    Args:
        figure: from `standings_figure`.
        stem: the path without a suffix.
    """
    from matplotlib import style

    stem = Path(stem)
    vector = stem.with_name(f"{stem.name}.svg")
    pixels = stem.with_name(f"{stem.name}.png")
    with style.context(["default", _STYLE]), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes, and written in the tables.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(vector, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(pixels, format="png", dpi=160, metadata={"Software": None})
    return vector, pixels
