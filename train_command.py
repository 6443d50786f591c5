"""`glassbench train`: ordinary models that run a program."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import console, print_table, progress, told_progress
from .errors import CertificationError, TaskError, listing
from .interruption import interrupted
from .plurals import counted
from .whole_file import check_place

if TYPE_CHECKING:
    from .benchmark_programs import TaskId
    from .compiler.interchange_training import TrainingRecipe
    from .ground_truth import OwnTaskId, Task
    from .ground_truth.training import Trained

Starts = Annotated[
    int, typer.Option(min=1, help="How many models, from different first weights, together.")
]
Steps = Annotated[
    int, typer.Option(min=1, help="How many are taken at most; rounded up to thousands.")
]
Regime = Annotated[
    str | None,
    typer.Option(
        metavar="REGIME", help="Of a bundle: such as 'trained\\[d=48,heads=4]'; else 'trained'."
    ),
]
Rate = Annotated[float | None, typer.Option(help="The learning rate, by default 0.008.")]
Batch = Annotated[int | None, typer.Option(min=1, help="Rows in a step, by default 48.")]
Strict = Annotated[
    float | None,
    typer.Option(
        "--strict-share",
        help="In which share of the rows other edges are interchanged too, by default 0.5.",
    ),
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
    typer.Option("-o", "--output", metavar="DIR", help="Where the bundle of the best model goes."),
]


def train(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK", help="A task of the regime `trained`, or a bundle without regimes."
        ),
    ],
    regime: Regime = None,
    starts: Starts = 1,
    steps: Steps = 40_000,
    rate: Rate = None,
    batch: Batch = None,
    strict: Strict = None,
    checkpoint: TrainingFile = None,
    output: BundlesFolder = None,
) -> None:
    """Train an ordinary transformer until it runs a program inside as well, and measure it.

    It is trained by interchanges, and measured on inputs that are held out. Interrupted, it goes
    on from its checkpoint. The bundle of a model that does not pass says why, and is no task.
    """
    for place in (output, None if checkpoint is None else checkpoint.parent):
        if place is not None:
            check_place(place)
    recipe = _recipe(steps, {"rate": rate, "batch": batch, "strict": strict})
    asked, original = _asked(task, regime, output)
    if output is None and checkpoint is None:
        console(stderr=True).print("Nothing is kept: give -o DIR, or --checkpoint FILE.")
    made = _trained(asked, original, starts, recipe, checkpoint)
    _print_trained(made)
    best = min(made, key=_rank)
    if output is not None:
        _write_bundle(best, output)
    if not best.passed:
        advice = "Take more --steps or --starts, or a larger d:"
        raise CertificationError(best.gate.refusal(asked, advice))


def _rank(made: "Trained") -> tuple[bool, float, int]:
    """Return what is least of the best model: first one that passes, then one that errs least."""
    gate = made.gate
    return not made.passed, gate.answers.share + gate.interchanged.share, len(gate.moved)


def _asked(task: str, regime: str | None, output: Path | None) -> "tuple[TaskId | OwnTaskId, Task]":
    """Return the id of what is to be trained, and the same program compiled and certified."""
    from .benchmark_programs import TaskId
    from .benchmark_programs.task_id import TRAINED
    from .ground_truth import load_bundle
    from .ground_truth.bundle_task import task_or_bundle
    from .ground_truth.stored_trainings import stored_training_ids
    from .ground_truth.task_building import original_of
    from .ground_truth.trained import trained_id

    named = task_or_bundle(task)
    if output is not None and str(named) in stored_training_ids():
        raise TaskError(
            f"{named} comes with the package, and no other weights can bear its id; write its "
            f"bundle by 'glassbench build {named}', or choose another seed"
        )
    if isinstance(named, TaskId):
        if regime is not None:
            raise typer.BadParameter(
                f"is for bundles; name it with the task, as in {named.name}/{regime}",
                param_hint="--regime",
            )
        with progress("Compiling and certifying"):
            return named, original_of(named)
    original = load_bundle(named)
    return trained_id(original, regime or TRAINED), original


def _recipe(steps: int, changed: Mapping[str, float | None]) -> "TrainingRecipe":
    """Return how models are trained; what is `None` stays as it is."""
    from .compiler.interchange_training import TrainingRecipe

    given: dict[str, Any] = {name: value for name, value in changed.items() if value is not None}
    recipe = TrainingRecipe(**given)
    if problems := list(recipe.problems):
        raise TaskError(listing("Nothing can be trained so:", problems))
    return replace(recipe, steps=-(-steps // recipe.chunk) * recipe.chunk)


def _trained(
    task: "TaskId | OwnTaskId",
    original: "Task",
    starts: int,
    recipe: "TrainingRecipe",
    checkpoint: Path | None,
) -> "tuple[Trained, ...]":
    """Train models, and tell how they stand; interrupted, say from where it goes on."""
    from .ground_truth.training import train as trained_models

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
    measured = counted(made[0].history.measured, "model")
    console().print(
        "\nShares of held-out inputs and pairs on which every answer is right. So far they "
        f"measured {measured} of this training."
    )


def _write_bundle(made: "Trained", folder: Path) -> None:
    """Write the bundle of a model, whether it passes or not."""
    from .ground_truth.bundle_building import write_named_bundle

    with progress("Writing its bundle"):
        built = write_named_bundle(made.as_measured, folder)
    note = "" if made.passed else ", which says why it is no task"
    console().print(f"\nWritten: {built.path}{note}", soft_wrap=True)
