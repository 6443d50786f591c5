"""Entries: results that are read once, and boards that are made once."""

import pytest

from glassbench.errors import BundleError
from glassbench.evaluators.result import Result
from glassbench.leaderboard import Statistics, read_raw_results
from glassbench.leaderboard.board import Question
from glassbench.leaderboard.entries import Entries

pytestmark = pytest.mark.usefixtures("without_figures")

CIRCUIT, FEATURES = Question("circuit"), Question("features")
INDEPENDENT = Question.differing("features", {"arm": "independent"})


@pytest.fixture
def folder(results, make_result, folder_of):
    """A folder of three questions; one tool is set otherwise on another track."""
    others = (
        make_result("good", "a-v1", 0.5, track="features", settings={"steps": 3}),
        make_result("sae", "a-v1", 0.4, track="features", question={"arm": "independent"}),
    )
    return folder_of((*results, *others))


@pytest.fixture
def ranked(monkeypatch):
    """The methods of all statistics that are made, in order."""
    made, of = [], Statistics.of

    def noted(frame, *scores):
        made.append(frame["method"].unique().tolist())
        return of(frame, *scores)

    monkeypatch.setattr(Statistics, "of", noted)
    return made


def test_a_method_is_called_the_same_under_each_question(folder):
    entries = Entries.of(read_raw_results(folder))
    assert entries.questions == (CIRCUIT, FEATURES, INDEPENDENT)
    methods = [entries.frame(one)["method"].unique().tolist() for one in entries.questions]
    assert methods == [["fails", "good (defaults)", "partial"], ["good (steps=3)"], ["sae"]]


def test_boards_that_are_there_are_not_made_again(folder, ranked):
    entries = Entries.of(read_raw_results(folder))
    first = entries.board(FEATURES)
    boards = entries.boards([first])
    assert [board.question for board in boards] == list(entries.questions)
    assert boards[1] is first
    assert [len(methods) for methods in ranked] == [1, 3, 1]


def test_a_question_that_no_result_answers_has_no_board(folder):
    entries = Entries.of(read_raw_results(folder))
    with pytest.raises(BundleError, match=r"asked with \{\"arm\": \"superposed\"\}, found none"):
        entries.board(Question.differing("features", {"arm": "superposed"}))


def test_the_command_reads_each_result_once_and_ranks_each_question_once(
    folder, ranked, invoke, tmp_path, monkeypatch
):
    read, parsed = [], Result.parsed
    monkeypatch.setattr(
        Result, "parsed", lambda content, where: (read.append(where), parsed(content, where))[1]
    )
    options = ("--no-circuits", "--no-tables", "--track", "features")
    invoke("leaderboard", str(folder), "-o", str(tmp_path / "site"), *options)
    assert sorted(read) == sorted(map(str, folder.glob("*.json")))
    assert ranked == [["good (steps=3)"], ["fails", "good (defaults)", "partial"], ["sae"]]
    written = (tmp_path / "site" / "leaderboard-features.md").read_text()
    assert "good (steps=3)" in written
