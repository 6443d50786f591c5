"""Performance profiles, by hand."""

import numpy as np
import pytest
from scipy import stats

from glassbench.leaderboard import performance_profiles, results_frame
from glassbench.leaderboard.profiles import share_interval


def at(profiles, method, threshold):
    rows = profiles[profiles["method"] == method]
    return rows[np.isclose(rows["threshold"], threshold)].iloc[0]


def test_a_profile_is_the_share_of_runs_that_reach_a_score(make_result):
    # Normalised: 1 and 0.5 on one task, 0 on the other, which counts as much.
    frame = results_frame(
        [
            make_result("m", "a-v1", 1.0, seed=0),
            make_result("m", "a-v1", 0.6, seed=1),
            make_result("m", "b-v1", 0.2),
        ]
    )
    profiles = performance_profiles(frame)
    shares = [at(profiles, "m", x)["share"] for x in (0.0, 0.01, 0.5, 0.51, 1.0)]
    assert shares == pytest.approx([1, 0.5, 0.5, 0.25, 0.25])


def test_profiles_fall_and_lie_within_their_intervals(results):
    profiles = performance_profiles(results_frame(results))
    for _, rows in profiles.groupby("method"):
        assert (rows["share"].diff().dropna() <= 1e-12).all()
        assert (rows["low"] <= rows["share"] + 1e-12).all()
        assert (rows["share"] <= rows["high"] + 1e-12).all()
    assert at(profiles, "partial", 0.0)["share"] == 0  # below the floor, and missing


def test_intervals_of_shares_are_those_of_the_binomial_law():
    shares = np.arange(8) / 7
    found = np.array(share_interval(shares, 7)).T
    for count, ends in enumerate(found):
        expected = stats.binomtest(count, 7).proportion_ci(method="exact")
        assert tuple(ends) == pytest.approx((expected.low, expected.high))


def test_what_all_tasks_reach_is_not_certain(make_result):
    runs = [make_result("m", f"{name}-v1", 1.0) for name in "abcdef"]
    row = at(performance_profiles(results_frame(runs)), "m", 1.0)
    assert (row["low"], row["share"], row["high"]) == pytest.approx((0.025 ** (1 / 6), 1, 1))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.97])
@pytest.mark.parametrize("runs", [1, 5])
def test_intervals_of_shares_hold_what_they_should(share, runs):
    """Whether runs of a task agree or not."""
    draw = np.random.default_rng(0)
    for tasks in (6, 42):
        for alike in (0.3, 100.0):
            chance = draw.beta(alike * share, alike * (1 - share), (2000, tasks))
            means = (draw.binomial(runs, chance) / runs).mean(axis=1)
            low, high = share_interval(means, tasks)
            # Three standard errors of 2,000 repeats are 0.015.
            assert ((low <= share) & (share <= high)).mean() >= 0.935
