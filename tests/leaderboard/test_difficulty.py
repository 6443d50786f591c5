"""What is known of tasks beforehand, and how scores go with it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glassbench.leaderboard import difficulty_bins, difficulty_trends, task_covariates

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
    expected = stats.spearmanr(np.arange(12) % 2, np.linspace(0.9, 0.1, 12))
    row = found.loc[("falls", "layers")]
    assert (row["spearman"], row["p"]) == pytest.approx((expected.statistic, expected.pvalue))
    assert row["p_holm"] == row["p"]  # the largest of two
    assert "flat" not in found.index.get_level_values("method")
    assert "causal" not in found.index.get_level_values("covariate")


def test_bins_hold_all_tasks_and_their_means(scores, covariates):
    bins = difficulty_bins(scores, covariates)
    falls = bins[bins["method"] == "falls"]
    assert set(falls["covariate"]) == {"edges", "layers"}
    for name, count in (("edges", 4), ("layers", 2)):
        rows = falls[falls["covariate"] == name]
        assert (len(rows), rows["tasks"].sum()) == (count, 12)
        assert np.average(rows["normalised"], weights=rows["tasks"]) == pytest.approx(0.5)
        assert (rows["low"] < rows["normalised"]).all()
        assert (rows["normalised"] < rows["high"]).all()
    edges = falls[falls["covariate"] == "edges"]
    assert edges["from"].tolist() == [0, 9, 36, 81]
    assert edges["to"].tolist() == [4, 25, 64, 121]
    assert edges["normalised"].is_monotonic_decreasing


def test_where_nothing_varies_there_is_nothing_to_show(scores, covariates):
    alike = covariates.assign(edges=1.0, layers=np.nan)
    assert difficulty_trends(scores, alike).empty
    assert difficulty_bins(scores, alike).empty
