"""Trains the tasks of the suite `trained`, and stores those that pass with the package.

python performance/trained_suite.py -o trained_suite.md
python performance/trained_suite.py 'sort/trained[d=64]' --jobs 1

Without tasks the whole suite is trained anew: what is said of each, how long it took, and
how long all of it did. Each that passes is stored as soon as it is trained.
"""

import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from figures import FiguresFile, write_figures
from joblib import Parallel, delayed
from machine import described
from markdown_table import table

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.compiler.interchange_training import TrainingRecipe
from glassbench.ground_truth.stored_trainings import FILE, StoredTraining, store_trainings
from glassbench.ground_truth.task_building import original_of
from glassbench.ground_truth.trained import held_out
from glassbench.ground_truth.training import train
from glassbench.ground_truth.training_history import installed_versions

HEADING = [
    "task",
    "layers",
    "held-out inputs",
    "LayerNorm",
    "steps",
    "asked",
    "seconds",
    "answers",
    "interchanges",
    "strict",
    "sufficiency",
    "edges with an effect",
    "states equal",
]


class Row(NamedTuple):
    """What came of one task."""

    task: str
    passed: bool
    stored: StoredTraining
    cells: list[str]
    shortcomings: tuple[str, ...]


def trained(task: TaskId, steps: int) -> Row:
    """Train one task."""
    started = time.process_time()
    original = original_of(task)
    (made,) = train(task, original, recipe=TrainingRecipe(steps=steps))
    gate, seconds = made.gate, time.process_time() - started
    states = list(gate.labels.states.values())
    counts = gate.answers, gate.interchanged, gate.strict, gate.sufficiency
    cells = [
        f"`{task}`",
        str(made.weights.n_layers),
        f"{gate.answers.tried:,} ({held_out(task, original).domain.effective_size:.0f})",
        "yes" if made.weights.layer_norm else "no",
        f"{made.history.steps:,}",
        str(made.history.measured),
        f"{seconds:.0f}",
        *(f"{1 - one.share:.2%}" for one in counts),
        f"{sum(state.has_effect for state in states)} of {len(states)}",
        "yes" if not gate.moved else f"{len(gate.moved)} not",
    ]
    stored = StoredTraining.of(made.as_measured)
    return Row(str(task), gate.passed, stored, cells, gate.shortcomings)


def main(
    tasks: Annotated[list[str] | None, typer.Argument(help="All of the suite if none.")] = None,
    jobs: Annotated[int, typer.Option(help="How many processes work.")] = 2,
    steps: Annotated[int, typer.Option(help="The most that a model takes.")] = 40_000,
    place: Annotated[Path, typer.Option(help="The file of weights.")] = FILE,
    output: Annotated[Path | None, typer.Option("-o", help="A file for the table.")] = None,
    figures_file: FiguresFile = None,
) -> None:
    asked = [TaskId.parse(name) for name in tasks] if tasks else list(get_suite("trained"))
    started = time.perf_counter()
    order, rows = {str(task): place for place, task in enumerate(asked)}, []
    work = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    for row in work(delayed(trained)(task, steps) for task in asked):
        rows.append(row)
        if row.passed:
            store_trainings({row.task: row.stored}, place)
        print(f"{row.task}: {'passes' if row.passed else row.shortcomings[0]}", flush=True)
    minutes = (time.perf_counter() - started) / 60
    n_passed = sum(row.passed for row in rows)
    text = "\n\n".join(
        [
            table(HEADING, [row.cells for row in sorted(rows, key=lambda row: order[row.task])]),
            f"{n_passed} of {len(rows)} pass, in {minutes:.1f} minutes with {jobs} processes; "
            f"seconds are of the processor. {described(1, {'packages': installed_versions()})}",
        ]
    )
    print(text)
    write_figures({"pass": n_passed, "minutes": minutes}, figures_file)
    if output is not None:
        output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
