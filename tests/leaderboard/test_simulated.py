"""Statistics on simulated results whose truth is known; performance/ has the long tables."""

import pytest


@pytest.fixture(scope="module")
def script(performance_script):
    return performance_script("leaderboard_statistics")


@pytest.mark.parametrize("law", ["normal", "bounded", "at the ceiling", "a fifth fails"])
def test_intervals_over_tasks_hold_what_they_should(script, law):
    found = script.coverage(script.LAWS[law], 42, 400, 0)
    # Three standard errors of 400 repeats are 0.033.
    assert 0.917 <= found["mean"] <= 0.99
    assert 0.917 <= found["interquartile_mean"] <= 0.99


def test_the_worst_decile_of_a_hundred_tasks_too(script):
    assert 0.91 <= script.coverage(script.LAWS["bounded"], 100, 400, 0)["worst_decile"] <= 0.99


def test_six_tasks_are_held_nearly_as_often(script):
    found = script.coverage(script.LAWS["normal"], 6, 400, 0)
    assert found["mean"] >= 0.9
    assert found["interquartile_mean"] >= 0.9


def test_intervals_over_seeds_hold_what_they_should(script):
    assert 0.91 <= script.seed_coverage(42, 5, 400, 0) <= 0.99


@pytest.mark.parametrize("null", ["exchangeable", "heavy tails", "all or nothing"])
def test_differences_between_equals_are_seldom_told(script, null):
    found = script.false_differences(script.NULLS[null], 4, 12, 400, 0)
    assert found["both tests"] <= 0.05 + 0.033
    assert found["both tests"] <= min(found["Wilcoxon alone"], found["t alone"])


def test_wilcoxon_alone_would_tell_methods_of_equal_means_apart(script):
    found = script.false_differences(script.unlike, 4, 100, 200, 0)
    assert found["Wilcoxon alone"] > 0.2
    assert found["both tests"] <= 0.05 + 0.047


def test_what_differs_is_found_and_ranges_hold_the_ranks(script):
    told, wrong, held = script.power(0.1, 4, 42, 200, 0)
    assert told > 0.9
    assert wrong <= 0.05 + 0.047
    assert held >= 0.95 - 0.047
