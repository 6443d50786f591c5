"""Whole files: written whole or not at all, so that a process can be killed at any moment."""

import os
import tempfile
from pathlib import Path

from .errors import BundleError


def write_whole(content: bytes, file: Path) -> Path:
    """Write a file whole or not at all, in place of one that is there; return its path.

    Folders above it are made.

    Raises:
        BundleError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as part:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
            os.chmod(name, 0o644)
            os.replace(name, file)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise BundleError(
            f"{file} cannot be written: {error.strerror or error}; choose another place"
        ) from None
    return file


def writable_folder(folder: Path) -> Path:
    """Make a folder, before long work begins, and return it.

    Raises:
        BundleError: nothing can be written to it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BundleError(
            f"{folder} must be a folder that can be written to: {error.strerror}; choose another"
        ) from None
    return folder


def check_place(place: Path) -> None:
    """Check, before long work begins, that files can be written at a place; leave nothing there.

    Args:
        place: a folder, there or not, or a file that is not there.

    Raises:
        BundleError: nothing can be written there, or in the first folder above.
    """
    place = place.absolute()
    above = next(path for path in (place, *place.parents) if path.exists())
    try:
        tempfile.TemporaryDirectory(dir=above, prefix=".").cleanup()
    except OSError as error:
        raise BundleError(
            f"{place} must be where files can be written, got {error.strerror} at {above}; choose "
            "another place"
        ) from None


def check_file(file: Path) -> None:
    """Check, before long work begins, that a file can be written; leave nothing there.

    Raises:
        BundleError: it is a folder, or nothing can be written where it would be.
    """
    if file.is_dir():
        raise BundleError(f"{file} must be a file, got a folder; choose another name")
    check_place(file.parent)


def check_new_folder(folder: Path) -> None:
    """Check, before long work begins, that a folder is new or empty and can be written.

    Raises:
        BundleError: it holds something, is a file, or nothing can be written there.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BundleError(f"{folder} must be a new or empty folder; choose another with -o")
    check_place(folder)
