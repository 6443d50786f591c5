"""Performance profiles, by hand."""

import numpy as np
import pytest

from glassbench.leaderboard import performance_profiles, results_frame


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


def test_a_single_task_has_no_interval(make_result):
    profiles = performance_profiles(results_frame([make_result("m", "a-v1", 0.5)]))
    assert profiles[["low", "high"]].isna().all(axis=None)
