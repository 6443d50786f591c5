"""Measures programs at every width, compressed by training and by PCA, and writes a CSV.

python performance/superposition_curves.py frac_prevs histogram -o curves.csv

A row says what is left of a program at a width: accuracy, the plain loss, the least cosine and
the largest error of a component, whether the quality gate passes, and in how many edges the
state moved. `read_error` is the least mean square error, relative to its size, with which all
that readers read can be carried in so many dimensions, `read_rank` in how many directions
readers must tell something apart; both are found before anything is trained. Where no seed has
passed at two widths in a row, one seed and fewer rounds draw the rest of the curve. Rows are
appended, so that programs can be measured side by side; a program that is already
there is left out.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import typer
from appended_rows import append_row, programs_in
from read_rank import read_rank

from glassbench.compiler.compression_loss import CompressionLoss
from glassbench.compiler.compression_starts import STARTS, read_error, read_moments, reading_matrix
from glassbench.compiler.gauss_newton_recipe import GaussNewtonRecipe
from glassbench.ground_truth import Task, load
from glassbench.ground_truth.interchange_pairs import spread_rows
from glassbench.ground_truth.quality_gate import QualityGate, quality_gate
from glassbench.ground_truth.superposed import superpose

SEARCH = GaussNewtonRecipe(tries=2, rounds=6, squeezes=0)
SKETCH = GaussNewtonRecipe(tries=1, rounds=2, squeezes=0)


class Row(NamedTuple):
    """What is left of a program at a width."""

    program: str
    D: int
    d: int
    method: str
    seed: int
    passes: bool
    accuracy: float
    loss: float
    cosine: float
    error: float
    moved: int | str
    seconds: float
    read_error: float
    read_rank: int


def carried(task: Task, d: int) -> float:
    """Return the least error with which all that is read can be carried in `d` dimensions."""
    moments = read_moments(task.compiled.model, _some(task, 80))
    tries = (reading_matrix(d, *moments, np.random.default_rng(seed)) for seed in range(2))
    return max(0.0, min(read_error(W, *moments) for W in tries))


def rows(task: Task, seeds: int) -> Iterator[Row]:
    """Yield a row for each width, method and seed, from the widest to two dimensions."""
    width = task.compiled.model.weights.d_model
    loss = CompressionLoss.of(task.compiled.model, _some(task, 256))
    sample = loss.sample(_some(task, 256), (), 0, np.random.default_rng(0))
    plain = jax.jit(loss)
    rank = read_rank(task)
    carrying = 0.0
    failed = 0

    def row(d: int, method: str, seed: int, W: np.ndarray, gate: QualityGate, took: float) -> Row:
        quality = gate.quality
        moved = "" if gate.labels is None else len(gate.moved)
        return Row(
            task.id.name, width, d, method, seed, gate.passed, quality.accuracy,
            float(plain(jnp.asarray(W), sample)), quality.cosine, quality.error, moved, took,
            carrying, rank,
        )  # fmt: skip

    for d in range(width, 1, -1):
        carrying = carried(task, d)
        started = time.perf_counter()
        W = STARTS["pca"](task.compiled.model, _some(task, 256), d, np.random.default_rng(0))
        gate = quality_gate(task.compiled, W, task.labels, task.domain)
        yield row(d, "pca", 0, W, gate, time.perf_counter() - started)
        recipe, n = (SEARCH, seeds) if failed < 2 else (SKETCH, 1)
        done = superpose(task, d, range(n), recipe=recipe)
        failed = 0 if any(one.gate.passed for one in done) else failed + 1
        for one in done:
            yield row(d, "trained", one.seed, one.W, one.gate, one.seconds)


def _some(task: Task, n: int) -> np.ndarray:
    tokens = task.domain.tokens
    return tokens[spread_rows(task.domain.length, task.domain.stratum, min(n, len(tokens)))]


def main(
    programs: Annotated[list[str], typer.Argument(help="Tasks of the library.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Rows are appended here.")],
    seeds: Annotated[int, typer.Option(help="How many seeds.")] = 2,
) -> None:
    """Measure programs at every width."""
    known = programs_in(output)
    for name in programs:
        task = load(name)
        if task.id.name in known:
            continue
        for one in rows(task, seeds):
            append_row(output, one)
            typer.echo(" ".join(f"{x:.4g}" if isinstance(x, float) else str(x) for x in one))


if __name__ == "__main__":
    typer.run(main)
