"""A bundle is of the task that its id says, or it is no task, whatever vouches for its files."""

import json

import pytest

from glassbench.errors import BundleError
from glassbench.ground_truth import (
    bundle_files,
    load,
    load_bundle,
    make_task,
    read_bundle,
    verify_bundle,
)
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth.bundle_archive import zip_bytes
from glassbench.ground_truth.croissant import croissant
from glassbench.ground_truth.manifest import LabelsManifest, Manifest
from glassbench.whole_file import write_whole

SORT = "sort-v1[vocab=2,length=2]"
CROWDED = "sort-v1[vocab=2,length=2]/crowded[distractors=1,seed=0]"
TRAINED = "length-v1/trained[d=32,heads=4,spare_layers=2,layer_norm=0,seed=0]"


@pytest.fixture(scope="module")
def sort():
    return dict(bundle_files(load(SORT)))


@pytest.fixture(scope="module")
def crowded():
    return dict(bundle_files(load(CROWDED)))


@pytest.fixture(scope="module")
def own():
    text = 'p = aggregate(select(indices, indices, <=), tokens == "a");'
    return dict(bundle_files(make_task(text, "ab", 3, regimes="crowded/scrambled")))


@pytest.fixture
def refusals(resealed, tmp_path):
    """Why a bundle under another id is no task, and cannot be verified: the same in words."""

    def told(files, task_id, **identity):
        changed = renamed(files, task_id, identity)
        place = write_whole(zip_bytes(resealed(changed)), tmp_path / "bundle.zip")
        bundle = read_bundle(place)
        messages = set()
        for use in (lambda: load_bundle(place), lambda: verify_bundle(bundle)):
            with pytest.raises(BundleError) as caught:
                use()
            messages.add(str(caught.value).replace(str(place), "HERE"))
        (message,) = messages
        return message

    return told


def renamed(files, task_id, identity):
    """Return the same files of a task of another id, which every one of them bears."""
    before = json.loads(files[at.MANIFEST])["id"]
    outer = json.loads(files[at.MANIFEST]) | {"id": task_id, **identity}
    outer = Manifest.model_validate_json(json.dumps(outer))
    inner = LabelsManifest.model_validate_json(files[at.LABELS_MANIFEST])
    inner = inner.model_copy(update={"task": task_id})
    changed = dict(files)
    for name in (at.CIRCUIT, at.SUBSPACES, at.POSITIONS, at.VARIABLES, at.TRAINING):
        if name in files:
            changed[name] = files[name].replace(before.encode(), task_id.encode())
    return changed | {
        at.CROISSANT: croissant(outer.about, files).encode(),
        at.MANIFEST: outer.sealed().to_json().encode(),
        at.LABELS_MANIFEST: inner.to_json().encode(),
    }


def regime(name, **parameters):
    return {"name": name, "parameters": parameters}


@pytest.mark.parametrize(
    ("task_id", "identity", "problem"),
    [
        ("histogram-v1[vocab=2,length=2]", {"name": "histogram"}, "program.json is another"),
        (
            CROWDED,
            {"regimes": [regime("crowded", distractors=1, seed=0)]},
            "program.json is another program",
        ),
        (
            f"{SORT}/scrambled[seed=0]",
            {"regimes": [regime("scrambled", seed=0)]},
            "W_E of model/weights.safetensors has other numbers",
        ),
        (
            "sort-v1[vocab=99999999999999,length=2]",
            {"parameters": {"vocab": 99999999999999, "length": 2}},
            "has 2 tokens and sequences of 2",
        ),
        (
            "sort-v1[vocab=2,length=99999999999999]",
            {"parameters": {"vocab": 2, "length": 99999999999999}},
            "has 2 tokens and sequences of 2",
        ),
        (
            f"{SORT}/crowded[distractors=99999999,seed=0]",
            {"regimes": [regime("crowded", distractors=99999999, seed=0)]},
            "that cannot be compiled: At most 64 distractors fit",
        ),
    ],
)
def test_tasks_of_the_library(sort, refusals, task_id, identity, problem):
    message = refusals(sort, task_id, **identity)
    assert message.startswith(
        f"HERE: manifest.json: what the bundle holds must be {task_id} as this version of "
        f"Glassbench builds it, and {problem}"
    )
    assert message.endswith("; get the bundle again, or use the version that built it, 0.1.0")


def test_other_places_of_the_same_program(crowded, refusals):
    changed = {"regimes": [regime("crowded", distractors=1, seed=1)]}
    message = refusals(crowded, CROWDED.replace("seed=0", "seed=1"), **changed)
    assert "as this version of Glassbench builds it, and" in message


@pytest.fixture(scope="module")
def trained():
    return dict(bundle_files(load(TRAINED)))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"d": 10**30}, "model/config.json is of another architecture"),
        ({"d": 64}, "model/config.json is of another architecture"),
        ({"spare_layers": 10**30}, "model/config.json is of another architecture"),
        ({"layer_norm": 2}, "layer_norm must be 0 or 1, got 2"),
        ({"layer_norm": 1}, "model/config.json is of another architecture"),
        ({"spare_layers": 1}, "W_Q of model/weights.safetensors has another shape"),
    ],
)
def test_trained_models(trained, refusals, changed, problem):
    """What an id names is not made before it is known to be of the size of what is there."""
    chosen = {"d": 32, "heads": 4, "spare_layers": 2, "layer_norm": 0, "seed": 0} | changed
    listed = ",".join(f"{key}={value}" for key, value in chosen.items())
    task_id = f"length-v1/trained[{listed}]"
    assert problem in refusals(trained, task_id, regimes=[regime("trained", **chosen)])


@pytest.mark.parametrize(
    ("regimes", "said", "problem"),
    [
        ("/bogus[x=1]", [regime("bogus", x=1)], "There is no regime 'bogus'. Known: crowded, "),
        ("/crowded", [regime("crowded")], "name, version, parameters and regimes must be those"),
        (
            "/crowded[seed=0]",
            [regime("crowded", seed=0)],
            "name, version, parameters and regimes must be those",
        ),
        (
            "/scrambled[seed=-1]",
            [regime("scrambled", seed=-1)],
            "Regimes must read regime[key=N,...]/..., got 'scrambled[seed=-1]'.",
        ),
        (
            f"/scrambled[seed=1{'0' * 5000}]",
            [regime("scrambled", seed=0)],
            "Regimes must read regime[key=N,...]/..., got 'scrambled[seed=10000",
        ),
        (
            "/scrambled[seed=0]/crowded[distractors=4,seed=0]",
            [regime("scrambled", seed=0), regime("crowded", distractors=4, seed=0)],
            "Regimes must stand once each, in the order crowded then scrambled, got",
        ),
    ],
)
def test_programs_of_ones_own(own, refusals, regimes, said, problem):
    name, _, _ = json.loads(own[at.MANIFEST])["id"].partition("/")
    message = refusals(own, f"{name}{regimes}", regimes=said)
    assert message.startswith("HERE: manifest.json: ")
    assert problem in message


def test_another_program_under_the_id_of_ones_own(sort, refusals):
    message = refusals(sort, "sort@0123456789ab", name="sort", version=0, parameters={})
    assert "must be those of sort@0123456789ab, and the program that of sort@" in message
