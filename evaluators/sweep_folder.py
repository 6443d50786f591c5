"""The folder of a sweep: opened for one, with what is done in it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from ..errors import BundleError
from .row_claim import CLAIMS, claims_hold
from .sweep_rows import Done


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
def opened(folder: Path, *, again: bool, retry_failed: bool) -> Iterator[SweepFolder]:
    """Yield a folder of results for a sweep; it is made if it is not there.

    Args:
        folder: of results.
        again: whether results that are there are asked for again.
        retry_failed: whether those without an answer are.

    Raises:
        BundleError: nothing can be written there.
    """
    folder, sweep = folder.absolute(), token_hex(8)
    mark = folder / CLAIMS / sweep
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        since = mark.stat().st_mtime_ns  # by the clock of the folder, as its results have it
    except OSError as error:
        raise BundleError(
            f"{folder} must be a folder that can be written to: {error.strerror}; choose another"
        ) from None
    try:
        done = Done(since, again=again, retry_failed=retry_failed)
        yield SweepFolder(folder, sweep, done, claims_hold(folder, sweep))
    finally:
        mark.unlink(missing_ok=True)
        with suppress(OSError):  # others work here
            mark.parent.rmdir()
