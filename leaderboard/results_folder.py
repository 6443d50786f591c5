"""A folder of results, read and checked: all of it can be ranked together."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import BundleError, listing
from ..evaluators.result import Result
from .paused_collection import paused_collection

_NAME = re.compile(r"[0-9a-f]{32}\.json")


@dataclass(frozen=True, slots=True)
class RawResult:
    """A result with what its file is.

    Attributes:
        result: what it holds.
        name: its file's name.
        sha256: of its bytes.
        size: how many bytes it has.
    """

    result: Result
    name: str
    sha256: str
    size: int


def read_raw_results(folder: str | os.PathLike[str]) -> tuple[RawResult, ...]:
    """Return every result in `folder` with its digest, in the order of file names.

    Files that are not named like results are left alone.

    Raises:
        BundleError: there is no result, one cannot be read, or one does not
            bear the name that its content gives it.
    """
    try:
        names = sorted(filter(_NAME.fullmatch, os.listdir(folder)))
    except OSError:
        names = []
    if not names:
        raise BundleError(
            f"{folder}: expected a folder of results, found none. Score a method into it first."
        )
    with paused_collection():
        results = tuple(_read(folder, name) for name in names)
    problems = [
        f"{one.name}: its tool, settings, task, track and seed give the name {expected}"
        for one in results
        if one.name != (expected := one.result.file_name)
    ]
    if problems:
        raise BundleError(
            listing(f"{folder}: results were renamed or edited; score them anew:", problems)
        )
    return results


def _read(folder: str | os.PathLike[str], name: str) -> RawResult:
    path = os.path.join(folder, name)
    try:
        with open(path, "rb", buffering=0) as file:
            content = file.read()
    except OSError as error:
        raise BundleError(
            f"{path}: expected a result, and it cannot be read: {error.strerror}"
        ) from None
    digest = hashlib.sha256(content).hexdigest()
    return RawResult(Result.parsed(content, path), name, digest, len(content))


def read_results(folder: str | os.PathLike[str]) -> tuple[Result, ...]:
    """Return every result in `folder`; as `read_raw_results` otherwise."""
    return tuple(one.result for one in read_raw_results(folder))


def check_comparable(results: Sequence[Result]) -> None:
    """Check that `results`, all of one track, were measured with the same rod.

    Each task must have one digest, and one floor and ceiling of the primary
    metric: those differ where results were scored as parts of different suites.

    Raises:
        BundleError: names each task that differs, and how.
    """
    problems = []
    primaries = sorted({result.primary for result in results})
    if len(primaries) > 1:
        problems.append(f"the primary metric must be one, got {', '.join(primaries)}")
    by_task: dict[str, list[Result]] = {}
    for result in results:
        by_task.setdefault(result.task, []).append(result)
    for task, of_task in sorted(by_task.items()):
        digests = sorted({result.task_digest[:12] for result in of_task})
        if len(digests) > 1:
            problems.append(f"{task}: the task's digest must be one, got {', '.join(digests)}")
        metrics = [result.metrics[result.primary] for result in of_task if result.metrics]
        for name in ("floor", "ceiling"):
            got = _distinct(getattr(metric, name) for metric in metrics)
            if len(got) > 1:
                shown = ", ".join(f"{value:.6g}" for value in got)
                problems.append(f"{task}: the {name} must be one, got {shown}")
    if problems:
        heading = "These results cannot be ranked together; score all with one suite and version:"
        raise BundleError(listing(heading, problems))


def _distinct(values: Iterable[float]) -> list[float]:
    """Return the values that differ by more than rounding, sorted."""
    return sorted({round(value, 9) for value in values})
