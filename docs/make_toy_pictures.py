"""Draws the pictures of docs/toy_superposition.md, from models that are trained here.

python docs/make_toy_pictures.py [--folder docs/pictures]

Two cores take about two minutes.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from glassbench.compiler.picture_file import write_figure
from glassbench.ground_truth.toy_superposition import (
    REPRESENTED,
    column_norms,
    dimensionality,
    dimensions_per_feature,
    n_represented,
)
from glassbench.ground_truth.toy_superposition_sweeps import (
    PhasePicture,
    SparsitySweep,
    phase_grid,
    plane_sweep,
    plateau_sweep,
)
from glassbench.ground_truth.toy_superposition_theory import Phase, plain_border

FOLDER = Path(__file__).parent / "pictures"
# Okabe and Ito's palette, which the colour-blind can tell apart; places and texts say the same.
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9"
GREY, PALE = "#707070", "#E4E4E4"
PHASES = {Phase.GIVEN_UP: "#DDDDDD", Phase.SUPERPOSITION: ORANGE, Phase.OWN_DIMENSION: BLUE}
FEATURES = (BLUE, ORANGE, GREEN, PURPLE, SKY)
LEVELS = {1: "1", 1 / 2: "1/2", 1 / 3: "1/3", 1 / 4: "1/4"}


def bare(axes: Axes) -> None:
    """Leave out the upper and the right edge."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def plane_figure(sweep: SparsitySweep) -> Figure:
    """Draw the columns of W of each model in the plane, dense ones first."""
    figure = Figure(figsize=(9.6, 2.3), layout="constrained")
    panels = figure.subplots(1, len(sweep.settings))
    for axes, setting, W in zip(panels, sweep.settings, sweep.W, strict=True):
        axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=PALE, linewidth=1))
        for i in np.flatnonzero(column_norms(W) > REPRESENTED):
            x, y = W[:, i]
            axes.plot([0, x], [0, y], color=FEATURES[i], linewidth=1.8, solid_capstyle="round")
            axes.plot(x, y, "o", color=FEATURES[i], markersize=5)
        axes.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), aspect="equal", xticks=[], yticks=[])
        axes.set_title(f"sparsity {setting.sparsity:.0%}")
        axes.set_xlabel(f"{n_represented(W)} of 5 features")
        for side in axes.spines.values():
            side.set_visible(False)
    handles = [panels[0].plot([], [], "o-", color=colour)[0] for colour in FEATURES]
    names = [f"{one:.2f}" for one in sweep.settings[0].importance]
    figure.legend(handles, names, title="importance", loc="outside right center", frameon=False)
    return figure


def plateau_figure(sweeps: dict[int, SparsitySweep]) -> Figure:
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
        bare(axes)
    styles = ((BLUE, "o", 8), (ORANGE, "s", -14))
    for (d, sweep), (colour, marker, above) in zip(sweeps.items(), styles, strict=True):
        times = np.array([1 / setting.density for setting in sweep.settings])
        curve = dimensions_per_feature(sweep.W)
        curves.plot(times, curve, color=colour, marker=marker, markersize=4, linewidth=1.4)
        curves.annotate(
            f"d = {d}",
            (times[-1], curve[-1]),
            (0, above),
            textcoords="offset points",
            ha="right",
            color=colour,
        )
    d, sweep = next(iter(sweeps.items()))
    for setting, W in zip(sweep.settings, sweep.W, strict=True):
        share = dimensionality(W)[column_norms(W) > REPRESENTED]
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


def phase_figure(picture: PhasePicture) -> Figure:
    """Draw what becomes of the second feature, in trained models and by the known solutions."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    order = list(PHASES)
    known = [[one.phase for one in row] for row in picture.expected]
    colours = ListedColormap(list(PHASES.values()))
    x, y = np.array(picture.densities), np.array(picture.ratios)
    line = np.geomspace(y[0], y[-1], 200)
    border = np.array([plain_border(float(one)) for one in line])
    for axes, phases in zip(panels, (picture.measured, known), strict=True):
        numbers = [[order.index(phase) for phase in row] for row in phases]
        axes.pcolormesh(
            x,
            y,
            numbers,
            cmap=colours,
            vmin=0,
            vmax=2,
            shading="nearest",
            edgecolors="face",  # without it viewers show a seam between cells
            linewidth=0.3,
        )
        axes.plot(border, line, color="black", linewidth=1.2, linestyle="--")
        axes.set(xscale="log", yscale="log", xlabel="density of both features")
        axes.set_xticks([1, 0.3, 0.1, 0.03, 0.01], ["1", "0.3", "0.1", "0.03", "0.01"])
        axes.set_yticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
        axes.minorticks_off()
        axes.invert_xaxis()
        axes.text(0.85, 4.6, "own\ndimension", color="white", va="center")
        axes.text(0.85, 0.22, "given up", va="center")
        axes.text(0.055, 1, "superposition", va="center", ha="center")
        for side in axes.spines.values():
            side.set_visible(False)
    panels[0].set_ylabel("importance of the second feature,\nrelative to the first")
    panels[0].set_title("trained")
    panels[1].set_title("least loss of the known solutions")
    return figure


def main(
    folder: Annotated[Path, typer.Option(help="Where the pictures go.")] = FOLDER,
) -> None:
    """Train the models and draw the pictures."""
    plane = plane_sweep()
    print(write_figure(lambda: plane_figure(plane), folder / "toy_plane.svg"))
    plateaus = {d: plateau_sweep(d) for d in (20, 8)}
    print(write_figure(lambda: plateau_figure(plateaus), folder / "toy_plateaus.svg"))
    phases = phase_grid()
    print(write_figure(lambda: phase_figure(phases), folder / "toy_phases.svg"))


if __name__ == "__main__":
    typer.run(main)
