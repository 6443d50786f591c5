"""Download: bundles of a registry, fetched once, checked whole, and kept in the cache.

    paths = download("https://example.org/core/registry.json", ["sort-v1[vocab=4,length=4]"])

A file grows under the name of a part and gets its own only when its sha256 is right. An
interrupted download goes on where it stopped, and a process that is killed leaves nothing
that would be taken for whole.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import BundleError, listing
from ..whole_file import write_whole
from . import bundle_layout as at
from . import cache as cache_folder
from .bundle_store import open_store
from .cache import Cache, sha256_of_file
from .manifest import sha256_of
from .record import read_record
from .registry import Registry, RegistryEntry, url_of
from .transfer import InterruptedTransferError, Patience, RefusedError, is_file, opened

_LOG = logging.getLogger(__name__)

Advance = Callable[[int], None]


def download(
    registry: str | Path,
    ids: Iterable[str] | None = None,
    *,
    home: str | Path | None = None,
    jobs: int = 4,
    retries: int = 3,
    timeout: float = 30.0,
    offline: bool = False,
    advance: Advance | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Path]:
    """Return the zip files of bundles, each fetched unless it is in the cache.

    Args:
        registry: a file, a folder with a `registry.json`, or a URL with `https:`, `http:` or
            `file:`.
        ids: the tasks; all of the registry without.
        home: the folder of the cache instead of `home()`.
        jobs: how many files are fetched at once.
        retries: how often an interrupted transfer is tried again before the next URL is.
        timeout: how many seconds a server may say nothing.
        offline: take everything from the cache, the registry too if it is not a file.
        advance: called with numbers of bytes, whose sum is in the end that of all sizes; a
            negative one takes back bytes that were wrong. Never called twice at a time.
        sleep: waits so many seconds before the next trial.

    Returns:
        The files, in the order of `ids`, each with the size, sha256 and digest of the registry.

    Raises:
        TaskError: the registry has no such bundle.
        BundleError: the registry is no registry, a bundle cannot be had from any of its URLs,
            or the cache cannot be written to. What was fetched until then stays there.
    """
    cache = Cache(Path(home).absolute() if home is not None else cache_folder.home())
    patience = Patience(retries, timeout, sleep)
    advance = advance or (lambda _: None)
    if offline:
        entries = _kept_registry(registry, cache).entries(ids)
        paths = _from_cache(entries, registry, cache, advance)
    else:
        entries = _fresh_registry(registry, cache, patience).entries(ids)
        paths = _from_network(entries, url_of(registry), cache, patience, advance, jobs)
    _check_digests(entries, paths, registry)
    return paths


# -- the registry ----------------------------------------------------------------------


def _fresh_registry(source: str | Path, cache: Cache, patience: Patience) -> Registry:
    """Read a registry, and keep a copy of one of the network for when there is none."""
    found = Registry.read(source, patience=patience)
    url = url_of(source)
    if not is_file(url):
        try:
            write_whole(found.to_json().encode(), cache.registry(url))
        except BundleError as error:  # a cache that is full, or shared and not to be written to
            _LOG.info("no copy of the registry is kept: %s", error)
    return found


def _kept_registry(source: str | Path, cache: Cache) -> Registry:
    """Read a registry without a network."""
    url = url_of(source)
    if is_file(url):
        return Registry.read(source)
    copy = cache.registry(url)
    try:
        content = copy.read_bytes()
    except OSError:
        raise BundleError(
            f"{url} must have been read before to be used offline, and there is no copy of it in "
            f"{cache.home}; download once without offline, or name a registry that is a file"
        ) from None
    return read_record(Registry, content, str(copy))


# -- many bundles ----------------------------------------------------------------------


def _from_cache(
    entries: Sequence[RegistryEntry], registry: str | Path, cache: Cache, advance: Advance
) -> list[Path]:
    """Return files that are there, and say of all that are not."""
    missing = []
    for entry in entries:
        path = cache.bundle(entry.sha256)
        if cache.holds(entry.sha256, entry.size):
            advance(entry.size)
        else:
            missing.append(f"{entry.id}: {path} is {'damaged' if path.exists() else 'missing'}")
    if missing:
        heading = (
            f"Offline, every bundle must be in the cache; download these from {registry} once "
            "without offline:"
        )
        raise BundleError(listing(heading, missing))
    return [cache.bundle(entry.sha256) for entry in entries]


def _from_network(
    entries: Sequence[RegistryEntry],
    registry_url: str,
    cache: Cache,
    patience: Patience,
    advance: Advance,
    jobs: int,
) -> list[Path]:
    """Return files, several fetched at a time, and stop at the first that cannot be had."""
    turn, stopped = threading.Lock(), threading.Event()

    def in_turn(n_bytes: int) -> None:
        with turn:
            if stopped.is_set():
                raise CancelledError
            advance(n_bytes)

    addresses = [entry.addresses(registry_url) for entry in entries]
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        futures = [
            pool.submit(_fetched, entry, urls, cache, patience, in_turn)
            for entry, urls in zip(entries, addresses, strict=True)
        ]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in futures:
                if future in done:
                    future.result()
        finally:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
    return [future.result() for future in futures]


def _check_digests(
    entries: Sequence[RegistryEntry], paths: Sequence[Path], registry: str | Path
) -> None:
    """Refuse a registry that is wrong about the digest of a bundle which is as it says else."""
    wrong = [
        f"{entry.id}: {found} instead of {entry.digest}"
        for entry, path in zip(entries, paths, strict=True)
        if (found := sha256_of(open_store(path).read(at.MANIFEST))) != entry.digest
    ]
    if wrong:
        heading = f"{registry} must say the digest of each bundle; tell its publisher of these:"
        raise BundleError(listing(heading, wrong))


# -- one bundle ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """The file of one bundle while it grows; whoever holds one holds its lock.

    Attributes:
        entry: what it must be in the end.
        cache: where it is.
        advance: told of every byte.
    """

    entry: RegistryEntry
    cache: Cache
    advance: Advance

    @property
    def path(self) -> Path:
        return self.cache.part(self.entry.sha256)

    @property
    def length(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def add(self, chunk: bytes) -> None:
        with self.cache.writing(), self.path.open("ab") as file:
            file.write(chunk)
        self.advance(len(chunk))

    def discard(self) -> None:
        length = self.length
        with self.cache.writing():
            self.path.unlink(missing_ok=True)
        self.advance(-length)

    def become_whole(self) -> None:
        """Get the name of a whole file, once all bytes are on the disk."""
        with self.cache.writing():
            with self.path.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(self.path, self.cache.bundle(self.entry.sha256))


def _fetched(
    entry: RegistryEntry, urls: Sequence[str], cache: Cache, patience: Patience, advance: Advance
) -> Path:
    """Return the file of one bundle, from the first URL that gives it."""
    path = cache.bundle(entry.sha256)
    if cache.holds(entry.sha256, entry.size):
        advance(entry.size)
        return path
    with cache.locked(entry.sha256, partial(advance, 0)):
        if cache.holds(entry.sha256, entry.size):  # another process was faster
            advance(entry.size)
            return path
        part = _Part(entry, cache, advance)
        advance(part.length)
        failures = []
        for url in urls:
            try:
                patience.insist(partial(_complete, part, url, patience.timeout))
            except (RefusedError, InterruptedTransferError) as error:
                failures.append(f"{url}: {error}")
            else:
                part.become_whole()
                return path
    raise BundleError(
        listing(
            f"{entry.id} cannot be downloaded; try again later, or use another registry. "
            "What each address said:",
            failures,
        )
    )


def _complete(part: _Part, url: str, timeout: float) -> None:
    """Bring a part to its end, and leave none that is wrong.

    Raises:
        RefusedError: this URL gives other bytes, or none.
        InterruptedTransferError: the part is not whole yet.
    """
    while True:
        start = _append(part, url, timeout)
        found = sha256_of_file(part.path)
        if found == part.entry.sha256:
            return
        part.discard()
        # What was there before may be what is wrong: only bytes all from here can be blamed.
        if start == 0:
            raise RefusedError(f"the file must have sha256 {part.entry.sha256}, got {found}")


def _append(part: _Part, url: str, timeout: float) -> int:
    """Add what is missing to a part; return where that began."""
    before, size = part.length, part.entry.size
    if before >= size > 0:  # stopped just before it became whole
        return before
    with opened(url, timeout, start=before, size=size) as stream:
        if stream.start < before:
            part.discard()
        length = stream.start
        part.add(b"")  # a file is there, even of no bytes
        try:
            for chunk in stream.chunks:
                length += len(chunk)
                if length > size:
                    part.discard()
                    raise RefusedError(f"the file must have {size:,} bytes, got more")
                part.add(chunk)
            if length < size:
                raise InterruptedTransferError("ended")
        except InterruptedTransferError as error:
            how_far = f"after {length:,} of {size:,} bytes"
            raise InterruptedTransferError(f"{error} {how_far}") from None
        return stream.start
