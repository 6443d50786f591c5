"""Submitted results: those of a folder that came from submissions, which validation owns.

A folder may hold results of an organiser's own sweeps too. Those are never touched.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import BundleError
from .kept_answer import answer_places
from .result import Result
from .scoring import Scored

SUBMISSIONS = "submissions"
"""The folder, in a folder of results, of what submissions say of themselves."""
SUBMISSION = "submission"
"""What a result tells of the submission that it came from: the sha256 of its record."""
_SHA256 = re.compile("[0-9a-f]{64}")
_RECORD = re.compile(r"[0-9a-f]{32}\.json")


def submission_of(result: Result) -> str | None:
    """Return the sha256 of the submission that a result came from; `None` if it came from none."""
    found = result.told.get(SUBMISSION)
    return found if isinstance(found, str) and _SHA256.fullmatch(found) else None


def submission_name(sha256: str) -> str:
    """Return the name of the file that keeps the record of a submission beside its results."""
    return f"{sha256[:32]}.json"


@dataclass(frozen=True)
class SubmittedResults:
    """What earlier validations wrote into a folder of results.

    Attributes:
        folder: of results.
        results: those in it that came from submissions.
    """

    folder: Path
    results: tuple[Result, ...]

    @classmethod
    def among(cls, folder: str | os.PathLike[str], results: Iterable[Result]) -> "SubmittedResults":
        """Return what came from submissions among all results of a folder."""
        return cls(Path(folder), tuple(one for one in results if submission_of(one) is not None))

    @property
    def submissions(self) -> frozenset[str]:
        """The sha256 of each submission that they came from."""
        return frozenset(filter(None, map(submission_of, self.results)))

    def remove_all_but(self, kept: Iterable[Scored]) -> int:
        """Remove results, answers and records of submissions that are not accepted any more.

        Args:
            kept: what has been written of the submissions that are accepted now.

        Returns:
            How many results were removed; those that were replaced are not counted.

        Raises:
            BundleError: a file cannot be removed.
        """
        written = {path for one in kept for path in self._files(one)}
        removed = 0
        for result in self.results:
            own = self.folder / result.file_name
            removed += own not in written
            # The result first: from then on nothing of it is ranked.
            for path in (own, *answer_places(self.folder, result)):
                if path not in written:
                    _remove(path)
        for path in sorted((self.folder / SUBMISSIONS).glob("*.json")):
            if _RECORD.fullmatch(path.name) and path not in written:
                _remove(path)
        return removed

    def _files(self, one: Scored) -> tuple[Path, ...]:
        """Return the files of a result that came from a submission."""
        sha256 = submission_of(one.result)
        assert sha256 is not None
        record = self.folder / SUBMISSIONS / submission_name(sha256)
        answer, arrays = answer_places(self.folder, one.result)
        files = [self.folder / one.result.file_name, record]
        if one.answer is not None:
            files += [answer] if one.answer.record.array_file is None else [answer, arrays]
        return tuple(files)


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise BundleError(
            f"{file} came from a submission that is not accepted now, and cannot be removed: "
            f"{error.strerror}; remove it, or validate again"
        ) from None
