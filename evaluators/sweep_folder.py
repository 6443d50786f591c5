"""The folder of a sweep: opened for one, with what is done in it.

A sweep that asks again for what is there leaves a mark in the folder, by whose age results that
it has written are told from those before it, until it is whole: so it goes on where it is stopped.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from ..errors import BundleError
from ..whole_file import write_whole
from .row_claim import CLAIMS, claims_hold
from .sweep_rows import Done

SWEEPS = ".sweeps"
"""The folder, in a folder of results, of what sweeps know of themselves."""


@dataclass(frozen=True)
class SweepFolder:
    """A folder of results that a sweep works into.

    Attributes:
        path: the folder.
        sweep: a name that no other sweep has, and of a file by which workers know the folder.
        done: tells which rows need not be asked for.
        has_claims: whether files can be locked in it.
    """

    path: Path
    sweep: str
    done: Done
    has_claims: bool


@contextmanager
def opened(
    folder: Path, *, again: bool, retry_failed: bool, asked: str = "", sources: str = ""
) -> Iterator[SweepFolder]:
    """Yield a folder of results for a sweep; it is made if it is not there.

    Args:
        folder: of results.
        again: whether results that are there are asked for again.
        retry_failed: whether those without an answer are.
        asked: a name for what is asked. A sweep of the same that asks again, and was stopped, is
            taken up: what is done is what it has done.
        sources: the state of the methods; one of another state is not taken up.

    Raises:
        BundleError: nothing can be written there.
    """
    folder, sweep = folder.absolute(), token_hex(8)
    mark, began = folder / CLAIMS / sweep, folder / SWEEPS / f"again-{asked}"
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        # By the clock of the folder, as its results have it.
        since = _begun(began, sources) if again else mark.stat().st_mtime_ns
    except OSError as error:
        raise BundleError(
            f"{folder} must be a folder that can be written to: {error.strerror}; choose another"
        ) from None
    try:
        done = Done(since, again=again, retry_failed=retry_failed)
        yield SweepFolder(folder, sweep, done, claims_hold(folder, sweep))
        if again:
            _end(began, since)
    finally:
        mark.unlink(missing_ok=True)
        for place in (mark.parent, began.parent):
            with suppress(OSError):  # others work here, or it is not there
                place.rmdir()


def _begun(mark: Path, sources: str) -> int:
    """Return when a sweep that asks again began, in nanoseconds; now, if none was stopped."""
    with suppress(FileNotFoundError):
        if mark.read_bytes() == sources.encode():
            return mark.stat().st_mtime_ns
    return write_whole(sources.encode(), mark).stat().st_mtime_ns


def _end(mark: Path, since: int) -> None:
    """Take the mark of a sweep away that is whole, unless it is that of a later one."""
    with suppress(FileNotFoundError):
        if mark.stat().st_mtime_ns == since:
            mark.unlink()
