"""Bootstrap intervals of one task and of a mean over tasks."""

import numpy as np
import pytest

from glassbench.errors import AnswerError
from glassbench.evaluators.intervals import (
    Interval,
    grouped_mean_interval,
    mean_interval,
    metric_interval,
)
from glassbench.evaluators.ranking_metrics import METRICS, auroc, average_precision


def example(size: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    key = np.arange(size) < size // 5
    return np.random.default_rng(seed).normal(size=size) + 1.5 * key, key


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_an_interval_holds_the_value_and_stays_in_range(metric):
    scores, key = example()
    interval = metric_interval(scores, key, metric, seed=0, resamples=500)
    assert 0 <= interval.low < metric(scores, key) < interval.high <= 1


def test_the_seed_decides():
    scores, key = example()
    found = [
        metric_interval(scores, key, average_precision, seed=s, resamples=200) for s in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]


def test_the_interval_is_that_of_a_plain_loop_over_resamples():
    # A plain loop over resamples, drawn class by class, has the same quantiles.
    scores, key = example()
    generator = np.random.default_rng(5)
    values = []
    for _ in range(3000):
        positive = generator.choice(scores[key], key.sum())
        negative = generator.choice(scores[~key], (~key).sum())
        drawn = np.concatenate([positive, negative])
        values.append(auroc(drawn, np.arange(len(key)) < key.sum()))
    interval = metric_interval(scores, key, auroc, seed=0, resamples=3000)
    expected = np.quantile(values, [0.025, 0.975])
    np.testing.assert_allclose([interval.low, interval.high], expected, atol=0.015)


def test_more_items_narrow_the_interval():
    widths = []
    for size in (50, 1000):
        interval = metric_interval(*example(size), average_precision, seed=0, resamples=300)
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0] / 2


def test_a_perfect_answer_has_an_interval_of_no_width():
    key = np.arange(10) < 3
    assert metric_interval(key.astype(float), key, average_precision, seed=0) == Interval(1.0, 1.0)


@pytest.mark.parametrize("positives", [1, 9])
def test_a_class_of_one_item_is_kept(positives):
    key = np.arange(10) < positives
    scores = np.array([5, 1, 2, 9, 4, 3, 8, 7, 0, 6.0])
    interval = metric_interval(scores, key, auroc, seed=0, resamples=300)
    assert 0 <= interval.low < auroc(scores, key) < interval.high <= 1


def test_one_item_of_either_class_leaves_nothing_to_resample():
    key = np.array([True, False])
    assert metric_interval(np.array([1.0, 2.0]), key, auroc, seed=0) == Interval(0.0, 0.0)


def test_a_metric_that_is_not_defined_is_refused():
    with pytest.raises(AnswerError, match="at least one positive"):
        metric_interval(np.arange(3.0), np.zeros(3, dtype=bool), auroc, seed=0)


def test_the_interval_of_a_mean_over_tasks():
    values = np.random.default_rng(0).normal(0.5, 0.1, 40)
    interval = mean_interval(values, seed=0)
    assert interval is not None
    half = 1.96 * values.std() / np.sqrt(40)
    np.testing.assert_allclose(
        [interval.low, interval.high], values.mean() + np.array([-half, half]), atol=0.005
    )
    assert mean_interval(values, seed=0) == interval


def test_the_mean_over_one_task_has_no_interval():
    assert mean_interval([0.5], seed=0) is None


def test_equal_values_have_an_interval_of_no_width():
    assert mean_interval([0.25, 0.25, 0.25], seed=0) == Interval(0.25, 0.25)


@pytest.mark.parametrize("values", [[], [0.5, np.nan], [np.inf]])
def test_a_mean_needs_finite_values(values):
    with pytest.raises(AnswerError, match="one finite value per task"):
        mean_interval(values, seed=0)


def test_groups_are_resampled_whole():
    # A plain loop that takes the values of drawn groups together has the same quantiles.
    generator = np.random.default_rng(1)
    group = np.repeat(np.arange(30), generator.integers(1, 6, 30))
    values = generator.normal(size=30)[group] + generator.normal(0, 0.1, len(group))
    turn = generator.permutation(len(group))  # values of a group need not stand together
    interval = grouped_mean_interval(values[turn], 7 - 3 * group[turn], seed=0)
    assert interval == grouped_mean_interval(values[turn], 7 - 3 * group[turn], seed=0)
    means = []
    for _ in range(4000):
        drawn = generator.integers(0, 30, 30)
        means.append(np.concatenate([values[group == one] for one in drawn]).mean())
    expected = np.quantile(means, [0.025, 0.975])
    np.testing.assert_allclose([interval.low, interval.high], expected, atol=0.03)
    alone = mean_interval(values, seed=0)
    assert interval.high - interval.low > 1.3 * (alone.high - alone.low)


def test_groups_of_one_value_are_values():
    values = np.random.default_rng(0).normal(size=20)
    found, expected = (
        grouped_mean_interval(values, np.arange(20), seed=0),
        mean_interval(values, seed=0),
    )
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high])
    assert grouped_mean_interval(values, np.zeros(20, int), seed=0) is None


def test_an_interval_prints_its_ends():
    assert str(Interval(0.789, 0.861)) == "[0.79, 0.86]"
