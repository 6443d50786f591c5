"""Finds the least width at which models of programs pass, around their read rank.

python performance/superposition_held_out.py 'shift[vocab=2,length=4]' -o held_out.csv

The search begins at the read rank: it goes down while some seed passes, or up until one does.
A model that passes can be padded with a dimension of zeros, so that wider ones need not be tried.
Rows are appended; a program that is already there is left out.
"""

import sys
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from appended_rows import append_row, programs_in
from read_rank import read_rank
from superposition_curves import SEARCH

from glassbench.ground_truth import Task, load
from glassbench.ground_truth.superposed import superpose


class Row(NamedTuple):
    """What was found of a program."""

    program: str
    D: int
    read_rank: int
    trained: int
    tried: str
    seconds: float


def found(task: Task, seeds: int) -> Row:
    """Return the least width found at which a model passes, and all that were tried."""
    started = time.perf_counter()
    width, rank = task.compiled.model.weights.d_model, read_rank(task)
    tried: dict[int, bool] = {}

    def passes(d: int) -> bool:
        tried[d] = any(
            superpose(task, d, (seed,), recipe=SEARCH)[0].gate.passed for seed in range(seeds)
        )
        return tried[d]

    d = min(max(rank, 1), width)
    if passes(d):
        while d > 1 and passes(d - 1):
            d -= 1
    else:
        while d < width and not passes(d + 1):
            d += 1
        d += 1
    listed = " ".join(f"{one}:{'yes' if good else 'no'}" for one, good in sorted(tried.items()))
    name = str(task.id).replace("-v1", "")
    return Row(name, width, rank, d, listed, time.perf_counter() - started)


def main(
    programs: Annotated[list[str], typer.Argument(help="Tasks of the library.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Rows are appended here.")],
    seeds: Annotated[int, typer.Option(help="How many seeds are tried at a width.")] = 2,
) -> None:
    """Search each program."""
    known = programs_in(output)
    for task in map(load, programs):
        if str(task.id).replace("-v1", "") in known:
            continue
        row = found(task, seeds)
        append_row(output, row)
        sys.stdout.write(f"{row}\n")


if __name__ == "__main__":
    typer.run(main)
