"""BundleStore: the files of a bundle, in a folder or in a zip, read with distrust.

Nothing is unpacked to disk. No file is followed out of its place, none is read beyond the
size that it should have, and every file that does not belong is told of.
"""

import os
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path

from ..errors import BundleError, listing

MOST_BYTES = 2**30
_MOST_FILES = 64
_UTF8, _SIZE_LATER, _SPEED = 0x800, 0x8, 0x6
_KNOWN_FLAGS = _UTF8 | _SIZE_LATER | _SPEED
_END, _END_OF_64 = b"PK\5\6", b"PK\6\7"
_END_SIZE, _LONGEST_COMMENT = 22, 2**16
_MOST_DIRECTORY = 2**16


class BundleStore(ABC):
    """Where the files of one bundle are.

    Attributes:
        place: the folder or the zip, for messages.
        names: the paths of all files in there, with slashes, sorted.
    """

    place: Path
    names: tuple[str, ...]

    @abstractmethod
    def _start(self, name: str, most: int) -> bytes:
        """Return the first bytes of a file, at most so many."""

    def read(self, name: str, size: int | None = None, most: int = MOST_BYTES) -> bytes:
        """Return the content of a file.

        Args:
            name: its path in the bundle.
            size: how long it must be, if that is known.
            most: how long it may be.

        Raises:
            BundleError: it is missing, cannot be read, or is not as long as it should be.
        """
        if name not in self.names:
            raise BundleError(f"{self.place}: {name} must be there, and is missing; get it again")
        if size is not None and size > most:
            raise BundleError(
                f"{self.place}: {name} must have at most {most:,} bytes, and is said to have "
                f"{size:,}; it cannot be read here"
            )
        limit = most if size is None else size
        try:
            content = self._start(name, limit + 1)
        except (
            OSError,
            ValueError,
            EOFError,
            RuntimeError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise BundleError(
                f"{self.place}: {name} cannot be read: {error}; get the bundle again"
            ) from None
        if len(content) > limit or (size is not None and len(content) < size):
            found = f"more than {limit:,}" if len(content) > limit else f"{len(content):,}"
            must = f"{size:,}" if size is not None else f"at most {most:,}"
            raise BundleError(
                f"{self.place}: {name} must have {must} bytes, got {found}; get the bundle again"
            )
        return content


class FolderStore(BundleStore):
    """A bundle that is a folder."""

    def __init__(self, folder: Path) -> None:
        self.place = folder
        names, problems = [], []
        for at, folders, files in os.walk(folder, onerror=_refuse, followlinks=False):
            for name in (*folders, *files):
                path = Path(at, name)
                own = path.relative_to(folder).as_posix()
                mode = path.lstat().st_mode
                if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                    problems.append(f"{own}: must be a plain file, got a link or a device")
                elif stat.S_ISREG(mode):
                    names.append(own)
            if not folders and not files and Path(at) != folder:
                problems.append(f"{Path(at).relative_to(folder).as_posix()}: must not be empty")
            if len(names) > _MOST_FILES or len(problems) > _MOST_FILES:
                problems.append(f"it must hold at most {_MOST_FILES} files, got more")
                break
        _stop(folder, problems)
        self.names = tuple(sorted(names))

    def _start(self, name: str, most: int) -> bytes:
        with (self.place / name).open("rb") as file:
            return file.read(most)


class ZipStore(BundleStore):
    """A bundle that is a zip file."""

    def __init__(self, file: Path) -> None:
        self.place = file
        try:
            _check_directory(file)
            self._zip = zipfile.ZipFile(file)
            entries = self._zip.infolist()
        except (OSError, zipfile.BadZipFile, ValueError, RuntimeError) as error:
            raise BundleError(
                f"{file} must be a zip file of a bundle: {error}; get it again"
            ) from None
        problems = [f"{e.filename!r}: {why}" for e in entries[:_MOST_FILES] if (why := _flaw(e))]
        if len(entries) > _MOST_FILES:
            problems.append(f"it must hold at most {_MOST_FILES} files, got {len(entries):,}")
        names = [entry.filename for entry in entries]
        problems += [
            f"{name!r}: must be there once, got {names.count(name)} entries"
            for name in sorted(set(names[:_MOST_FILES]))
            if names.count(name) > 1
        ]
        _stop(file, problems)
        self.names = tuple(sorted(names))

    def _start(self, name: str, most: int) -> bytes:
        with self._zip.open(name) as file:
            return file.read(most)


def _check_directory(file: Path) -> None:
    """Refuse a zip whose list of entries is longer than any of a bundle.

    Raises:
        BadZipFile: it is, or there is none.
    """
    with file.open("rb") as content:
        content.seek(0, os.SEEK_END)
        content.seek(max(0, content.tell() - _END_SIZE - _LONGEST_COMMENT))
        tail = content.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_SIZE:
        raise zipfile.BadZipFile("it has no list of entries")
    size = int.from_bytes(tail[end + 12 : end + 16], "little")
    if size > _MOST_DIRECTORY or _END_OF_64 in tail:
        raise zipfile.BadZipFile(f"its list of entries must have at most {_MOST_DIRECTORY:,} bytes")


def open_store(place: str | Path) -> BundleStore:
    """Return the files of a bundle.

    Raises:
        BundleError: there is no folder and no zip file, or it holds what no bundle holds.
    """
    path = Path(place)
    try:
        if path.is_dir():
            return FolderStore(path)
        if path.is_file():
            return ZipStore(path)
    except OSError as error:
        _refuse(error)
    raise BundleError(f"{path} must be the folder or the zip file of a bundle; there is none")


def _flaw(entry: zipfile.ZipInfo) -> str:
    """Return why an entry of a zip may not be there; empty if it may."""
    parts = entry.filename.split("/")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.filename != entry.orig_filename or "\\" in entry.filename or ":" in entry.filename:
        return "must be a plain path with slashes"
    if any(part in ("", ".", "..") for part in parts):
        return "must be a path that stays in the folder, and a file"
    if kind not in (0, stat.S_IFREG):
        return "must be a plain file, got a link or a device"
    if entry.flag_bits & ~_KNOWN_FLAGS:
        return "must be a plain entry, got one that is encrypted or patched"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "must be stored or deflated"
    return ""


def _refuse(error: OSError) -> None:
    raise BundleError(f"{error.filename}: {error.strerror}; a bundle must be readable") from None


def _stop(place: Path, problems: list[str]) -> None:
    if problems:
        raise BundleError(listing(f"{place} is not a bundle:", problems))
