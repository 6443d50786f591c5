"""Times how fresh tasks are drawn and certified, and counts what they are made of.

python performance/fresh_tasks.py --n 100 --jobs 2 -o fresh_tasks.md
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from figures import FiguresFile, write_figures
from markdown_table import table

from glassbench.ground_truth import EdgeState, Sample, measure, sample_tasks
from glassbench.ground_truth.liveness import live_hops


def spread(numbers: Iterable[int]) -> list[str]:
    """Return the least, the median and the greatest of some numbers."""
    ordered = sorted(numbers)
    return [f"{ordered[0]:,}", f"{ordered[len(ordered) // 2]:,}", f"{ordered[-1]:,}"]


def shares(counts: Counter[str], total: int) -> list[list[str]]:
    """Return a row for each counted name, the most frequent first."""
    return [[name, str(count), f"{count / total:.0%}"] for name, count in counts.most_common()]


def figures(sample: Sample, seconds: float) -> dict[str, float]:
    """Return the seconds, how many candidates were drawn, different circuits, and differences."""
    tasks, about = sample
    return {
        "seconds": seconds,
        "taken": len(tasks) / about.draws,
        "circuits": len({measure(task).circuit for task in tasks}) / len(tasks),
        "differences": len(about.failures),
    }


def report(sample: Sample, seconds: float, jobs: int) -> str:
    """Return what was measured, as Markdown."""
    tasks, about = sample
    n = len(tasks)
    spent = about.seconds
    measured = [measure(task) for task in tasks]
    causal = [
        [edge for edge, state in task.labels.states.items() if state is EdgeState.CAUSAL]
        for task in tasks
    ]
    stages = [[stage, f"{used:.2f}", f"{used / n:.3f}"] for stage, used in spent.items()]
    stages.append(["all", f"{sum(spent.values()):.2f}", f"{sum(spent.values()) / n:.3f}"])
    rejected = shares(Counter(about.rejected), about.draws)
    sizes = [
        ["causal edges", *spread(map(len, causal))],
        ["live heads", *spread(one.circuit_heads for one in measured)],
        ["live hops", *spread(map(live_hops, causal))],
        ["inert and positional edges", *spread(one.inert + one.positional for one in measured)],
        ["all edges", *spread(len(task.labels.edges) for task in tasks)],
        ["layers", *spread(one.layers for one in measured)],
        ["parameters", *spread(one.parameters for one in measured)],
    ]
    circuits = len({one.circuit for one in measured})
    tags = Counter(tag for task in tasks for tag in task.id.spec.tags if tag != "random")
    return "\n\n".join(
        [
            f"# Fresh tasks: {n} of difficulty {about.difficulty}, seed {about.seed}, "
            f"{about.regimes or 'exact'}",
            f"{n} of {about.draws} candidates ({n / about.draws:.0%}) were taken, in "
            f"{seconds:.1f} s with {jobs} processes. On {len(about.failures)} program and weights "
            f"differ. {circuits} different circuits.",
            table(["stage", "processor s", "a task"], stages),
            table(["not taken, since", "candidates", "share"], rejected),
            table(["of the tasks", "least", "median", "greatest"], sizes),
            table(["tokens and output", "tasks", "share"], shares(tags, n)),
            table(["construct", "tasks", "share"], shares(Counter(about.constructs), n)),
            *[f"Edges matter only together: {name}" for name in about.joint],
            *[f"Program and weights differ: {text}" for text in about.failures],
        ]
    )


def main(
    n: Annotated[int, typer.Option(help="How many tasks.")] = 100,
    seed: Annotated[int, typer.Option(help="Draws the programs.")] = 0,
    difficulty: Annotated[str, typer.Option(help="easy, medium or hard.")] = "medium",
    jobs: Annotated[int, typer.Option(help="How many processes.")] = 2,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Draw and certify fresh tasks, and print times and counts."""
    started = time.perf_counter()
    sample = sample_tasks(
        seed, n, difficulty, jobs=jobs, advance=lambda: print(".", end="", file=sys.stderr)
    )
    seconds = time.perf_counter() - started
    write_figures(figures(sample, seconds), figures_file)
    text = report(sample, seconds, jobs)
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
