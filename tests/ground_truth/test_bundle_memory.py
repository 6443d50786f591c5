"""However much a bundle promises, a reader takes no more memory than a bound."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load, save

from glassbench.ground_truth import bundle_files
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth import load as load_task
from glassbench.ground_truth.model_config import ModelConfig

pytest.importorskip("resource", reason="memory is measured by POSIX")

MOST_GROWTH = 2 * 2**30
READER = """
import resource, sys
from glassbench.errors import BundleError
from glassbench.ground_truth import read_bundle

def peak():
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size * (1 if sys.platform == "darwin" else 1024)

read_bundle(sys.argv[1])
before = peak()
try:
    read_bundle(sys.argv[2])
except BundleError as error:
    print(peak() - before, error)
"""


@pytest.fixture(scope="module")
def files():
    """The public part of a bundle."""
    whole = bundle_files(load_task("sort[vocab=2,length=2]"))
    return {name: whole[name] for name in (*at.PUBLIC, at.MANIFEST)}


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
    return {**files, at.MANIFEST: bytes(2**30)}


def a_file_that_unpacks_as_said(files):
    return {**files, at.WEIGHTS: bytes(2**30 - 2**20)}


def files_that_are_much_together(files):
    return {**files, at.WEIGHTS: bytes(2**30 - 1), at.INPUTS: bytes(2**29)}


def json_of_many_parts(files):
    return {**files, at.CONFIG: b"[" + b"[]," * (2**25 // 3 - 2) + b"[]]"}


def json_of_too_many_parts(files):
    return {**files, at.CONFIG: b"[" + b"[]," * 2**25 + b"[]]"}


def an_input_that_takes_much(files):
    return {**files, **of_many_positions(files, 20_000, 1)}


def inputs_that_take_much(files):
    return {**files, **of_many_positions(files, 500, 1000)}


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (a_manifest_that_unpacks, "manifest.json must have at most 1,048,576 bytes"),
        (a_file_that_unpacks_as_said, "weights.safetensors does not hold the arrays"),
        (files_that_are_much_together, "must have at most 1,073,741,824 bytes, and is said to"),
        (json_of_many_parts, "config.json does not hold model config"),
        (json_of_too_many_parts, "config.json must have at most 33,554,432 bytes"),
        (an_input_that_takes_much, "the model must run an input in at most"),
        (inputs_that_take_much, "answers: must be what the model gives"),
    ],
)
def test_memory_is_bounded(files, resealed, tmp_path, attack, message):
    whole = compressed(files, tmp_path / "whole.zip")
    changed = attack(files)
    if changed[at.MANIFEST] == files[at.MANIFEST]:
        changed = resealed(changed)
    bomb = compressed(changed, tmp_path / "bomb.zip")
    command = [sys.executable, "-c", READER, str(whole), str(bomb)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, _, said = done.stdout.partition(" ")
    assert message in said
    assert int(grown) < MOST_GROWTH
    sys.stderr.write(f"\n{attack.__name__}: {int(grown) / 2**20:,.0f} MiB\n")
