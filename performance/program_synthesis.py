"""Which programs of the library the built-in synthesiser finds, and by what route.

    python performance/program_synthesis.py -o program_synthesis.md
    python performance/program_synthesis.py --programs sort,reverse --seconds 20

Every program is compiled in its default size, and its model is given to the synthesiser as a
problem of the `program` track. A program is found where what comes out gives the model's answers
on all inputs; whether it does the same things with the same things, and whether its variables are
in the model, is told beside. Labels are not certified here.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import machine
import numpy as np
import typer
from figures import FiguresFile, write_figures
from markdown_table import table

from glassbench.benchmark_programs import TaskId, library
from glassbench.evaluators.floors import normalised
from glassbench.evaluators.methods.program_synthesis import synthesise
from glassbench.evaluators.program_problem import ProgramProblem, checked_program
from glassbench.evaluators.program_track import ProgramKey
from glassbench.ground_truth.interchange_pairs import TaskDomain
from glassbench.ground_truth.task import Task
from glassbench.ground_truth.task_building import build_model

SHOWN = ("balanced_agreement", "node_f1", "edge_f1", "interchange_f1")
HEADING = [
    "program",
    "found",
    *(f"`{name}`" for name in SHOWN),
    "of what attention adds",
    "seconds",
]


def measured(name: str, seconds: float) -> tuple[list[str], bool, float]:
    """Return a row for a program, whether it was found, and its agreement from floor to one."""
    task_id = TaskId.parse(name)
    compiled = build_model(task_id)
    task = Task(task_id, compiled, None, TaskDomain.of(compiled))  # type: ignore[arg-type]
    problem = ProgramProblem.of(task)
    started = time.process_time()
    text = synthesise(problem, seconds=seconds)
    taken = time.process_time() - started
    key = ProgramKey.of(task, seed=0)
    found = key.measured(checked_program(problem, text).program)
    name_of = "balanced_agreement"
    local = [key.behaviour.metrics(one)[name_of] for one in key.behaviour.without_attention()]
    earned = normalised(found.metrics[name_of], max(local), 1.0)
    is_found = found.reported["equivalent"] == 1
    values = [f"{found.metrics[one]:.2f}" if one in found.metrics else "" for one in SHOWN]
    row = [name, "yes" if is_found else "", *values, f"{earned:.2f}", f"{taken:.1f}"]
    return row, is_found, earned


def figures(
    rows: Sequence[Sequence[str]], found: Sequence[bool], earned: Sequence[float]
) -> dict[str, float]:
    """Return which shares are found, found by the route of the library, and earned in the mean."""
    same = sum(row[3:6] == ["1.00"] * 3 for row in rows)
    shares = {"found": sum(found) / len(found), "same route": same / len(found)}
    return {**shares, "programs": len(found), "earned": float(np.mean(earned))}


def main(
    programs: Annotated[str, typer.Option(help="Names, with commas; all by default.")] = "",
    seconds: Annotated[float, typer.Option(help="How long to search, for each.")] = 6.0,
    output: Annotated[Path | None, typer.Option("-o", help="A file for the table.")] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Search for every program, print a row for each, and write the table."""
    names = (
        programs.split(",") if programs else [spec.name for spec in library() if not spec.control]
    )
    rows, found, earned = [], [], []
    for name in names:
        row, is_found, share = measured(name, seconds)
        typer.echo(" ".join(row))
        rows.append(row)
        found.append(is_found)
        earned.append(share)
    numbers = figures(rows, found, earned)
    write_figures(numbers, figures_file)
    summary = (
        f"{sum(found)} of {len(names)} programs found in at most {seconds:g} s each, "
        f"{numbers['same route']:.0%} of all by the route of the library; attention adds, in the "
        f"mean: {numbers['earned']:.2f}."
    )
    typer.echo(summary)
    if output is not None:
        told = machine.described(1, {"packages": {"numpy": np.__version__}})
        text = f"{table(HEADING, rows)}\n\n{summary}\n\n{told}\n"
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
