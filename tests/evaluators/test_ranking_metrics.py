"""The laws of ranking metrics, and their values against brute force and a peer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from glassbench.errors import AnswerError
from glassbench.evaluators.floors import normalised
from glassbench.evaluators.ranking_metrics import (
    METRICS,
    auroc,
    average_precision,
    best_f1,
    precision_at_true_size,
    recall_at_true_size,
    recall_at_zero,
)

FEW = settings(max_examples=40, deadline=None)
EVERY_METRIC = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
SPLITS_TIES = pytest.mark.parametrize(
    "metric", [m for m in METRICS.values() if m.splits_ties], ids=lambda m: m.name
)


@st.composite
def rankings(draw: st.DrawFn, most: int = 30, levels: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties, and a key with both classes."""
    size = draw(st.integers(2, most))
    scores = draw(st.lists(st.integers(0, levels), min_size=size, max_size=size))
    key = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    first, second = draw(st.permutations(range(size)))[:2]
    key[first], key[second] = True, False
    return np.array(scores, dtype=float), np.array(key)


def tie_free(ranking: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    scores, key = ranking
    return scores + np.arange(len(scores)) / (2 * len(scores)), key


@EVERY_METRIC
@FEW
@given(ranking=rankings(), data=st.data())
def test_flipping_a_true_label_never_raises_the_oracle_relative_score(metric, ranking, data):
    _, key = ranking
    flipped = key.copy()
    index = data.draw(st.integers(0, len(key) - 1))
    flipped[index] = ~flipped[index]
    answer = flipped.astype(float)
    floor = metric(np.zeros(len(key)), key)
    assert normalised(float(metric(answer, key)), floor, 1.0) < 1.0 + 1e-12
    if flipped.any() and not flipped.all():
        assert metric(key.astype(float), flipped) < 1.0


@EVERY_METRIC
@FEW
@given(ranking=rankings(), data=st.data())
def test_lowering_a_positive_never_raises_the_score(metric, ranking, data):
    scores, key = ranking
    lowered = scores.copy()
    index = data.draw(st.sampled_from(list(np.flatnonzero(key))))
    lowered[index] -= data.draw(st.integers(1, 7)) / 2
    assert metric(lowered, key) <= metric(scores, key) + 1e-12


@FEW
@given(ranking=rankings())
def test_scikit_learn_agrees_where_it_has_the_metric(ranking):
    scores, key = ranking
    assert auroc(scores, key) == pytest.approx(roc_auc_score(key, scores), abs=1e-12)
    untied, _ = tie_free(ranking)
    assert average_precision(untied, key) == pytest.approx(
        average_precision_score(key, untied), abs=1e-12
    )
    best = max(f1_score(key, scores >= level) for level in np.unique(scores))
    assert best_f1(scores, key) == pytest.approx(best, abs=1e-12)
    top = np.argsort(np.argsort(-untied)) < key.sum()
    assert precision_at_true_size(untied, key) == pytest.approx(precision_score(key, top))
    assert recall_at_true_size(untied, key) == pytest.approx(recall_score(key, top))


def test_values_worked_by_hand():
    key = np.array([True, False, True, False, False])
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    assert average_precision(scores, key) == pytest.approx((1 + 2 / 3) / 2)
    assert auroc(scores, key) == pytest.approx(5 / 6)
    assert precision_at_true_size(scores, key) == recall_at_true_size(scores, key) == 0.5
    assert best_f1(scores, key) == pytest.approx(0.8)
    # One positive tied with one negative, at the top: half of 1 and half of 1/2.
    assert average_precision(np.ones(2), np.array([True, False])) == 0.75


def test_recall_at_zero_counts_positives_that_were_scored():
    key = np.array([True, True, True, False])
    assert recall_at_zero(np.array([0.0, 1.0, 1e-30, 5.0]), key) == pytest.approx(2 / 3)
    assert recall_at_zero(np.zeros(4), key) == 0


@EVERY_METRIC
@FEW
@given(ranking=rankings(), draws=st.integers(1, 4), seed=st.integers(0, 9))
def test_a_leading_axis_of_draws_gives_one_value_each(metric, ranking, draws, seed):
    _, key = ranking
    scores = np.random.default_rng(seed).integers(0, 4, (2, draws, len(key))).astype(float)
    together = metric(scores, key)
    assert together.shape == (2, draws)
    apart = [[metric(row, key) for row in block] for block in scores]
    np.testing.assert_allclose(together, apart, rtol=0, atol=1e-12)


def test_the_key_may_have_draws_too():
    keys = np.array([[True, False], [False, True]])
    assert average_precision(np.array([[2.0, 1.0], [2.0, 1.0]]), keys).tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("scores", "key", "message"),
    [
        ([1.0, 2.0], [False, False], "the key must have at least one positive, got none"),
        ([1.0, 2.0], [True, True], "the key must have at least one negative, got positives only"),
        ([1.0, np.nan], [True, False], "scores must be numbers, got 1 NaN"),
        ([1.0, 2.0, 3.0], [True, False], r"got shapes \(3,\) and \(2,\)"),
        ([1.0, 2.0], [1, 0], "the key must be boolean, got dtype int64"),
        (["a", "b"], [True, False], "scores must be real numbers, got dtype <U1"),
        ([], [], "one positive and one negative, got no items"),
        (1.0, True, r"got shapes \(\) and \(\)"),
    ],
)
@EVERY_METRIC
def test_what_cannot_be_ranked_is_refused(metric, scores, key, message):
    array = np.array(key, dtype=None if key else bool)
    with pytest.raises(AnswerError, match=message):
        metric(np.array(scores), array)
    with pytest.raises(AnswerError, match=message):
        recall_at_zero(np.array(scores), array)


def test_every_problem_is_listed_at_once():
    with pytest.raises(AnswerError) as caught:
        auroc(np.array([np.nan, 1.0]), np.array([1, 0, 1]))
    assert str(caught.value).count("\n  - ") == 3
