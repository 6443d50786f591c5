"""Answers check: whether results are those of the answers that are kept beside them.

What came in with a submission is measured again. Of all else digests are compared by default, which
takes no task and finds what was mixed up or cut off: of numbers and texts with that of the result,
of arrays with that of the JSON beside them. What was edited on purpose is found by measuring it
again, and by that alone.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import MOST_TOLD, BundleError, GlassbenchError, listing
from ..ground_truth import load
from .kept_answer import ANSWERS, KeptAnswer
from .rescoring import check_digest, rescored
from .result import Result
from .submitted_results import SUBMISSION
from .track import AnyTask
from .tracks import find_track

AnswerState = Literal["measured", "compared", "absent"]
"""What was checked of an answer: it was measured again, its digest compared, or it is not there."""
_AT_ONCE = 200


@dataclass(frozen=True)
class AnswersCheck:
    """What was found of the answers of results, in none of which anything is wrong.

    Attributes:
        n_measured: how many answers were measured again.
        n_compared: of how many the digest was compared.
        without: the results of which no answer is kept, as tool, task, track and seed.
        n_failed: how many runs gave no answer.
        states: what was checked of each run that gave one, by the file name of its result.
    """

    n_measured: int
    n_compared: int
    without: tuple[str, ...]
    n_failed: int
    states: Mapping[str, AnswerState]


def check_answers(
    folder: str | os.PathLike[str],
    results: Sequence[Result],
    *,
    verify: bool | None = None,
    tasks: Iterable[AnyTask] = (),
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> AnswersCheck:
    """Check that results are those of the answers that are kept beside them.

    Args:
        folder: of results.
        results: those in it.
        verify: whether every answer is measured again, or none is; by default those that came in
            with a submission are. Every number is compared then but prior floors, which are
            learned over a suite.
        tasks: those that cannot be made from their ids.
        jobs: how many processes work; -1 for one on each core.
        advance: called for each answer that is done.

    Raises:
        BundleError: some result is not that of its answer, or has none that could be measured
            again; every problem is listed.
    """
    answered = [(one.file_name, one) for one in results if one.status == "ok"]
    kept = _names(Path(folder) / ANSWERS)
    again = {file for file, one in answered if _is_asked(one, verify)}
    without = tuple((file, one) for file, one in answered if file not in kept)
    problems = [f"{_name(one)}: no answer is kept" for file, one in without if file in again]
    measured = [one for file, one in answered if file in kept and file in again]
    compared = [one for file, one in answered if file in kept and file not in again]
    problems += _compared(folder, compared, jobs, advance)
    problems += _measured(folder, measured, {str(task.id): task for task in tasks}, jobs, advance)
    if problems:
        heading = f"{folder} holds results that are not those of their answers; "
        heading += "score or validate them anew:"
        raise BundleError(listing(heading, problems, limit=MOST_TOLD))
    states: dict[str, AnswerState] = {
        file: "absent" if file not in kept else "measured" if file in again else "compared"
        for file, _ in answered
    }
    return AnswersCheck(
        len(measured),
        len(compared),
        tuple(_name(one) for _, one in without),
        len(results) - len(answered),
        states,
    )


def _is_asked(result: Result, verify: bool | None) -> bool:
    """Return whether an answer is measured again; a mark of a submission need not be a good one."""
    return SUBMISSION in result.told if verify is None else verify


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()


def _name(one: Result) -> str:
    return f"{one.tool} on {one.task} ({one.track}, seed {one.seed})"


def _compared(
    folder: str | os.PathLike[str],
    results: Sequence[Result],
    jobs: int,
    advance: Callable[[], None],
) -> list[str]:
    """Return which answers have other digests than they should."""
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=jobs, return_as="generator")
    parts = [results[start : start + _AT_ONCE] for start in range(0, len(results), _AT_ONCE)]
    return _problems(parallel(delayed(_of_part)(folder, part) for part in parts), advance)


def _of_part(folder: str | os.PathLike[str], results: Sequence[Result]) -> list[str]:
    """Return what is wrong with each result, empty where nothing is."""
    found = []
    for one in results:
        try:
            _compare(one, KeptAnswer.read(folder, one))
            found.append("")
        except GlassbenchError as error:
            found.append(_told(error))
    return found


def _problems(parts: Iterable[list[str]], advance: Callable[[], None]) -> list[str]:
    problems = []
    for part in parts:
        for problem in part:
            problems += [problem] if problem else []
            advance()
    return problems


def _compare(result: Result, answer: KeptAnswer) -> None:
    """Raise unless numbers and texts have the digest of the result; reading did so for arrays."""
    content = answer.content
    if content.arrays:
        return
    said = (
        find_track(result.track).answer_bytes(dict(content.scores))
        if content.text is None
        else content.text.encode()
    )
    check_digest(result, said)


def _measured(
    folder: str | os.PathLike[str],
    results: Sequence[Result],
    tasks: Mapping[str, AnyTask],
    jobs: int,
    advance: Callable[[], None],
) -> list[str]:
    """Return which answers earn other numbers than their results say, task by task."""
    from joblib import Parallel, delayed

    of_task: dict[str, list[Result]] = {}
    for one in results:
        of_task.setdefault(one.task, []).append(one)
    parallel = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)
    calls = (delayed(_of_task)(folder, tasks.get(name, name), of_task[name]) for name in of_task)
    return _problems(parallel(calls), advance)


def _of_task(
    folder: str | os.PathLike[str], task: AnyTask | str, results: Sequence[Result]
) -> list[str]:
    """Return what is wrong with each result of a task, empty where nothing is."""
    try:
        made = load(task) if isinstance(task, str) else task
    except GlassbenchError as error:
        return [f"{_name(one)}: the task cannot be made: {_told(error)}" for one in results]
    found = []
    for one in results:
        try:
            rescored(one, KeptAnswer.read(folder, one), made)
            found.append("")
        except GlassbenchError as error:
            found.append(_told(error))
    return found


def _told(error: GlassbenchError) -> str:
    return str(error).replace("\n", "\n    ")
