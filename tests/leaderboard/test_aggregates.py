"""Aggregates against scipy, and against resampling written out."""

import numpy as np
import pytest
from scipy import stats

from glassbench.leaderboard import AGGREGATES


def test_aggregates_are_those_of_scipy_where_borders_fall_between_tasks():
    scores = np.random.default_rng(0).random((3, 40))
    np.testing.assert_allclose(AGGREGATES["mean"].of(scores), scores.mean(axis=1))
    np.testing.assert_allclose(
        AGGREGATES["interquartile_mean"].of(scores), stats.trim_mean(scores, 0.25, axis=1)
    )
    worst = np.sort(scores, axis=1)[:, :4].mean(axis=1)
    np.testing.assert_allclose(AGGREGATES["worst_decile"].of(scores), worst)


def test_a_task_on_the_border_counts_in_part():
    assert AGGREGATES["worst_decile"].of(np.array([0.3, 0.5, 0.9])) == pytest.approx(0.3)
    # A tenth of fifteen is one task and a half.
    scores = np.arange(15.0)
    assert AGGREGATES["worst_decile"].of(scores) == pytest.approx((0 + 0.5 * 1) / 1.5)
    assert AGGREGATES["interquartile_mean"].of(np.arange(6.0)) == pytest.approx(2.5)


@pytest.mark.parametrize("name", AGGREGATES)
def test_weights_sum_to_one_in_every_resample(name):
    counts = np.random.default_rng(1).multinomial(7, np.full(7, 1 / 7), size=50)
    weights = AGGREGATES[name].weights(counts.cumsum(axis=1) / 7)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights >= 0).all()


@pytest.mark.parametrize("name", AGGREGATES)
def test_a_resample_by_weights_is_the_resample_written_out(name):
    generator = np.random.default_rng(2)
    scores = np.sort(generator.random((4, 9)), axis=1)
    counts = generator.multinomial(9, np.full(9, 1 / 9), size=20)
    values, _ = AGGREGATES[name].with_error(scores, counts.cumsum(axis=1) / 9)
    for method in range(4):
        for resample in range(20):
            drawn = np.repeat(scores[method], counts[resample])
            assert values[method, resample] == pytest.approx(AGGREGATES[name].of(drawn))


@pytest.mark.parametrize("name", AGGREGATES)
def test_the_standard_error_is_how_much_the_aggregate_varies(name):
    tasks = 200
    scores = np.sort(np.random.default_rng(3).beta(5, 2, (2000, tasks)), axis=1)
    values, errors = AGGREGATES[name].with_error(scores, np.arange(1, tasks + 1)[None] / tasks)
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.08)


def test_the_standard_error_of_a_mean_is_the_usual_one():
    scores = np.sort(np.random.default_rng(4).random((3, 11)), axis=1)
    _, errors = AGGREGATES["mean"].with_error(scores, np.arange(1, 12)[None] / 11)
    np.testing.assert_allclose(errors[:, 0], stats.sem(scores, axis=1))
