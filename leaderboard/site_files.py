"""Site files: a folder that holds a site and nothing of an earlier one."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from ..errors import BundleError

DIGESTS, LEFT_DIGESTS = "SHA256SUMS", "SHA256SUMS-results"
_COPIES_AT_ONCE = 5_000
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class SiteFiles:
    """Writes the files of a site, and last the digest of each, as `sha256sum -c` reads it.

    The digests also say which files an earlier site left there: those that the new one has not
    are removed, and no others. Raw results that are there already are not copied again.

    Attributes:
        folder: where the files go.
        digests: of the files so far, by name.
        size: of those that were written and not copied, in bytes.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.digests: dict[str, str] = {}
        self.size = 0
        self._before = _read_digests(self.folder / DIGESTS)
        self._left: frozenset[str] = frozenset()
        self._folders: set[str] = set()

    def write(self, name: str, content: bytes) -> None:
        """Write a file.

        Raises:
            BundleError: it cannot be written.
        """
        place = self._place(name)
        try:
            with open(place, "wb") as file:
                file.write(content)
        except OSError as error:
            raise _unwritable(place, error) from None
        self.digests[name] = hashlib.sha256(content).hexdigest()
        self.size += len(content)

    def write_all(self, contents: Iterable[tuple[str, bytes]]) -> int:
        """Write files, and return how many they are; as `write` otherwise."""
        number = 0
        for name, content in contents:
            self.write(name, content)
            number += 1
        return number

    def copies(
        self, source: str | os.PathLike[str], wanted: Iterable[tuple[str, str, str]]
    ) -> list[Callable[[], None]]:
        """Return calls that copy files of which the digests are known; any process may make them.

        They raise BundleError where a file cannot be copied, or is no longer what it was.

        Args:
            source: the folder that holds them.
            wanted: where each is there, its name here and its digest.

        Raises:
            BundleError: there is no place for them.
        """
        # Processes may have been started from another folder.
        there, here = os.path.abspath(source), os.path.abspath(self.folder)
        asked = []
        for old, name, sha256 in wanted:
            place, before = self._place(name), self._before.get(name)
            if before != sha256 or not os.path.exists(place):
                copy = os.path.join(there, old), os.path.join(here, name), sha256, before is None
                asked.append(copy)
            self.digests[name] = sha256
        starts = range(0, len(asked), _COPIES_AT_ONCE)
        return [partial(_copy, asked[start : start + _COPIES_AT_ONCE]) for start in starts]

    def leave(self, digests: Mapping[str, str], inside: Iterable[str]) -> None:
        """Write down digests of files that are none of the site's own, and leave them alone.

        They have a list of their own, so that no later site takes them for its own.

        Args:
            digests: by the names that they have where they are published.
            inside: the names here of those that lie in this folder.
        """
        self._left = frozenset(inside)
        self.write(LEFT_DIGESTS, _lines(digests))

    def finish(self) -> None:
        """Write the digests, and remove what an earlier site left."""
        for name in sorted(self._before.keys() - self.digests.keys() - self._left):
            place = self.folder / name
            if place.resolve().is_relative_to(self.folder.resolve()):
                place.unlink(missing_ok=True)
        (self.folder / DIGESTS).write_bytes(_lines(self.digests))

    def _place(self, name: str) -> str:
        # Many small files: paths of pathlib take five times as long for each.
        place = os.path.join(self.folder, name)
        folder = os.path.dirname(place)
        if folder not in self._folders:
            try:
                os.makedirs(folder, exist_ok=True)
            except OSError as error:
                raise _unwritable(place, error) from None
            self._folders.add(folder)
        return place


def _copy(asked: Sequence[tuple[str, str, str, bool]]) -> None:
    """Copy files: (source, place, digest, whether no list of digests has it there) of each."""
    for source, place, sha256, is_new in asked:
        try:
            # Many small files: shutil takes three times as long for each.
            with open(source, "rb", buffering=0) as there:
                content = there.read()
            if hashlib.sha256(content).hexdigest() != sha256:
                raise BundleError(f"{source} changed while the site was made; make it again")
            _put(place, content, is_new=is_new)
        except OSError as error:
            raise _unwritable(place, error) from None


def _put(place: str, content: bytes, *, is_new: bool) -> None:
    """Write a file: a new one where it will be, others by putting them in the old one's place.

    A new one that is cut off is in no list of digests, so that the next site copies it again.
    """
    if is_new:
        with suppress(FileExistsError):
            with open(place, "xb") as here:
                here.write(content)
            return
    with open(f"{place}.part", "wb") as here:
        here.write(content)
    os.replace(f"{place}.part", place)


def _unwritable(place: str | Path, error: OSError) -> BundleError:
    return BundleError(f"{place} cannot be written: {error.strerror}; choose another folder")


def _lines(digests: Mapping[str, str]) -> bytes:
    lines = (f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return "".join(lines).encode()


def _read_digests(file: Path) -> Mapping[str, str]:
    """Return the digests that a site left, by name."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    return {found[2]: found[1] for line in lines if (found := _LINE.fullmatch(line))}
