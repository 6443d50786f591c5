"""However much a bundle promises, a reader takes no more memory than a bound."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load, save

from glassbench.ground_truth import Registry, bundle_files
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth import load as load_task
from glassbench.ground_truth.json_text import MOST_VALUES
from glassbench.ground_truth.model_config import ModelConfig

pytest.importorskip("resource", reason="memory is measured by POSIX")

GIB = 2**30
MOST_GROWTH = 2 * GIB
MOST_OF_WHAT_IS_REFUSED_EARLY = GIB // 2 + GIB // 4
"""Less than a file of the largest that are refused unread."""
MANY = 2**20
READER = """
import json, resource, sys
from glassbench.errors import BundleError
from glassbench.ground_truth import Registry, read_bundle

def peak():
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size * (1 if sys.platform == "darwin" else 1024)

whole, *others = sys.argv[1:]
read_bundle(whole)
before, said = peak(), []
for one in others:
    try:
        (Registry.read if one.endswith(".json") else read_bundle)(one)
    except BundleError as error:
        said.append(str(error))
print(json.dumps([peak() - before, said]))
"""


@pytest.fixture(scope="module")
def files():
    return dict(bundle_files(load_task("sort[vocab=2,length=2]")))


def compressed(files, place):
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return place


def of_many_positions(files, n_ctx, n_rows):
    """A model with few numbers that computes very many."""
    config = ModelConfig.model_validate_json(files[at.CONFIG])
    config = config.model_copy(update={"n_ctx": n_ctx, "max_length": n_ctx - 1})
    weights = load(files[at.WEIGHTS])
    weights["W_pos"] = np.zeros((n_ctx, weights["W_pos"].shape[1]))
    tokens = np.full((n_rows, n_ctx), config.pad, "<i4")
    tokens[:, 0], tokens[:, 1] = config.bos, 0
    data = {"tokens": tokens, "answers": tokens, "lengths": np.ones(n_rows, "<i4")}
    data |= {"base": tokens[:1], "source": tokens[:1]}
    return {at.CONFIG: config.to_json().encode(), at.WEIGHTS: save(weights), at.INPUTS: save(data)}


def a_manifest_that_unpacks(files):
    return {**files, at.MANIFEST: bytes(GIB)}


def a_file_that_unpacks_as_said(files):
    return {**files, at.WEIGHTS: bytes(GIB - 2**20)}


def files_that_are_much_together(files):
    return {**files, at.WEIGHTS: bytes(GIB - 1), at.INPUTS: bytes(GIB // 2)}


def with_many(content, key, part, n):
    """JSON of which one list has as many parts."""
    read = json.loads(content) | {key: ["PARTS"]}
    return json.dumps(read).encode().replace(b'"PARTS"', b",".join([part] * n))


def json_of_many_parts(files):
    return {**files, at.CONFIG: b"[" + b"[]," * (MOST_VALUES // 2 - 2) + b"[]]"}


def json_of_more_parts(files):
    return {**files, at.CONFIG: b"[" + b"[]," * (2**25 // 3 - 2) + b"[]]"}


def json_of_too_many_parts(files):
    return {**files, at.CONFIG: b"[" + b"[]," * 2**25 + b"[]]"}


def many_readouts_that_are_none(files):
    return {**files, at.CONFIG: with_many(files[at.CONFIG], "readouts", b"{}", MANY)}


def many_tokens(files):
    return {**files, at.CONFIG: with_many(files[at.CONFIG], "vocabulary", b"[]", MANY)}


def many_edges_that_are_none(files):
    return {**files, at.CIRCUIT: with_many(files[at.CIRCUIT], "edges", b"{}", MANY)}


def many_nodes_that_are_none(files):
    return {**files, at.PROGRAM: with_many(files[at.PROGRAM], "nodes", b"{}", MANY)}


def many_keys(files):
    unknown = b"".join(b'"%d": 0,' % number for number in range(MANY))
    return {**files, at.CONFIG: files[at.CONFIG].replace(b"{", b"{" + unknown, 1)}


def an_input_that_takes_much(files):
    return {**files, **of_many_positions(files, 20_000, 1)}


def inputs_that_take_much(files):
    return {**files, **of_many_positions(files, 500, 512)}


SAID = {
    a_manifest_that_unpacks: "manifest.json must have at most 1,048,576 bytes",
    a_file_that_unpacks_as_said: "weights.safetensors does not hold the arrays",
    files_that_are_much_together: "must have at most 1,073,741,824 bytes, and is said to",
    json_of_many_parts: "all: Input should be an object",
    json_of_more_parts: "it must have at most 4,194,304 values, and seems to have more",
    json_of_too_many_parts: "config.json must have at most 33,554,432 bytes",
    many_readouts_that_are_none: "  - readouts.0.encoding: Field required\n",
    many_tokens: "config.json must be written as Glassbench writes it",
    many_edges_that_are_none: "  - edges.0.edge: Field required\n",
    many_nodes_that_are_none: "  - nodes[0].name: Field required\n",
    many_keys: "an object must have at most 65,536 keys, got 1,",
    an_input_that_takes_much: "the model must run an input in at most",
    inputs_that_take_much: "answers: must be what the model gives",
}
SLOW = [
    a_file_that_unpacks_as_said,
    json_of_too_many_parts,
    many_readouts_that_are_none,
    many_edges_that_are_none,
    many_nodes_that_are_none,
]


FAST = [attack for attack in SAID if attack not in SLOW]


@pytest.mark.parametrize(
    ("attacks", "most"),
    [
        pytest.param(FAST, MOST_OF_WHAT_IS_REFUSED_EARLY, id="some"),
        pytest.param(SLOW, MOST_GROWTH, id="others", marks=pytest.mark.slow),
    ],
)
def test_memory_is_bounded(files, resealed, tmp_path, attacks, most):
    places = [tmp_path / f"{attack.__name__}.zip" for attack in attacks]
    for attack, place in zip(attacks, places, strict=True):
        changed = attack(files)
        if changed[at.MANIFEST] == files[at.MANIFEST]:
            changed = resealed(changed)
        compressed(changed, place)
    told = said_of(compressed(files, tmp_path / "whole.zip"), places, most)
    for attack, said in zip(attacks, told, strict=True):
        assert SAID[attack] in said, attack.__name__


def said_of(whole, others, most):
    """Return what is said of files that one process reads; together they take less than `most`."""
    command = [sys.executable, "-c", READER, str(whole), *map(str, others)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, said = json.loads(done.stdout)
    assert grown < most
    sys.stderr.write(f"\n{len(others)} files: {grown / 2**20:,.0f} MiB\n")
    return said


def test_memory_of_a_registry_is_bounded(files, tmp_path):
    empty = Registry(bundles=()).to_json()
    (many := tmp_path / "many.json").write_bytes(with_many(empty, "bundles", b"{}", MANY))
    (more := tmp_path / "more.json").write_bytes(with_many(empty, "bundles", b"{}", 20 * MANY))
    whole = compressed(files, tmp_path / "whole.zip")
    of_many, of_more = said_of(whole, [many, more], MOST_OF_WHAT_IS_REFUSED_EARLY)
    assert "  - bundles.0.id: Field required\n" in of_many
    assert "it must have at most 4,194,304 values" in of_more
