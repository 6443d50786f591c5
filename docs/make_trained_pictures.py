"""Draws the picture of docs/trained.md, and prints its tables.

python docs/make_trained_pictures.py [docs/trained_methods.csv]

Nothing is measured: numbers are those of performance/trained_regimes.py.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from matplotlib.figure import Figure
from scipy.stats import bootstrap, spearmanr

from glassbench.compiler.picture_file import write_drawing

MEASURED = Path(__file__).parent / "trained_methods.csv"
FOLDER = Path(__file__).parent / "pictures"
PRIOR = "prior"
REGIMES = ("exact", "scrambled", "crowded", "superposed", "trained")

# Okabe and Ito's palette, which the colour-blind can tell apart; markers say the same.
STYLES = (
    ("#0072B2", "o"),
    ("#E69F00", "s"),
    ("#009E73", "^"),
    ("#D55E00", "v"),
    ("#CC79A7", "D"),
    ("#56B4E9", "P"),
    ("#000000", "X"),
)
GREY = "#707070"
_RESAMPLES = 2_000


def common(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of programs that are there in every regime."""
    counts = frame.groupby("program").regime.nunique()
    return frame[frame.program.isin(counts[counts == frame.regime.nunique()].index)]


def means(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the mean score of each method in each regime, best on trained models first."""
    table = frame.pivot_table(index="method", columns="regime", values="score")
    regimes = [one for one in REGIMES if one in table]
    return table[regimes].sort_values("trained", ascending=False, kind="stable")


def interval(scores: pd.Series) -> np.ndarray:
    """Return the ends of the 95% interval of a mean over programs, by percentiles of resamples."""
    low_high = bootstrap(
        (scores,), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=0
    ).confidence_interval
    return np.array(low_high)


def agreements(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how far every other regime ranks the methods as trained models do, by Spearman.

    Beside it stand the ends of its 95% interval over programs and methods, both drawn anew, by
    percentiles of resamples.
    """
    frame = frame[frame.method != PRIOR]
    scores = frame.pivot_table(index="program", columns=["regime", "method"], values="score")
    rows = {}
    for other in REGIMES[:-1]:
        rng = np.random.default_rng(0)
        both = scores[[other, "trained"]].dropna().to_numpy().reshape(-1, 2, frame.method.nunique())
        programs, _, methods = both.shape
        drawn = [
            spearmanr(*both[rng.integers(programs, size=programs)].mean(axis=0)[:, some]).statistic
            for some in rng.integers(methods, size=(_RESAMPLES, methods))
        ]
        seen = spearmanr(*both.mean(axis=0)).statistic
        rows[other] = [seen, *np.percentile(drawn, [2.5, 97.5])]
    return pd.DataFrame(rows, index=["Spearman", "low", "high"]).T


def figure_of(frame: pd.DataFrame) -> Figure:
    """Draw a line for each method over the regimes, with intervals; names stand at their ends."""
    shared = common(frame)
    table = means(shared)
    ends = shared.groupby(["method", "regime"]).score.apply(interval)
    figure = Figure(figsize=(9.6, 5.2), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(table.columns))
    aside = np.linspace(-0.13, 0.13, len(table))
    heights = _apart(table["trained"].to_numpy(), 0.062)
    for place, (method, row) in enumerate(table.iterrows()):
        colour, marker, dashes = _style(method, place)
        at = places + aside[place]
        axes.plot(at, row, dashes, color=colour, marker=marker, markersize=5, linewidth=1.2)
        low, high = np.stack([ends[method, regime] for regime in table.columns], axis=1)
        axes.vlines(at, low, high, color=colour, linewidth=1)
        axes.annotate(
            f"{method} {row['trained']:.2f}",
            (at[-1], row["trained"]),
            (places[-1] + 0.3, heights[place]),
            color=colour,
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "relpos": (0, 0.5),
                "color": colour,
                "linewidth": 0.6,
            },
        )
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.axhline(1, color=GREY, linewidth=0.8)
    axes.set_xticks(places, table.columns)
    axes.set(xlim=(-0.25, places[-1] + 1.7), ylabel="average precision, random 0 to oracle 1")
    n_programs = shared.program.nunique()
    axes.set_title(
        f"The same {n_programs} programs under five regimes; bars are 95% intervals of the mean",
        fontsize="medium",
    )
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _style(method: str, place: int) -> tuple[str, str, str]:
    """Return the colour, the marker and the line of a method; grey dots of the prior."""
    if method == PRIOR:
        return GREY, ".", ":"
    colour, marker = STYLES[place % len(STYLES)]
    return colour, marker, "-" if place < len(STYLES) else "--"


def _apart(heights: np.ndarray, least: float) -> np.ndarray:
    """Return heights that are at least so far from each other, in the same descending order."""
    found = heights.astype(float).copy()
    for place in range(1, len(found)):
        found[place] = min(found[place], found[place - 1] - least)
    return found


def main(measured: Annotated[Path, typer.Argument()] = MEASURED) -> None:
    frame = pd.read_csv(measured)
    table = means(common(frame))
    print(table.round(2).to_string())
    print(f"\nOf all programs:\n{means(frame).round(2).to_string()}")
    print(f"\nWith trained, over all programs:\n{agreements(frame).round(2).to_string()}")
    write_drawing(lambda: figure_of(frame), FOLDER / "trained_methods.svg")


if __name__ == "__main__":
    typer.run(main)
