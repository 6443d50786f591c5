"""Faults of bundles: bytes and files that are changed, archives that lie, labels that are wrong.

A real bundle is built. Whatever is then done to it must be refused by an error of the package, or
leave the bundle as it was; what its manifests are made to vouch for must be found by `verify`.
"""

import io
import json
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load as arrays_of
from trial import Attempt, Trial, refused, told

from glassbench.ground_truth import bundle_files, load, load_bundle, read_bundle, verify_bundle
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth.array_file import save_arrays
from glassbench.ground_truth.bundle_archive import zip_bytes
from glassbench.ground_truth.croissant import croissant
from glassbench.ground_truth.json_text import canonical_text
from glassbench.ground_truth.manifest import LabelsManifest, Manifest, file_records, sha256_of

TASK = "sort[vocab=2,length=2]/crowded[distractors=1]"
KIND, ARCHIVE, LABELS = "bundles", "archives", "labels"
REPEATS = 4
"""How often a random change is made to each file."""

Files = Mapping[str, bytes]
Reader = Callable[[Path], object]
Verifier = Callable[[Path], list[str]]


def made() -> Files:
    """Return the files of a real bundle."""
    return dict(bundle_files(load(TASK)))


def verified(place: Path) -> list[str]:
    """Return what is wrong with a bundle that is read without complaint."""
    load_bundle(place)
    return verify_bundle(read_bundle(place))


def trials(
    folder: Path,
    files: Files,
    read: Reader = read_bundle,
    verify: Verifier = verified,
    seed: int = 0,
) -> Iterator[Trial]:
    """Yield all trials of bundles.

    Args:
        folder: where to write them.
        files: of a bundle that is right.
        read: what must refuse a bundle that was changed.
        verify: what must find a bundle wrong, whose manifests vouch for what was changed.
        seed: draws what is changed.
    """
    draw = random.Random(seed)
    yield from byte_trials(folder, files, read, draw)
    yield from archive_trials(folder, files, read, draw)
    yield from vouched_trials(folder, files, verify, draw)


# Bytes and files, with manifests that know of nothing.


def cut(content: bytes, draw: random.Random) -> bytes:
    """Return some of the beginning."""
    return content[: draw.randrange(len(content))]


def flipped(content: bytes, draw: random.Random) -> bytes:
    """Return the same with one bit changed."""
    changed = bytearray(content)
    changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def longer(content: bytes, draw: random.Random) -> bytes:
    """Return the same with something behind it."""
    return content + draw.choice((b"\0", b" ", b"\n", content))


RANDOM = {
    "a bit of a file flipped": flipped,
    "a file cut short": cut,
    "a file made longer": longer,
}


def byte_trials(folder: Path, files: Files, read: Reader, draw: random.Random) -> Iterator[Trial]:
    """Yield what is done to every file of a bundle."""

    def attempt(what: str, changed: Files) -> Attempt:
        return refused(what, lambda: read(_zipped(folder, changed)))

    for what, change in RANDOM.items():
        cases = [
            attempt(f"{name}, {number}", {**files, name: change(files[name], draw)})
            for name in sorted(files)
            for number in range(REPEATS)
        ]
        yield Trial(KIND, what, tuple(cases))
    emptied = [attempt(name, {**files, name: b""}) for name in sorted(files)]
    yield Trial(KIND, "a file emptied", tuple(emptied))
    without = [attempt(n, {k: v for k, v in files.items() if k != n}) for n in sorted(files)]
    yield Trial(KIND, "a file deleted", tuple(without))
    pairs = [draw.sample(sorted(files), 2) for _ in range(10 * REPEATS)]
    swapped = [
        attempt(f"{one} and {other}", {**files, one: files[other], other: files[one]})
        for one, other in pairs
    ]
    yield Trial(KIND, "two files exchanged", tuple(swapped))
    strays = ("setup.py", "weights.pkl", "labels/extra.json", "model/weights.safetensors.bak")
    added = [attempt(name, {**files, name: b"1"}) for name in strays]
    yield Trial(KIND, "a file added", tuple(added))


# Archives.

ESCAPES = (
    "../evil.txt",
    "/tmp/evil.txt",
    "model/../../evil.txt",
    "..\\evil.txt",
    "C:\\evil.txt",
    "~/evil.txt",
    "model//config.json",
    "./manifest.json",
    "nul\0evil",
)
BOMB = 2**28
MANY = 20_000


def archive_trials(
    folder: Path, files: Files, read: Reader, draw: random.Random
) -> Iterator[Trial]:
    """Yield archives with hostile entries, and archives with broken bytes."""

    def attempt(what: str, content: bytes) -> Attempt:
        return refused(what, lambda: read(_written(folder, content)))

    good = zip_bytes(files)
    yield Trial(
        ARCHIVE,
        "an entry that leads out of the folder",
        tuple(attempt(repr(name), _with_entry(good, name, b"evil")) for name in ESCAPES),
    )
    link = zipfile.ZipInfo("model/link.json")
    link.external_attr = 0o120777 << 16
    odd = {
        "a link": _with_entry(good, link, b"/etc/passwd"),
        "a name twice": _with_entry(good, at.CONFIG, files[at.CONFIG]),
        f"{BOMB:,} zeros in a compressed entry": _bomb(files),
        f"{MANY:,} more entries": _crowd(good),
        "a manifest that says 2^62 bytes": zip_bytes({**files, at.MANIFEST: _huge(files)}),
        "no zip at all": b"PK" + bytes(1000),
        "an empty file": b"",
    }
    yield Trial(
        ARCHIVE,
        "links, doubles, bombs, and sizes that are not true",
        tuple(attempt(what, content) for what, content in odd.items()),
    )
    short = [attempt(f"cut {n}", cut(good, draw)) for n in range(10 * REPEATS)]
    yield Trial(ARCHIVE, "an archive cut short", tuple(short))
    broken = [
        _refused_or_same(f"flip {number}", _written(folder, flipped(good, draw)), files, read)
        for number in range(25 * REPEATS)
    ]
    yield Trial(ARCHIVE, "a bit of an archive flipped: refused, or read as written", tuple(broken))


def _refused_or_same(what: str, place: Path, files: Files, read: Reader) -> Attempt:
    """Return whether an archive is refused, or read as what was written, byte for byte."""
    found = refused(what, lambda: read(place))
    if found.is_caught or not found.said.startswith("accepted"):
        return found
    contents = getattr(read(place), "contents", None)
    return Attempt(what, contents == files, "read as it was written" if contents else found.said)


def _with_entry(archive: bytes, entry: str | zipfile.ZipInfo, content: bytes) -> bytes:
    held = io.BytesIO(archive)
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(held, "a") as opened:
        if isinstance(entry, str):  # what writes names would mend some of these
            info = zipfile.ZipInfo("x")
            info.filename = entry
            entry = info
        opened.writestr(entry, content)
    return held.getvalue()


def _bomb(files: Files) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as opened:
        for name, content in files.items():
            opened.writestr(name, bytes(BOMB) if name == at.WEIGHTS else content)
    return held.getvalue()


def _crowd(archive: bytes) -> bytes:
    held = io.BytesIO(archive)
    with zipfile.ZipFile(held, "a") as opened:
        for number in range(MANY):
            opened.writestr(f"model/{number}.json", b"")
    return held.getvalue()


def _huge(files: Files) -> bytes:
    told = json.loads(files[at.MANIFEST])
    told["files"] = [{**record, "size": 2**62} for record in told["files"]]
    return Manifest.model_validate_json(json.dumps(told)).sealed().to_json().encode()


# Contents, with manifests that vouch for them.

ODD = (None, True, -1, 10**30, 1.5, "x", [], {"a": 1})


def vouched_trials(
    folder: Path, files: Files, verify: Verifier, draw: random.Random
) -> Iterator[Trial]:
    """Yield wrong numbers, states and values whose checksums are right."""

    def attempt(what: str, changed: Files) -> Attempt:
        return told(what, lambda: verify(_zipped(folder, vouched(changed))))

    arrays = [
        attempt(
            f"{file}, {name}",
            {**files, file: save_arrays({**held, name: _moved(array, draw)})},
        )
        for file in sorted(name for name in files if name.endswith(".safetensors"))
        for held in [arrays_of(files[file])]
        for name, array in sorted(held.items())  # they are read in no order of their own
        if array.size
    ]
    yield Trial(LABELS, "one number of an array changed, checksums made to fit", tuple(arrays))
    circuit = json.loads(files[at.CIRCUIT])
    states = [
        attempt(f"{edge['edge']}, {edge['state']} to {other}", _with_state(files, place, other))
        for place, edge in _some(list(enumerate(circuit["edges"])), 10, draw)
        for other in ("causal", "inert", "unwired")
        if other != edge["state"]
    ]
    yield Trial(LABELS, "the state of an edge changed, checksums made to fit", tuple(states))
    names = sorted(name for name in files if name.endswith(".json") and name in at.PRIVATE)
    values = [
        attempt(what, {**files, name: content})
        for name in names
        if name != at.LABELS_MANIFEST
        for _ in range(REPEATS)
        for what, content in [_spoiled(name, files[name], draw)]
    ]
    yield Trial(LABELS, "a value of a label of another sort, checksums made to fit", tuple(values))


def vouched(files: Files) -> Files:
    """Return the same files with manifests and a Croissant record that say that they are right."""
    outer = Manifest.model_validate_json(files[at.MANIFEST])
    files = {**files, at.CROISSANT: croissant(outer.about, files).encode()}
    public = {name: content for name, content in files.items() if name in at.PUBLIC}
    private = {name: content for name, content in files.items() if name in at.PRIVATE}
    inner = LabelsManifest.model_validate_json(files[at.LABELS_MANIFEST])
    inner = inner.model_copy(update={"files": file_records(private)})
    labels = inner.to_json().encode()
    update = {"files": file_records(public), "labels": sha256_of(labels)}
    sealed = outer.model_copy(update=update).sealed().to_json().encode()
    return {**files, at.LABELS_MANIFEST: labels, at.MANIFEST: sealed}


def _moved(array: np.ndarray, draw: random.Random) -> np.ndarray:
    """Return an array with one entry changed to another that its type has."""
    changed = array.copy()
    place = draw.randrange(changed.size)
    old = changed.flat[place]
    changed.flat[place] = not old if changed.dtype.kind == "b" else old + 1
    return changed


def _with_state(files: Files, place: int, state: str) -> Files:
    circuit = json.loads(files[at.CIRCUIT])
    circuit["edges"][place]["state"] = state
    return {**files, at.CIRCUIT: canonical_text(circuit).encode()}


def _spoiled(name: str, content: bytes, draw: random.Random) -> tuple[str, bytes]:
    """Return what was changed in a file of JSON, and the file."""
    read = json.loads(content)
    paths = [path for path in _paths(read) if path]
    *parents, last = draw.choice(paths)
    inner = read
    for key in parents:
        inner = inner[key]
    inner[last] = draw.choice([odd for odd in ODD if odd != inner[last]])
    where = ".".join(map(str, (*parents, last)))
    return f"{name}, {where} = {inner[last]!r}", canonical_text(read).encode()


def _paths(value: object, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of every value in JSON."""
    yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def _some(items: list, n: int, draw: random.Random) -> list:
    return draw.sample(items, min(n, len(items)))


def _zipped(folder: Path, files: Files) -> Path:
    return _written(folder, zip_bytes(files))


def _written(folder: Path, content: bytes) -> Path:
    place = folder / "bundle.zip"
    place.write_bytes(content)
    return place
