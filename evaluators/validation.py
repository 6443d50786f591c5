"""Validation: every answer of a submission, measured from its bytes.

Nothing that a submission says of its scores is used: it is compared with what is measured, and a
difference is a problem like any other. A submission is accepted as a whole, or not at all.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..benchmark_programs import TaskId, ToyId, is_toy
from ..errors import MOST_TOLD, BundleError, GlassbenchError, TaskError, listing
from ..whole_file import write_whole
from .problem_index import poses
from .rescoring import TOLERANCE
from .result import Result
from .scoring import Scored, scored_suite
from .submission import SubmittedRun
from .submission_folder import Submission
from .submission_names import name_problem
from .submitted_answer import AskedRun, Question, SubmittedAnswer, posed_by
from .submitted_results import SUBMISSIONS, submission_name
from .track import AnyTask, Priors, Track
from .tracks import find_track


@dataclass(frozen=True, eq=False)
class ValidatedRun:
    """A run of a submission, and what its answer earns.

    Attributes:
        run: as it was submitted.
        scored: what was measured, or that there is no answer; `None` where nothing could be.
        problem: what is wrong with it; empty if nothing is.
    """

    run: SubmittedRun
    scored: Scored | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Validation:
    """What became of a submission.

    Attributes:
        place: the name of its folder.
        submission: what was read; `None` where it could not be.
        n_posed: how many tasks pose each question that was answered.
        runs: in the order of the submission.
        problems: what is wrong, that of runs included; none if it is accepted.
    """

    place: str
    submission: Submission | None
    n_posed: Mapping[Question, int] = field(default_factory=dict)
    runs: tuple[ValidatedRun, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems

    @property
    def results(self) -> tuple[Result, ...]:
        """The results of all runs that could be measured."""
        return tuple(one.scored.result for one in self.runs if one.scored is not None)

    def check(self) -> None:
        """Raise unless it is accepted.

        Raises:
            BundleError: it is not; every problem is listed.
        """
        if self.problems:
            heading = f"The submission {self.place} is refused:"
            raise BundleError(listing(heading, self.problems, limit=MOST_TOLD))

    def beside(
        self, results: Iterable[Result], others: Mapping[str, str] | None = None
    ) -> "Validation":
        """Return it with what is wrong beside results and submissions that are there already.

        Args:
            results: none of them may bear the name of its method, but for those that came from
                submissions: a validation owns these.
            others: the names of other submissions, by what messages call them.
        """
        if self.submission is None:
            return self
        taken = name_problem(self.submission.record.name, results, others)
        return replace(self, problems=(*self.problems, *filter(None, [taken])))

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Write results and answers into a folder of results, and the record beside them as it is.

        Raises:
            BundleError: it is not accepted, or cannot be written.
        """
        self.check()
        assert self.submission is not None
        for one in self.runs:
            assert one.scored is not None
            one.scored.write(folder)
        place = Path(folder) / SUBMISSIONS / submission_name(self.submission.sha256)
        write_whole(self.submission.content, place)


def validated(
    submission: Submission,
    tasks: Sequence[AnyTask],
    *,
    seeds: int | None = None,
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> Validation:
    """Measure every answer of a submission.

    Args:
        submission: from `read_submission`.
        tasks: those that can be answered: all of the suite, or of the hold-out. Prior floors are
            learned over them.
        seeds: how many problems of each task may be answered, those with the seeds 0 to
            `seeds - 1`; `None` for any number.
        jobs: how many processes work; -1 for one on each core.
        advance: called for each run that is done.
    """
    runs = submission.record.runs
    by_id = {str(task.id): task for task in tasks}
    found: dict[int, ValidatedRun] = {}
    asked, faults = _asked(runs, by_id, seeds)
    tracks = {one.question: one.track for one in asked}
    posed = _posed(tracks, tasks)
    priors = {key: track.priors(posed[key]) for key, track in tracks.items() if posed[key]}
    found |= {index: ValidatedRun(runs[index], problem=text) for index, text in faults.items()}
    for of_task in _by_task(asked, by_id, submission, jobs, priors):
        for index, one in of_task.items():
            found[index] = one
            advance()
    for of_no_task in asked:
        if of_no_task.index not in found:
            run = of_no_task.run
            problem = f"{run.name}: none of the {len(tasks)} tasks poses this problem"
            found[of_no_task.index] = ValidatedRun(run, problem=problem)
    ordered = tuple(found[index] for index in range(len(runs)))
    problems = (*(one.problem for one in ordered if one.problem), *_of_all(ordered))
    n_posed = {question: len(those) for question, those in posed.items()}
    return Validation(submission.folder.name, submission, n_posed, ordered, problems)


def _asked(
    runs: Sequence[SubmittedRun], tasks: Mapping[str, AnyTask], seeds: int | None
) -> tuple[list[AskedRun], dict[int, str]]:
    """Return the runs that name a track, a task and a seed, and what is wrong with the others."""
    asked, faults = [], {}
    for index, run in enumerate(runs):
        try:
            if seeds is not None and run.seed >= seeds:
                raise BundleError(f"seeds must be 0 to {seeds - 1}, got {run.seed}; leave it out")
            track = find_track(run.track).asking(run.question)
            if run.task is not None:
                run = run.model_copy(update={"task": _known(run.task, tasks)})
        except GlassbenchError as error:
            faults[index] = f"{run.name}: {error}"
        else:
            asked.append(AskedRun(index, run, track))
    return asked, faults


def _known(name: str, tasks: Mapping[str, AnyTask]) -> str:
    """Return the id of a task as it is in full."""
    if name in tasks:
        return name
    full = str(ToyId.parse(name) if is_toy(name) else TaskId.parse(name))
    if full not in tasks:
        raise TaskError(f"{full} is none of the {len(tasks)} tasks that are asked about")
    return full


def _posed(
    tracks: Mapping[Question, Track[Any, Any]], tasks: Sequence[AnyTask]
) -> dict[Question, tuple[AnyTask, ...]]:
    """Return the tasks that pose each question, as in a sweep: some suites hold others too."""
    return {
        question: tuple(task for task in tasks if poses(track, task))
        for question, track in tracks.items()
    }


def _by_task(
    asked: Sequence[AskedRun],
    tasks: Mapping[str, AnyTask],
    submission: Submission,
    jobs: int,
    priors: Mapping[Question, Priors],
) -> Iterator[dict[int, ValidatedRun]]:
    """Yield what became of the runs of each task, and of those whose problem it poses."""
    from joblib import Parallel, delayed

    named: dict[str, list[AskedRun]] = {name: [] for name in tasks}
    unnamed = [one for one in asked if one.run.task is None]
    for one in asked:
        if one.run.task is not None:
            named[one.run.task].append(one)
    parallel = Parallel(n_jobs=jobs, return_as="generator", batch_size=1, max_nbytes=None)
    calls = (
        delayed(_measured)(tasks[name], [*named[name], *unnamed], submission, priors)
        for name in tasks
        if named[name] or unnamed
    )
    yield from parallel(calls)


def _measured(
    task: AnyTask,
    asked: Sequence[AskedRun],
    submission: Submission,
    priors: Mapping[Question, Priors],
) -> dict[int, ValidatedRun]:
    """Measure the answers to one task; runs that answer the problem of another are left out."""
    return {
        one.index: _validated_run(one, task, submission, priors.get(one.question, {}))
        for one in posed_by(task, asked)
    }


def _validated_run(
    one: AskedRun, task: AnyTask, submission: Submission, priors: Priors
) -> ValidatedRun:
    """Measure one answer, and compare it with what is said of it."""
    run = one.run
    try:
        one.track.check([task])
        digest = one.track.digest(task)
        if run.task_digest not in (None, digest):
            raise BundleError(
                f"the task has the digest {digest[:12]}, and {str(run.task_digest)[:12]} is "
                "that of the task that was answered; answer the one of this version of Glassbench"
            )
        tool = _tool(run, submission)
        (scored,) = scored_suite([tool], [task], one.track, seed=run.seed, priors=priors)
    except GlassbenchError as error:
        return ValidatedRun(run, problem=f"{run.name}: {error}".replace("\n", "\n    "))
    except Exception as error:  # noqa: BLE001 - no answer of strangers may keep others from theirs
        return ValidatedRun(
            run,
            problem=f"{run.name}: the answer passed all checks and cannot be measured, which is a "
            f"bug of Glassbench: {type(error).__name__}: {error}",
        )
    result = scored.result
    if run.status == "ok" and result.status != "ok":
        problem = f"{run.name}: {result.error}".replace("\n", "\n    ")
        return ValidatedRun(run, scored, problem)
    differs = list(_differences(run, result))
    return ValidatedRun(run, scored, f"{run.name}: {'; '.join(differs)}" if differs else "")


def _tool(run: SubmittedRun, submission: Submission) -> SubmittedAnswer:
    record = submission.record
    return SubmittedAnswer(
        record.name,
        dict(record.settings),
        run,
        submission.place(run) if run.folder is not None else None,
        record.version,
        submission.sha256,
    )


def _differences(run: SubmittedRun, result: Result) -> Iterator[str]:
    """Yield what a run says of its answer and is not so."""
    if run.answer_sha256 not in (None, result.answer_sha256):
        yield (
            f"the answer has the sha256 {str(result.answer_sha256)[:12]}, and "
            f"{run.answer_sha256[:12]} is stated"
        )
    if run.claimed is not None:
        value = result.metrics[result.primary].value
        assert value is not None
        if not math.isclose(run.claimed, value, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{result.primary} is {value:.9g}, and {run.claimed:.9g} is claimed"


def _of_all(runs: Sequence[ValidatedRun]) -> Iterator[str]:
    """Yield what is wrong with runs together: one that is there twice, seeds that were picked."""
    names: dict[str, str] = {}
    seeds: dict[tuple[str, str, str], set[int]] = {}
    for one in runs:
        if one.scored is None:
            continue
        result = one.scored.result
        if result.file_name in names:
            yield f"{one.run.name}: is the same run as {names[result.file_name]}"
        names[result.file_name] = one.run.name
        key = result.task, result.track, repr(sorted(result.question.items()))
        seeds.setdefault(key, set()).add(result.seed)
    for (task, track, _), got in seeds.items():
        if got != set(range(len(got))):
            yield (
                f"{task} ({track}): seeds must be 0, 1, 2, and so on, so that none is picked, got "
                f"{', '.join(map(str, sorted(got)))}"
            )
