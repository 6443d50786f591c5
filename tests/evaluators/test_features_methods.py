"""The built-in methods of the features track."""

from dataclasses import replace
from functools import cache, partial
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassbench.errors import ToolError
from glassbench.evaluators.features_metrics import class_cosines, n_dead_units
from glassbench.evaluators.features_problem import FeaturesProblem, StreamRows, checked_features
from glassbench.evaluators.features_track import FeaturesTrack
from glassbench.evaluators.methods import built_in
from glassbench.evaluators.methods.sparse_autoencoder import (
    BATCH_TOPK,
    L1,
    TOPK,
    found_by,
    sparse,
    trained,
)
from glassbench.ground_truth import load

METHODS = built_in("features")
AUTOENCODERS = {"sae-l1": L1, "sae-topk": TOPK, "sae-batch-topk": BATCH_TOPK}
FAST = [name for name in METHODS if name not in AUTOENCODERS]


@pytest.fixture(scope="module")
def sparse_rows():
    """Twelve orthogonal features, independent and rarely active, in twelve dimensions.

    The features lie along the coordinates, so that no row has a negative entry.
    """
    rng = np.random.default_rng(0)
    found = (rng.random((2500, 12)) < 0.12) * rng.uniform(0.5, 1.5, (2500, 12))
    hooks = {"hook": StreamRows(found[:2000], found[2000:], 24)}
    return FeaturesProblem(MappingProxyType(hooks), None, 0)


@pytest.fixture(scope="module")
def answers(sparse_rows):
    """What each method finds in these rows, asked once."""
    return cache(lambda name: METHODS[name].function(sparse_rows))


def largest_cosines(found):
    unit = found.directions / np.linalg.norm(found.directions, axis=1, keepdims=True)
    return np.abs(unit).max(axis=0)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_an_answer_that_can_be_scored(name, sparse_rows, answers):
    found = checked_features(sparse_rows, answers(name))["hook"]
    assert len(found.directions) >= 12


@pytest.mark.parametrize("name", ["ica", "nmf", "dictionary-learning", "neuron-basis"])
def test_factorisations_find_independent_sparse_features(name, answers):
    found = answers(name)["hook"]
    assert largest_cosines(found).min() > 0.9


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_autoencoders_find_independent_sparse_features(name, sparse_rows, answers):
    found = answers(name)["hook"]
    assert largest_cosines(found).mean() > 0.9
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1, atol=1e-5)
    assert (found.activations >= 0).all()
    assert n_dead_units(found.activations) < len(found.directions) / 2
    error = sparse_rows.hooks["hook"].held_out - found.activations @ found.directions
    assert error.var() < 0.3 * sparse_rows.hooks["hook"].held_out.var()


@pytest.mark.parametrize("name", [*FAST, "sae-l1"])
def test_methods_follow_the_seed_and_leave_the_rows_alone(name):
    problem = FeaturesTrack().problem(load("sort[vocab=2,length=3]"), 0)
    rows = next(iter(problem.hooks.values()))
    before = rows.train.copy()
    ask = METHODS[name].function
    if name == "sae-l1":
        ask = partial(found_by, recipe=replace(L1, steps=200))
    one, again = (ask(problem) for _ in range(2))
    for hook in problem.hooks:
        np.testing.assert_array_equal(one[hook].directions, again[hook].directions)
        np.testing.assert_array_equal(one[hook].activations, again[hook].activations)
    np.testing.assert_array_equal(rows.train, before)
    if name in ("random-directions", "sae-l1", "kmeans"):
        other = ask(replace(problem, seed=1))
        assert any((other[h].directions != one[h].directions).any() for h in problem.hooks)


@pytest.mark.parametrize("name", FAST)
def test_tiny_and_scrambled_tasks_at_several_hooks(name):
    task = load("frac_prevs[vocab=2,length=3]/scrambled")
    hooks = ("blocks.0.hook_resid_pre", "blocks.1.hook_resid_post")
    problem = FeaturesTrack(hooks=hooks).problem(task, 0)
    if name == "nmf":
        with pytest.raises(ToolError, match=r"the lowest are blocks\.0\.hook_resid_pre: -"):
            METHODS[name].function(problem)
        return
    assert list(checked_features(problem, METHODS[name].function(problem))) == list(hooks)


def test_principal_components_are_those_of_the_covariance(sparse_rows, answers):
    rows = sparse_rows.hooks["hook"]
    found = answers("pca")["hook"]
    values, vectors = np.linalg.eigh(np.cov(rows.train.T))
    overlap = np.abs(found.directions @ vectors[:, np.argsort(-values)])
    np.testing.assert_allclose(overlap, np.eye(12), atol=1e-6)
    centred = rows.held_out - rows.train.mean(axis=0)
    np.testing.assert_allclose(found.activations, centred @ found.directions.T, atol=1e-9)


def test_a_row_has_one_cluster(answers):
    found = answers("kmeans")["hook"]
    assert ((found.activations > 0).sum(axis=1) <= 1).all()


def test_the_neuron_basis_is_the_key_where_nothing_is_hidden():
    track = FeaturesTrack()
    for name, exact in (
        ("sort[vocab=2,length=3]", True),
        ("sort[vocab=2,length=3]/scrambled", False),
    ):
        pose = track.posed(load(name), 0)
        found = METHODS["neuron-basis"].function(pose.problem)
        for hook, truth in pose.truths.items():
            cosines = class_cosines(truth, found[hook].directions).max(axis=1)
            assert (cosines > 0.999).all() == exact


# -- autoencoders ------------------------------------------------------------------


def test_topk_keeps_the_largest_of_each_row_and_batch_topk_of_the_batch():
    before = jnp.array([[0.9, 0.8, 0.7, 0.0], [0.1, 0.2, 0.0, 0.0]])
    kept = sparse(before, replace(TOPK, share=0.25))
    np.testing.assert_allclose(kept, [[0.9, 0, 0, 0], [0, 0.2, 0, 0]])
    kept = sparse(before, replace(BATCH_TOPK, share=0.25))
    np.testing.assert_allclose(kept, [[0.9, 0.8, 0, 0], [0, 0, 0, 0]])
    assert sparse(before, L1) is before


def test_a_stronger_penalty_leaves_fewer_active(sparse_rows):
    short = replace(L1, steps=800)
    active = [
        (found_by(sparse_rows, replace(short, penalty=penalty))["hook"].activations > 0).mean()
        for penalty in (0.001, 0.3)
    ]
    assert active[1] < active[0]


def test_batch_topk_keeps_as_many_on_held_out_rows(sparse_rows):
    found = found_by(sparse_rows, replace(BATCH_TOPK, steps=400))["hook"]
    kept = (found.activations > 0).sum(axis=1).mean()
    assert kept == pytest.approx(BATCH_TOPK.kept(24), rel=0.15)


def test_training_lowers_the_error(sparse_rows):
    rows = jnp.asarray(sparse_rows.hooks["hook"].train, jnp.float32)
    key = jax.random.key(0)
    errors = []
    for steps in (2, 500):
        params = trained(rows, key, 24, replace(TOPK, steps=steps))
        inner = (rows - params["offset"]) @ params["encoder"] + params["bias"]
        again = sparse(jax.nn.relu(inner), TOPK) @ params["decoder"] + params["offset"]
        errors.append(float(jnp.square(rows - again).sum(axis=1).mean()))
    assert errors[1] < errors[0] / 3


def test_what_is_said_of_every_method():
    assert list(METHODS) == [
        "pca",
        "ica",
        "nmf",
        "dictionary-learning",
        "kmeans",
        "sae-l1",
        "sae-topk",
        "sae-batch-topk",
        "random-directions",
        "neuron-basis",
    ]
    for name, method in METHODS.items():
        assert method.name == name
        assert method.citation
        assert method.sign
