"""Whatever is done to a bundle, it is refused by name, or is what it was; nothing crashes.

`GLASSBENCH_CORRUPTIONS=N` tries N corruptions of each kind; the counts are printed with `-s`.
"""

import json
import os
import random
import re
import sys
from collections import Counter

import numpy as np
import pytest
from safetensors.numpy import load, save

from glassbench.compiler import from_json, to_json
from glassbench.errors import BundleError, ProgramError
from glassbench.ground_truth import bundle_files, load_bundle
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth import load as load_task
from glassbench.ground_truth.bundle import read_bundle
from glassbench.ground_truth.bundle_archive import zip_bytes
from glassbench.ground_truth.json_text import canonical_text
from glassbench.ground_truth.manifest import Manifest
from glassbench.whole_file import write_whole

FILES = at.PUBLIC | at.PRIVATE
N = int(os.environ.get("GLASSBENCH_CORRUPTIONS", "40"))
TASKS = (
    "sort[vocab=2,length=2]/crowded[distractors=1]",
    "frac_prevs[vocab=2,length=3]/superposed[d=6]",
)


def log(text):
    sys.stderr.write(f"\n{text}\n")


@pytest.fixture(scope="module", params=[TASKS[0], pytest.param(TASKS[1], marks=pytest.mark.slow)])
def files(request):
    return dict(bundle_files(load_task(request.param)))


def refusal(files, tmp_path):
    """Return why a bundle is refused; empty if it is not. Whatever else is raised is a bug."""
    return refusal_of(write_whole(zip_bytes(files), tmp_path / "bundle.zip"), files)


def refusal_of(place, files):
    """Return why what stands there is refused; empty if it is read, and is these files."""
    try:
        bundle = read_bundle(place)
        assert bundle.contents == files
        load_bundle(place)
    except BundleError as error:
        return str(error).replace(str(place), "HERE")
    return ""


# Bytes, with manifests that know of nothing.


def truncated(content, draw):
    return content[: draw.randrange(len(content))]


def flipped(content, draw):
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 8))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def extended(content, draw):
    return content + bytes(draw.choice((b"\0", b" ", b"\n", content)))


def emptied(content, draw):
    return b""


@pytest.mark.parametrize("corrupt", [truncated, flipped, extended, emptied])
def test_bytes(files, tmp_path, corrupt):
    draw = random.Random(corrupt.__name__)
    tried = 0
    for name in files:
        for _ in range(max(1, N // 8)):
            changed = corrupt(files[name], draw)
            if changed != files[name]:
                message = refusal({**files, name: changed}, tmp_path)
                assert name in message, (name, message)
                tried += 1
    log(f"{corrupt.__name__}: {tried} refused")


@pytest.mark.parametrize("corrupt", [truncated, flipped, extended])
def test_bytes_of_folders(files, tmp_path, corrupt):
    """As `test_bytes`, one file at a time on disk."""
    draw = random.Random(corrupt.__name__)
    folder = tmp_path / "bundle"
    for name, content in files.items():
        write_whole(content, folder / name)
    for name, content in files.items():
        (folder / name).write_bytes(corrupt(content, draw))
        assert name in refusal_of(folder, files)
        (folder / name).write_bytes(content)
    assert refusal_of(folder, files) == ""


@pytest.mark.parametrize("corrupt", [truncated, flipped, extended])
def test_bytes_of_the_zip(files, tmp_path, corrupt):
    """It is refused, or what is read is what was written, to the last byte."""
    draw = random.Random(f"zip {corrupt.__name__}")
    whole, place = zip_bytes(files), tmp_path / "bundle.zip"
    ended = Counter()
    for _ in range(2 * N):
        place.write_bytes(corrupt(whole, draw))
        message = refusal_of(place, files)
        assert not message or message.startswith("HERE")
        ended["refused" if message else "read as it was"] += 1
    log(f"zip {corrupt.__name__}: {dict(ended)}")
    assert ended["refused"] > N or corrupt is extended  # bytes after a zip are no part of it


@pytest.mark.parametrize("start", [b"PK\1\2", b"PK\5\6", b"PK\3\4"])
def test_every_byte_of_the_directory(files, tmp_path, start):
    """The records by which a zip is read, a bit of each byte of one changed in turn."""
    draw = random.Random(start)
    whole, place = zip_bytes(files), tmp_path / "bundle.zip"
    first = whole.index(start)
    for at_byte in range(first, min(first + 60, len(whole))):
        changed = bytearray(whole)
        changed[at_byte] ^= 1 << draw.randrange(8)
        place.write_bytes(changed)
        message = refusal_of(place, files)
        assert not message or message.startswith("HERE")


def test_files_that_change_places(files, tmp_path):
    draw = random.Random("swapped")
    for _ in range(N):
        one, other = draw.sample(sorted(files), 2)
        message = refusal({**files, one: files[other], other: files[one]}, tmp_path)
        assert one in message or other in message, (one, other, message)


# Contents, with manifests that vouch for them.


def leaves(value, path=()):
    """Yield the path of every value in JSON."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list):
        for place in range(len(value)):
            yield from leaves(value[place], (*path, place))


ODD = (None, True, -1, 0, 10**30, 1.5, "", "x", [], {}, [[]], {"a": 1}, "\ud800", 1e308)


def spoiled(name, content, draw):
    """Return JSON with a value replaced, removed, or added."""
    read = json.loads(content)
    *parents, last = draw.choice([path for path in leaves(read) if path])
    inner = read
    for key in parents:
        inner = inner[key]
    match draw.randrange(4):
        case 0:
            del inner[last]
        case 1 if isinstance(inner, dict):
            inner["unknown"] = draw.choice(ODD)
        case 2 if isinstance(inner, list):
            inner.append(inner[last])
        case _:
            inner[last] = draw.choice(ODD)
    return written(name, read)


def written(name, read):
    """Return JSON as it must be written, as far as it can be, so that it is read on."""
    loose = json.dumps(read, indent=1, sort_keys=True)
    try:
        text = to_json(from_json(loose)) if name == at.PROGRAM else canonical_text(read)
    except ProgramError:
        text = loose
    return (loose if name == at.CROISSANT else text).encode(errors="surrogatepass")


def test_values_of_json(files, resealed, tmp_path):
    """What fits may be read: that it is wrong, `verify` tells. What does not is refused."""
    draw = random.Random("values")
    ended = Counter()
    for name in sorted(name for name in files if name in FILES and name.endswith(".json")):
        for _ in range(N):
            message = refusal(resealed({**files, name: spoiled(name, files[name], draw)}), tmp_path)
            ended[name, bool(message)] += 1
            # A file that another one does not fit any more may be told by the other.
            assert not message or any(f"HERE: {each}" in message for each in files), message
    log("\n".join(f"{n}: {c} {'refused' if r else 'read'}" for (n, r), c in ended.items()))
    strict = at.CONFIG, at.CIRCUIT, at.VARIABLES, at.SOURCE_MAP
    assert all(ended[name, True] > N / 2 for name in strict)


@pytest.mark.parametrize(
    "text", [b'{"task": 1, "task": 2}', b'{"a": NaN}', b'{"a": 1e999}', b"[" * 10**6, b"\xff"]
)
@pytest.mark.parametrize("name", [at.CONFIG, at.CIRCUIT, at.FEATURES, at.PROGRAM, at.SOURCE_MAP])
def test_json_that_readers_read_differently(files, resealed, tmp_path, name, text):
    message = refusal(resealed({**files, name: text}), tmp_path)
    assert f"HERE: {name}" in message


@pytest.mark.parametrize("number", ["1e999", "-1e999", f"1{'0' * 400}", f"1{'0' * 5000}"])
def test_numbers_that_float64_does_not_have(files, resealed, tmp_path, number):
    for name in sorted(name for name in files if name in FILES and name.endswith(".json")):
        if name == at.CROISSANT:
            continue
        text = re.sub(r"(?<=[\[ ])\d+(\.\d+)?(?=[,\]\n}])", number, files[name].decode(), count=1)
        message = refusal(resealed({**files, name: text.encode()}), tmp_path)
        assert message.startswith(f"HERE: {name} does not hold a") or "labels:" in message
        assert (
            f"it is not JSON: a number must be one that float64 has, got {number[:20]}" in message
        )


def reshaped(arrays, name):
    return {**arrays, name: arrays[name].reshape(-1)}


def retyped(arrays, name):
    kind = arrays[name].dtype
    return {**arrays, name: arrays[name].astype("<f4" if kind != "<f4" else "<f8")}


def missing(arrays, name):
    return {key: array for key, array in arrays.items() if key != name}


def renamed(arrays, name):
    return {f"{key}_" if key == name else key: array for key, array in arrays.items()}


def longer(arrays, name):
    return {**arrays, name: arrays[name].repeat(2, axis=0)}


def not_finite(arrays, name):
    changed = arrays[name].copy()
    if changed.dtype.kind != "f":
        return {**arrays, name: changed.astype("<f8") * float("nan")}
    changed.flat[changed.size // 2 : changed.size // 2 + 1] = float("nan")
    return {**arrays, name: changed}


def huge_and_finite(arrays, name):
    """What overflows as soon as something is computed of it."""
    dtype = arrays[name].dtype
    most = np.finfo(dtype).max if dtype.kind == "f" else np.iinfo(dtype).max
    return {**arrays, name: np.full_like(arrays[name], most)}


CHANGES = [reshaped, retyped, missing, renamed, longer, not_finite, huge_and_finite]


@pytest.mark.parametrize("change", CHANGES)
def test_arrays(files, resealed, tmp_path, change):
    for file, name, array in every_array(files):
        if array.size == 0 or (change is reshaped and array.ndim == 1):
            continue
        changed = save(change(load(files[file]), name))
        message = refusal(resealed({**files, file: changed}), tmp_path)
        if change is not huge_and_finite:
            assert f"HERE: {file}" in message, name
            continue
        # Of numbers that may be it is told what does not fit them.
        said = file.removesuffix(".safetensors")
        of_another = file in (at.WEIGHTS, at.COMPRESSION_ARRAYS)
        assert f"HERE: {'' if of_another else said}" in message, name


def every_array(files):
    for file in sorted(name for name in files if "tensors" in name):
        for name, array in load(files[file]).items():
            yield file, name, array


def spaced(header):
    return json.dumps(header)


def backwards(header):
    return json.dumps(dict(reversed(header.items())), separators=(",", ":"))


def with_metadata(header):
    return json.dumps({"__metadata__": {"made": "elsewhere"}, **header}, separators=(",", ":"))


@pytest.mark.parametrize("spelt", [spaced, backwards, with_metadata])
def test_arrays_are_written_in_one_way(files, resealed, tmp_path, spelt):
    for file in (name for name in sorted(files) if "tensors" in name):
        end = 8 + int.from_bytes(files[file][:8], "little")
        header = spelt(json.loads(files[file][8:end])).encode()
        content = len(header).to_bytes(8, "little") + header + files[file][end:]
        message = refusal(resealed({**files, file: content}), tmp_path)
        if spelt is with_metadata:
            assert f"HERE: {file} does not hold the arrays" in message
        elif header != files[file][8:end].rstrip():
            assert f"HERE: {file} must be written as Glassbench writes it; get it ag" in message


@pytest.mark.parametrize(
    "header",
    [
        b'{"W_E": {"dtype": "F64", "shape": [1000000000000, 1000000000], "data_offsets": [0, 8]}}',
        b'{"W_E": 1}',
        b'{"W_E": {"dtype": "F64", "shape": [-1], "data_offsets": [0, 8]}}',
        b"[]",
        b"{" * 1000,
    ],
)
def test_headers_that_promise_too_much(files, resealed, tmp_path, header):
    content = len(header).to_bytes(8, "little") + header + bytes(8)
    for file in (at.WEIGHTS, at.INPUTS, at.FEATURE_ARRAYS):
        assert f"HERE: {file}" in refusal(resealed({**files, file: content}), tmp_path)
    endless = (2**63).to_bytes(8, "little") + header
    assert f"HERE: {at.WEIGHTS}" in refusal(resealed({**files, at.WEIGHTS: endless}), tmp_path)


def test_another_task_under_this_name(files, resealed, tmp_path):
    """The parts of another bundle, each whole by itself."""
    others = bundle_files(load_task("histogram[vocab=2,length=3]"))
    for name in sorted(at.PUBLIC | at.PRIVATE):
        if (
            name in others
            and name in files
            and not name.endswith((".md", ".rasp", "croissant.json"))
        ):
            message = refusal(resealed({**files, name: others[name]}), tmp_path)
            assert message, name


def test_a_manifest_that_says_too_much(files, tmp_path):
    text = json.loads(files[at.MANIFEST])
    for change in ({"files": []}, {"files": text["files"] * 2}, {"labels": "0" * 64}):
        outer = Manifest.model_validate_json(json.dumps(text | change)).sealed().to_json().encode()
        assert refusal({**files, at.MANIFEST: outer}, tmp_path)
    huge = [{**record, "size": 2**62} for record in text["files"]]
    outer = Manifest.model_validate_json(json.dumps(text | {"files": huge})).sealed()
    message = refusal({**files, at.MANIFEST: outer.to_json().encode()}, tmp_path)
    assert "is said to have" in message


NUMERICAL = {"encoding": "numerical", "first": 0, "width": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(
            ({size: 0}, f"{size}: Input should be greater than or equal to 1")
            for size in ("n_layers", "n_heads", "d_model", "d_head", "d_mlp", "max_length")
        ),
        (
            {"n_layers": 4096, "n_heads": 1},
            "n_layers, n_heads: must be of at most 1,048,576 edges between components, got 4,096 "
            "and 1, which are of 67,137,538",
        ),
        ({"n_layers": 10**9}, "n_layers, n_heads: must be of at most 1,048,576 edges between"),
        ({"n_heads": 10**8}, "n_layers, n_heads: must be of at most 1,048,576 edges between"),
        ({"level": 2}, "level: Input should be less than or equal to 1"),
        ({"vocabulary": []}, "vocabulary: Tuple should have at least 1 item"),
        ({"readouts": []}, "readouts: Tuple should have at least 1 item"),
        ({"readouts": [NUMERICAL] * 63}, "readouts.0.values: Field required"),
        (
            {"readouts": [{**NUMERICAL, "values": [1]}] * 63},
            "readouts: Tuple should have at most 62 items",
        ),
        (
            {
                "readouts": [
                    {**NUMERICAL, "first": first, "values": list(range(5000))} for first in range(6)
                ],
                "d_out": 6,
            },
            "readouts: must take less than 4,611,686,018,427,387,904 values together, got 15,643,",
        ),
        *(
            (
                {"readouts": [{**NUMERICAL, "values": values}], "d_out": 1},
                "the values of a numerical output must be numbers, ascending, got",
            )
            for values in ([2, 1], ["a", 1], [None, 1])
        ),
    ],
)
def test_configurations_of_no_model(files, resealed, tmp_path, change, message):
    """They are refused before anything of such a size is made, or looked at one by one."""
    config = canonical_text(json.loads(files[at.CONFIG]) | change)
    told = refusal(resealed({**files, at.CONFIG: config.encode()}), tmp_path)
    assert told.startswith(f"HERE: {at.CONFIG}")
    assert message in told
