"""Rows of the residual stream with the features behind them, drawn from a task."""

import re
from dataclasses import replace

import numpy as np
import pytest

from glassbench.compiler.compression_quality import LARGEST_ERROR
from glassbench.errors import CertificationError, TaskError
from glassbench.evaluators import score
from glassbench.ground_truth import (
    FeaturesTask,
    activations,
    certified,
    compile_own,
    feature_data,
    features,
    features_digest,
    load,
)
from glassbench.ground_truth.feature_activations import FeatureActivations
from glassbench.ground_truth.feature_data import ARMS, SUPERPOSED_BOUND, ModelFeatures

NAME = "frac_prevs[vocab=2,length=3]"


@pytest.mark.parametrize("arm", ARMS)
def test_the_stream_is_the_sum_of_activations_along_directions(task, arm):
    data = feature_data(task, arm)
    for hook in data.hooks:
        key = data.key(hook)
        np.testing.assert_allclose(np.linalg.norm(key.directions, axis=1), 1)
        for rows in data.rows(hook, 50, 20, seed=0):
            expected = rows.activations @ key.directions
            np.testing.assert_allclose(rows.streams, expected, rtol=0, atol=1e-9)
            dead = key.class_of < 0
            assert not rows.activations[:, dead].any()
            assert len(rows.activations)


@pytest.mark.parametrize("arm", ARMS)
def test_the_key_has_the_features_that_are_written_by_then(task, arm):
    labels, data = features(task.compiled, task.domain), feature_data(task, arm)
    assert data.hooks == tuple(hook.hook for hook in labels.hooks)
    for hook in labels.hooks:
        key = data.key(hook.hook)
        assert len(key.directions) == len(key.names) == len(key.constant) == hook.n_features
        assert key.n_classes == hook.n_classes
    assert data.key(data.hooks[-1]).names == labels.names


def test_rows_are_those_of_the_inputs_they_name(task):
    data = ModelFeatures(task)
    labels = features(task.compiled, task.domain)
    train, held_out = data.places(40, 10, seed=3)
    found = data.rows(data.hooks[-1], 40, 10, seed=3)
    for places, rows in zip((train, held_out), found, strict=True):
        everything = activations(task.compiled, task.domain.tokens[places[:, 0]])
        expected = everything[np.arange(len(places)), places[:, 1]] * labels.scale
        np.testing.assert_allclose(rows.activations, expected, rtol=0, atol=1e-12)


def test_no_input_is_in_both_parts_and_no_row_is_padding(task):
    data, tokens = ModelFeatures(task), task.domain.tokens
    train, held_out = data.places(10_000, 10_000, seed=0)
    assert not set(train[:, 0]) & set(held_out[:, 0])
    n_out = max(1, round(0.25 * len(tokens)))
    assert len(set(held_out[:, 0].tolist())) == n_out
    assert len(set(train[:, 0].tolist())) == len(tokens) - n_out
    rows = np.concatenate([train, held_out])
    assert len(np.unique(rows, axis=0)) == len(rows)  # as many as there are, none twice
    assert len(rows) == (task.domain.length + 1).sum()
    assert (tokens[rows[:, 0], rows[:, 1]] != task.compiled.model.codec.pad).all()


def test_the_seed_draws_the_rows_and_the_same_at_every_hook(task):
    for arm in ARMS:
        data = feature_data(task, arm)
        first, last = data.hooks[0], data.hooks[-1]
        one, again, other = (data.rows(last, 20, 5, seed=seed)[0] for seed in (0, 0, 1))
        np.testing.assert_array_equal(one.streams, again.streams)
        assert (one.streams != other.streams).any()
        early = data.rows(first, 20, 5, seed=0)[0]
        width = early.activations.shape[1]
        if width:
            labels = features(task.compiled, task.domain)
            shared = labels.first <= 0
            np.testing.assert_array_equal(early.activations, one.activations[:, shared])


def test_the_independent_arm_has_the_marginals_and_no_model():
    task = load("histogram")
    running, drawn = feature_data(task), feature_data(task, "independent")
    assert running.model is task.compiled.model
    assert drawn.model is None
    hook = drawn.hooks[-1]
    (train, held_out), (own, _) = (arm.rows(hook, 4000, 1000, 0) for arm in (drawn, running))
    assert train.streams.shape == own.streams.shape
    assert len(held_out.streams) == 1000
    shares = (train.activations != 0).mean(axis=0), (own.activations != 0).mean(axis=0)
    np.testing.assert_allclose(*shares, atol=0.05)
    rest = np.corrcoef(train.activations.T) - np.eye(train.activations.shape[1])
    assert np.abs(rest).max() < 0.1
    assert (train.activations[: len(held_out.activations)] != held_out.activations).any()


def test_arms_that_do_not_exist_and_inputs_that_cannot_be_split():
    task = load(NAME)
    with pytest.raises(TaskError) as caught:
        feature_data(task, "models")
    assert str(caught.value) == "An arm must be one of 'model', 'independent', got 'models'."
    lone = type(task)(task.id, task.compiled, task.labels, _first_of(task.domain))
    with pytest.raises(TaskError, match=r"needs two or more, and frac_prevs.* has one; choose"):
        feature_data(lone)


def _first_of(domain):
    return type(domain)(domain.tokens[:1], False, domain.stratum[:1], domain.length[:1])


def test_tasks_of_another_kind_bring_their_own_data():
    own = feature_data(load(NAME))

    class Toy:
        id = "toy"
        digest = "0" * 64

        def feature_data(self, arm):
            asked.append(arm)
            return own

    asked = []
    assert isinstance(Toy(), FeaturesTask)
    assert feature_data(Toy(), "independent") is own
    assert asked == ["independent"]
    assert features_digest(Toy()) == "0" * 64
    task = load(NAME)
    assert features_digest(task) == task.labels.weights


def changed(task, **arrays):
    model = task.compiled.model
    return replace(task.compiled, model=replace(model, weights=replace(model.weights, **arrays)))


def test_a_wider_bound_allows_what_training_leaves_and_does_not_look_at_padding(task):
    weights = task.compiled.model.weights
    W_E, W_out = weights.W_E.copy(), weights.W_out * 1.001
    W_E[-1] += 0.001  # padding, which nothing reads
    for arrays, bound in (({"W_E": W_E}, 1e-6), ({"W_E": W_E, "W_out": W_out}, 0.1)):
        trained = changed(task, **arrays)
        with pytest.raises(CertificationError, match="to within 1e-09:"):
            features(trained, task.domain)
        assert features(trained, task.domain, bound=bound).record.bound == bound


def test_what_components_write_otherwise_is_held_against_what_they_write():
    """A head that writes half as much again is off by half of what it wrote, in the norm."""
    task = load(NAME)
    weights = task.compiled.model.weights
    trained = changed(task, W_O=weights.W_O * 1.5)
    with pytest.raises(CertificationError) as caught:
        features(trained, task.domain, bound=0.1)
    heading, *problems = str(caught.value).splitlines()
    assert heading == (
        "The residual stream of frac_prevs must be the sum of its features, to within 0.1 of "
        "what is written:"
    )
    hooks = [problem.split(":")[0] for problem in problems]
    assert hooks == ["  - blocks.1.hook_resid_mid", "  - blocks.1.hook_resid_post"]
    off, allowed = (float(word) for word in re.findall(r"\d\.\d+", problems[0]))
    written = FeatureActivations(task.compiled).exact(task.domain.tokens)
    of = [one.writer for one in task.compiled.source_map.variables for _ in one.directions]
    norms = {name: np.linalg.norm(written[..., np.array(of) == name]) for name in ("m0", "a1.h0")}
    assert off == pytest.approx(0.5 * norms["a1.h0"], rel=1e-5)
    assert allowed == pytest.approx(0.1 * sum(norms.values()), rel=1e-5)
    assert features(trained, task.domain, bound=0.5).record.bound == 0.5


def test_what_passes_the_quality_gate_has_features():
    """Numbers up to 20, written a little wrong: more than 0.1 off, and within the gate."""
    text = 'frac = 20 * aggregate(select(indices, indices, <=), tokens == "x");'
    made = compile_own(text, "xy", 3, level=0, regimes="superposed[d=15]")
    task = certified(*made, W=0.99 * np.eye(15))
    assert task.gate.passed
    data = feature_data(task)
    hook = data.hooks[-1]
    rows, _ = data.rows(hook, 10_000, 10_000, seed=0)
    off = np.abs(rows.streams - rows.activations @ data.key(hook).directions)
    assert off.max() > 0.1
    result = score("neuron-basis", task, track="features")
    assert result.metrics["matched_cosine"].value == pytest.approx(1)


def test_the_bound_of_features_is_that_of_the_gate():
    assert SUPERPOSED_BOUND == LARGEST_ERROR
    task = load(f"{NAME}/superposed[d=6,seed=0]")
    labels = features(task.compiled, task.domain, bound=SUPERPOSED_BOUND)
    assert labels.record.n_checked == len(task.domain.tokens)
