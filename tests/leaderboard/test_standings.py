"""From a folder of results to ranked rows."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import BundleError
from glassbench.evaluators.result import MetricValue
from glassbench.leaderboard import (
    failures,
    read_results,
    results_frame,
    run_scores,
    standings,
    task_scores,
)

AP, AUROC = "edge_average_precision", "edge_auroc"


def row_of(table: pd.DataFrame, method: str, role: str = "method") -> pd.Series:
    found = table[(table["method"] == method) & (table["role"] == role)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_folder_is_read_whole_and_in_order(results, folder_of):
    folder = folder_of(results)
    (folder / "notes.json").write_text("not a result")
    found = read_results(folder)
    assert [one.file_name for one in found] == sorted(one.file_name for one in results)


def test_an_empty_or_absent_folder_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(BundleError, match="expected a folder of results, found none"):
            read_results(folder)


def test_a_renamed_result_is_refused(results, folder_of):
    folder = folder_of(results[:1])
    (folder / results[0].file_name).rename(folder / f"{'0' * 32}.json")
    with pytest.raises(BundleError, match=f"0000.json: its tool.*{results[0].file_name}"):
        read_results(folder)


def test_the_frame_has_a_row_per_result_and_metric(results):
    frame = results_frame(results)
    assert len(frame) == 2 * len(results)
    failed = frame[frame["status"] == "failed"]
    assert failed["value"].isna().all()
    assert failed["floor"].notna().all()


def test_methods_are_ranked_by_the_mean_normalised_primary_metric(results):
    table = standings(results_frame(results))
    assert table["method"].tolist() == ["oracle", "good", "fails", "prior", "partial", "random"]
    assert table["rank"].tolist() == ["", "1-3", "1-3", "", "1-3", ""]
    assert row_of(table, "good")["normalised"] == pytest.approx((1 + 0.5) / 2)
    assert row_of(table, "good")[AP] == pytest.approx(0.8)
    assert row_of(table, "good")[AUROC] == pytest.approx(0.8)


def test_a_failed_run_counts_as_random_and_is_counted(results):
    row = row_of(standings(results_frame(results)), "fails")
    assert row["normalised"] == pytest.approx((0.5 - 0.125) / 2)
    assert row[AP] == pytest.approx((0.6 + 0.1) / 2)
    assert (row["failed"], row["missing"], row["answered"], row["tasks"]) == (1, 0, 1, 2)
    assert row["seconds"] == pytest.approx(2.0)


def test_means_of_seconds_leave_out_those_that_are_not_known(results, make_result):
    silent = [make_result("silent", task, 0.6, wall_seconds=None) for task in ("a-v1", "b-v1")]
    half = make_result("good", "a-v1", 1.0, wall_seconds=None)
    table = standings(results_frame((half, *results[1:], *silent)))
    assert row_of(table, "good")["seconds"] == pytest.approx(2.0)
    assert pd.isna(row_of(table, "silent")["seconds"])
    alone = standings(results_frame(silent))
    assert pd.isna(row_of(alone, "silent")["seconds"])


def test_a_task_that_was_not_run_counts_as_random_and_is_counted(results):
    row = row_of(standings(results_frame(results)), "partial")
    assert row["normalised"] == pytest.approx((-0.125 - 0.125) / 2)
    assert (row["failed"], row["missing"], row["answered"]) == (0, 1, 1)


def test_a_failure_that_records_no_metrics_takes_the_floors_of_the_task(results, make_result):
    bare = make_result("fails", "b-v1", None, metrics={}, wall_seconds=3.0)
    with_metrics = standings(results_frame(results))
    without = standings(results_frame((*results[:3], bare, results[4])))
    pd.testing.assert_frame_equal(with_metrics, without)


def test_where_every_method_failed_the_table_still_stands(make_result):
    frame = results_frame([make_result("fails", "a-v1", None), make_result("fails", "b-v1", None)])
    row = row_of(standings(frame), "fails")
    assert (row["normalised"], row["failed"], row["answered"]) == (pytest.approx(-0.125), 2, 0)


def test_where_nothing_is_known_of_a_task_the_table_still_stands(make_result):
    frame = results_frame([make_result("fails", "a-v1", None, metrics={})])
    row = row_of(standings(frame), "fails")
    assert (row["normalised"], row["failed"], row["tasks"]) == (0.0, 1, 1)


def test_a_task_on_which_all_failed_without_metrics_is_not_dropped(results, make_result):
    bare = make_result("good", "c-v1", None, metrics={})
    row = row_of(standings(results_frame((*results, bare))), "good")
    assert row["normalised"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert (row["tasks"], row["failed"]) == (3, 1)


def test_the_references_stand_where_their_scores_put_them(results):
    table = standings(results_frame(results))
    oracle, prior = row_of(table, "oracle", "ceiling"), row_of(table, "prior", "floor")
    random = row_of(table, "random", "floor")
    assert (oracle["normalised"], oracle[AP]) == (1.0, 1.0)
    assert (prior["normalised"], prior[AP], prior[AUROC]) == (0.0, 0.2, 0.5)
    assert random["normalised"] == pytest.approx(-0.125)


def test_without_a_suite_there_is_no_prior_row(make_result):
    alone = {AP: MetricValue.of(0.5, random=0.1)}
    table = standings(results_frame([make_result("good", "a-v1", 0.5, metrics=alone)]))
    assert set(table["method"]) == {"good", "oracle", "random"}
    assert row_of(table, "good")[["low", "high"]].isna().all()


def test_a_method_may_bear_the_name_of_a_reference(results, make_result):
    table = standings(results_frame((*results, make_result("random", "a-v1", 0.9))))
    assert row_of(table, "random")["answered"] == 1
    assert row_of(table, "random", "floor")["rank"] == ""


def test_settings_are_shown_where_they_tell_methods_apart(make_result):
    frame = results_frame(
        [
            make_result("eap", "a-v1", 0.5),
            make_result("eap", "a-v1", 0.6, settings={"steps": 5, "kind": "ig"}),
            make_result("norm", "a-v1", 0.6, settings={"order": 2}),
        ]
    )
    assert set(frame["method"]) == {"eap (defaults)", "eap (kind=ig, steps=5)", "norm"}


def test_seeds_are_averaged_before_tasks(make_result):
    frame = results_frame(
        [
            make_result("m", "a-v1", 1.0, seed=0),
            make_result("m", "a-v1", 0.6, seed=1),
            make_result("m", "a-v1", None, seed=2),
            make_result("m", "b-v1", 1.0),
        ]
    )
    row = row_of(standings(frame), "m")
    assert row["normalised"] == pytest.approx(((1 + 0.5 - 0.125) / 3 + 1) / 2)
    assert (row["failed"], row["answered"], row["tasks"]) == (1, 1, 2)


def test_equal_scores_share_a_rank(make_result):
    frame = results_frame([make_result(name, "a-v1", 0.5) for name in ("y", "x")])
    table = standings(frame)
    assert table[table["role"] == "method"][["rank", "method"]].values.tolist() == [
        ["1-2", "x"],
        ["1-2", "y"],
    ]


def test_nothing_depends_on_the_order_of_results(results):
    first = standings(results_frame(results))
    pd.testing.assert_frame_equal(first, standings(results_frame(results[::-1])))


def test_the_interval_is_over_tasks(make_result):
    tasks = [make_result("m", f"t{i}-v1", 0.2 + 0.05 * i) for i in range(10)]
    row = row_of(standings(results_frame(tasks)), "m")
    assert row["low"] < row["normalised"] < row["high"]
    assert row["high"] - row["low"] < 0.5


def test_task_scores_leave_no_hole(results):
    scores = task_scores(results_frame(results))
    methods = scores[scores["role"] == "method"]
    assert len(methods) == 3 * 2 * 2
    assert not methods["normalised"].isna().any()
    outcome = methods[methods["primary"].astype(bool)].set_index(["method", "task"])["outcome"]
    assert outcome["fails", "b-v1"] == "failed"
    assert outcome["partial", "b-v1"] == "missing"
    assert outcome["good", "a-v1"] == "ok"


def test_failures_are_listed_with_their_reason(results):
    failed = failures(results_frame(results))
    assert failed.values.tolist() == [["fails", "b-v1", 0, "failed", "ToolError: out of luck"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task_digest": "1" * 64}, "a-v1: the task's digest must be one, got 0000.*, 1111"),
        ({"metrics": {AP: MetricValue.of(0.5, random=0.1)}}, "the floor must be one, got 0.1, 0.2"),
        (
            {"metrics": {AP: MetricValue.of(0.5, random=0.1, prior=0.2, ceiling=0.9)}},
            "the ceiling must be one, got 0.9, 1",
        ),
        (
            {"primary": AUROC, "metrics": {AUROC: MetricValue.of(0.5, random=0.5)}},
            "the primary metric must be one, got edge_auroc, edge_average_precision",
        ),
    ],
)
def test_results_measured_with_different_rods_are_not_ranked(
    results, changes, message, make_result
):
    odd = make_result("odd", "a-v1", 0.5, **changes)
    with pytest.raises(BundleError, match=message):
        results_frame((*results, odd))


def test_tracks_are_kept_apart(results, make_result):
    other = make_result("good", "a-v1", 0.5, track="features", task_digest="1" * 64)
    pd.testing.assert_frame_equal(results_frame(results), results_frame((*results, other)))
    with pytest.raises(BundleError, match="results of track 'program', found none"):
        results_frame(results, "program")


def test_a_method_that_fails_is_never_above_one_that_answers_at_random(make_result):
    """Otherwise the way to a better mean would be to fail on hard tasks."""
    frame = results_frame([make_result("fails", "a-v1", None), make_result("blind", "a-v1", 0.1)])
    table = standings(frame)
    assert row_of(table, "fails")["normalised"] == row_of(table, "blind")["normalised"]


def test_a_run_that_others_have_and_a_method_has_not_counts_as_random(make_result):
    frame = results_frame(
        [
            *(make_result("whole", "a-v1", 0.6, seed=seed) for seed in range(4)),
            # The best seed alone earns no more than what is there, over all that is owed.
            make_result("picky", "a-v1", 1.0, seed=2),
            make_result("whole", "b-v1", 0.6, seed=0),
            make_result("picky", "b-v1", 0.6, seed=7),
        ]
    )
    table = standings(frame)
    whole, picky = row_of(table, "whole"), row_of(table, "picky")
    assert (whole["runs"], whole["missing"], whole["answered"]) == (5, 0, 2)
    assert (picky["runs"], picky["missing"], picky["answered"]) == (5, 3, 1)
    assert whole["normalised"] == pytest.approx(0.5)
    assert picky["normalised"] == pytest.approx(((1 - 3 * 0.125) / 4 + 0.5) / 2)
    assert picky[AP] == pytest.approx(((1 + 3 * 0.1) / 4 + 0.6) / 2)
    scores = task_scores(frame).set_index(["method", "task", "metric"])
    assert scores.loc[("picky", "a-v1", AP), "outcome"] == "missing"
    runs = run_scores(frame)
    assert runs.methods == ("picky", "whole")
    assert sorted(runs.values[0, 0]) == pytest.approx([-0.125, -0.125, -0.125, 1])
    assert np.isnan(runs.values[:, 1, 1:]).all()
    primary = task_scores(frame).query("role == 'method' and primary")
    means = np.nanmean(runs.values, axis=-1)
    np.testing.assert_allclose(means.ravel(), primary["normalised"])


def test_more_seeds_than_others_have_win_nothing(make_result):
    honest = [make_result(f"m{n}", "a-v1", 0.8, seed=seed) for n in range(2) for seed in range(2)]
    many = [make_result("many", "a-v1", 0.6 + 0.01 * seed, seed=seed) for seed in range(100)]
    table = standings(results_frame([*honest, *many]))
    for name in ("m0", "m1"):
        row = row_of(table, name)
        assert row[AP] == pytest.approx(0.8)
        assert (row["runs"], row["missing"], row["surplus"]) == (2, 0, 0)
    row = row_of(table, "many")
    assert row[AP] == pytest.approx((0.6 + 0.61) / 2)  # the two lowest seeds
    assert (row["runs"], row["missing"], row["surplus"]) == (2, 0, 98)


def test_no_task_counts_for_less_than_minus_one(make_result):
    def narrow(tool, task, value):
        return make_result(
            tool, task, value, metrics={AP: MetricValue.of(value, random=0.7, prior=0.99)}
        )

    runs = [narrow("m", "a-v1", 0.5), narrow("m", "b-v1", 1.0)]
    runs += [narrow("n", "a-v1", None), narrow("n", "b-v1", 1.0)]
    table = standings(results_frame(runs))
    for name in ("m", "n"):
        assert row_of(table, name)["normalised"] == pytest.approx(0.0)
    assert table.set_index("method").loc["random", "normalised"] == pytest.approx(-1.0)
    values = run_scores(results_frame(runs)).values
    assert values[..., 0].tolist() == [[-1.0, 1.0], [-1.0, 1.0]]


def test_seeds_have_an_interval_where_every_task_has_several(make_result):
    values = [(0.5, 0.6, 0.7), (0.8, 0.8, 0.9)]
    runs = [
        make_result("m", f"{'ab'[task]}-v1", value, seed=seed)
        for task, of_task in enumerate(values)
        for seed, value in enumerate(of_task)
    ]
    row = row_of(standings(results_frame(runs)), "m")
    assert row["seed_low"] < row["normalised"] < row["seed_high"]
    assert row_of(standings(results_frame(runs[:4])), "m")[["seed_low", "seed_high"]].isna().all()


def test_the_worst_decile_has_an_interval_on_many_tasks(make_result):
    many = [make_result("m", f"t{i:03}-v1", 0.2 + 0.007 * i) for i in range(100)]
    row = row_of(standings(results_frame(many)), "m")
    assert row["worst_decile_low"] < row["worst_decile"] < row["worst_decile_high"]
    fewer = row_of(standings(results_frame(many[1:])), "m")
    assert np.isnan(fewer["worst_decile_low"])
    assert fewer["interquartile_mean_low"] < fewer["interquartile_mean"]
