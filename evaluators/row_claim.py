"""Claims: of several processes that score into one folder, one alone asks for each row.

A claim is a lock on a file, which the system lets go when its holder ends, however it ends. Each
holder leaves a line in the file, and takes the file away when the row is there. A file that
nobody holds tells that a process died while it was asked for that row.

Claims save work and guard nothing: results are written whole under names of their own, so that
two processes that ask for the same row do no harm. Where a file system has no locks, or keeps
them to each machine, that is what happens.
"""

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

CLAIMS = ".claims"
"""The folder of claims in a folder of results."""
_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOLCK}


@dataclass(frozen=True)
class Claim:
    """A row that nobody else asks for.

    Attributes:
        deaths: how many processes of the same sweep died while they asked for it.
    """

    deaths: int = 0


def claims_hold(folder: Path, sweep: str) -> bool:
    """Return whether files can be locked in a folder of results.

    Args:
        folder: of results, in which there is the folder of claims.
        sweep: the name of the sweep, by which the file is called that is tried.
    """
    file = folder / CLAIMS / f"{sweep}.lock"
    lock = FileLock(file)
    kind = type(lock)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a file which is there stands for a lock
            with lock:
                return type(lock) is kind
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def claimed(folder: Path, name: str, sweep: str) -> Iterator[Claim | None]:
    """Claim a row, and yield the claim; `None` if another process holds it.

    Args:
        folder: of results, in which there is the folder of claims.
        name: of the file of the result.
        sweep: the name of the sweep.
    """
    file = _file(folder, name)
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield None
        return
    try:
        before = file.read_text().split()
        with file.open("a") as said:
            said.write(f"{sweep}\n")
        yield Claim(before.count(sweep))
    finally:
        # While it is locked: whoever opened it before finds a file that has no name any more.
        with suppress(OSError):
            file.unlink(missing_ok=True)
        lock.release()


def died_at(folder: Path, name: str) -> bool:
    """Return whether a process died while it asked for a row, and nobody has asked since."""
    file = _file(folder, name)
    if not file.exists():
        return False
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


def _file(folder: Path, name: str) -> Path:
    return folder / CLAIMS / f"{name}.lock"
