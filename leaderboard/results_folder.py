"""A folder of results, read and checked: all of it can be ranked together."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import BundleError, listing
from ..evaluators.result import Result

_NAME = re.compile(r"[0-9a-f]{32}\.json")


def read_results(folder: str | os.PathLike[str]) -> tuple[Result, ...]:
    """Return every result in `folder`, in the order of file names.

    Files that are not named like results are left alone.

    Raises:
        BundleError: there is no result, one cannot be read, or one does not
            bear the name that its content gives it.
    """
    folder = Path(folder)
    paths = sorted(path for path in folder.glob("*.json") if _NAME.fullmatch(path.name))
    if not paths:
        raise BundleError(
            f"{folder}: expected a folder of results, found none. Score a method into it first."
        )
    results = tuple(Result.read(path) for path in paths)
    problems = [
        f"{path.name}: its tool, settings, task, track and seed give the name {result.file_name}"
        for path, result in zip(paths, results, strict=True)
        if path.name != result.file_name
    ]
    if problems:
        raise BundleError(
            listing(f"{folder}: results were renamed or edited; score them anew:", problems)
        )
    return results


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
