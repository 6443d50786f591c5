"""Problem index: many problems in one folder, and a list of them from which runs are written.

    problems.json    which question each problem asks, and of which task, if that may be known
    ID/              the problem with this id, as `problem_folder` writes it

An entry of the list with the folder of its answer is a run of a submission.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue

from ..errors import GlassbenchError
from ..ground_truth.record import Record
from ..strict_record import Natural
from ..whole_file import check_new_folder, write_whole
from .problem_folder import ProblemId, problem_id, write_problem
from .result import TrackName
from .track import AnyTask, Track

PROBLEMS = "problems.json"


class IndexedProblem(Record):
    """A problem in a list.

    Attributes:
        problem: its id, which is the name of its folder.
        task: the task that poses it; `None` where that is not to be known yet.
        track: the question.
        question: how it differs from that which the track asks by default.
        seed: the seed of the problem.
    """

    problem: ProblemId
    task: str | None
    track: TrackName
    question: dict[str, JsonValue]
    seed: Natural


class ProblemIndex(Record):
    """What stands in `problems.json`.

    Attributes:
        format_version: of this file.
        problems: in the order of their ids, which tells nothing.
    """

    format_version: Literal["1.0"] = "1.0"
    problems: tuple[IndexedProblem, ...]


def write_problems(
    track: Track[Any, Any],
    tasks: Sequence[AnyTask],
    folder: Path,
    *,
    seeds: int = 1,
    names: bool = True,
) -> ProblemIndex:
    """Write the problems that tasks pose, and the list of them; tasks that pose none are left out.

    Args:
        track: the question.
        tasks: which.
        folder: new or empty.
        seeds: how many problems each task poses: those of the seeds from 0 on.
        names: whether the list names the tasks.

    Raises:
        BundleError: the folder holds something, or cannot be written.
    """
    check_new_folder(folder)
    found = []
    for task in tasks:
        if poses(track, task):
            for seed in range(seeds):
                content = track.public(track.problem(task, seed))
                identity = problem_id(track.name, content)
                write_problem(track.name, content, folder / identity)
                found.append(
                    IndexedProblem(
                        problem=identity,
                        task=str(task.id) if names else None,
                        track=track.name,
                        question=dict(track.question),
                        seed=seed,
                    )
                )
    index = ProblemIndex(problems=tuple(sorted(found, key=lambda one: one.problem)))
    write_whole(index.to_json().encode(), folder / PROBLEMS)
    return index


def poses(track: Track[Any, Any], task: AnyTask) -> bool:
    """Return whether a task poses the question of a track: some suites hold others too."""
    try:
        track.check([task])
    except GlassbenchError:
        return False
    return True
