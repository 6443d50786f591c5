"""The page on the first leaderboard says what its tables say, and those what the results say."""

import json
import re
from itertools import combinations, product
from pathlib import Path

import pandas as pd
import pytest

from glassbench.benchmark_programs import get_suite
from glassbench.benchmark_programs.relevance_measures import measured_relevance
from glassbench.evaluators import TRACKS, built_in
from glassbench.leaderboard import read_results, results_frame, standings
from glassbench.leaderboard.pairwise import ALPHA

DOCS = Path(__file__).resolve().parent.parent / "docs"
RAW = DOCS / "leaderboard" / "raw"


@pytest.fixture(scope="module")
def page(docs_script):
    return docs_script("make_first_leaderboard")


@pytest.fixture(scope="module")
def results():
    return read_results(RAW)


def test_its_tables_are_those_of_the_board(page):
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_tables(text) == text


@pytest.mark.parametrize("track", ["circuit", "variables", "program", "features", "attribution"])
def test_the_tables_of_the_board_are_those_of_its_results(results, track):
    table = standings(results_frame(results, track)).set_index("method")
    written = pd.read_csv(DOCS / f"leaderboard/tables/{track}.csv", dtype={"rank": "str"})
    written = written.set_index("method").fillna({"rank": ""})
    assert list(written.index) == list(table.index)
    assert (written["rank"] == table["rank"]).all()
    numbers = ["normalised", "low", "high", "worst_decile", "seconds"]
    pd.testing.assert_frame_equal(written[numbers], table[numbers], rtol=1e-6)


def test_every_built_in_method_and_adapter_was_asked(results):
    from glassbench.evaluators.adapters import ADAPTERS

    asked = {(result.tool, result.track) for result in results}
    expected = {(name, track) for track in TRACKS for name in built_in(track)}
    expected |= {(adapter.name, adapter.track) for adapter in ADAPTERS.values()}
    assert expected <= asked


def test_what_the_page_says_of_who_is_told_apart():
    pairs = pd.read_csv(DOCS / "leaderboard/leaderboard-pairwise.csv")
    told = pairs[pairs["p_holm"] < ALPHA]
    apart = {frozenset(pair) for pair in zip(told["first"], told["second"], strict=True)}
    found = ["interchange-exact", "auto-circuit-edge-patching", "interchange"]
    found += ["transformer-lens-path-patching", "edge-pruning", "acdc", "auto-circuit-acdc"]
    probing = ["auto-circuit-subnetwork-probing", "subnetwork-probing"]
    tied = [*probing, "transformer-lens-activation-patching", "nnsight-activation-patching"]
    for some in (found, tied):
        assert not {frozenset(pair) for pair in combinations(some, 2)} & apart
    assert {frozenset(pair) for pair in product(found, tied)} <= apart


def test_the_methods_page_has_the_same_scores_on_core(page):
    known = {row["method"]: float(row["normalised"]) for row in page.rows_of("circuit")}
    text = (DOCS / "circuit.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `([^`]+)` \|.*\| [\d.]+ \| (-?[\d.]+) \| [\d.]+ \| [\d.]+ \|$", text, re.M
    )
    assert len(rows) == 11
    for method, score in rows:
        assert score == f"{known[method]:.3f}", method


def test_every_result_is_of_the_suite_it_names():
    core = set(map(str, get_suite("core")))
    found = [json.loads(file.read_text(encoding="utf-8")) for file in RAW.glob("*.json")]
    assert {result["task"] for result in found} == core
    assert not any(result["environment"]["git_dirty"] for result in found)


def test_every_method_was_asked_about_every_task_that_poses_its_question(results):
    known = measured_relevance()
    asked = {track: set(map(str, get_suite("core"))) for track in TRACKS}
    asked["attribution"] = {task for task in asked["attribution"] if known[task].ranked}
    asked["variables"] = {one.task for one in results if one.track == "variables"}
    assert len(asked["variables"]) == 41  # one program has no variable to ask about
    runs = {}
    for one in results:
        assert one.seed == 0
        runs.setdefault((one.track, one.tool, str(one.settings)), set()).add(one.task)
    for (track, *method), tasks in runs.items():
        assert tasks == asked[track], method


def test_how_many_answers_were_there():
    """The pages of methods count them, and the text says what they come to."""
    there, gone = 0, 0
    for place in (DOCS / "leaderboard" / "methods").glob("*.html"):
        told = re.search(
            r"([\d,]+) compared by digest, ([\d,]+) not there", place.read_text(encoding="utf-8")
        )
        there += int(told[1].replace(",", ""))
        gone += int(told[2].replace(",", ""))
    text = " ".join((DOCS / "first_leaderboard.md").read_text(encoding="utf-8").split())
    assert f"Of {there + gone:,}, {there:,} were there when the site was made" in text
    assert f"the other {gone:,} were no longer kept" in text


def seconds_of(results, tool):
    """Return the seconds of a method's runs, the longest last, and of which program that was."""
    runs = sorted((one.wall_seconds, one.task) for one in results if one.tool == tool)
    return [seconds for seconds, _ in runs], runs[-1][1].partition("-")[0]


def test_which_seconds_hang_on_a_single_run(results):
    text = " ".join((DOCS / "first_leaderboard.md").read_text(encoding="utf-8").split())
    said = r"`([\w-]+)` (?:took )?([\d,]+) s on `(\w+)` and ([\d.]+) s in the [a-z ]+ (\d+)"
    told = re.findall(said, text)
    assert len(told) == 2
    for tool, longest, program, others, count in told:
        (*rest, last), of = seconds_of(results, tool)
        assert (f"{last:,.0f}", of, len(rest)) == (longest, program, int(count))
        assert float(others) == pytest.approx(sum(rest) / len(rest), abs=0.5)


def test_how_long_an_autoencoder_takes(results):
    (*rest, _), _ = seconds_of(results, "sae-l1")
    for tool in ("sae-topk", "sae-batch-topk"):
        rest += seconds_of(results, tool)[0]
    text = " ".join((DOCS / "features.md").read_text(encoding="utf-8").split())
    assert f"a task took them {min(rest):.0f} to {max(rest):.0f} seconds" in text
