"""A folder of several suites: one of them is ranked alone, or it is said that they are several."""

import pytest

from glassbench.benchmark_programs import suite_members
from glassbench.errors import BundleError, TaskError
from glassbench.leaderboard import (
    on_suite,
    read_raw_results,
    read_results,
    write_leaderboard,
    write_site,
)
from glassbench.leaderboard.suite_choice import several_suites
from glassbench.leaderboard.task_facts import task_facts

pytestmark = pytest.mark.usefixtures("without_figures")

QUICK = [str(task) for task in suite_members("quick")]
CORE = [str(task) for task in suite_members("core")[:8]]
OPTIONS = ("--no-circuits", "--no-tables")


@pytest.fixture
def folder(make_result, folder_of):
    """Two methods on tasks of two suites, and on one of none."""
    return folder_of(
        tuple(
            make_result(name, task, 0.5)
            for name in ("good", "poor")
            for task in (*QUICK, *CORE, "mine-v1")
        )
    )


def test_results_on_the_tasks_of_a_suite_alone(folder):
    kept = on_suite(read_raw_results(folder), "quick")
    assert {one.result.task for one in kept} == set(QUICK)
    assert len(kept) == 12


def test_tables_and_sites_of_a_suite_alone(folder, tmp_path):
    board = write_leaderboard(folder, tmp_path / "board", suite="core")
    assert set(board.statistics.scores["task"]) == set(CORE)
    write_site(folder, tmp_path / "site", tables=False, suite="core")
    raw = read_results(tmp_path / "site" / "raw")
    assert {one.task for one in raw} == set(CORE)
    assert "2 methods, 8 tasks, 16 runs." in (tmp_path / "site" / "index.html").read_text()


def test_a_suite_of_which_there_are_no_results(folder):
    with pytest.raises(BundleError) as raised:
        on_suite(read_raw_results(folder), "trained")
    assert str(raised.value) == (
        "Expected results on tasks of the suite 'trained', found none among 30 results. Of their "
        "15 tasks 8 are of core, 6 more of quick, 1 of none: name another suite, or score methods "
        "on this one, with glassbench score METHOD --suite trained."
    )


def test_a_suite_that_does_not_exist(folder):
    with pytest.raises(TaskError, match="core"):
        on_suite(read_raw_results(folder), "coer")


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        (QUICK, ""),
        (CORE, ""),
        ([*QUICK, "mine-v1"], ""),
        (["mine-v1"], ""),
        ([CORE[0], *QUICK], "These 7 tasks are of no one suite: 6 are of quick, 1 more of core."),
    ],
)
def test_tasks_of_several_suites(tasks, told):
    assert several_suites(task_facts(tasks), tasks) == told


def test_the_command_takes_a_suite_and_says_what_it_left_out(folder, invoke, tmp_path):
    out = invoke("leaderboard", str(folder), "-o", str(tmp_path / "all"), *OPTIONS).stdout
    assert (
        "These 15 tasks are of no one suite: 8 are of core, 6 more of quick, 1 of none. "
        "--suite NAME ranks those of one.\n"
    ) in out
    board = tmp_path / "core"
    out = invoke("leaderboard", str(folder), "-o", str(board), "--suite", "core", *OPTIONS).stdout
    assert "Left out: 14 results on tasks that are not of core.\n" in out
    assert "no one suite" not in out
    assert "8/8" in (board / "leaderboard.md").read_text()
    arguments = ("leaderboard", str(folder), "-o", str(board), *OPTIONS, "--suite")
    assert "8 are of core, 6 more of quick" in invoke(*arguments, "trained", code=1).stderr
    assert "quick" in invoke(*arguments, "quik", code=1).stderr
