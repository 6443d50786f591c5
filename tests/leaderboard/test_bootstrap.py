"""Intervals: what they hold, and what they depend on."""

import numpy as np
import pytest

from glassbench.leaderboard import AGGREGATES, seed_interval, task_intervals

SCORES = np.random.default_rng(0).beta(5, 2, (5, 12))


def test_the_interval_of_a_method_depends_on_it_alone():
    together = task_intervals(SCORES, seed=0)
    for name in AGGREGATES:
        alone = task_intervals(SCORES[[3]], seed=0)[name]
        np.testing.assert_allclose(together[name][[3]], alone, atol=1e-12)
    shuffled = task_intervals(SCORES[:, ::-1], seed=0)
    np.testing.assert_allclose(shuffled["mean"], together["mean"], atol=1e-12)


def test_the_seed_moves_an_interval_a_little():
    first, again, other = (task_intervals(SCORES, seed=seed)["mean"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_allclose(first, other, atol=0.02)


def test_intervals_hold_the_aggregate_and_stay_within_what_was_seen():
    found = task_intervals(SCORES, seed=0)
    for name in ("mean", "interquartile_mean"):
        low, high = found[name].T
        value = AGGREGATES[name].of(SCORES)
        assert ((low < value) & (value < high)).all()
        assert (low >= SCORES.min(axis=1)).all()
        assert (high <= SCORES.max(axis=1)).all()


def test_without_spread_there_is_no_width():
    flat = task_intervals(np.full((1, 8), 0.25), seed=0)
    for name in AGGREGATES:
        np.testing.assert_allclose(flat[name], 0.25)


def test_where_the_middle_half_has_no_spread_its_interval_has():
    scores = np.array([[0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]])
    low, high = task_intervals(scores, seed=0)["interquartile_mean"][0]
    assert low < 1
    assert high == 1


def test_one_failure_among_many_tasks_does_not_make_an_interval_of_all():
    scores = np.ones((1, 450))
    scores[0, 7] = 0.0
    low, high = task_intervals(scores, seed=0)["mean"][0]
    assert 1 - 6 / 450 < low < scores.mean() < high == 1


def test_fewer_than_six_tasks_have_no_interval():
    for tasks in (1, 5):
        assert np.isnan(task_intervals(SCORES[:, :tasks], seed=0)["mean"]).all()
    assert np.isfinite(task_intervals(SCORES[:, :6], seed=0)["mean"]).all()


def test_rounding_does_not_move_an_interval_off_its_aggregate():
    for name, ends in task_intervals(np.full((2, 7), 0.1), seed=0).items():
        assert (ends == 0.1).all(), name


def test_more_tasks_make_intervals_narrower():
    scores = np.random.default_rng(1).random((1, 400))
    few, many = (np.diff(task_intervals(scores[:, :n], seed=0)["mean"]) for n in (25, 400))
    assert many < few / 3


def test_seeds_make_an_interval_of_their_own():
    generator = np.random.default_rng(2)
    tasks = generator.random((3, 10, 1))
    runs = tasks + generator.normal(0, 0.05, (3, 10, 4))
    low, high = seed_interval(runs, seed=0).T
    mean = runs.mean(axis=(1, 2))
    assert ((low < mean) & (mean < high)).all()
    expected = 2 * 1.96 * np.sqrt((runs.var(axis=2, ddof=1) / 4).mean(axis=1) / 10)
    np.testing.assert_allclose(high - low, expected, rtol=0.2)
    over_tasks = np.diff(task_intervals(runs.mean(axis=2), seed=0)["mean"])[:, 0]
    assert (high - low < over_tasks).all()


def test_a_single_run_tells_nothing_of_seeds():
    runs = np.random.default_rng(3).random((2, 5, 3))
    runs[:, 2, 1:] = np.nan
    assert np.isnan(seed_interval(runs, seed=0)).all()
    runs[:, 2, 1] = 0.5
    assert np.isfinite(seed_interval(runs, seed=0)).all()


@pytest.mark.parametrize("runs", [2, 5])
def test_runs_that_agree_leave_no_width(runs):
    scores = np.repeat(np.random.default_rng(4).random((1, 6, 1)), runs, axis=2)
    np.testing.assert_allclose(seed_interval(scores, seed=0)[0], scores.mean())
