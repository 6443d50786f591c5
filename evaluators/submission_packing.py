"""Packing: results that were scored here, and their answers, as the folder of a submission."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue, ValidationError

from ..errors import MOST_TOLD, BundleError, GlassbenchError, listing
from ..ground_truth.array_file import save_arrays
from ..whole_file import check_new_folder, write_whole
from .answer_folder import ANSWER, ANSWER_ARRAYS, ToolAnswer
from .kept_answer import KeptAnswer
from .problem_folder import problem_id
from .rescoring import check_task_of
from .result import MOST_ERROR, Result
from .submission import SubmissionRecord, SubmittedRun
from .submission_folder import ANSWERS, SUBMISSION, Submission, read_submission
from .track import AnyTask, Content
from .tracks import find_track


@dataclass(frozen=True, eq=False)
class _Packed:
    """A run as it is submitted, and the files of its answer by name."""

    run: SubmittedRun
    files: Mapping[str, bytes]


def pack(
    results: Sequence[Result],
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    about: Mapping[str, Any],
    tasks: Sequence[AnyTask],
    *,
    advance: Callable[[], None] = lambda: None,
) -> Submission:
    """Write a submission of results of one method, those without an answer included.

    Args:
        results: of one tool, with one choice of settings.
        folder: from which they were read, with their answers.
        output: a folder that is new or empty.
        about: the other fields of `SubmissionRecord`; the name is the tool's unless it is given.
        tasks: those that the results are about, from which the ids of problems follow.
        advance: called for each result that is done.

    Raises:
        BundleError: the results are of several methods, or of other tasks or versions, an answer
            is missing, a field is not what it should be, or the folder cannot be written; every
            problem is listed.
    """
    output = Path(output)
    check_new_folder(output)
    of_method = _one_method(results)
    by_id = {str(task.id): task for task in tasks}
    packed, problems = [], []
    for result in results:
        try:
            packed.append(_packed(result, folder, by_id))
        except GlassbenchError as error:
            problems.append(str(error).replace("\n", "\n    "))
        advance()
    if problems:
        heading = "These results cannot be submitted:"
        raise BundleError(listing(heading, problems, limit=MOST_TOLD))
    record = _record({**of_method, **about}, [one.run for one in packed])
    for one in packed:
        for name, content in one.files.items():
            write_whole(content, output / ANSWERS / str(one.run.folder) / name)
    write_whole(record.to_json().encode(), output / SUBMISSION)
    return read_submission(output)


def _one_method(results: Sequence[Result]) -> dict[str, JsonValue]:
    """Return what results say of the method that all of them are of."""
    several = {repr((one.tool, sorted(one.settings.items()))): one for one in results}
    if len(several) != 1:
        heading = "A submission is of one method with one choice of settings, got:"
        told = [f"{one.tool} {dict(one.settings) or ''}".rstrip() for one in several.values()]
        raise BundleError(listing(heading, told or ["none"]))
    (one,) = several.values()
    return {"name": one.tool, "version": one.tool_version, "settings": one.settings}


def _record(about: Mapping[str, Any], runs: Sequence[SubmittedRun]) -> SubmissionRecord:
    try:
        return SubmissionRecord.model_validate({**about, "runs": tuple(runs)})
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])) or 'all'}: {e['msg']}" for e in error.errors()]
        raise BundleError(listing("The submission would not be accepted:", problems)) from None


def _packed(result: Result, folder: str | os.PathLike[str], tasks: Mapping[str, Any]) -> _Packed:
    """Return a result as it is submitted."""
    run: dict[str, Any] = {
        "task": result.task,
        "track": result.track,
        "question": result.question,
        "seed": result.seed,
        "wall_seconds": result.wall_seconds,
        "task_digest": result.task_digest,
    }
    if result.task not in tasks:
        raise BundleError(f"{result.tool} on {result.task}: the task is not of the suite")
    task = tasks[result.task]
    check_task_of(result, task)
    if result.status != "ok":
        error = (result.error or "")[:MOST_ERROR]
        return _Packed(SubmittedRun(**run, status=result.status, error=error), {})
    track = find_track(result.track).asking(result.question)
    identity = problem_id(track.name, track.public(track.problem(task, result.seed)))
    run |= {
        "folder": result.file_name.removesuffix(".json"),
        "answer_sha256": result.answer_sha256,
        "claimed": result.metrics[result.primary].value,
    }
    content = KeptAnswer.read(folder, result).content
    return _Packed(SubmittedRun(**run), _answer_files(identity, content))


def _answer_files(problem: str, content: Content) -> dict[str, bytes]:
    """Return an answer as a tool in any language writes it."""
    files: dict[str, bytes] = {}
    there: dict[str, Any] = {"scores": dict(content.scores)}
    if content.text is not None:
        there = {"text": content.text}
    elif content.arrays:
        there = {"array_file": ANSWER_ARRAYS}
        files[ANSWER_ARRAYS] = save_arrays(content.arrays)
    return {ANSWER: ToolAnswer(problem=problem, **there).to_json().encode(), **files}
