"""Labels that do not fit the model, the program or each other are refused when they are read."""

import json

import numpy as np
import pytest
from safetensors.numpy import load, save

from glassbench.errors import BundleError
from glassbench.ground_truth import bundle_files, load_bundle
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth import load as load_task
from glassbench.ground_truth.bundle_archive import zip_bytes
from glassbench.ground_truth.json_text import canonical_text
from glassbench.ground_truth.manifest import Manifest
from glassbench.whole_file import write_whole

TASK = "sort[vocab=2,length=2]/crowded[distractors=1]/scrambled"


@pytest.fixture(scope="module")
def files():
    return dict(bundle_files(load_task(TASK)))


@pytest.fixture
def refusal(files, resealed, tmp_path):
    """Why a bundle is refused in which one file of labels is another, and manifests know of it."""

    def told(name, content):
        changed = resealed({**files, name: content})
        place = write_whole(zip_bytes(changed), tmp_path / "bundle.zip")
        with pytest.raises(BundleError) as caught:
            load_bundle(place)
        return str(caught.value).replace(str(place), "HERE")

    return told


def drop_first(labels):
    del labels[0]


def repeat_last(labels):
    labels.append(labels[-1])


def swap_first(labels):
    labels[0], labels[1] = labels[1], labels[0]


def relabelled(state):
    def change(labels):
        one = next(label for label in labels if label["state"] != state)
        one["state"] = state

    return change


def other(key, value):
    def change(labels):
        labels[0][key] = value

    return change


CHANGES = [
    (at.CIRCUIT, "edges", drop_first, "must name every edge of the model once, in order"),
    (at.CIRCUIT, "edges", swap_first, "must name every edge of the model once, in order"),
    (at.CIRCUIT, "edges", relabelled("causal"), "certificate is none of this state"),
    (at.CIRCUIT, "edges", relabelled("inert"), "certificate is none of this state"),
    (at.CIRCUIT, "edges", other("variables", ["place"]), "must carry what the source map says"),
    (at.SUBSPACES, "subspaces", drop_first, "must name every variable that a reader reads"),
    (at.SUBSPACES, "subspaces", relabelled("causal"), "certificate is none of this state"),
    (at.SUBSPACES, "subspaces", relabelled("unwired"), "certificate is none of this state"),
    (at.POSITIONS, "positions", drop_first, "must name every edge that was tried at every"),
    (at.POSITIONS, "positions", relabelled("causal"), "certificate is none of this state"),
    (at.POSITIONS, "positions", relabelled("inert"), "certificate is none of this state"),
    (at.SOURCE_MAP, "variables", repeat_last, "must have one place"),
    (at.SOURCE_MAP, "reads", repeat_last, "must be said once"),
    (at.VARIABLES, "variables", swap_first, "must name the variables of the source map"),
    (at.VARIABLES, "variables", other("last", 1), "must live between its writer and its last"),
    (at.VARIABLES, "variables", other("neurons", [3]), "must be what the source map says"),
    (at.FEATURES, "features", other("variable", "place"), "must name the variables of the source"),
    (at.FEATURES, "features", other("last", 1), "must live between its writer and its last"),
    (at.FEATURES, "features", other("class_id", 50), "marginal_starts: "),
]


@pytest.mark.parametrize(("name", "key", "change", "message"), CHANGES)
def test_other_labels_are_refused(files, refusal, name, key, change, message):
    read = json.loads(files[name])
    change(read[key])
    told = refusal(name, canonical_text(read).encode())
    assert told.startswith("HERE: labels/")
    assert message in told


@pytest.mark.parametrize("name", [at.CIRCUIT, at.SUBSPACES, at.POSITIONS, at.VARIABLES])
@pytest.mark.parametrize(("key", "value"), [("weights", "0" * 64), ("task", "sort-v1")])
def test_labels_of_another_model_are_refused(files, refusal, name, key, value):
    read = json.loads(files[name]) | {key: value}
    told = refusal(name, canonical_text(read).encode())
    assert told.startswith(f"HERE: {name} does not fit the model:")


@pytest.mark.parametrize("key", ["n_rankable", "n_excluded"])
def test_answers_are_counted_right(files, refusal, key):
    read = json.loads(files[at.RELEVANCE])
    read[key] += 1
    told = refusal(at.RELEVANCE, canonical_text(read).encode())
    assert "must count the answers that can be ranked" in told


@pytest.mark.parametrize(
    "name",
    sorted(
        each for each in at.PRIVATE - at.OF_SUPERPOSED - at.OF_TRAINED if each.endswith(".json")
    ),
)
def test_json_is_written_in_one_way(files, refusal, name):
    read = json.loads(files[name])
    assert name in refusal(name, json.dumps(read, indent=3).encode())
    twice = files[name].replace(b"{\n", b'{\n "format_version": "1.0",\n', 1)
    assert f"HERE: {name}" in refusal(name, twice)


def scaled(array):
    return array * 2


def shifted(array):
    return array + 1


def at_bos(activations):
    activations[:, 0, 0] += 0.5
    return activations


def at_one_bos(activations):
    activations[0, 0, 0] += 0.5
    return activations


def at_padding(activations):
    activations[0, -1, 0] += 0.5
    return activations


@pytest.mark.parametrize(
    ("name", "key", "change", "message"),
    [
        (at.VARIABLE_VALUES, "values", lambda a: a + 100, "tokens: its values must be those of"),
        (at.VARIABLE_VALUES, "values", np.zeros_like, "place: its values must be those of the pr"),
        (at.VARIABLE_VALUES, "values", lambda a: a * 0 - 1, "place: its values must be those of"),
        (at.FEATURE_ARRAYS, "activations", lambda a: a * 0 - 7, "must be those of the program at"),
        (at.FEATURE_ARRAYS, "activations", at_bos, "must make up the stream at <bos>, the same"),
        (at.FEATURE_ARRAYS, "activations", at_one_bos, "must make up the stream at <bos>, the"),
        (at.FEATURE_ARRAYS, "activations", at_padding, "must be 0 at padding"),
        (at.FEATURE_ARRAYS, "factor", scaled, "must turn the first feature of its class into each"),
        (at.FEATURE_ARRAYS, "factor", np.ones_like, "and be 0 for none"),
        (at.FEATURE_ARRAYS, "marginal_counts", shifted, "positions for each class"),
        (at.FEATURE_ARRAYS, "marginal_values", np.zeros_like, "must ascend in each class"),
        (at.FEATURE_ARRAYS, "directions", scaled, "must have length 1"),
        (at.FEATURE_ARRAYS, "directions", lambda a: a[::-1].copy(), "directions of the source map"),
        (at.FEATURE_ARRAYS, "scale", np.negative, "must be positive"),
        (at.FEATURE_ARRAYS, "scale", scaled, "directions of the source map"),
        (at.FEATURE_ARRAYS, "marginal_starts", shifted, "must ascend from 0"),
        (at.FEATURE_ARRAYS, "marginal_counts", np.negative, "must be positive"),
        (at.RELEVANCE_ARRAYS, "sensitivity", shifted, "must be 0 or 1"),
        (at.RELEVANCE_ARRAYS, "shapley", shifted, "must sum to 1 - baseline"),
        (at.RELEVANCE_ARRAYS, "baseline", scaled, "must sum to 1 - baseline"),
    ],
)
def test_other_arrays_are_refused(files, refusal, name, key, change, message):
    arrays = load(files[name])
    told = refusal(name, save({**arrays, key: change(arrays[key].copy())}))
    assert told.startswith("HERE: labels/")
    assert message in told


def test_the_stream_is_the_sum_of_its_features(files):
    """With NumPy alone, as a reader without this package does it."""
    arrays, data, weights = map(
        load, (files[at.FEATURE_ARRAYS], files[at.INPUTS], files[at.WEIGHTS])
    )
    features = json.loads(files[at.FEATURES])["features"]
    pad = json.loads(files[at.CONFIG])["pad"]
    written = np.array([one["first"] for one in features]) <= 0
    sizes = arrays["activations"].astype(np.float64) * arrays["scale"] * written
    stream = weights["W_E"][data["tokens"]] + weights["W_pos"]
    kept = data["tokens"] != pad
    np.testing.assert_allclose((sizes @ arrays["directions"])[kept], stream[kept], atol=1e-6)
    assert not arrays["activations"][~kept].any()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "histogram"},
        {"version": 2},
        {"parameters": {"length": 9, "vocab": 9}},
        {"regimes": []},
    ],
)
def test_a_manifest_that_contradicts_the_id(files, tmp_path, change):
    outer = Manifest.model_validate_json(json.dumps(json.loads(files[at.MANIFEST]) | change))
    place = write_whole(
        zip_bytes({**files, at.MANIFEST: outer.sealed().to_json().encode()}), tmp_path / "b.zip"
    )
    with pytest.raises(BundleError, match=r"manifest\.json: name, version, parameters and regimes"):
        load_bundle(place)
