"""What is known of tasks beforehand, and how scores go with it."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glassbench.leaderboard import difficulty_bins, difficulty_trends, task_covariates
from glassbench.leaderboard.rank_correlations import rank_correlations

CROWDED = "sort-v1/crowded[distractors=4,seed=1]/scrambled[seed=1]"
SUPERPOSED = "binary_window-v1/superposed[d=15,seed=0]"
TOY = "toy_superposition-v1[n=5,d=2,sparsity=95,seed=0]"


def test_a_task_says_what_it_is_and_the_library_what_it_measured():
    found = task_covariates([CROWDED, SUPERPOSED, TOY, "mine-v1", CROWDED]).set_index("task")
    assert len(found) == 4
    row = found.loc[CROWDED]
    assert (row["program"], row["family"], row["regime"]) == (
        "sort",
        "sorting",
        "crowded/scrambled",
    )
    assert (row["distractors"], row["compression"], row["causal"]) == (4, 1, 8)
    assert row["inert_per_causal"] == 47 / 8
    assert row["edges"] == 8 + 1 + 47 + 232
    row = found.loc[SUPERPOSED]
    assert (row["d_model"], row["compression"], row["distractors"]) == (15, 15 / 18, 0)
    assert found.loc[TOY, ["d_model", "compression", "family"]].tolist() == [2, 0.4, "toy"]
    assert found.loc["mine-v1", "program"] == ""
    assert found.loc["mine-v1"].drop(["program", "family", "regime"]).isna().all()


def test_a_fresh_task_is_known_by_its_name():
    (row,) = task_covariates(["fresh_easy_0_1-v1/crowded[distractors=2,seed=0]"]).to_dict("records")
    assert (row["family"], row["distractors"]) == ("fresh", 2)
    assert row["length"] > 0
    assert np.isnan(row["causal"])


@pytest.fixture
def scores():
    """A method that falls with the number of edges, and one that is flat, on twelve tasks."""
    rows = [
        {"role": "method", "method": name, "task": f"t{n:02}", "primary": True, "normalised": value}
        for name, values in {"falls": np.linspace(0.9, 0.1, 12), "flat": np.full(12, 0.5)}.items()
        for n, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def covariates():
    """Edges differ on each task, layers take two values, causal edges are one number."""
    known = task_covariates([f"t{n:02}" for n in range(12)])
    return known.assign(edges=np.arange(12.0) ** 2, layers=np.arange(12.0) % 2, causal=3.0)


def test_a_trend_is_a_rank_correlation(scores, covariates):
    found = difficulty_trends(scores, covariates).set_index(["method", "covariate"])
    assert found.loc[("falls", "edges"), "spearman"] == pytest.approx(-1)
    falls = np.linspace(0.9, 0.1, 12)
    expected = stats.spearmanr(np.arange(12) % 2, falls)
    row = found.loc[("falls", "layers")]
    assert row["spearman"] == pytest.approx(expected.statistic)
    # Of two values it is the test of Mann and Whitney; orders are drawn.
    exact = stats.mannwhitneyu(falls[::2], falls[1::2], method="exact").pvalue
    assert row["p"] == pytest.approx(exact, abs=0.02)
    assert found.loc[("falls", "edges"), "p"] == 1e-4  # none of 9,999 drawn is as far from zero
    assert row["p_holm"] == row["p"]  # the largest of two
    assert "flat" not in found.index.get_level_values("method")
    assert "causal" not in found.index.get_level_values("covariate")


def test_few_tasks_are_tested_against_all_their_orders():
    draw = np.random.default_rng(0)
    values, scores = np.array([1.0, 2, 2, 3, 5, 8]), draw.random((6, 3)).round(1)
    (found,), (p,) = rank_correlations(values[:, None], scores, orders=1)
    for method in range(3):
        expected = stats.permutation_test(
            (values,),
            partial(_distance, scores[:, method]),
            permutation_type="pairings",
            alternative="greater",
            n_resamples=np.inf,
        )
        assert found[method] == pytest.approx(stats.spearmanr(values, scores[:, method]).statistic)
        assert p[method] == pytest.approx(expected.pvalue)


def _distance(scores, values):
    return abs(stats.spearmanr(values, scores).statistic)


@pytest.mark.parametrize("tasks", [6, 30])
def test_one_task_that_is_unlike_and_is_failed_is_no_trend(tasks):
    """Student's law has a p-value of zero here."""
    odd = np.arange(tasks) == 3
    (found,), (p,) = rank_correlations(1.0 * odd[:, None], 1.0 - odd[:, None], orders=9_999)
    assert found[0] == pytest.approx(-1)
    assert p[0] == pytest.approx(1 / tasks, abs=0.006)


def test_bins_hold_all_tasks_and_their_means(scores, covariates):
    bins = difficulty_bins(scores, covariates)
    falls = bins[bins["method"] == "falls"]
    assert set(falls["covariate"]) == {"edges", "layers"}
    for name, count in (("edges", 4), ("layers", 2)):
        rows = falls[falls["covariate"] == name]
        assert (len(rows), rows["tasks"].sum()) == (count, 12)
        assert np.average(rows["normalised"], weights=rows["tasks"]) == pytest.approx(0.5)
        told = rows.dropna(subset=["low"])
        assert len(told) == (2 if name == "layers" else 0)  # bins of six tasks, and of three
        assert (told["low"] < told["normalised"]).all()
        assert (told["normalised"] < told["high"]).all()
    edges = falls[falls["covariate"] == "edges"]
    assert edges["from"].tolist() == [0, 9, 36, 81]
    assert edges["to"].tolist() == [4, 25, 64, 121]
    assert edges["normalised"].is_monotonic_decreasing


def test_where_nothing_varies_there_is_nothing_to_show(scores, covariates):
    alike = covariates.assign(edges=1.0, layers=np.nan)
    assert difficulty_trends(scores, alike).empty
    assert difficulty_bins(scores, alike).empty
