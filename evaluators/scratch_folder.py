"""Scratch folder: a temporary folder that goes again, whatever a tool has left in it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a new temporary folder, and remove it with all that is in it by then."""
    folder = Path(tempfile.mkdtemp(prefix="glassbench-")).resolve()
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder, whoever may write to what is in it, and however deep that goes.

    Folders are moved up before it is looked what they hold: to go down would end at the longest
    path that the system takes, or at the deepest recursion of Python. What cannot be removed stays.
    """
    pending, emptied = [folder], []
    while pending:
        current = pending.pop()
        emptied.append(current)
        with contextlib.suppress(OSError):
            os.chmod(current, 0o700)
            for entry in list(os.scandir(current)):
                with contextlib.suppress(OSError):
                    if not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry.path)
                        continue
                    os.chmod(entry.path, 0o700)  # else it may not be moved
                    above = folder / os.urandom(16).hex()
                    os.rename(entry.path, above)
                    pending.append(above)
    for each in reversed(emptied):
        with contextlib.suppress(OSError):
            os.rmdir(each)
