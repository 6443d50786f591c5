"""Cache: where downloaded bundles lie, and who may write them.

A bundle lies under the sha256 of its file, so that nothing in the cache is ever out of date
and all registries can share one cache. What is not whole yet has another name.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import BundleError

HOME = "GLASSBENCH_HOME"
"""The environment variable that says where the cache is."""

_LOOK_UP = 0.5


def home() -> Path:
    """Return the folder of the cache: `GLASSBENCH_HOME`, or where the system has caches.

    On Linux that is `~/.cache/glassbench`. The folder need not be there.
    """
    if chosen := os.environ.get(HOME):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("glassbench", appauthor=False)


@dataclass(frozen=True)
class Cache:
    """The folder of downloaded bundles.

    Attributes:
        home: the folder; see `home`.
    """

    home: Path

    def bundle(self, sha256: str) -> Path:
        """Return where the file with this sha256 belongs; only whole ones get there."""
        return self.home / "bundles" / f"{sha256}.zip"

    def part(self, sha256: str) -> Path:
        """Return where that file grows: the same place each time, so that it can grow on."""
        return self.home / "bundles" / f"{sha256}.part"

    def registry(self, url: str) -> Path:
        """Return where the copy of a registry is kept."""
        return self.home / "registries" / f"{hashlib.sha256(url.encode()).hexdigest()}.json"

    def holds(self, sha256: str, size: int) -> bool:
        """Return whether the file is there, with all its bytes."""
        path = self.bundle(sha256)
        try:
            return path.stat().st_size == size and sha256_of_file(path) == sha256
        except OSError:
            return False

    @contextmanager
    def locked(self, sha256: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Let nobody else write this file: others who want to wait.

        The system takes the lock back from a process that dies.

        Args:
            sha256: of the file.
            waiting: called now and then while another has the lock; may raise to give up.

        Raises:
            BundleError: nothing can be written to the cache.
        """
        from filelock import FileLock, Timeout

        folder = self.home / "bundles"
        lock = FileLock(folder / f"{sha256}.lock", timeout=_LOOK_UP)
        with self.writing():
            folder.mkdir(parents=True, exist_ok=True)
        while not lock.is_locked:
            waiting()
            with self.writing(), suppress(Timeout):
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Say what to do if writing fails.

        Raises:
            BundleError: it failed.
        """
        try:
            yield
        except OSError as error:
            raise BundleError(
                f"{self.home} must be a folder that can be written to, for what is downloaded: "
                f"{error.strerror or error}; make room there, or set {HOME} to another folder"
            ) from None


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal, without holding all of it in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
