"""Toy models as tasks of the features track."""

import numpy as np
import pytest

import glassbench as gb
from glassbench.benchmark_programs import TOY_SUITES, ToyId
from glassbench.benchmark_programs.toy_suites import ToySuite
from glassbench.errors import TaskError
from glassbench.ground_truth import (
    FeaturesTask,
    ToyTask,
    feature_data,
    features_digest,
    load,
    load_suite,
)
from glassbench.ground_truth.feature_data import FeatureData
from glassbench.ground_truth.toy_superposition import column_norms
from glassbench.ground_truth.toy_superposition_task import DEAD, HOOK, toy_table

NAME = "toy_superposition[n=6,d=2,sparsity=80]"


@pytest.fixture(scope="module")
def toy():
    """Six features in a plane, of which some are given up."""
    return load(NAME)


def test_a_toy_is_trained_once_and_found_by_any_of_its_names(toy):
    assert isinstance(toy, ToyTask)
    assert isinstance(toy, FeaturesTask)
    assert isinstance(toy.feature_data("model"), FeatureData)
    assert load("toy_superposition-v1[d=2,n=6,seed=0,sparsity=80]") is toy
    assert load(ToyId.parse(NAME)) is toy is gb.load(NAME)
    assert repr(toy) == "ToyTask('toy_superposition-v1[n=6,d=2,sparsity=80,seed=0]')"
    assert str(toy).startswith(
        "toy_superposition-v1[n=6,d=2,sparsity=80,seed=0]\n"
        "A toy model of superposition: 6 features in 2 dimensions, each zero with probability 0.8."
    )


def test_rows_are_the_sum_of_activations_along_the_columns(toy):
    data = feature_data(toy)
    key = data.key(HOOK)
    np.testing.assert_allclose(np.linalg.norm(key.directions, axis=1), 1)
    for rows in data.rows(HOOK, 300, 100, seed=1):
        np.testing.assert_allclose(rows.streams, rows.activations @ key.directions, atol=1e-12)
        x = rows.activations[:, key.class_of >= 0] / column_norms(toy.W)[key.class_of >= 0]
        assert (x >= 0).all() and (x < 1).all()
        assert (x == 0).mean() == pytest.approx(0.8, abs=0.07)


def test_dead_features_are_in_no_row(toy):
    norms = column_norms(toy.W)
    key = feature_data(toy).key(HOOK)
    dead = norms < DEAD
    assert dead.any()
    assert not norms[dead].any()
    assert (key.class_of[dead] == -1).all()
    assert key.class_of[~dead].tolist() == list(range((~dead).sum())) and not key.constant.any()
    train, _ = feature_data(toy).rows(HOOK, 1000, 10, seed=0)
    assert not train.activations[:, dead].any()
    assert len(np.unique(np.abs(train.activations[:, ~dead]).sum(axis=0) > 0)) == 1
    assert f"{dead.sum()} dead" in str(toy)


def test_the_seed_draws_the_rows(toy):
    data = feature_data(toy)
    one, again, other = (data.rows(HOOK, 50, 20, seed) for seed in (0, 0, 1))
    assert len(one[0].streams) == 50 and len(one[1].streams) == 20
    for part in (0, 1):
        np.testing.assert_array_equal(one[part].streams, again[part].streams)
        assert (one[part].streams != other[part].streams).any()
    assert (one[0].streams[:20] != one[1].streams).any()


def test_the_digest_tells_toys_apart(toy):
    other = load("toy_superposition[n=6,d=2,sparsity=80,seed=1]")
    assert len(toy.digest) == 64
    assert features_digest(toy) == toy.digest != other.digest


def test_methods_are_scored_on_it(toy):
    data = feature_data(toy)
    key = data.key(HOOK)

    def the_key(problem):
        _, held_out = data.rows(HOOK, 4096, 1024, 0)
        alive = key.class_of >= 0
        return {HOOK: gb.FoundFeatures(key.directions[alive], held_out.activations[:, alive])}

    result = gb.score(the_key, toy, "features")
    assert result.task == str(toy.id)
    assert result.task_digest == toy.digest
    for metric in result.metrics.values():
        assert metric.value == pytest.approx(1)
    assert gb.score("pca", NAME, "features").metrics["matched_cosine"].value < 1


def test_other_questions_and_arms_are_refused(toy):
    with pytest.raises(TaskError, match=r":\n  - toy_superposition.*--track features"):
        gb.score("eap", toy)
    with pytest.raises(TaskError) as caught:
        gb.score("pca", toy, gb.FeaturesTrack("independent"))
    assert str(caught.value) == (
        "toy_superposition-v1[n=6,d=2,sparsity=80,seed=0] must be asked with arm='model', got "
        "'independent': no feature of a toy depends on another, so that its rows are independent "
        "as they are"
    )
    with pytest.raises(TaskError, match=r"must be 'hidden', got 'logits'\.$"):
        feature_data(toy).key("logits")
    with pytest.raises(TaskError, match="has no hook 'logits'; it has hidden"):
        gb.score("pca", toy, gb.FeaturesTrack(hooks=("logits",)))


def test_the_table_has_a_row_for_each_feature(toy):
    heading, rows = toy_table(toy)
    assert heading == ["Feature", "Importance", "Length", "Dimensions", "Interference", "State"]
    assert [row[0] for row in rows] == [f"x{i}" for i in range(6)]
    assert rows[1][1] == "0.90"
    states = [row[-1] for row in rows]
    norms = column_norms(toy.W)
    assert states.count("dead") == (norms == 0).sum()
    assert states.count("represented") == (norms > 0.5).sum()


def test_a_suite_of_toys_is_loaded(monkeypatch):
    small = ToySuite("Small ones.", ("n=4,d=2,sparsity=50", "n=3,d=2,sparsity=50"))
    monkeypatch.setitem(TOY_SUITES, "small toys", small)
    toys = load_suite("small toys")
    assert [toy.id for toy in toys] == list(small.members)
    assert all(isinstance(toy, ToyTask) for toy in toys)
