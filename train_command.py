"""`glassbench train` and `glassbench splice`: ordinary models that run a program."""

from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated

import typer

from .bundle_commands import TaskName
from .console import console, print_table, progress, told_progress
from .errors import CertificationError, TaskError, listing
from .interruption import interrupted
from .plurals import counted
from .whole_file import check_place

if TYPE_CHECKING:
    from .benchmark_programs import TaskId
    from .ground_truth import Task
    from .ground_truth.trained import Trained

_LINE = 160

Starts = Annotated[
    int, typer.Option(min=1, help="How many models, from different first weights, together.")
]
Steps = Annotated[
    int, typer.Option(min=1, help="How many are taken at most; rounded up to thousands.")
]
TrainingFile = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        help="Where training stands is kept here, and it goes on from here.",
    ),
]
BundlesFolder = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="DIR", help="Where the bundle of a model that passes goes."
    ),
]


def train(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task of the regime `trained`.")],
    starts: Starts = 1,
    steps: Steps = 40_000,
    checkpoint: TrainingFile = None,
    output: BundlesFolder = None,
) -> None:
    """Train an ordinary transformer until it runs a program inside as well, and measure it.

    It is trained by interchanges, and measured on inputs that are held out. Interrupted, it goes
    on from its checkpoint.
    """
    from .benchmark_programs import TaskId
    from .benchmark_programs.task_id import TRAINED
    from .ground_truth.stored_trainings import stored_trainings
    from .ground_truth.trained import original_of

    asked = TaskId.parse(task)
    if TRAINED not in dict(asked.regimes):
        raise TaskError(f"{asked} is not trained; name the regime, as in {asked.name}/{TRAINED}")
    if output is not None and str(asked) in stored_trainings():
        raise TaskError(
            f"{asked} comes with the package, and no other weights can bear its id; write its "
            f"bundle by 'glassbench build {task}', or choose another seed"
        )
    for place in (output, None if checkpoint is None else checkpoint.parent):
        if place is not None:
            check_place(place)
    with progress("Compiling and certifying"):
        original = original_of(asked)
    made = _trained(asked, original, starts, steps, checkpoint)
    _print_trained(made)
    best = min(made, key=lambda one: len(one.gate.shortcomings))
    if not best.gate.passed:
        raise CertificationError(
            listing(
                f"{asked} is no task yet: what is inside its model is not what the program says. "
                "Take more --steps or --starts, or a larger d:",
                [shorten(one, _LINE) for one in best.gate.shortcomings],
            )
        )
    if output is not None:
        from .ground_truth.task import trained_task

        _write_bundle(trained_task(asked, original, best.gate), output)


def _trained(
    task: "TaskId", original: "Task", starts: int, steps: int, checkpoint: Path | None
) -> "tuple[Trained, ...]":
    """Train models, and tell how they stand; interrupted, say from where it goes on."""
    from .compiler.interchange_training import TrainingRecipe
    from .ground_truth.trained import train as trained_models

    recipe = TrainingRecipe()
    recipe = replace(recipe, steps=-(-steps // recipe.chunk) * recipe.chunk)
    try:
        with told_progress(recipe.steps // recipe.chunk) as (advance, say):

            def tell(steps: int, text: str) -> None:
                advance()
                say(f"step {steps:,}: {text}")

            return trained_models(
                task,
                original,
                range(starts),
                recipe=recipe,
                checkpoint=checkpoint,
                progress=tell,
            )
    except KeyboardInterrupt:
        raise interrupted("Interrupted.", checkpoint) from None


def _print_trained(made: "tuple[Trained, ...]") -> None:
    """Print a row for each model."""
    heading = ["Start", "Passes", "Steps", "Seconds", "Answers", "Interchanges", "Strict"]
    rows = [
        [
            str(one.history.start),
            "yes" if one.gate.passed else "no",
            f"{one.history.steps:,}",
            f"{one.history.seconds:.1f}",
            *(
                f"{1 - count.share:.2%}"
                for count in (one.gate.answers, one.gate.interchanged, one.gate.strict)
            ),
            str(len(one.gate.moved)),
        ]
        for one in made
    ]
    print_table([*heading, "Edges moved"], rows)
    measured = made[0].history.measured
    console().print(
        "\nShares of held-out inputs and pairs on which every answer is right. They were looked "
        f"at {counted(measured, 'time')}."
    )


def _write_bundle(task: "Task", folder: Path) -> None:
    """Write the bundle of a model that passes."""
    from .ground_truth.bundle_building import write_named_bundle

    with progress("Writing its bundle"):
        built = write_named_bundle(task, folder)
    console().print(f"\nWritten: {built.path}", soft_wrap=True)


def splice(
    task: TaskName,
    component: Annotated[
        str | None,
        typer.Argument(help="A head or an MLP of its model; all that stand for one if none."),
    ] = None,
    block: Annotated[
        str | None, typer.Option(help="A head or an MLP of the compiled model.")
    ] = None,
) -> None:
    """Replace components of a trained model by compiled blocks; measure what is kept of it."""
    from .asked_tasks import load_all, named_task
    from .ground_truth import Task
    from .ground_truth import splice as spliced
    from .ground_truth.splicing import NOTHING, RANDOM

    (loaded,) = load_all([named_task(task)])
    if not isinstance(loaded, Task):
        raise TaskError(f"{loaded.id} has no program; name a task of the regime `trained`")
    if component is None and loaded.training is not None:
        alignment = loaded.training.alignment
        places = [alignment.name(one.name) for one in alignment.compiled.writers if one.layer >= 0]
    else:
        places = [component or ""]
    found = []
    with progress("Splicing", len(places)) as advance:
        for place in places:
            found.append(spliced(loaded, place, block))
            advance()
    rows, kinds = [], (RANDOM, NOTHING)
    for one in found:
        others = [kept for name, kept in one.controls.items() if name not in kinds]
        rows.append(
            [
                one.component,
                f"{one.block}: {', '.join(one.variables)}",
                f"{one.kept:.3f}",
                f"{max(others):.3f}" if others else "",
                *(f"{one.controls[name]:.3f}" for name in kinds),
                f"{one.decoded:.3f}",
                f"{one.explained:.3f}",
            ]
        )
    heading = ["Component", "Block", "Kept", "Best other block", "Random", "Mean"]
    print_table([*heading, "Read right", "Explained"], rows)
    console().print(
        f"\nKept: share of {counted(found[0].n_inputs, 'held-out input')} on which every answer "
        "stays."
    )
