"""Trained tasks: their weights are stored, what they are is measured, and bundles hold it all."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

import glassbench as gb
from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.errors import BundleError, CertificationError, TaskError
from glassbench.ground_truth import (
    EdgeState,
    build_model,
    bundle_files,
    certified,
    counted_interchanges,
    load,
    load_bundle,
    position_labels,
    read_bundle,
    subspace_labels,
    verify,
    verify_bundle,
)
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth.bundle_archive import zip_bytes
from glassbench.ground_truth.circuit_labels import Counted, Witness
from glassbench.ground_truth.counted_interchanges import ROUNDS, TOLERANCE, Count, counted_states
from glassbench.ground_truth.croissant import croissant
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.json_text import canonical_text
from glassbench.ground_truth.manifest import Manifest
from glassbench.ground_truth.stored_trainings import (
    FILE,
    StoredTraining,
    store_trainings,
    stored_training,
    stored_training_ids,
)
from glassbench.ground_truth.trained import initial_weights
from glassbench.ground_truth.training_gate import MOST_WRONG
from glassbench.ground_truth.training_record import TrainingRecord
from glassbench.ground_truth.verify_training import verify_training
from glassbench.whole_file import write_whole

SUITE = get_suite("trained")
TASK = min(SUITE, key=lambda task: build_model(task).model.weights.n_layers)


@pytest.fixture(scope="module")
def task():
    return load(TASK)


@pytest.fixture(scope="module", autouse=True)
def each_model_is_measured_once():
    """What is counted in one model is kept, for all that count it on the same inputs."""
    known = {}

    def counted(compiled, domain, *, task, seed):
        key = weights_digest(compiled.model.weights), domain.tokens.tobytes(), task, seed
        if key not in known:
            known[key] = counted_states(compiled, domain, task=task, seed=seed)
        return known[key]

    with pytest.MonkeyPatch.context() as patched:
        for name in ("training_gate", "verify"):
            module = import_module(f"glassbench.ground_truth.{name}")
            patched.setattr(module, "counted_states", counted)
        yield


@pytest.fixture(scope="module")
def files(task):
    return dict(bundle_files(task))


def zipped(files, folder):
    return write_whole(zip_bytes(files), folder / "bundle.zip")


def with_weights(task, change):
    """Certify a task whose weights are changed."""
    weights = task.compiled.model.weights
    return certified(task.id, task.training.original, weights=change(weights))


# -- the suite and the store ---------------------------------------------------------------


def test_the_suite_is_what_is_stored():
    assert len(SUITE) >= 20
    assert {str(task) for task in SUITE} == set(stored_training_ids())
    assert {task.name for task in SUITE} <= {task.name for task in get_suite("core")}
    assert len({task.name for task in SUITE}) == len(SUITE)
    assert {dict(task.regimes[-1][1])["layer_norm"] for task in SUITE} == {0, 1}
    for one in SUITE:
        like = initial_weights(one, build_model(one))
        weights, labels, record = stored_training(str(one), like)
        assert labels.weights == record.weights == weights_digest(weights)
        assert labels.task == record.task == str(one)
        shapes = [array.shape for _, array in weights.arrays()]
        assert shapes == [array.shape for _, array in like.arrays()]
        assert all((array == array.astype("<f4")).all() for _, array in weights.arrays())


def test_the_file_is_the_same_whatever_the_order(tmp_path):
    found = {
        str(one): stored_training(str(one), initial_weights(one, build_model(one))) for one in SUITE
    }
    one, other = tmp_path / "one", tmp_path / "other"
    store_trainings(found, one)
    for name in reversed(found):
        store_trainings({name: found[name]}, other)
    assert one.read_bytes() == other.read_bytes()
    assert stored_training_ids(one) == stored_training_ids(FILE)
    assert stored_training_ids(tmp_path / "none") == ()


@pytest.fixture
def storing(task, monkeypatch):
    """Have something else stored of the task, and load it."""
    from glassbench.ground_truth import task_building

    def loaded(**changed):
        stored = StoredTraining.of(task)._replace(**changed)
        monkeypatch.setattr(task_building, "stored_training", lambda *_: stored)
        return certified(task.id, build_model(task.id))

    return loaded


@pytest.mark.slow
def test_what_is_stored_is_read_and_measuring_it_gives_the_same(task, storing):
    assert storing().labels == task.labels
    measured = with_weights(task, lambda weights: weights)
    assert measured.labels == task.labels
    assert measured.training.strict == task.training.strict
    assert measured.training.answers == task.training.answers
    assert measured.training.interchanges == task.training.interchanges


def test_stored_labels_must_be_those_of_the_program(task, storing):
    labels = list(task.labels.edges)
    place = next(i for i, one in enumerate(labels) if one.state is EdgeState.CAUSAL)
    inert = next(one for one in labels if one.state is EdgeState.INERT)
    name = labels[place].edge
    labels[place] = inert.model_copy(update={"edge": name})
    with pytest.raises(CertificationError) as caught:
        storing(labels=task.labels.model_copy(update={"edges": tuple(labels)}))
    assert f"{name}: must be causal as in the program, and as measured is inert" in str(
        caught.value
    )


def test_what_is_said_beside_the_labels_is_measured_anew_too(task, storing):
    assert verify_training(task) == []
    record = TrainingRecord.of(task)
    better = record.answers.model_copy(update={"tried": 100_000})
    (told,) = verify_training(storing(record=record.model_copy(update={"answers": better})))
    assert told.startswith("answers: what is said is {'wrong': 0, 'tried': 100000}, and measuring")


def test_a_bundle_of_a_model_that_did_not_pass_is_no_task(files, resealed, tmp_path):
    record = json.loads(files[at.TRAINING])
    record["answers"]["wrong"] = 300
    changed = resealed({**files, at.TRAINING: canonical_text(record).encode()})
    with pytest.raises(BundleError, match="is no task: what is inside its model is not"):
        load_bundle(zipped(changed, tmp_path))


def test_stored_labels_must_be_of_the_stored_weights(task, storing):
    weights = task.compiled.model.weights
    with pytest.raises(CertificationError, match="its stored labels must be of its stored weights"):
        storing(weights=weights.with_arrays({"W_U": weights.W_U * 2}))


# -- the gate --------------------------------------------------------------------------------


def test_counts_have_exact_bounds():
    assert Count(0, 100).bounds == (0.0, pytest.approx(1 - 0.005 ** (1 / 100)))
    assert Count(100, 100).bounds == (pytest.approx(0.005 ** (1 / 100)), 1.0)
    assert [Count(n, 1000).exceeds(0.01) for n in (0, 10, 100)] == [False, None, True]


def test_what_is_measured(task):
    gate = task.training
    assert gate.passed and gate.moved == ()
    assert gate.answers.bounds[1] <= MOST_WRONG
    assert 0.2 < gate.answers.tried / len(task.domain.tokens) < 0.3
    assert task.labels.n_inputs == gate.answers.tried
    assert gate.sufficiency.tried >= sum(ROUNDS)
    assert gate.original.model.weights.activation == "relu"
    weights = task.compiled.model.weights
    assert weights.activation == "gelu"
    assert weights_digest(weights) == task.labels.weights
    for label in task.labels.edges:
        certificate = label.certificate
        changes = certificate.changed > 0
        assert certificate.tried == (sum(ROUNDS) if changes else ROUNDS[0])
        share = certificate.changed / certificate.tried
        if label.state is EdgeState.CAUSAL:
            assert isinstance(certificate, Witness) and share > TOLERANCE
        else:
            assert isinstance(certificate, Counted) and certificate.bound <= TOLERANCE
    carried = {label.edge: label.variables for label in task.labels.edges if label.variables}
    own, source_map = gate.alignment, gate.original.source_map
    assert carried == {own.edge(edge): names for edge, names in source_map.carried.items()}


def test_weights_of_another_shape_are_refused(task):
    with pytest.raises(TaskError, match=r"W_U of .* must have the shape"):
        with_weights(task, lambda w: w.with_arrays({"W_U": w.W_U[:, :-1]}))


def test_a_model_that_does_something_else_is_no_task(task, monkeypatch):
    """A component that must be quiet writes what its reader listens to, and outputs are turned."""
    quiet = [name for name, state in task.labels.states.items() if name.endswith("->logits")]
    writer = next(
        name.partition("->")[0]
        for name in quiet
        if name.startswith("a") and not task.labels.states[name].has_effect
    )
    layer, head = map(int, writer[1:].split(".h"))

    def otherwise(weights):
        W_O = weights.W_O.copy()
        rng = np.random.default_rng(0)
        W_O[layer, head] += 3 * rng.normal(size=W_O[layer, head].shape)
        return weights.with_arrays({"W_O": W_O, "W_U": np.roll(weights.W_U, 1, axis=1)})

    monkeypatch.setattr(counted_interchanges, "ROUNDS", (100, 50))
    with pytest.raises(CertificationError, match="what is inside its model is not") as caught:
        with_weights(task, otherwise)
    assert "answers: at most 2% may be wrong, and" in str(caught.value)
    assert "must be inert as in the program, and as measured is causal" in str(caught.value)


def test_what_is_not_stored_is_trained(caplog, monkeypatch):
    from glassbench.ground_truth import training

    asked = []

    def train(task, original):
        asked.append(task)
        raise TaskError("no time")

    monkeypatch.setattr(training, "train", train)
    with pytest.raises(TaskError, match="no time"):
        load("histogram/trained[d=12,heads=3]")
    assert [str(one) for one in asked] == [
        "histogram-v1/trained[d=12,heads=3,spare_layers=0,layer_norm=0,seed=0]"
    ]
    assert "is trained now, since the package has no weights of it" in caplog.text


# -- tracks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("track", ["features", "variables"])
def test_directions_are_not_asked_about(task, track):
    with pytest.raises(TaskError, match="trained, and nothing is known of directions"):
        gb.score("random-directions" if track == "features" else "linear-probe", task, track)


def test_the_program_can_be_asked_for(task):
    result = gb.score("token-position-table", task, "program")
    assert "balanced_agreement" in result.metrics
    assert not any(name.startswith("interchange") for name in result.metrics)


def test_circuits_can_be_asked_for(task):
    result = gb.score("interchange", task)
    assert result.metrics[result.primary].normalised > 0.9


# -- bundles -----------------------------------------------------------------------------------


def test_what_is_read_is_what_was_written(task, files, tmp_path):
    place = zipped(files, tmp_path)
    bundle = read_bundle(place)
    assert bundle.labels == task.labels
    assert not set(files) & at.OF_DIRECTIONS
    assert bundle.all_labels.features is None
    again = load_bundle(place)
    assert again.id == task.id
    assert again.training.passed
    assert again.training.answers == task.training.answers
    assert again.training.interchanges == task.training.interchanges
    assert bundle_files(again) == files
    assert verify_bundle(bundle) == []
    assert verify(bundle.compiled, bundle.labels, "trained") == []


def spoiled(files, name, change):
    content = json.loads(files[name])
    change(content)
    return {**files, name: canonical_text(content).encode()}


def test_labels_that_are_not_true_are_found(files, resealed, tmp_path):
    def lie(content):
        quiet = next(one for one in content["edges"] if one["state"] == "inert")
        quiet["certificate"]["changed"] += 1

    place = zipped(resealed(spoiled(files, at.CIRCUIT, lie)), tmp_path)
    problems = verify_bundle(read_bundle(place))
    assert f"{at.CIRCUIT}: must be what is made from the program, and is not" in problems


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            at.TRAINING,
            lambda content: content.update(tolerance=0.5),
            "most_wrong, tolerance and confidence must be those of this version",
        ),
        (
            at.TRAINING,
            lambda content: content["sets"][0].update(edges=["embed->m9"]),
            "must be edges of the model, got embed->m9",
        ),
        (
            at.TRAINING,
            lambda content: content["sets"][0].update(edges=[]),
            "at least 1 item",
        ),
        (
            at.TRAINING,
            lambda content: content["answers"].update(wrong=10**6),
            "answers: 1000000 of .* cannot be wrong",
        ),
        (
            at.CIRCUIT,
            lambda content: content["sufficiency"].update(n_changed=10**6),
            "sufficiency: 1000000 of .* bases cannot be",
        ),
        (
            at.CIRCUIT,
            lambda content: content.update(seed=-1),
            "seed: Input should be greater than or equal to 0",
        ),
        (
            at.CIRCUIT,
            lambda content: content["edges"][0].update(
                state="unwired", certificate={"kind": "structural", "bound": 0.0}, permuted=0
            ),
            "must be shown by counted interchanges, since the model is trained",
        ),
    ],
)
def test_records_that_cannot_be_are_refused(files, resealed, tmp_path, name, change, said):
    place = zipped(resealed(spoiled(files, name, change)), tmp_path)
    with pytest.raises(BundleError, match=said):
        read_bundle(place)


def test_nothing_is_said_of_directions_and_positions(task):
    for labels_of in (subspace_labels, position_labels):
        with pytest.raises(TaskError, match="was trained, and nothing is known of"):
            labels_of(task)


def test_the_page_of_a_model_says_whether_it_normalises(task):
    other = load(next(one for one in SUITE if "layer_norm=1" in str(one)))
    said = {one.id.name: bundle_files(one)[at.README].decode() for one in (task, other)}
    assert "| layer norm | none |" in said[task.id.name]
    assert "| layer norm | before whatever reads the stream |" in said[other.id.name]


def test_files_that_are_there_or_missing(files, resealed, tmp_path):
    less = {name: content for name, content in files.items() if name != at.TRAINING}
    with pytest.raises(BundleError, match=r"labels/training\.json must be there, since .* is tr"):
        read_bundle(zipped(resealed(less), tmp_path))
    more = {**files, at.SUBSPACES: files[at.CIRCUIT]}
    with pytest.raises(BundleError, match=r"subspaces\.json must not be there, since .* is traine"):
        read_bundle(zipped(resealed(more), tmp_path))


def test_weights_of_another_model_are_refused(task, files, resealed, tmp_path):
    """They are not those that are stored."""
    from safetensors.numpy import load as load_arrays

    from glassbench.ground_truth.array_file import save_arrays

    arrays = dict(load_arrays(files[at.WEIGHTS]))
    arrays["b_out"] = arrays["b_out"] + 1e-9
    digest = weights_digest(task.compiled.model.weights.with_arrays(arrays))
    public = {**files, at.WEIGHTS: save_arrays(arrays)}
    about = Manifest.model_validate_json(files[at.MANIFEST]).about
    spoilt = {**public, at.CROISSANT: croissant(about, public).encode()}
    for name in (at.CIRCUIT, at.TRAINING):
        spoilt = spoiled(spoilt, name, lambda content: content.update(weights=digest))
    with pytest.raises(BundleError, match=r"b_out of model/weights\.safetensors has other numbers"):
        load_bundle(zipped(resealed(spoilt), tmp_path))


def test_a_task_of_its_own_seed_stands_elsewhere(task):
    """The seed says which heads stand for those of the program."""
    name, parameters = task.id.regimes[-1]
    places = set()
    for seed in range(6):
        chosen = tuple((key, seed if key == "seed" else value) for key, value in parameters)
        other = replace(task.id, regimes=((name, chosen),))
        from glassbench.ground_truth.trained import alignment_of

        places.add(tuple(alignment_of(other, build_model(other)).heads.items()))
    assert len(places) > 1
    assert TaskId.parse(str(task.id)) == task.id
