"""Submission folder: the answers of one method, and whose they are, read with distrust.

    submission.json                      which method, by whom, and what each answer is to
    answers/FOLDER/answer.json           as a tool in any language writes it
    answers/FOLDER/answer.safetensors    where arrays are asked for

Beside `submission.json` there may be a `README.md` and a `LICENSE`, which are not read. Anything
else is refused, and so are links: nothing is followed out of the folder, nothing is unpacked.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import MOST_TOLD, BundleError, GlassbenchError, listing
from ..ground_truth.record import read_record
from .answer_folder import ANSWER, ANSWER_ARRAYS, MOST_ARRAYS, MOST_JSON, plain_file
from .submission import MOST_RUNS, SubmissionRecord, SubmittedRun

SUBMISSION = "submission.json"
ANSWERS = "answers"
MOST_RECORD = 2**24
"""How many bytes `submission.json` may have."""
MOST_BYTES = 2**31
"""How many bytes all files of a submission may have together."""

_MOST_AT_TOP = 10
_UNREAD = ("README.md", "LICENSE")
_MOST_OF_FILE = {SUBMISSION: MOST_RECORD, ANSWER: MOST_JSON, ANSWER_ARRAYS: MOST_ARRAYS}
_MOST_UNREAD = 2**20


@dataclass(frozen=True)
class Submission:
    """A submission as it is in its folder.

    Attributes:
        folder: where it is.
        record: what its `submission.json` says.
        content: the bytes of that file.
    """

    folder: Path
    record: SubmissionRecord
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """The digest of `submission.json`."""
        return hashlib.sha256(self.content).hexdigest()

    def place(self, run: SubmittedRun) -> Path:
        """Return the folder of the answer of a run that has one."""
        assert run.folder is not None
        return self.folder / ANSWERS / run.folder


def read_submission(folder: str | os.PathLike[str]) -> Submission:
    """Return a submission, of which no answer has been read yet.

    Raises:
        BundleError: it is no folder, holds what does not belong there, or links, or too much; or
            `submission.json` is not what it should be, or names other answers than there are.
            Every problem is listed.
    """
    folder = Path(folder)
    heading = f"{folder.name} must be the folder of a submission:"
    problems, found = _found(folder)
    record = None
    content = b""
    if SUBMISSION in found:
        try:
            content = plain_file(folder, SUBMISSION, MOST_RECORD)
            record = read_record(SubmissionRecord, content, SUBMISSION)
        except GlassbenchError as error:
            problems.append(str(error).replace("\n", "\n    "))
    if record is not None:
        named = {run.folder for run in record.runs if run.folder is not None}
        there = {path.split("/")[1] for path in found if path.startswith(f"{ANSWERS}/")}
        problems += [f"{ANSWERS}/{name}: is missing" for name in sorted(named - there)]
        problems += [f"{ANSWERS}/{name}: no run names it" for name in sorted(there - named)]
    if problems or record is None:
        raise BundleError(listing(heading, problems, limit=MOST_TOLD))
    return Submission(folder, record, content)


def _found(folder: Path) -> tuple[list[str], list[str]]:
    """Return what is wrong with the files of a folder, and the paths of those that are right."""
    try:
        mode = os.lstat(folder).st_mode
    except OSError as error:
        return [f"it cannot be read: {error.strerror}"], []
    if not stat.S_ISDIR(mode):
        return ["it must be a folder, got a link or a file; unpack what is packed"], []
    problems: list[str] = []
    found: list[str] = []
    n_bytes = 0
    try:
        for path, fault, size in _walked(folder):
            problems += [f"{path}: {fault}"] if fault else []
            found += [] if fault else [path]
            n_bytes += size
    except BundleError as error:
        problems.append(str(error))
    except OSError as error:
        problems.append(f"{error.filename!a} cannot be read: {error.strerror}")
    if n_bytes > MOST_BYTES:
        problems.append(f"its files must have at most {MOST_BYTES:,} bytes, got {n_bytes:,}")
    if SUBMISSION not in found:
        problems.append(f"{SUBMISSION}: is missing")
    return problems, found


def _walked(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Yield every file, and every folder that should be none: its path, its fault, its size."""
    for one in _entries(folder, "", _MOST_AT_TOP):
        if one.name == ANSWERS and one.is_dir(follow_symlinks=False):
            for answer in _entries(folder / ANSWERS, f"{ANSWERS}/", MOST_RUNS):
                yield from _of_answer(folder, answer)
        else:
            yield one.name, *_fault(one, (SUBMISSION, *_UNREAD))


def _of_answer(folder: Path, answer: os.DirEntry[str]) -> Iterator[tuple[str, str, int]]:
    path = f"{ANSWERS}/{_shown(answer.name)}"
    if not answer.is_dir(follow_symlinks=False):
        yield path, "must be a folder", 0
        return
    for one in _entries(folder / ANSWERS / answer.name, f"{path}/", _MOST_AT_TOP):
        yield f"{path}/{_shown(one.name)}", *_fault(one, (ANSWER, ANSWER_ARRAYS))


def _entries(folder: Path, path: str, most: int) -> list[os.DirEntry[str]]:
    """Return what is in a folder, in the order of names."""
    found = []
    with os.scandir(folder) as entries:
        for one in entries:
            found.append(one)
            if len(found) > most:
                raise BundleError(f"{path or 'the folder'} must hold at most {most:,} entries")
    return sorted(found, key=lambda one: one.name)


def _fault(one: os.DirEntry[str], allowed: tuple[str, ...]) -> tuple[str, int]:
    """Return what is wrong with a file, empty if nothing is, and its size."""
    facts = one.stat(follow_symlinks=False)
    if one.is_symlink():
        return "must be a plain file, got a link", 0
    if one.name not in allowed:
        return f"does not belong here; there may be {', '.join(allowed)}", 0
    if not stat.S_ISREG(facts.st_mode):
        return "must be a plain file, got a folder, a pipe or a device", 0
    most = _MOST_OF_FILE.get(one.name, _MOST_UNREAD)
    if facts.st_size > most:
        return f"must have at most {most:,} bytes, got {facts.st_size:,}", facts.st_size
    return "", facts.st_size


def _shown(name: str) -> str:
    """Return a name of a file as it can be shown."""
    return name if name.isprintable() and len(name) <= 100 else ascii(name)[:100]
