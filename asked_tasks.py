"""What verbs of the command line are given: tasks, bundles and results, a track, processes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, overload

import typer

from .console import progress

if TYPE_CHECKING:
    from .benchmark_programs import TaskId, ToyId
    from .evaluators import Track
    from .ground_truth import Task, ToyTask

TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="A task, or the folder or zip of a bundle.")
]
Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder of results.")]
Bundles = Annotated[
    list[Path] | None,
    typer.Option(
        "--task",
        metavar="BUNDLE",
        help="The bundle of a task that is not of the library; may be given again.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Draws the inputs that methods are given.")]
Jobs = Annotated[int, typer.Option(min=1, help="How many processes work.")]
TrackOption = Annotated[
    str,
    typer.Option(
        "--track", help="The question: circuit, attribution, features, variables or program."
    ),
]
Arm = Annotated[
    str | None,
    typer.Option(help="Of the features track: rows of the model, or independent ones (model)."),
]


@overload
def load_all(names: "Sequence[TaskId | Path]") -> "tuple[Task, ...]": ...
@overload
def load_all(names: "Sequence[TaskId | ToyId | Path]") -> "tuple[Task | ToyTask, ...]": ...
def load_all(names: "Sequence[TaskId | ToyId | Path]") -> "tuple[Task | ToyTask, ...]":
    """Compile and certify tasks, train toys, and read bundles."""
    from .ground_truth import load, load_bundle

    tasks: list[Task | ToyTask] = []
    with progress("Compiling and certifying", len(names)) as advance:
        for name in names:
            tasks.append(load_bundle(name) if isinstance(name, Path) else load(name))
            advance()
    return tuple(tasks)


def own_tasks(bundles: Sequence[Path] | None) -> "dict[str, Task | ToyTask]":
    """Return the tasks of bundles by their ids."""
    from .ground_truth import load_bundle
    from .ground_truth.bundle_task import bundle_place

    return {str(one.id): one for one in (load_bundle(bundle_place(b)) for b in bundles or ())}


def asked_track(track: str, arm: str | None) -> "Track":
    """Return the question that the options ask."""
    from .evaluators import FeaturesTrack, find_track

    found = find_track(track)
    if arm is None:
        return found
    if not isinstance(found, FeaturesTrack):
        raise typer.BadParameter(
            f"the {track} track has no arms; leave it out, or ask --track features",
            param_hint="--arm",
        )
    return FeaturesTrack(arm=arm)


def check_picture(place: Path | None) -> None:
    """Refuse a file for a picture that bears the ending of no kind of picture."""
    from .compiler.picture_file import SUFFIXES

    if place is not None and place.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"must end in {' or '.join(SUFFIXES)}", param_hint="--picture")
