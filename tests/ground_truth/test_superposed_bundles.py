"""Bundles of superposed tasks: every label measured, the matrix kept, all of it made again."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save

from glassbench.benchmark_programs import TaskId
from glassbench.errors import BundleError, CertificationError
from glassbench.ground_truth import (
    EdgeState,
    build_model,
    bundle_files,
    certified,
    compile_own,
    load,
    load_bundle,
    position_labels,
    read_bundle,
    subspace_labels,
    variable_states,
    verify,
    verify_bundle,
)
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth.bundle_archive import zip_bytes
from glassbench.ground_truth.compression_grid import STEPS, on_grid
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.json_text import canonical_text
from glassbench.ground_truth.manifest import sha256_of
from glassbench.whole_file import write_whole

STORED = "frac_prevs-v1[vocab=2,length=3]/superposed[d=6,seed=0]"
SMALL = "frac_prevs[vocab=2,length=3]"


def near_the_identity(task_id, compiled):
    """Return a task whose matrix is all but the identity: nothing has to be trained."""
    d_model = compiled.model.weights.d_model
    noise = np.random.default_rng(0).normal(size=(d_model, d_model))
    return certified(task_id, compiled, W=on_grid(np.eye(d_model) + 1e-4 * noise))


def of_the_library(name):
    task_id = TaskId.parse(name)
    return near_the_identity(task_id, build_model(task_id))


@pytest.fixture(scope="module")
def turned():
    """A task of the library after two other regimes."""
    return of_the_library(f"{SMALL}/crowded[distractors=1]/scrambled/superposed[d=11]")


@pytest.fixture(scope="module")
def own():
    text = 'frac = aggregate(select(indices, indices, <=), tokens == "x");'
    return near_the_identity(*compile_own(text, "xy", 3, level=1, regimes="superposed[d=8]"))


@pytest.fixture(scope="module", params=["stored", "turned", "own"])
def task(request):
    return load(STORED) if request.param == "stored" else request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def files():
    return dict(bundle_files(load(STORED)))


@pytest.fixture(scope="module")
def turned_files(turned):
    return dict(bundle_files(turned))


def zipped(files, folder):
    return write_whole(zip_bytes(files), folder / "bundle.zip")


def test_what_is_read_is_what_was_written(task, tmp_path):
    files = bundle_files(task)
    place = zipped(files, tmp_path)
    bundle = read_bundle(place)
    compression = bundle.all_labels.compression
    np.testing.assert_array_equal(compression.W, task.gate.W)
    assert compression.record.d_model == task.gate.original.model.weights.d_model
    assert bundle.labels == task.labels
    again = load_bundle(place)
    assert again.id == task.id
    assert again.gate.passed
    assert weights_digest(again.gate.original.model.weights) == weights_digest(
        task.gate.original.model.weights
    )
    assert bundle_files(again) == files
    assert verify_bundle(bundle) == []
    assert verify(bundle.compiled, bundle.labels, "superposed") == []


BUILD = """
import sys
from glassbench.ground_truth import bundle_files, load
from glassbench.ground_truth.manifest import sha256_of
print(sha256_of(bundle_files(load(sys.argv[1]))["manifest.json"]))
"""


@pytest.mark.parametrize(
    "environment",
    # The second has matrix products that round otherwise, where the processor knows of them.
    [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "OPENBLAS_CORETYPE": "Nehalem"}],
)
def test_other_processes_give_the_same_bytes(files, environment):
    told = subprocess.run(
        [sys.executable, "-c", BUILD, STORED],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == sha256_of(files[at.MANIFEST])


def test_every_reader_has_a_label_for_every_variable_before_it(task):
    labels = subspace_labels(task)
    states = variable_states(labels.states, task.compiled.source_map, task.graph)
    assert states == labels.states
    assert EdgeState.UNWIRED not in states.values()
    for label in labels.subspaces:
        assert label.fits
        assert label.certificate.kind not in ("structural", "unreachable")


def test_variables_and_positions_that_are_causal_stay_so():
    """In the original and in what is compressed: what the program computes with is the same."""
    small = load(STORED)
    original = load(SMALL)
    before, after = subspace_labels(original).states, subspace_labels(small).states
    causal = {name for name, state in before.items() if state is EdgeState.CAUSAL}
    assert causal
    assert {after[name] for name in causal} == {EdgeState.CAUSAL}
    places, now = position_labels(original).states, position_labels(small).states
    n_places = len(small.labels.edges) * small.compiled.model.weights.n_ctx
    assert len(now) == n_places
    assert {now[place] for place, state in places.items() if state is EdgeState.CAUSAL} == {
        EdgeState.CAUSAL
    }


def test_what_variables_do_is_compared_with_the_program(files):
    variables = json.loads(files[at.VARIABLES])
    compression = json.loads(files[at.COMPRESSION])
    assert variables["weights"] == compression["weights"] == load(STORED).labels.weights
    for one, agreement in zip(variables["variables"], compression["variables"], strict=True):
        assert agreement["variables"] == [one["name"]]
        assert agreement["whole"] <= one["whole"]["tried"]
        assert agreement["partial"] == one["partial"]["tried"]
    assert compression["accuracy"] == 1.0
    assert [one["name"] for one in compression["components"]] == ["m0", "a1.h0"]


def test_the_datasheets_tell_of_it(files):
    public, private = files[at.README].decode(), files[at.SHEET].decode()
    assert "Its residual stream was compressed from 9 dimensions to 6. On 14 inputs 100.00%" in (
        public
    )
    assert "It agrees with the program on every input." not in public
    assert "States of edges, subspaces and positions" in private
    assert "were measured on the compressed weights" in private
    assert "| `a1.h0` | 1.0000 |" in private


def test_the_images_of_its_directions_make_up_the_stream(files):
    """With NumPy alone, to within the bound that the bundle states."""
    arrays, data, weights = (
        load_arrays(files[name]) for name in (at.FEATURE_ARRAYS, at.INPUTS, at.WEIGHTS)
    )
    record = json.loads(files[at.FEATURES])
    pad = json.loads(files[at.CONFIG])["pad"]
    written = np.array([one["first"] for one in record["features"]]) <= 0
    sizes = arrays["activations"].astype(np.float64) * arrays["scale"] * written
    stream = weights["W_E"][data["tokens"]] + weights["W_pos"]
    off = np.abs(sizes @ arrays["directions"] - stream)[data["tokens"] != pad]
    assert off.max() <= record["bound"] == 0.1


# -- what is refused -----------------------------------------------------------------------


@pytest.fixture
def refusal(resealed, tmp_path):
    """Why changed files are no task, whatever their manifests vouch for."""

    def told(files, **changes):
        place = zipped(resealed({**files, **changes}), tmp_path)
        with pytest.raises(BundleError) as caught:
            load_bundle(place)
        return str(caught.value).replace(str(place), "HERE")

    return told


def with_another_W(files):
    W = load_arrays(files[at.COMPRESSION_ARRAYS])["W"].copy()
    W[0, 0] += 1
    return {**files, at.COMPRESSION_ARRAYS: save({"W": W})}


def test_another_matrix_than_the_stored_one(files, resealed, refusal, tmp_path):
    changed = with_another_W(files)
    message = refusal(changed)
    assert f"{at.COMPRESSION_ARRAYS} is not the matrix that is stored for it" in message
    with pytest.raises(BundleError, match="is not the matrix that is stored"):
        verify_bundle(read_bundle(zipped(resealed(changed), tmp_path)))


def test_a_matrix_that_makes_other_weights(turned_files, refusal):
    message = refusal(with_another_W(turned_files))
    assert f"as this version of Glassbench builds it, and W_E of {at.WEIGHTS} has other" in message


def test_a_matrix_of_another_size(turned_files, refusal):
    W = load_arrays(turned_files[at.COMPRESSION_ARRAYS])["W"]
    wide = np.concatenate([W, W[:, :1]], axis=1)
    record = json.loads(turned_files[at.COMPRESSION]) | {"d_model": 12}
    changes = {
        at.COMPRESSION_ARRAYS: save({"W": wide}),
        at.COMPRESSION: canonical_text(record).encode(),
    }
    assert "is [11, 12], and not [11, 11]" in refusal({**turned_files, **changes})
    assert "W: must be {'dtype': 'I32', 'shape': [11, 11]}" in refusal(
        {**turned_files, at.COMPRESSION_ARRAYS: save({"W": wide})}
    )
    assert "W: must be {'dtype': 'I32'" in refusal(
        {**turned_files, at.COMPRESSION_ARRAYS: save({"W": W / STEPS})}
    )


def test_weights_that_differ_in_the_last_bit(turned, turned_files, refusal):
    arrays = {name: array.copy() for name, array in load_arrays(turned_files[at.WEIGHTS]).items()}
    arrays["W_E"][0, 0] = np.nextafter(arrays["W_E"][0, 0], 1)
    changed = {**turned_files, at.WEIGHTS: save(dict(sorted(arrays.items())))}
    before = turned.labels.weights
    after = weights_digest(turned.compiled.model.weights.with_arrays(arrays))
    assert before != after
    for name in at.PRIVATE:
        if name.endswith(".json") and name in changed:
            changed[name] = changed[name].replace(before.encode(), after.encode())
    assert "has other numbers" in refusal(recroissanted(changed))


def recroissanted(files):
    """Return files with the Croissant record of what they are."""
    from glassbench.ground_truth.croissant import croissant
    from glassbench.ground_truth.manifest import Manifest

    about = Manifest.model_validate_json(files[at.MANIFEST]).about
    return {**files, at.CROISSANT: croissant(about, files).encode()}


def first_state(record, key):
    label = next(one for one in record[key] if one["certificate"]["kind"] == "exhausted")
    label["certificate"] = {"kind": "searched", "n_pairs": 5}


@pytest.mark.parametrize(
    ("name", "key"),
    [(at.CIRCUIT, "edges"), (at.SUBSPACES, "subspaces"), (at.POSITIONS, "positions")],
)
def test_a_label_that_is_not_what_is_measured(files, resealed, tmp_path, name, key):
    record = json.loads(files[name])
    first_state(record, key)
    changed = resealed({**files, name: canonical_text(record).encode()})
    bundle = read_bundle(zipped(changed, tmp_path))
    problems = verify_bundle(bundle)
    assert f"{name}: must be what is made from the program, and is not" in problems


def structural(record):
    record["edges"][0] |= {"state": "unwired", "permuted": 0}
    record["edges"][0]["certificate"] = {"kind": "structural", "bound": 0.0}


def unreachable(record):
    record["subspaces"][0]["state"] = "inert"
    record["subspaces"][0]["certificate"] = {"kind": "unreachable", "bound": 0.0}


def reads_alone(record):
    del record["subspaces"][0]


def narrow(record):
    record["bound"] = 1e-9


def far(record):
    record["components"][0]["error"] = 0.2


def unknown(record):
    record["components"][0]["name"] = "m7"


def too_narrow(record):
    record["d_model"] = 5


def other_sets(record):
    record["joint"][0]["variables"] = ["tokens"]


def too_many(record):
    record["variables"][0]["whole"] = 129


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (at.CIRCUIT, structural, "must be shown by interchanges, since the model is superposed"),
        (at.SUBSPACES, unreachable, "must be shown by interchanges, since the model is superp"),
        (at.SUBSPACES, reads_alone, "must name every variable with every later reader"),
        (at.FEATURES, narrow, "bound: must be 0.1, got 1e-09"),
        (at.COMPRESSION, far, "the quality gate: m0: the error relative to the original must"),
        (at.COMPRESSION, unknown, "components: must be heads and MLPs of the model, once each"),
        (at.COMPRESSION, too_narrow, "W: must be {'dtype': 'I32', 'shape': [6, 5]}"),
        (at.COMPRESSION, other_sets, "variables, joint: must be those of labels/variables.json"),
        (at.COMPRESSION, too_many, "tokens: at most the pairs that were tried can agree"),
    ],
)
def test_labels_that_cannot_be_of_a_superposed_model(files, refusal, name, change, message):
    record = json.loads(files[name])
    change(record)
    assert message in refusal({**files, name: canonical_text(record).encode()})


def test_files_of_a_compression_are_of_superposed_tasks(files, refusal):
    less = {name: content for name, content in files.items() if name not in at.OF_SUPERPOSED}
    assert f"{at.COMPRESSION} must be there, since {STORED} is superposed" in refusal(less)
    plain = dict(bundle_files(load(SMALL)))
    more = {**plain, **{name: files[name] for name in at.OF_SUPERPOSED}}
    assert f"{at.COMPRESSION} must not be there, since frac_prevs-v1" in refusal(more)


def test_a_matrix_that_is_no_compression_is_told(files, tmp_path):
    """Whatever else a bundle says: the gate is measured anew."""
    bundle = read_bundle(zipped(files, tmp_path))
    task_id = TaskId.parse(STORED)
    with pytest.raises(CertificationError, match="the labels do not hold for its model"):
        certified(task_id, build_model(task_id), W=-0.5 * bundle.all_labels.compression.W)
