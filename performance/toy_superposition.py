"""Trains toy models of superposition, and measures what becomes of their features.

    python performance/toy_superposition.py -o toy_superposition.md

Five features in a plane at six sparsities; 80 features in 20 and in 8 dimensions at 24; two
features in one dimension at 400 pairs of relative importance and density and three in two at
196, compared with the least loss of the known solutions; and the two named tasks, with what the
built-in methods of the features track find in them.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import jax
import machine
import numpy as np
import optax
import typer
from figures import FiguresFile, write_figures
from markdown_table import table

from glassbench import load, score
from glassbench.errors import ToolError
from glassbench.evaluators.methods import built_in
from glassbench.ground_truth import toy_superposition as toys
from glassbench.ground_truth import toy_superposition_sweeps as sweeps
from glassbench.ground_truth.toy_superposition_theory import Phase

TASKS = ("toy_superposition[n=5,d=2]", "toy_superposition[n=40,d=10]")
METRICS = ("matched_cosine", "recovered_at_0.9", "activation_f1")


def timed(name: str, call: Callable[[], Any]) -> tuple[Any, str]:
    """Return the result of a call, and its seconds as text."""
    print(name, file=sys.stderr, flush=True)
    started = time.perf_counter()
    result = call()
    return result, f"{time.perf_counter() - started:.1f} s"


def plane_table(sweep: sweeps.SparsitySweep) -> str:
    """Return a row for each sparsity."""
    rows = []
    numbers = toys.column_norms(sweep.W), toys.dimensionality(sweep.W), toys.interference(sweep.W)
    for place, (setting, kept) in enumerate(zip(sweep.settings, sweep.represented, strict=True)):
        some = [one[place, kept] for one in numbers]
        spans = [f"{one.min():.2f} to {one.max():.2f}" for one in some]
        row = [f"{setting.sparsity:.2f}", str(kept.sum()), *spans]
        rows.append(
            [*row, f"{sweep.dimensions_per_feature[place]:.3f}", f"{sweep.loss[place]:.5f}"]
        )
    heading = ["sparsity", "represented", "length", "dimensions D", "interference"]
    return table([*heading, "d / ‖W‖²", "loss"], rows)


def plateau_table(plateaus: dict[int, sweeps.SparsitySweep]) -> str:
    """Return a row for each sparsity, columns for each number of dimensions."""
    heading, rows = ["1 / density"], []
    for d in plateaus:
        heading += [f"d={d}: represented", "d / ‖W‖²", "D, middle half"]
    for place, setting in enumerate(next(iter(plateaus.values())).settings):
        row = [f"{1 / setting.density:.2f}"]
        for sweep in plateaus.values():
            shares = sweep.shares[place]
            low, high = np.quantile(shares, [0.25, 0.75])
            row += [str(len(shares)), f"{sweep.dimensions_per_feature[place]:.3f}"]
            row.append(f"{low:.2f} to {high:.2f}")
        rows.append(row)
    return table(heading, rows)


def phase_table(picture: sweeps.PhasePicture) -> str:
    """Return a row for each phase, and what holds of all pairs."""
    known = np.array([[one.phase.value for one in row] for row in picture.expected])
    rows = []
    for phase in (one for one in Phase if one.value in known):
        there = known == phase.value
        agree = picture.agrees[there]
        excess = 100 * picture.excess[there]
        row = [phase.value, f"{there.sum()}", f"{agree.sum()} ({agree.mean():.1%})"]
        rows.append([*row, f"{np.median(excess):.2f} %", f"{excess.max():.2f} %"])
    heading = ["least loss of the known", "pairs", "trained likewise", "median excess loss"]
    close = picture.gap < 0.05
    return "\n\n".join(
        [
            table([*heading, "largest"], rows),
            f"All: {picture.agrees.sum()} of {picture.agrees.size} pairs. In {close.sum()} of them "
            f"the second best known solution loses less than 5 % more than the best, and "
            f"{picture.agrees[close].sum()} of these agree. The lowest excess is "
            f"{100 * picture.excess.min():.4f} %; it is below -0.01 % on "
            f"{(picture.excess < -1e-4).sum()} pairs, densities {_span(picture)}.",
        ]
    )


def _span(picture: sweeps.PhasePicture) -> str:
    """Return the densities at which trained models are better than every known solution."""
    places = np.flatnonzero((picture.excess < -1e-4).any(axis=0))
    return ", ".join(f"{picture.densities[place]:.2f}" for place in places) or "none"


def task_tables() -> str:
    """Return a table for each named task, a row for each method."""
    parts = []
    for name in TASKS:
        task, seconds = timed(name, lambda name=name: load(name))
        dead = int((toys.column_norms(task.W) == 0).sum())
        parts.append(
            f"`{task.id}`: {toys.n_represented(task.W)} features represented, {dead} dead; trained "
            f"in {seconds}."
        )
        results = {}
        for method in built_in("features"):
            try:
                results[method] = score(method, task, "features")
            except ToolError as error:
                print(error, file=sys.stderr)
        floors = next(iter(results.values())).metrics
        rows = [["random floor", *(f"{floors[metric].floor:.2f}" for metric in METRICS), ""]]
        for method, result in results.items():
            values = [f"{result.metrics[metric].value:.2f}" for metric in METRICS]
            rows.append([f"`{method}`", *values, f"{result.reported['unexplained_variance']:.3f}"])
        parts.append(table(["method", *METRICS, "unexplained variance"], rows))
    return "\n\n".join(parts)


def figures(two: sweeps.PhasePicture, three: sweeps.PhasePicture) -> dict[str, float]:
    """Return on which share of settings a trained model is in the phase that loses least."""
    return {"phases n=2, d=1": two.agrees.mean(), "phases n=3, d=2": three.agrees.mean()}


def report() -> tuple[str, dict[str, float]]:
    """Train everything and return the report as Markdown, and its figures."""
    plane, plane_seconds = timed("n=5, d=2", sweeps.plane_sweep)
    plateaus, plateau_seconds = timed("n=80, d=20 and d=8", sweeps.plateau_sweeps)
    two, two_seconds = timed("n=2, d=1", sweeps.phase_grid)
    three, three_seconds = timed("n=3, d=2", lambda: sweeps.phase_grid(3))
    versions = {"packages": {"jax": jax.__version__, "optax": optax.__version__}}
    text = "\n\n".join(
        [
            "# Toy models of superposition",
            machine.described(2, versions),
            f"## Five features in a plane ({plane_seconds})",
            plane_table(plane),
            f"## 80 equally important features ({plateau_seconds})",
            plateau_table(plateaus),
            f"## Two features in one dimension ({two_seconds})",
            phase_table(two),
            f"## Three features in two dimensions ({three_seconds})",
            phase_table(three),
            "## Named tasks",
            task_tables(),
        ]
    )
    return text, figures(two, three)


def main(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Train toy models, and print what is measured of them."""
    text, found = report()
    write_figures(found, figures_file)
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
