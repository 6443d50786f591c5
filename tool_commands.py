"""`glassbench problem`, and the tools of `glassbench score` that are no functions in Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .asked_tasks import Arm, Seed, TrackOption, asked_track, load_all, named_task
from .bundle_commands import TaskName
from .console import console

if TYPE_CHECKING:
    from .evaluators import Tool

Command = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND",
        help="A tool in any language, such as './tool {problem} {answer}'.",
    ),
]
Answers = Annotated[
    list[Path] | None,
    typer.Option(
        "--answer",
        metavar="ANSWER",
        help="An answer made elsewhere: a folder with answer.json, or a circuit of MIB as JSON; "
        "may be given again.",
    ),
]
ToolName = Annotated[
    str | None, typer.Option(help="What the command, or the answer, is called in tables.")
]
TimeLimit = Annotated[
    float, typer.Option(metavar="SECONDS", help="How long the command may take for each task.")
]
MemoryLimit = Annotated[
    float, typer.Option(metavar="MIB", help="How much memory its processes may have together.")
]


def asked_tools(
    command: str | None,
    answers: Sequence[Path] | None,
    name: str | None,
    *,
    time_limit: float,
    memory_limit: float,
    tasks: Sequence[str] | None,
) -> "list[Tool]":
    """Return the tools that the options name.

    Raises:
        ToolError: the command is none, or a limit leaves nothing.
    """
    from .evaluators import AnswerFile, CommandTool, Limits

    if name is not None and (command is not None) + len(answers or ()) != 1:
        raise typer.BadParameter("names one --command or one --answer", param_hint="--tool-name")
    if answers and len(tasks or ()) != 1:
        raise typer.BadParameter("answers one --task; name that", param_hint="--answer")
    tools: list[Tool] = [AnswerFile(place, name or "") for place in answers or ()]
    if command is not None:
        limits = Limits(seconds=time_limit, memory_mb=memory_limit)
        tools.append(CommandTool(command, name or "", limits))
    return tools


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

    question, named = asked_track(track, arm), named_task(task)
    question.check_named([named])
    (loaded,) = load_all([named])
    question.check([loaded])
    content = question.public(question.problem(loaded, seed))
    identity = write_problem(question.name, content, output)
    console().print(f"Written: problem {identity} in {output}", soft_wrap=True)
