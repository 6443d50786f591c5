"""Submitters: who answers for a method, as the submission says that its results came in with."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import BundleError
from ..evaluators.submission import SubmissionRecord
from ..evaluators.submitted_results import SUBMISSIONS, submission_name, submission_of
from ..ground_truth.record import read_record
from .results_folder import RawResult


@dataclass(frozen=True)
class Submitter:
    """Who answers for a method, and the file that says so.

    Attributes:
        record: what the file holds.
        name: where it is in the folder of results.
        sha256: of its bytes.
        size: how many bytes it has.
    """

    record: SubmissionRecord
    name: str
    sha256: str
    size: int


def read_submitters(
    folder: str | os.PathLike[str], found: Iterable[RawResult]
) -> dict[str, tuple[Submitter, ...]]:
    """Return who answers for the methods of results, by the method's own name.

    A result names the submission that it came in with by the sha256 of its record. What other
    results say there is not believed: a method that was run here has no submitter.

    Args:
        folder: of the results.
        found: results in it.

    Raises:
        BundleError: a record has another digest than its results say.
    """
    asked = sorted(
        {
            (one.result.tool, sha256)
            for one in found
            if (sha256 := submission_of(one.result)) is not None
        }
    )
    submitters: dict[str, tuple[Submitter, ...]] = {}
    for tool, sha256 in asked:
        one = _read(Path(folder), sha256)
        if one is not None and one.record.name == tool:
            submitters[tool] = (*submitters.get(tool, ()), one)
    return submitters


def _read(folder: Path, sha256: str) -> Submitter | None:
    """Return what a submission says of itself; `None` where it is not kept."""
    name = f"{SUBMISSIONS}/{submission_name(sha256)}"
    try:
        content = (folder / name).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(f"{folder / name} cannot be read: {error.strerror}") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise BundleError(
            f"{folder / name}: the record of a submission must have the sha256 {sha256} that its "
            f"results state, got {digest}; validate the submission again"
        )
    record = read_record(SubmissionRecord, content, str(folder / name))
    return Submitter(record, name, digest, len(content))
