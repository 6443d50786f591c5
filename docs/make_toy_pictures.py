"""Draws the pictures of docs/toy_superposition.md, from models that are trained here.

python docs/make_toy_pictures.py [--folder docs/pictures]

Two cores take about four minutes.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from glassbench.compiler.picture_file import write_drawing
from glassbench.ground_truth import toy_superposition_sweeps as sweeps
from glassbench.ground_truth.toy_superposition_theory import Phase, plain_border

FOLDER = Path(__file__).parent / "pictures"
# Okabe and Ito's palette, which the colour-blind can tell apart; places and texts say the same.
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9"
GREY, PALE = "#707070", "#E4E4E4"
PHASES = {
    Phase.GIVEN_UP: "#DDDDDD",
    Phase.SUPERPOSITION: ORANGE,
    Phase.OWN_DIMENSION: BLUE,
    Phase.OTHERS_SHARE: SKY,
}
TEXTS: dict[int, list[tuple[float, float, str, dict[str, str]]]] = {
    2: [
        (0.85, 4.6, "own\ndimension", {"color": "white"}),
        (0.85, 0.22, "given up", {}),
        (0.055, 1, "superposition", {"ha": "center"}),
    ],
    3: [
        (
            1.0,
            3.2,
            "own, another given up",
            {"color": "white", "rotation": "vertical", "ha": "center"},
        ),
        (0.08, 3.2, "own dimension,\nthe other two share one", {"ha": "center"}),
        (0.85, 0.18, "given up", {}),
        (0.06, 0.4, "superposition\nwith one of them", {"ha": "center"}),
    ],
}
"""Names of phases, by the number of features: density, importance, text, style."""
DENSITY = {2: "density of both features", 3: "density of all three features"}
FEATURES = (BLUE, ORANGE, GREEN, PURPLE, SKY)
LEVELS = {1: "1", 1 / 2: "1/2", 1 / 3: "1/3", 1 / 4: "1/4"}


def plane_figure(sweep: sweeps.SparsitySweep) -> Figure:
    """Draw the columns of W of each model in the plane, dense ones first."""
    figure = Figure(figsize=(9.6, 2.3), layout="constrained")
    panels = figure.subplots(1, len(sweep.settings))
    models = zip(panels, sweep.settings, sweep.W, sweep.represented, strict=True)
    for axes, setting, W, represented in models:
        axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=PALE, linewidth=1))
        for i in np.flatnonzero(represented):
            x, y = W[:, i]
            axes.plot([0, x], [0, y], color=FEATURES[i], linewidth=1.8, solid_capstyle="round")
            axes.plot(x, y, "o", color=FEATURES[i], markersize=5)
        axes.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), aspect="equal", xticks=[], yticks=[])
        axes.set_title(f"sparsity {setting.sparsity:.0%}")
        axes.set_xlabel(f"{represented.sum()} of 5 features")
        for side in axes.spines.values():
            side.set_visible(False)
    handles = [panels[0].plot([], [], "o-", color=colour)[0] for colour in FEATURES]
    names = [f"{one:.2f}" for one in sweep.settings[0].importance]
    figure.legend(handles, names, title="importance", loc="outside right center", frameon=False)
    return figure


def plateau_figure(plateaus: dict[int, sweeps.SparsitySweep]) -> Figure:
    """Draw dimensions per feature against sparsity, and the share of each single feature."""
    figure = Figure(figsize=(9.6, 3.9), layout="constrained")
    curves, shares = figure.subplots(1, 2, sharey=True)
    for axes in (curves, shares):
        for level in LEVELS:
            axes.axhline(level, color=PALE, linewidth=1, zorder=0)
        axes.set(xscale="log", xlabel="1 / density", ylim=(0, 1.06))
        axes.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
        axes.set_xticks([], minor=True)
        axes.set_yticks(list(LEVELS), list(LEVELS.values()))
        axes.spines[["top", "right"]].set_visible(False)
    styles = ((BLUE, "o", 8), (ORANGE, "s", -14))
    for (d, sweep), (colour, marker, above) in zip(plateaus.items(), styles, strict=True):
        times = np.array([1 / setting.density for setting in sweep.settings])
        curve = sweep.dimensions_per_feature
        curves.plot(times, curve, color=colour, marker=marker, markersize=4, linewidth=1.4)
        curves.annotate(
            f"d = {d}",
            (times[-1], curve[-1]),
            (0, above),
            textcoords="offset points",
            ha="right",
            color=colour,
        )
    d, sweep = next(iter(plateaus.items()))
    for setting, share in zip(sweep.settings, sweep.shares, strict=True):
        shares.plot(
            [1 / setting.density] * len(share),
            share,
            "o",
            color=BLUE,
            markersize=4,
            alpha=0.25,
            markeredgewidth=0,
        )
    curves.set_title("d / ‖W‖²: dimensions per feature")
    shares.set_title(f"D of each represented feature, d = {d}")
    return figure


def phase_figure(picture: sweeps.PhasePicture) -> Figure:
    """Draw what becomes of the last feature, in trained models and by the known solutions."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    order, n = list(PHASES), picture.W.shape[-1]
    known = [[one.phase for one in row] for row in picture.expected]
    colours = ListedColormap(list(PHASES.values()))
    x, y = np.array(picture.densities), np.array(picture.ratios)
    for axes, phases in zip(panels, (picture.measured, known), strict=True):
        numbers = [[order.index(phase) for phase in row] for row in phases]
        axes.pcolormesh(
            x,
            y,
            numbers,
            cmap=colours,
            vmin=0,
            vmax=len(order) - 1,
            shading="nearest",
            edgecolors="face",  # without it viewers show a seam between cells
            linewidth=0.3,
        )
        axes.set(xscale="log", yscale="log", xlabel=DENSITY[n])
        limits = axes.get_xlim(), axes.get_ylim()
        for densities, ratios in borders(n):
            axes.plot(densities, ratios, color="black", linewidth=1.2, linestyle="--")
        axes.set(xlim=limits[0], ylim=limits[1])
        axes.set_xticks([1, 0.3, 0.1, 0.03, 0.01], ["1", "0.3", "0.1", "0.03", "0.01"])
        axes.set_yticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
        axes.minorticks_off()
        axes.invert_xaxis()
        for density, ratio, text, style in TEXTS[n]:
            axes.text(density, ratio, text, va="center", **style)
        for side in axes.spines.values():
            side.set_visible(False)
    panels[0].set_ylabel("importance of the last feature,\nrelative to each other one")
    panels[0].set_title("trained")
    panels[1].set_title("least loss of the known solutions")
    return figure


def borders(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return where solutions with columns of length one and no biases lose the same."""
    ratios = np.geomspace(0.05, 20 if n == 2 else 1, 200)
    found = [(np.array([plain_border(float(one)) for one in ratios]), ratios)]
    if n == 3:  # above, the other two share a dimension: the border of a pair of equals
        equals = plain_border(1.0)
        found.append((np.array([equals, equals]), np.array([1.0, 20.0])))
        found.append((np.array([equals, 0.005]), np.ones(2)))
    return found


def main(
    folder: Annotated[Path, typer.Option(help="Where the pictures go.")] = FOLDER,
) -> None:
    """Train the models and draw the pictures."""
    plane = sweeps.plane_sweep()
    print(write_drawing(lambda: plane_figure(plane), folder / "toy_plane.svg"))
    plateaus = sweeps.plateau_sweeps()
    print(write_drawing(lambda: plateau_figure(plateaus), folder / "toy_plateaus.svg"))
    for n, name in ((2, "toy_phases.svg"), (3, "toy_phases_of_three.svg")):
        phases = sweeps.phase_grid(n)
        print(write_drawing(lambda phases=phases: phase_figure(phases), folder / name))


if __name__ == "__main__":
    typer.run(main)
