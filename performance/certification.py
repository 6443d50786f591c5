"""Times the certification of a suite, and counts its edges by state and certificate.

    python performance/certification.py --suite quick -o certification.md
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from glassbench.benchmark_programs import get_suite
from glassbench.ground_truth import (
    CircuitLabels,
    EdgeState,
    TaskDomain,
    build_model,
    certify,
    verify,
)

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
    seconds = [after - before for before, after in zip(clock, clock[1:], strict=False)]
    return labels, dict(zip(STAGES, seconds, strict=True)), problems


def kinds(labels: CircuitLabels) -> Counter[tuple[EdgeState, str]]:
    """Return how many edges have each state with each kind of certificate."""
    return Counter((label.state, label.certificate.kind) for label in labels.edges)


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, the first column to the left and the others to the right."""
    rule = [":--", *["--:"] * (len(heading) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heading, rule, *rows])


def row(
    name: str,
    inputs: str,
    counted: Counter[tuple[EdgeState, str]],
    columns: Sequence[tuple[EdgeState, str]],
    changed: str,
    seconds: dict[str, float],
    problems: str,
) -> list[str]:
    """Return one row of the report."""
    return [
        name,
        inputs,
        str(counted.total()),
        *(str(counted[column]) for column in columns),
        changed,
        *(f"{seconds[stage]:.2f}" for stage in STAGES),
        problems,
    ]


def report(suite: str) -> str:
    """Certify every task of a suite and return the tables as Markdown."""
    measured = []
    for task in get_suite(suite):
        print(task, file=sys.stderr, flush=True)
        measured.append((str(task), *timed_task(str(task))))
    total: Counter[tuple[EdgeState, str]] = Counter()
    for _, labels, _, _ in measured:
        total += kinds(labels)
    strength = list(EdgeState)
    columns = sorted(total, key=lambda column: (strength.index(column[0]), column[1]))
    rows = []
    for task, labels, seconds, problems in measured:
        inputs = f"{'all' if labels.exhaustive else 'sample of'} {labels.n_inputs:,}"
        joint = labels.sufficiency
        changed = f"{joint.n_changed} of {joint.n_bases:,}"
        rows.append(
            row(task, inputs, kinds(labels), columns, changed, seconds, str(len(problems)))
        )
    sums = {stage: sum(seconds[stage] for _, _, seconds, _ in measured) for stage in STAGES}
    wrong = str(sum(len(problems) for _, _, _, problems in measured))
    rows.append(row("all", "", total, columns, "", sums, wrong))
    heading = [
        "task",
        "inputs",
        "edges",
        *(f"{state}: {kind}" for state, kind in columns),
        "jointly changed",
        *(f"{stage} s" for stage in STAGES),
        "problems",
    ]
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
) -> None:
    """Certify every task of a suite, and print times and counts."""
    text = report(suite)
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
