"""Superposed models: compressed, measured, and refused where their labels do not hold."""

import time
from dataclasses import replace
from pathlib import Path
from shutil import copy

import numpy as np
import pytest

from glassbench.compiler.adam_recipe import AdamRecipe
from glassbench.compiler.compress import compress
from glassbench.compiler.compression_attempt import Attempt
from glassbench.compiler.compression_starts import STARTS
from glassbench.compiler.gauss_newton_recipe import GaussNewtonRecipe, GaussNewtonTraining
from glassbench.errors import BundleError, CertificationError, TaskError
from glassbench.ground_truth import EdgeState, load, superposed, verify
from glassbench.ground_truth.quality_gate import quality_gate
from glassbench.ground_truth.superposed import superpose

TASK = "frac_prevs[vocab=2,length=3]"


@pytest.fixture(scope="module")
def task():
    return load(TASK)


@pytest.fixture(scope="module")
def small(task):
    """The task in one dimension less than its readers need apart."""
    (made,) = superpose(task, 6)
    return made


def gate_of(task, W, **options):
    return quality_gate(task.compiled, W, task.labels, task.domain, **options)


def test_the_original_passes(task):
    gate = gate_of(task, np.eye(task.compiled.model.weights.d_model))
    assert gate.passed
    assert gate.moved == ()
    assert gate.labels is not None
    assert gate.labels.sufficiency.n_changed == 0
    # What was unwired is told by a search, since no product is asked for.
    assert gate.labels.counts[EdgeState.UNWIRED] == 0
    assert gate.labels.counts[EdgeState.CAUSAL] == task.labels.counts[EdgeState.CAUSAL]


def test_edges_of_what_is_gone_are_unwired():
    small = load("frac_prevs[vocab=2,length=2]")
    gate = gate_of(small, np.eye(4, small.compiled.model.weights.d_model), always_states=True)
    moved = {edge: state for edge, _, state in gate.moved}
    assert moved["embed->m0"] is EdgeState.UNWIRED
    assert not gate.passed


def test_a_compressed_model_passes(task, small):
    assert small.gate.passed, small.gate.shortcomings
    assert small.W.shape == (6, task.compiled.model.weights.d_model)
    compiled = small.gate.compiled
    assert compiled.model.weights.d_model == 6
    sequences = [list("ab"), list("bba"), list("a")]
    assert compiled.apply(sequences) == task.compiled.apply(sequences)
    assert small.gate.quality.n_inputs == len(task.domain.tokens)


def test_the_same_seed_gives_the_same_matrix(task, small):
    (again,) = superpose(task, 6)
    np.testing.assert_array_equal(again.W, small.W)


def test_principal_components_fall_short(task):
    """They keep what is large, not what is read."""
    tokens, model = task.domain.tokens, task.compiled.model
    W = STARTS["pca"](model, tokens, 4, np.random.default_rng(0))
    gate = gate_of(task, W)
    assert not gate.passed
    assert gate.labels is None
    assert gate.shortcomings[0].startswith("every answer must be the original's, got ")
    assert gate_of(task, W, always_states=True).labels is not None


def test_right_answers_from_wrong_components_are_refused():
    task = load("mean_of_ones")
    W = STARTS["pca"](task.compiled.model, task.domain.tokens, 12, np.random.default_rng(0))
    gate = gate_of(task, W)
    assert gate.quality.accuracy == 1
    assert gate.quality.cosine < 0.5
    assert any("the cosine with the original must be at least 0.98" in x for x in gate.shortcomings)


def test_a_shortcut_is_found_by_its_edges(task):
    """Every answer and every output right, and read from elsewhere: `is_a` from the token."""
    source_map = task.compiled.source_map
    is_a = next(one for one in source_map.variables if one.writer == "m0" and one.node >= 0)
    tokens = source_map.by_name["tokens"]
    a = tokens.directions[list(tokens.values).index("a")]
    (head,) = {reader.split("<")[0] for reader, name in source_map.reads if name == is_a.name}
    # What reads `is_a` sees half of it and half of the token: G = 1 - (1/2) s s' + (1/2) s a'.
    s = is_a.directions[0]
    G = np.eye(len(s)) + 0.5 * (np.outer(s, a) + np.outer(a, s)) - 0.5 * np.outer(s, s)
    values, axes = np.linalg.eigh(G)
    assert values.min() >= -1e-12
    W = np.sqrt(np.maximum(values, 0))[:, None] * axes.T
    gate = gate_of(task, W)
    assert gate.quality.shortcomings == ()
    assert not gate.passed
    assert (f"embed->{head}<v>", EdgeState.UNWIRED, EdgeState.CAUSAL) in gate.moved
    assert f"embed->{head}<v>: must be unwired as in the original, and is measured causal" in (
        gate.shortcomings
    )


def test_training_without_interchanges_learns_shortcuts(task):
    """Answers and outputs are right, and tell nothing of what they are read from."""
    recipe = superposed.RECIPES["inputs"]
    assert not recipe.n_interchanged
    # With as many rows in a step as where there are interchanges, one descent serves both.
    (made,) = superpose(task, 6, recipe=replace(recipe, inputs=200))
    assert not made.gate.quality.shortcomings
    moved = {edge: (before, after) for edge, before, after in made.gate.moved}
    assert moved["embed->logits"] == (EdgeState.UNWIRED, EdgeState.CAUSAL)
    assert len(moved) == 3


@pytest.mark.slow
def test_shortcuts_are_more_in_fewer_dimensions(task):
    (made,) = superpose(task, 5, recipe="inputs")
    assert not made.gate.quality.shortcomings
    moved = {edge: (before, after) for edge, before, after in made.gate.moved}
    assert moved["embed->a1.h0<v>"] == (EdgeState.UNWIRED, EdgeState.CAUSAL)
    assert len(moved) > 5


def test_a_superposed_task_by_its_id():
    found = load(f"{TASK}/superposed[d=6,seed=0]")
    assert str(found.id) == "frac_prevs-v1[vocab=2,length=3]/superposed[d=6,seed=0]"
    assert found.labels.task == str(found.id)
    assert found.gate is not None
    assert found.gate.passed
    assert found.compiled.model.weights.d_model == 6


def test_its_labels_can_be_verified():
    found = load(f"{TASK}/superposed[d=6,seed=0]")
    assert verify(found.compiled, found.labels, "superposed") == []
    problems = verify(found.compiled, found.labels)
    assert any("the program has it carry nothing, and on the weights" in one for one in problems)
    first = found.labels.edges[0]
    other = found.labels.model_copy(
        update={"edges": (first.model_copy(update={"permuted": 1}), *found.labels.edges[1:])}
    )
    (problem,) = verify(found.compiled, other, "superposed")
    assert problem.startswith(f"{first.edge}: the labels say ")


def test_what_does_not_keep_its_labels_is_no_task(task, small, monkeypatch):
    W = STARTS["pca"](task.compiled.model, task.domain.tokens, 4, np.random.default_rng(0))
    best = replace(small, gate=gate_of(task, W, always_states=True))
    monkeypatch.setattr(superposed, "superpose", lambda *_: (best,))
    with pytest.raises(CertificationError) as caught:
        load(f"{TASK}/superposed[d=4]")
    assert "/superposed[d=4,seed=0] is no task: the labels do not hold" in str(caught.value)
    assert "Choose a larger d or another seed:" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"d": 0}, "at least one and at most its 9 dimensions, got 0"),
        ({"d": 12}, "at least one and at most its 9 dimensions, got 12"),
        ({"d": 4, "seeds": []}, r"seeds: must be one or more numbers from 0 up, got \[\]"),
        ({"d": 4, "seeds": [-1]}, r"seeds: must be one or more numbers from 0 up, got \[-1\]"),
        ({"d": 4, "checkpoint": Path("x")}, "only training with Adam keeps one"),
        ({"d": 4, "recipe": AdamRecipe(start="top")}, "start: must be one of .*, got 'top'"),
        ({"d": 4, "recipe": AdamRecipe(steps=0)}, "steps: must be at least 1, got 0"),
        ({"d": 4, "recipe": AdamRecipe(rate=0)}, "rate: must be above 0, got 0"),
        ({"d": 4, "recipe": AdamRecipe(b2="x")}, "b2: must be a finite number, got 'x'"),
        ({"d": 4, "recipe": AdamRecipe(schedule="cosin")}, "cosine or linear, got 'cosin'"),
        ({"d": 4, "recipe": GaussNewtonRecipe(steps=0)}, "steps: must be at least 1, got 0"),
        ({"d": 4, "recipe": GaussNewtonRecipe(rounds=-1)}, "rounds: must be at least 0, got -1"),
        ({"d": 4, "recipe": GaussNewtonRecipe(tries=0)}, "tries: must be at least 1, got 0"),
        ({"d": 4, "recipe": "magic"}, "one of gauss-newton, inputs, adam, talk, got 'magic'"),
    ],
)
def test_what_is_refused(task, options, message):
    with pytest.raises(TaskError, match=message):
        superpose(task, **options)


@pytest.mark.parametrize("shape", [(3, 5), (3, 20)])
def test_a_matrix_must_fit_the_stream(task, shape):
    with pytest.raises(TaskError, match="must have 9 columns, got the shape"):
        compress(task.compiled, np.ones(shape))


def test_a_model_is_compressed_once():
    with pytest.raises(TaskError, match="is; compress the task without its last regime"):
        superpose(load(f"{TASK}/superposed[d=6,seed=0]"), 4)


SHORT = AdamRecipe(steps=1000, batch=16, n_inputs=14, n_interchanged=32)


SEEDS = (0, 1)


@pytest.fixture(scope="module")
def interrupted(task, tmp_path_factory):
    """The checkpoint of a training that was stopped when all steps were taken."""
    place = tmp_path_factory.mktemp("interrupted") / "training.safetensors"
    told = []

    class StopError(Exception):
        pass

    def stop(_seed, number, _text):
        told.append(number)
        if number == 1000:
            raise StopError

    with pytest.raises(StopError):
        superpose(task, 3, SEEDS, recipe=SHORT, checkpoint=place, progress=stop)
    assert told == [500, 500, 1000]
    return place


def test_training_goes_on_where_it_was_interrupted(task, interrupted, tmp_path):
    place = Path(copy(interrupted, tmp_path))
    whole = superpose(task, 3, SEEDS, recipe=SHORT)
    for _ in range(2):  # the second time all is done
        resumed = superpose(task, 3, SEEDS, recipe=SHORT, checkpoint=place)
        for one, other in zip(resumed, whole, strict=True):
            np.testing.assert_array_equal(one.W, other.W)
            assert (one.loss, one.attempts) == (other.loss, other.attempts)
            assert one.attempts == 2


def test_a_checkpoint_of_another_training(task, interrupted):
    for d, other in ((4, SHORT), (3, replace(SHORT, rate=0.1))):
        with pytest.raises(BundleError, match=r"training\.safetensors"):
            superpose(task, d, SEEDS, recipe=other, checkpoint=interrupted)


def test_seconds_are_those_of_the_whole_run(task, monkeypatch):
    """Also where nothing passes, and the best came early."""

    def attempts(_training, d, _seed):
        for size in (1, 0, 0, 0, 0):
            time.sleep(0.05)
            yield Attempt(size * np.eye(d, 9), 1.0, 0)

    monkeypatch.setattr(GaussNewtonTraining, "attempts", attempts)
    started = time.perf_counter()
    (made,) = superpose(task, 8)
    taken = time.perf_counter() - started
    assert not made.gate.passed
    assert made.W.any()
    assert made.attempts == 5
    assert 5 * 0.05 < made.seconds <= taken
