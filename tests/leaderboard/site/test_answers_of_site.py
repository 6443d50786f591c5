"""What was checked of answers stands on the pages: of methods, of boards, and of how to read."""

import re
import shutil

import pytest

from glassbench.compiler import rasp
from glassbench.errors import BundleError
from glassbench.evaluators import scored, scored_suite
from glassbench.evaluators.answers_check import check_answers
from glassbench.evaluators.result import MetricValue
from glassbench.ground_truth import load, make_task
from glassbench.leaderboard import (
    read_raw_results,
    read_results,
    write_leaderboard,
    write_site,
)
from glassbench.leaderboard.answer_counts import AnswerCounts

pytestmark = pytest.mark.usefixtures("without_figures")

NAMES = ("sort[vocab=2,length=3]", "frac_prevs[vocab=2,length=3]")


def failing(problem):
    raise RuntimeError("no luck")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Results of two methods with their answers, of one without, and failed runs."""
    made = tmp_path_factory.mktemp("results")
    tasks = [load(name) for name in NAMES]
    for one in scored_suite(["weight-norm", "path-norm", failing], tasks, "circuit"):
        one.write(made)
    without = [one.result for one in scored_suite(["eap"], tasks, "circuit")]
    for one in without:
        one.write(made)
    return made


@pytest.fixture
def folder(written, tmp_path):
    """The same, to be changed."""
    return shutil.copytree(written, tmp_path / "results")


def pages(site):
    """What is said of answers by method, and by the standings."""
    told = {}
    for page in (site / "methods").glob("*.html"):
        (said,) = re.findall("<dt>Answers</dt><dd>(.*?) \\(<a", page.read_text())
        told[re.sub("-[0-9a-f]{10}$", "", page.stem)] = said
    return told, (site / "boards" / "circuit.html").read_text()


def of_method(folder, name):
    return [one for one in read_results(folder) if one.tool.endswith(name)]


def test_states_of_answers_that_were_compared(folder):
    states = check_answers(folder, read_results(folder)).states
    assert {states[one.file_name] for one in of_method(folder, "path-norm")} == {"compared"}
    assert {states[one.file_name] for one in of_method(folder, "eap")} == {"absent"}
    assert not {one.file_name for one in of_method(folder, "failing")} & states.keys()


def test_pages_count_what_was_compared_and_what_was_not_there(folder, tmp_path):
    write_site(folder, tmp_path / "site", tables=False)
    told, board = pages(tmp_path / "site")
    compared = "0 measured again, 2 compared by digest, 0 not there"
    assert told.pop("eap") == "0 measured again, 0 compared by digest, 2 not there"
    assert told.pop("weight-norm") == told.pop("path-norm") == compared
    assert list(told.values()) == ["0 measured again, 0 compared by digest, 0 not there"]
    assert (
        "Not all answers were measured again: of 6, 0 were, 4 were compared by digest, and 2 were "
        'not there. <a href="../reading.html#answers">'
    ) in board
    reading = (tmp_path / "site" / "reading.html").read_text()
    for state in ("Measured again", "Compared by digest", "Not there"):
        assert f"<li><em>{state}</em>: " in reading


def test_pages_count_what_was_measured_again(folder, tmp_path):
    with pytest.raises(BundleError, match=r"eap on sort.*no answer is kept"):
        write_site(folder, tmp_path / "site", tables=False, verify=True)
    for one in of_method(folder, "eap"):
        (folder / one.file_name).unlink()
    write_site(folder, tmp_path / "site", tables=False, verify=True)
    told, board = pages(tmp_path / "site")
    assert told["path-norm"] == "2 measured again, 0 compared by digest, 0 not there"
    assert "Not all answers" not in board


def test_tasks_of_ones_own_are_measured_again(tmp_path):
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    task = make_task(rasp.SelectorWidth(same).named("mine"), "ab", 3)
    scored("weight-norm", task).write(tmp_path / "results")
    write_site(tmp_path / "results", tmp_path / "site", tables=False, verify=True, tasks=[task])
    assert pages(tmp_path / "site")[0]["weight-norm"].startswith("1 measured again")


def test_no_site_is_made_of_results_that_are_not_those_of_their_answers(folder, tmp_path):
    first, second = of_method(folder, "path-norm")
    answers = folder / "answers"
    (answers / first.file_name).write_bytes((answers / second.file_name).read_bytes())
    with pytest.raises(BundleError, match="is not the answer of its result"):
        write_site(folder, tmp_path / "site", tables=False)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("write", [write_site, write_leaderboard])
def test_what_was_submitted_is_not_believed(folder, tmp_path, write):
    """It is measured again by default, and must have an answer."""
    first, _ = of_method(folder, "path-norm")
    metric = first.metrics[first.primary]
    scale = {"random": metric.floors.random, "prior": metric.floors.prior}
    forged = MetricValue.of(metric.value - 0.125, **scale)
    metrics = {**first.metrics, first.primary: forged}
    mark = {"submission": "not even a digest"}
    first.model_copy(update={"metrics": metrics, "told": mark}).write(folder)
    with pytest.raises(BundleError, match=f"{first.primary}, value: must be "):
        write(folder, tmp_path / "out")
    write(folder, tmp_path / "out", verify=False)
    (folder / "answers" / first.file_name).unlink()
    with pytest.raises(BundleError, match="no answer is kept"):
        write(folder, tmp_path / "out")


@pytest.mark.parametrize(("option", "state"), [((), "compared"), (("--verify",), "measured")])
def test_the_command_says_what_it_checked(folder, invoke, tmp_path, option, state):
    for one in of_method(folder, "eap"):
        (folder / one.file_name).unlink()
    sites = [tmp_path / "first", tmp_path / "second"]
    for site in sites:
        invoke("leaderboard", str(folder), "-o", str(site), *option, "--no-circuits", "--no-tables")
    told, board = pages(sites[0])
    assert re.search(f"2 {state}", told["path-norm"])
    assert ("Not all answers" in board) == (state == "compared")
    contents = [
        {path.relative_to(site): path.read_bytes() for path in site.rglob("*.html")}
        for site in sites
    ]
    assert contents[0] == contents[1]


def test_counts_of_no_answers_at_all(folder):
    failed = [one for one in read_raw_results(folder) if one.result.status != "ok"]
    assert AnswerCounts.of(failed, {}) == AnswerCounts(0, 0, 0)
    assert AnswerCounts.of(failed, {}).note == ""
