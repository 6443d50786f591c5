"""Draws the pictures of docs/superposition.md.

python docs/make_superposition_pictures.py [--curves docs/superposition_curves.csv]

Nothing is trained: matrices are those kept with the package, and curves are those that
performance/superposition_curves.py measured.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from feature_measures import KEPT, FeatureMeasures, correlations, feature_names, values
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import spearmanr
from superposition_breaks import CURVES, FORMED_ON, HELD_OUT, MEANT, breaks, off_by, read_curves

from glassbench.compiler.compression_starts import STARTS
from glassbench.compiler.picture_file import write_drawing
from glassbench.ground_truth import Task, load
from glassbench.ground_truth.stored_compressions import stored_compression, stored_compression_ids

FOLDER = Path(__file__).parent / "pictures"
SHOWN = "frac_prevs-v1/superposed[d=8,seed=1]"
"""The task whose matrix is drawn whole."""
LEAST_LOSS = 1e-8
LEAST_INTERFERENCE = 1e-3

# Okabe and Ito's palette, which the colour-blind can tell apart; places and texts say the same.
BLUE, ORANGE, GREEN, PURPLE, SKY, RED = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00",
)  # fmt: skip
GREY, PALE = "#707070", "#E4E4E4"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)
MARKERS = ("o", "s", "^", "D")
METHOD_COLOURS = {"pca": ORANGE, "trained": BLUE}
PREDICTION_STYLES = {"read_error": (RED, ":"), "read_rank": (GREEN, "--")}


def narrowest(tasks: tuple[str, ...]) -> list[str]:
    """Return of each program the compression to fewest dimensions, with its first seed."""
    found: dict[str, tuple[int, int, str]] = {}
    for task in tasks:
        base, regime = task.rsplit("/", 1)
        inside = regime.partition("[")[2].rstrip("]")
        options = dict(part.split("=") for part in inside.split(","))
        key = (int(options["d"]), int(options.get("seed", 0)), task)
        found[base] = min(found.get(base, key), key)
    return [task for _d, _seed, task in found.values()]


def matrix(task: str) -> np.ndarray:
    """Return the matrix that is kept for a task."""
    W = stored_compression(task)
    if W is None:
        raise typer.BadParameter(f"No matrix is kept for {task}.")
    return W


def measured(task: str) -> FeatureMeasures:
    """Measure the features of a compression that is kept with the package."""
    base, W = task.rsplit("/", 1)[0], matrix(task)
    return FeatureMeasures.of(f"{base.replace('-v1', '')}, d = {len(W)}", load(base), W)


def gram_figure(task: Task, W: np.ndarray) -> Figure:
    """Draw `W^T W`, trained and by PCA, beside the correlations of features."""
    source_map = task.compiled.source_map
    directions = np.vstack([one.directions for one in source_map.variables])
    principal = STARTS["pca"](
        task.compiled.model, task.domain.tokens, len(W), np.random.default_rng(0)
    )
    grams = [(one @ directions.T).T @ (one @ directions.T) for one in (W, principal)]
    names = feature_names(source_map)
    pictures = {
        f"WᵀW, trained, d = {len(W)}": grams[0],
        f"WᵀW, PCA, d = {len(W)}": grams[1],
        "correlation over the domain": correlations(values(task)),
    }
    figure = Figure(figsize=(9.6, 3.9), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (title, numbers) in zip(panels, pictures.items(), strict=True):
        axes.set_facecolor("#BBBBBB")
        mesh = axes.pcolormesh(
            np.ma.masked_invalid(np.round(numbers, 6)),
            cmap="RdBu_r",
            vmin=-1,
            vmax=1,
            edgecolors="face",  # without it viewers show a seam between cells
            linewidth=0.3,
        )
        ticks = np.arange(len(names)) + 0.5
        axes.set_xticks(ticks, names, rotation=90)
        axes.set_yticks(ticks, names)
        axes.tick_params(length=0)
        axes.set(aspect="equal", title=title)
        for side in axes.spines.values():
            side.set_visible(False)
    panels[0].invert_yaxis()
    most = max(np.abs(gram).max() for gram in grams)
    clipped = f"; up to {most:.2f} is drawn as 1" if most > 1.005 else ""
    bar = figure.colorbar(mesh, ax=list(panels), extend="both" if clipped else "neither")
    bar.outline.set_visible(False)
    figure.supxlabel(f"grey: constant{clipped}", fontsize="medium", color=GREY)
    return figure


def features_figure(compressions: list[FeatureMeasures]) -> Figure:
    """Draw interference of features against what could explain it."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    explanations = {
        "importance": "importance: how much of it is read",
        "density": "density: share of places, not zero",
        "independence": "independence: 1 - R² from other variables",
    }
    for axes, (which, label) in zip(panels, explanations.items(), strict=True):
        for number, one in enumerate(compressions):
            style = {
                "marker": MARKERS[number // len(COLOURS) % len(MARKERS)],
                "s": 26,
                "edgecolors": COLOURS[number % len(COLOURS)],
                "linewidths": 1.1,
                "alpha": 0.8,
                "clip_on": False,
            }
            x, y = getattr(one, which), np.maximum(one.interference, LEAST_INTERFERENCE)
            filled = COLOURS[number % len(COLOURS)]
            axes.scatter(x[one.kept], y[one.kept], facecolors=filled, **style)
            axes.scatter(x[~one.kept], y[~one.kept], facecolors="none", **style)
        axes.set_title(said([(getattr(one, which), one.interference) for one in compressions]))
        axes.set(yscale="log", xlabel=label)
        axes.spines[["top", "right"]].set_visible(False)
    levels = [LEAST_INTERFERENCE, 0.01, 0.1, 1]
    panels[0].set_yticks(levels, ["≤ 0.001", "0.01", "0.1", "1"])
    panels[0].minorticks_off()
    panels[0].set_ylabel("interference: Σ (ŵᵢ · wⱼ)², j ≠ i")
    handles = [
        Line2D(
            [], [], linestyle="", color=COLOURS[number % len(COLOURS)], label=one.name,
            marker=MARKERS[number // len(COLOURS) % len(MARKERS)],
        )
        for number, one in enumerate(compressions)
    ]  # fmt: skip
    for text, face in ((f"kept: ‖w‖² ≥ {KEPT}", GREY), (f"‖w‖² < {KEPT}", "none")):
        handles.append(
            Line2D([], [], linestyle="", marker="o", color=GREY, markerfacecolor=face, label=text)
        )
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def said(pairs: list[tuple[np.ndarray, np.ndarray]]) -> str:
    """Return the median and the range of Spearman's correlations within compressions, as text."""
    found = []
    for x, y in pairs:
        known = np.isfinite(x) & np.isfinite(y)
        if known.sum() > 2 and np.ptp(x[known]) > 0 and np.ptp(y[known]) > 0:
            found.append(spearmanr(x[known], y[known]).statistic)
    if not found:
        return "no correlation is defined"
    return (
        f"Spearman {np.median(found):.2f} ({min(found):.2f} to {max(found):.2f})\n"
        f"within each of {len(found)} models"
    )


def best_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return of each width the best model: it passes, or answers, or components come nearest."""
    ordered = rows.sort_values(["passes", "accuracy", "cosine", "loss"],
                               ascending=[False, False, False, True])  # fmt: skip
    return ordered.groupby("d", as_index=False).first().sort_values("d")


def curves_figure(curves: pd.DataFrame) -> Figure:
    """Draw accuracy, the least cosine and the loss of each program against its width."""
    least = breaks(curves)
    n_columns = 4
    n_rows = -(-(len(least) + 1) // n_columns)
    figure = Figure(figsize=(9.6, 2.7 * n_rows), layout="constrained")
    cells = figure.subfigures(n_rows, n_columns, wspace=0.02, hspace=0.02).reshape(-1)
    for cell, (_place, one) in zip(cells, least.iterrows(), strict=False):
        upper, lower = cell.subplots(2, 1, sharex=True, height_ratios=(2, 1.2))
        _one_program(upper, lower, curves[curves.program == one.program], one)
        upper.set_title(f"{one.program}, D = {one.D:.0f}")
    styles = {
        "trained": {"color": BLUE},
        "PCA": {"color": ORANGE},
        "accuracy": {"color": GREY},
        "least cosine": {"color": GREY, "linestyle": (0, (1, 1))},
        "loss (lower panels)": {"color": GREY, "linewidth": 0.9},
        "narrowest that passes": {"color": BLUE, "marker": "v", "linestyle": ""},
        "narrowest that passes, PCA": {"color": ORANGE, "marker": "v", "linestyle": ""},
    }
    for error, (colour, line) in PREDICTION_STYLES.items():
        styles[f"from here on\n{MEANT[error]}"] = {"color": colour, "linestyle": line}
    handles = [Line2D([], [], label=text, **style) for text, style in styles.items()]
    cells[len(least)].legend(handles=handles, loc="center left", frameon=False)
    return figure


def _one_program(upper: Axes, lower: Axes, rows: pd.DataFrame, least: pd.Series) -> None:
    for method, colour in METHOD_COLOURS.items():
        best = best_rows(rows[rows.method == method])
        style = {"color": colour, "marker": "o", "markersize": 2.5}
        upper.plot(best.d, best.accuracy, linewidth=1.4, **style)
        upper.plot(best.d, best.cosine, linewidth=1, linestyle=(0, (1, 1)), **style)
        lower.plot(best.d, best.loss.clip(lower=LEAST_LOSS), linewidth=0.9, **style)
        if np.isfinite(least[method]):
            height = 1.12 if method == "trained" else 1.24
            upper.plot(least[method], height, "v", color=colour, markersize=5)
    for shift, (error, (colour, line)) in zip(
        (-0.08, 0.08), PREDICTION_STYLES.items(), strict=True
    ):
        for axes in (upper, lower):  # side by side where both are at the same width
            axes.axvline(least[error] + shift, color=colour, linestyle=line, linewidth=1, zorder=0)
    lowest = rows[["accuracy", "cosine"]].min().min()
    upper.set(ylim=(min(lowest, 0) - 0.06, 1.32), yticks=[0, 0.5, 1])
    lower.set(yscale="log", ylim=(LEAST_LOSS / 3, 30), yticks=[1e-8, 1e-4, 1], xlabel="d")
    lower.set_yticklabels(["1e-8", "1e-4", "1"])
    lower.minorticks_off()
    width = int(least.D)
    lower.set_xlim(1.5, width + 0.5)
    lower.set_xticks(range(2, width + 1, 2 if width <= 20 else 4))
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)


def breaks_figure(least: pd.DataFrame) -> Figure:
    """Draw the least width that was found against those predicted before training."""
    figure = Figure(figsize=(9.6, 9.0), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    most = float(least[["trained", *MEANT]].max().max()) + 3
    for axes, (prediction, meant) in zip(panels, MEANT.items(), strict=True):
        axes.plot([1, most], [1, most], color=PALE, zorder=0)
        known = least[np.isfinite(least.trained) & np.isfinite(least[prediction])]
        formed = known.program.isin(FORMED_ON[prediction])
        for some, marker, colour, label in (
            (known[formed], "D", ORANGE, "formed on it"),
            (known[~formed], "o", BLUE, "held out"),
        ):
            axes.scatter(some[prediction], some.trained, 30, colour, marker=marker, label=label)
        _name_rows(axes, known, prediction)
        off, _ = off_by(known, prediction)
        axes.set_title(
            f"{meant}\nheld out: {int((off == 0).sum())} of {len(off)} exact, "
            f"{off.abs().mean():.1f} off on average"
        )
        axes.set(xlim=(1, most), ylim=(1, most), aspect="equal", anchor="W")
        axes.set(xlabel="predicted before training", ylabel="found: least d that passes")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(loc="upper left", frameon=False)
    return figure


def _name_rows(axes: Axes, known: pd.DataFrame, prediction: str) -> None:
    """Write the programs of each width beside it, from left to right as their points lie."""
    for width, row in known.groupby("trained"):
        names = [
            ", ".join(name.split("[")[0] for name in programs)
            for _predicted, programs in row.groupby(prediction).program
        ]
        axes.annotate(
            " · ".join(names),
            (1.02, width),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7,
        )


def main(
    curves: Annotated[
        Path, typer.Option(help="What was measured.", exists=True, dir_okay=False)
    ] = CURVES,
    folder: Annotated[Path, typer.Option(help="Where the pictures go.")] = FOLDER,
) -> None:
    """Draw the pictures."""
    task, W = load(SHOWN.rsplit("/", 1)[0]), matrix(SHOWN)
    default_sizes = tuple(one for one in stored_compression_ids() if "[" not in one.split("/")[0])
    compressions = [measured(one) for one in narrowest(default_sizes)]
    rows = read_curves(curves)
    pictures = {
        "superposition_gram.svg": lambda: gram_figure(task, W),
        "superposition_features.svg": lambda: features_figure(compressions),
        "superposition_curves.svg": lambda: curves_figure(rows),
        "superposition_breaks.svg": lambda: breaks_figure(breaks(rows, read_curves(HELD_OUT))),
    }
    for name, draw in pictures.items():
        print(write_drawing(draw, folder / name))


if __name__ == "__main__":
    typer.run(main)
