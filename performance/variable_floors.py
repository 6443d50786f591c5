"""What can be had on the variables track without finding a variable, and without the bound.

    python performance/variable_floors.py --suite quick
    python performance/variable_floors.py --suite core -o variable_floors.md

For each task of a suite: how many variables are asked about, and in the mean over them the
interchange accuracy of doing nothing, of random subspaces, of swapping the whole stream where
that can be written within the bound on dimensions, of swapping it at whatever hook is best, which
is no answer, and of the variables' own subspaces. `settled` is at how many variables the last but
one is as good as the last: without the bound nothing could be told of these.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import machine
import numpy as np
import typer
from figures import FiguresFile, write_figures
from markdown_table import table
from threadpoolctl import threadpool_limits

from glassbench.benchmark_programs import get_suite
from glassbench.errors import TaskError
from glassbench.evaluators import VariablesTrack
from glassbench.evaluators.variables_metrics import InterchangeRuns
from glassbench.ground_truth import load

HEADING = (
    *("task", "variables", "nothing", "random", "whole stream", "floor"),
    *("whole stream, unbounded", "settled", "ceiling"),
)


def measured(name: str, seed: int) -> list[float]:
    """Return the numbers of a row.

    Raises:
        TaskError: the track cannot ask about the task.
    """
    track, task = VariablesTrack(), load(name)
    track.check([task])
    pose = track.posed(task, seed)
    rows = []
    for key in pose.keys.values():
        runs = InterchangeRuns.of(pose.problem.model, key.held_out)
        unbounded = max(
            float(runs.whole_stream_hits(place).mean()) for place in range(len(runs.base))
        )
        marks = key.marks
        settled = float(unbounded >= marks.ceiling)
        numbers = (marks.idle, marks.random, marks.whole, marks.floor, unbounded, settled)
        rows.append([*numbers, marks.ceiling])
    means = np.mean(rows, axis=0)
    means[5] *= len(rows)  # how many are settled, and not which share
    return [float(len(rows)), *means.tolist()]


def figures(numbers: Sequence[float]) -> dict[str, float]:
    """Return the sums and means of a suite by name."""
    names = ("variables", *HEADING[2:])
    return dict(zip(names, numbers, strict=True))


def formatted(name: str, numbers: Sequence[float]) -> list[str]:
    """Return a row of the table: counts whole, accuracies with two decimals."""
    shown = [f"{number:.2f}" for number in numbers]
    shown[0], shown[6] = f"{numbers[0]:.0f}", f"{numbers[6]:.0f}"
    return [f"`{name}`", *shown]


def main(
    suite: Annotated[str, typer.Option(help="The tasks.")] = "quick",
    seed: Annotated[int, typer.Option(help="Draws the pairs.")] = 0,
    output: Annotated[Path | None, typer.Option("-o", help="A file for the Markdown.")] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Measure a suite, and print the table."""
    started = time.perf_counter()
    rows, refused, every = [], [], []
    with threadpool_limits(limits=1):
        for task in get_suite(suite):
            try:
                numbers = measured(str(task), seed)
            except TaskError as error:
                refused.append(str(error))
                continue
            every.append(numbers)
            rows.append(formatted(task.name, numbers))
            sys.stderr.write(f"{rows[-1]}\n")
    means = np.mean(every, axis=0)
    means[[0, 6]] = np.sum(every, axis=0)[[0, 6]]
    write_figures(figures(means.tolist()), figures_file)
    rows.append(formatted("sum or mean", means.tolist()))
    text = "\n\n".join(
        [
            table(HEADING, rows),
            *refused,
            machine.described(1, {"packages": {"numpy": np.__version__}}),
            f"{time.perf_counter() - started:.0f} s",
        ]
    )
    sys.stdout.write(f"{text}\n")
    if output is not None:
        output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
