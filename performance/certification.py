"""Times the certification of a suite, and counts its edges by state and certificate.

python performance/certification.py --suite quick -o certification.md
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer
from figures import FiguresFile, write_figures
from markdown_table import table

from glassbench.benchmark_programs import get_suite
from glassbench.ground_truth import (
    CircuitLabels,
    EdgeState,
    TaskDomain,
    build_model,
    certify,
    verify,
)

Kinds = Counter[tuple[EdgeState, str]]

Measured = tuple[str, CircuitLabels, dict[str, float], list[str]]
"""A task, and what `timed_task` returns of it."""

STAGES = ("compile", "domain", "certify", "verify")


def timed_task(task: str) -> tuple[CircuitLabels, dict[str, float], list[str]]:
    """Build, certify and verify one task.

    Returns:
        The labels; the seconds of each of `STAGES`; what `verify` found wrong.
    """
    clock = [time.perf_counter()]
    compiled = build_model(task)
    clock.append(time.perf_counter())
    domain = TaskDomain.of(compiled)
    clock.append(time.perf_counter())
    labels = certify(compiled, task, domain=domain)
    clock.append(time.perf_counter())
    problems = verify(compiled, labels)
    clock.append(time.perf_counter())
    seconds = [after - before for before, after in pairwise(clock)]
    return labels, dict(zip(STAGES, seconds, strict=True)), problems


def kinds(labels: CircuitLabels) -> Kinds:
    """Return how many edges have each state with each kind of certificate."""
    return Counter((label.state, label.certificate.kind) for label in labels.edges)


def figures(measured: Sequence[Measured]) -> dict[str, float]:
    """Return the seconds of building and certifying, and of verifying, and what was found wrong."""
    building = [sum(seconds[stage] for stage in STAGES[:-1]) for _, _, seconds, _ in measured]
    return {
        "seconds": sum(building),
        "most of a task": max(building),
        "verify": sum(seconds[STAGES[-1]] for _, _, seconds, _ in measured),
        "problems": sum(len(problems) for _, _, _, problems in measured),
    }


def report(suite: str, measured: Sequence[Measured]) -> str:
    """Return the table as Markdown."""
    total: Kinds = sum((kinds(labels) for _, labels, _, _ in measured), start=Counter())
    strength = list(EdgeState)
    columns = sorted(total, key=lambda column: (strength.index(column[0]), column[1]))

    def counts(counted: Kinds) -> list[str]:
        return [str(counted.total()), *(str(counted[column]) for column in columns)]

    rows = []
    for name, labels, seconds, problems in measured:
        inputs = f"{'all' if labels.exhaustive else 'sample of'} {labels.n_inputs:,}"
        joint = f"{labels.sufficiency.n_changed} of {labels.sufficiency.n_bases:,}"
        times = [f"{seconds[stage]:.2f}" for stage in STAGES]
        rows.append([name, inputs, *counts(kinds(labels)), joint, *times, str(len(problems))])
    sums = [f"{sum(seconds[stage] for _, _, seconds, _ in measured):.2f}" for stage in STAGES]
    wrong = sum(len(problems) for _, _, _, problems in measured)
    rows.append(["all", "", *counts(total), "", *sums, str(wrong)])
    states = [f"{state}: {kind}" for state, kind in columns]
    times = [f"{stage} s" for stage in STAGES]
    heading = ["task", "inputs", "edges", *states, "jointly changed", *times, "problems"]
    return "\n\n".join(
        [
            f"# Certification of the suite {suite}",
            table(heading, rows),
            "Edges are counted by state and kind of certificate. Jointly changed: bases whose "
            "output changes when all edges that are not causal are interchanged at once. "
            "Problems: what replaying every certificate found wrong.",
        ]
    )


def main(
    suite: Annotated[str, typer.Option(help="Which suite.")] = "quick",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Certify every task of a suite, and print times and counts."""
    measured: list[Measured] = []
    for name in map(str, get_suite(suite)):
        print(name, file=sys.stderr, flush=True)
        measured.append((name, *timed_task(name)))
    write_figures(figures(measured), figures_file)
    text = report(suite, measured)
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
