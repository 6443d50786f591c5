"""Rescoring: an answer that was kept, measured again, and compared with its result."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import BundleError, listing
from .kept_answer import KeptAnswer
from .result import MetricValue, Result
from .track import AnyTask, Measures, Priors, Track
from .tracks import find_track

TOLERANCE = 1e-6
"""By how much a number may differ: another processor rounds otherwise."""

_COMPARED = ("value", "ceiling", "low", "high")


def rescored(
    result: Result, answer: KeptAnswer, task: AnyTask, priors: Priors | None = None
) -> Measures:
    """Measure an answer again, and return what it earns.

    Prior floors that are learned over a suite, and not from this task, are not compared.

    Args:
        result: what the answer earned when it was scored.
        answer: from `KeptAnswer.read`.
        task: the task of the result.
        priors: the prior floor of each metric, learned over a suite; without it what is returned
            has the floor of random answers.

    Raises:
        AnswerError: the answer cannot be scored.
        BundleError: task or answer are not those of the result, or some number is another;
            every difference is listed.
    """
    check_task_of(result, task)
    track = find_track(result.track).asking(result.question)
    where = f"{result.tool} on {result.task}"
    checked = track.checked(track.problem(task, result.seed), track.raw(answer.content))
    check_digest(result, track.answer_bytes(checked))
    measures = track.measures(checked, task, result.seed, priors or {})
    problems = list(_differences(result, measures, track))
    if problems:
        raise BundleError(listing(f"{where}: numbers differ from those of the result:", problems))
    return measures


def check_digest(result: Result, answer: bytes) -> None:
    """Check that a result was earned by an answer.

    Args:
        result: what the answer earned.
        answer: its bytes, as the track writes them.

    Raises:
        BundleError: it was earned by another.
    """
    sha256 = hashlib.sha256(answer).hexdigest()
    if sha256 != result.answer_sha256:
        raise BundleError(
            f"{result.tool} on {result.task}: the answer must have the sha256 "
            f"{result.answer_sha256}, got {sha256}; score it anew"
        )


def kept_scores(result: Result, folder: Path) -> Mapping[str, float]:
    """Return the scores of edges that are kept with a result of the circuit track.

    Raises:
        BundleError: none are kept, or others than were measured.
    """
    scores = dict(KeptAnswer.read(folder, result).content.scores)
    check_digest(result, find_track("circuit").answer_bytes(scores))
    return scores


def check_task_of(result: Result, task: AnyTask) -> None:
    """Check that a result was earned on a task.

    Raises:
        BundleError: it was earned on another, or on one of another version.
    """
    track = find_track(result.track).asking(result.question)
    track.check([task])
    digest = track.digest(task)
    if (result.task, result.task_digest) != (str(task.id), digest):
        raise BundleError(
            f"{result.tool} on {result.task}: the task must be {result.task} with the digest "
            f"{result.task_digest[:12]}, got {task.id} with {digest[:12]}; take the version of "
            "Glassbench that scored it"
        )


def _differences(result: Result, measures: Measures, track: Track) -> Iterator[str]:
    """Yield every number that is not that of the result, and what says how it is read."""
    if result.primary != track.primary:
        yield f"primary: must be {track.primary}, got {result.primary}"
    for name in sorted(result.metrics.keys() & measures.metrics.keys()):
        old, new = result.metrics[name].direction, measures.metrics[name].direction
        if old != new:
            yield f"{name}, direction: must be {new}, got {old}"
    floors = ("random",) if track.has_priors else ("random", "prior")
    yield from _compared("", _flat(result.metrics, floors), _flat(measures.metrics, floors))
    yield from _compared("reported ", result.reported, measures.reported)


def _flat(metrics: Mapping[str, MetricValue], floors: Sequence[str]) -> dict[str, float | None]:
    """Return every number of metrics by name, of floors some, but for what follows from them."""
    found: dict[str, float | None] = {}
    for name, metric in metrics.items():
        found |= {f"{name}, {part}": getattr(metric, part) for part in _COMPARED}
        found |= {f"{name}, {floor}": getattr(metric.floors, floor) for floor in floors}
    return found


def _compared(
    kind: str, there: Mapping[str, float | None], again: Mapping[str, float | None]
) -> Iterator[str]:
    """Yield the names of numbers that differ, each with both."""
    for name in sorted({*there, *again}):
        old, new = there.get(name), again.get(name)
        if old is None or new is None:
            if old is not new:
                yield f"{kind}{name}: must be {new}, got {old}"
        elif not math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{kind}{name}: must be {new:.9g}, got {old:.9g}"
