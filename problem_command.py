"""`glassbench problem`: a problem as a tool in any language sees it."""

from pathlib import Path
from typing import Annotated

import typer

from .asked_tasks import Arm, Seed, TaskName, TrackOption, asked_track, load_all
from .console import console


def write_problem_of(
    task: TaskName,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="A new folder for the problem.")
    ],
    track: TrackOption = "circuit",
    arm: Arm = None,
    seed: Seed = 0,
) -> None:
    """Write the problem of a task as a tool in any language sees it."""
    from .evaluators.problem_folder import write_problem
    from .ground_truth.bundle_task import named_task

    question, named = asked_track(track, arm), named_task(task)
    question.check_named([named])
    (loaded,) = load_all([named])
    question.check([loaded])
    content = question.public(question.problem(loaded, seed))
    identity = write_problem(question.name, content, output)
    console().print(f"Written: problem {identity} in {output}", soft_wrap=True)
