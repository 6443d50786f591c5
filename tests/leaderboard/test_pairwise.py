"""Paired tests against scipy one pair at a time, Holm's correction, ranks and groups."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glassbench.leaderboard import critical_difference, pairwise_differences, rank_ranges
from glassbench.leaderboard.critical_difference import tied_groups
from glassbench.leaderboard.pairwise import (
    fewest_tasks,
    holm,
    paired_tests,
    signed_ranks,
    student_p,
    told_apart,
    wilcoxon_p,
)


def scores_of(**methods: list[float]) -> pd.DataFrame:
    """Scores as `task_scores` gives them."""
    rows = [
        {"role": "method", "method": name, "task": f"t{n:02}", "primary": True, "normalised": value}
        for name, values in methods.items()
        for n, value in enumerate(values)
    ]
    reference = {"role": "ceiling", "method": "oracle", "task": "t00", "primary": True}
    return pd.DataFrame([*rows, {**reference, "normalised": 1.0}])


@pytest.mark.parametrize("tasks", [3, 8, 13, 30, 80])
@pytest.mark.parametrize("steps", [4, 10**6])
def test_each_pair_is_tested_as_if_it_were_alone(tasks, steps):
    generator = np.random.default_rng(tasks)
    drawn = generator.integers(-steps, steps + 2, (tasks, 7)) / steps
    drawn[:, 6] = 0
    together = wilcoxon_p(signed_ranks(drawn))
    for pair, column in enumerate(drawn.T):
        assert wilcoxon_p(signed_ranks(drawn[:, [pair]]))[0] == together[pair]
        if not column.any():
            expected = 1.0
        elif tasks <= 8:
            every = stats.PermutationMethod(n_resamples=2**tasks)
            expected = stats.wilcoxon(column, method=every).pvalue
        elif len(set(np.abs(column))) == tasks and tasks <= 50:
            expected = stats.wilcoxon(column, method="exact").pvalue
        elif tasks > 13:
            expected = stats.wilcoxon(column, method="asymptotic", correction=True).pvalue
        else:
            continue
        assert together[pair] == pytest.approx(expected)


def test_signs_that_balance_tell_nothing():
    pairs = np.repeat(np.arange(1.0, 9.0), 2) * np.tile([1.0, -1.0], 8)
    assert wilcoxon_p(signed_ranks(pairs[:, None])).tolist() == [1.0]


@pytest.mark.parametrize("sizes", [np.ones, lambda tasks: np.arange(1.0, tasks + 1)])
def test_no_p_value_is_less_than_that_of_signs(sizes):
    """On which `fewest_tasks` counts."""
    for tasks in range(1, 90):
        (p,) = wilcoxon_p(signed_ranks(sizes(tasks)[:, None]))
        assert p >= 2.0 ** (1 - tasks) * (1 - 1e-9)


def test_the_t_test_is_that_of_scipy():
    first, second = np.random.default_rng(0).random((2, 9, 4))
    np.testing.assert_allclose(student_p(first - second), stats.ttest_rel(first, second).pvalue)
    flat = np.array([[0.5, 0.0], [0.5, 0.0]])
    assert student_p(flat).tolist() == [0.0, 1.0]
    assert student_p(flat[:1]).tolist() == [1.0, 1.0]


def test_where_tests_point_different_ways_nothing_is_told():
    """Nine small gains, and one loss that is larger than all of them."""
    found = paired_tests(np.array([[0.01 + n / 1000] for n in range(29)] + [[-9.0]]))
    assert found["difference"][0] < 0
    assert found["p_wilcoxon"][0] < 0.001
    assert found["p"][0] == 1


def test_holm_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert holm(np.array([0.5, 0.9])).tolist() == [1.0, 1.0]
    assert holm(np.empty(0)).size == 0


def test_a_difference_is_told_and_makes_ranks():
    base = np.linspace(0.2, 0.6, 12)
    noise = np.random.default_rng(1).normal(0, 0.02, (4, 12))
    levels = zip(("a", "b", "c", "d"), (0.3, 0.3, 0.1, 0.0), noise, strict=True)
    scores = scores_of(**{name: list(base + level + more) for name, level, more in levels})
    pairs = pairwise_differences(scores)
    assert len(pairs) == 6
    told = {(row.first, row.second): row.better for row in pairs.itertuples()}
    assert told == {
        ("a", "b"): "",
        ("a", "c"): "a",
        ("a", "d"): "a",
        ("b", "c"): "b",
        ("b", "d"): "b",
        ("c", "d"): "c",
    }
    row = pairs.iloc[1]
    assert row["wins"] + row["ties"] + row["losses"] == 12
    assert row["low"] < row["difference"] < row["high"]
    ranks = rank_ranges(pairs, ["a", "b", "c", "d"])
    assert ranks["rank"].tolist() == ["1-2", "1-2", "3", "4"]
    found = critical_difference(scores, pairs)
    assert found.groups == ((0, 1),)
    assert found.ranks["method"].tolist()[2:] == ["c", "d"]
    assert found.ranks["groups"].tolist() == ["1", "1", "", ""]
    columns = [base + level + more for level, more in zip((0.3, 0.3, 0.1, 0), noise, strict=True)]
    expected = stats.friedmanchisquare(*columns)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_methods_that_score_the_same_are_tied_and_share_ranks():
    scores = scores_of(x=[0.5, 0.7, 0.9], y=[0.5, 0.7, 0.9])
    pairs = pairwise_differences(scores)
    assert pairs.iloc[0][["p", "p_holm", "ties"]].tolist() == [1, 1, 3]
    found = critical_difference(scores, pairs)
    assert found.ranks["mean_rank"].tolist() == [1.5, 1.5]
    assert found.groups == ((0, 1),)
    assert np.isnan(found.p)


def test_one_method_alone_is_first():
    scores = scores_of(only=[0.5, 0.7])
    pairs = pairwise_differences(scores)
    assert len(pairs) == 0
    assert len(told_apart(scores)) == 0
    assert rank_ranges(pairs, ["only"])["rank"].tolist() == ["1"]
    assert critical_difference(scores, pairs).groups == ()


@pytest.mark.parametrize("tasks", [5, 10, 11, 14, 60])
@pytest.mark.parametrize("spread", [0.05, 0.15])
def test_what_is_told_apart_is_what_all_pairs_tell(tasks, spread):
    generator = np.random.default_rng(tasks)
    levels = {f"m{n}": generator.normal(n / 20, spread, tasks).round(2) for n in range(7)}
    levels["as m6"] = levels["m6"]
    levels["m6 in half"] = np.where(np.arange(tasks) % 2, levels["m6"], levels["m6"] - 0.3)
    scores = scores_of(**levels)
    pairs = pairwise_differences(scores)
    told = pairs.loc[pairs["better"] != "", ["first", "second", "better"]]
    assert len(levels) == 9
    assert (len(told) > 0) == (tasks >= fewest_tasks(9))
    pd.testing.assert_frame_equal(told_apart(scores), told.reset_index(drop=True))


@pytest.mark.parametrize("methods", [2, 4, 11])
def test_so_many_tasks_suffice_and_one_fewer_does_not(methods):
    needed = fewest_tasks(methods)
    for tasks in (needed, needed - 1):
        noise = np.random.default_rng(0).random(tasks) / 100
        levels = {f"m{n:02}": list(noise * n + n) for n in range(methods)}
        told = pairwise_differences(scores_of(**levels))["better"]
        assert (told != "").all() == (told != "").any() == (tasks == needed)


def test_groups_are_the_longest_ranges_without_a_difference():
    generator = np.random.default_rng(5)
    for _ in range(50):
        n = int(generator.integers(1, 8))
        upper = np.triu(generator.random((n, n)) < 0.3, 1)
        different = upper | upper.T
        free = [
            (a, b)
            for a in range(n)
            for b in range(a + 1, n)
            if not different[a : b + 1, a : b + 1].any()
        ]
        longest = [
            (a, b)
            for a, b in free
            if not any(c <= a and b <= d and (c, d) != (a, b) for c, d in free)
        ]
        assert list(tied_groups(different)) == longest
