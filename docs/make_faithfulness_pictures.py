"""Draws the picture of docs/faithfulness.md, and prints its tables.

python docs/make_faithfulness_pictures.py [docs/faithfulness.csv]

Nothing is measured: numbers are those of performance/faithfulness.py.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glassbench.compiler.picture_file import write_drawing
from glassbench.evaluators.faithfulness import ABLATIONS, MEASURES
from glassbench.leaderboard.agreement import Agreement, agreement

MEASURED = Path(__file__).parent / "faithfulness.csv"
FOLDER = Path(__file__).parent / "pictures"
TRUTH = "average_precision"
REFERENCES = ("oracle", "random")
TITLES = {"cpr": "CPR", "cmd": "CMD", "accuracy": "accuracy", "kl": "KL"}

# Okabe and Ito's palette, which the colour-blind can tell apart; markers say the same.
STYLES = {"interchange": ("#0072B2", "o"), "mean": ("#E69F00", "s"), "zero": ("#D55E00", "^")}
GREY, PALE = "#707070", "#E4E4E4"


def agreements(frame: pd.DataFrame) -> list[Agreement]:
    """Return how far each measure ranks the methods as the truth does, references left out."""
    measures = {
        f"{measure}_{ablation}": direction
        for ablation in ABLATIONS
        for measure, direction in MEASURES.items()
    }
    return agreement(frame[~frame.method.isin(REFERENCES)], TRUTH, measures)


def by_method(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of every number over tasks, the best methods first, between references."""
    mean = frame.groupby("method").mean(numeric_only=True)
    methods = mean.drop(list(REFERENCES)).sort_values(TRUTH, ascending=False, kind="stable").index
    return mean.loc[[REFERENCES[0], *methods, REFERENCES[1]]]


def figure_of(frame: pd.DataFrame) -> Figure:
    """Draw how far measures agree with the truth, and what they say of each method."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    _draw_agreement(left, agreements(frame))
    _draw_methods(right, by_method(frame))
    for axes in (left, right):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return figure


def _draw_agreement(axes: Axes, found: Sequence[Agreement]) -> None:
    """Draw a row for each measure under each ablation, best ablation first."""
    order = list(STYLES)
    rows = sorted(found, key=lambda one: order.index(one.measure.split("_")[1]))
    for place, one in enumerate(rows):
        colour, marker = STYLES[one.measure.split("_")[1]]
        interval = one.interval
        if interval is not None:
            axes.plot([interval.low, interval.high], [place] * 2, color=colour, linewidth=2)
        axes.plot(one.correlation, place, color=colour, marker=marker, markersize=7)
    names = [one.measure.split("_") for one in rows]
    axes.set_yticks(range(len(rows)), [f"{TITLES[name]}, {ablation}" for name, ablation in names])
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.axvline(1, color=GREY, linewidth=0.8)
    axes.set(xlim=(-0.1, 1.03), xlabel="Spearman with average precision", ylim=(len(rows), -1))
    axes.set_title("over methods, mean over tasks", fontsize="medium")


def _draw_methods(axes: Axes, means: pd.DataFrame) -> None:
    """Draw the truth and CPR of every method, means over tasks."""
    places = np.arange(len(means))
    axes.hlines(places, 0, 1, color=PALE, linewidth=0.8, zorder=0)
    axes.plot(means[TRUTH], places, "kD", markersize=6, label="average precision: the truth")
    for ablation, (colour, marker) in STYLES.items():
        axes.plot(
            means[f"cpr_{ablation}"], places, marker, color=colour, markersize=7, alpha=0.85,
            label=f"CPR, {ablation}", markerfacecolor="none", markeredgewidth=1.6,
        )  # fmt: skip
    axes.set_yticks(places, list(means.index))
    axes.set(xlim=(0, 1.03), xlabel="mean over tasks", ylim=(len(means), -1))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)


def tables(frame: pd.DataFrame) -> str:
    """Return the numbers of the picture as two tables in Markdown."""
    lines = [
        "| measure | ablation | tasks | correlation | | lost |",
        "| :-- | :-- |" + " --: |" * 4,
    ]
    for one in agreements(frame):
        name, ablation = one.measure.split("_")
        numbers = f"{one.tasks} | {one.correlation:.2f} | {one.interval or ''} | {one.lost:.3f}"
        lines.append(f"| {TITLES[name]} | {ablation} | {numbers} |")
    columns = [TRUTH, *(f"{name}_{a}" for name in ("cpr", "accuracy") for a in STYLES)]
    lines += ["", f"| method | {' | '.join(columns)} |", "| :-- |" + " --: |" * len(columns)]
    for method, row in by_method(frame)[columns].iterrows():
        lines.append(f"| {method} | {' | '.join(f'{value:.3f}' for value in row)} |")
    return "\n".join(lines)


def main(
    measured: Annotated[Path, typer.Argument(exists=True, dir_okay=False)] = MEASURED,
    folder: Annotated[Path, typer.Option(help="Where the picture goes.")] = FOLDER,
) -> None:
    """Draw the picture."""
    frame = pd.read_csv(measured)
    print(tables(frame))
    print(write_drawing(lambda: figure_of(frame), folder / "faithfulness.svg"))


if __name__ == "__main__":
    typer.run(main)
