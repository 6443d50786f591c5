"""`glassbench submit` and `validate`, `leaderboard` with answers, and hold-outs from the shell."""

import json
import shutil
from pathlib import Path
from types import MappingProxyType

import pytest

from glassbench.benchmark_programs import suites
from glassbench.benchmark_programs.suites import SUITES, Suite
from glassbench.evaluators import KeptAnswer, Result, Scored
from glassbench.evaluators.validation import validated
from glassbench.ground_truth.holdout import commit

pytestmark = pytest.mark.usefixtures("without_figures")

TINY = Suite("Two small tasks.", lambda: ("sort[vocab=2,length=3]", "frac_prevs[vocab=2,length=3]"))
METHOD = "def mine(problem):\n    return {edge: float(len(edge)) for edge in problem.edges}\n"
ABOUT = ("--author", "A", "--licence", "CC0-1.0", "--contact", "a@example.org")
SEED = 2**64 + 11


@pytest.fixture
def run(tmp_path, monkeypatch, invoke):
    """Run the command in a folder with a method, where there is a suite of two small tasks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(suites, "SUITES", MappingProxyType({**SUITES, "tiny": TINY}))
    (tmp_path / "submitted_method.py").write_text(METHOD)
    return invoke


@pytest.fixture
def submission(run, tmp_path):
    """A submission of the method."""
    run("score", "submitted_method:mine", "--suite", "tiny", "-o", "results")
    out = run("submit", "results", "-o", "mine", "--suite", "tiny", "--name", "Mine", *ABOUT).stdout
    assert "Written: 2 runs in mine" in out
    return tmp_path / "mine"


def edited(folder, run=(), **fields):
    """Change fields of the record of a submission, and of its first run."""
    file = folder / "submission.json"
    content = json.loads(file.read_text())
    content["runs"][0] |= dict(run)
    file.write_text(json.dumps(content | fields))


def tools(folder):
    """The tool of every result in a folder."""
    return sorted(json.loads(path.read_text())["tool"] for path in folder.glob("*.json"))


def files_of(folder):
    """Every file below a folder, with its bytes."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_from_scores_to_a_leaderboard(run, submission, tmp_path):
    out = run("validate", "mine", "-o", "board").stdout
    assert [line.split() for line in out.splitlines() if line.endswith("accepted")] == [
        ["Mine", "2", "2", "0", "accepted"]
    ]
    assert "## Mine: accepted" in (tmp_path / "board" / "report.md").read_text()
    first = sorted(path.read_text() for path in (tmp_path / "results").glob("*.json"))
    again = sorted(path.read_text() for path in (tmp_path / "board" / "results").glob("*.json"))
    assert [json.loads(text)["metrics"] for text in first] == [
        json.loads(text)["metrics"] for text in again
    ]
    for options, counts in (((), (2, 0)), (("--verify",), (2, 0)), (("--no-verify",), (0, 2))):
        done = run("leaderboard", "board/results", "-o", "tables", "--no-tables", *options)
        measured, compared = counts
        told = f"2 answers: {measured} measured again, {compared} compared by digest."
        assert told in done.stderr
        assert "Mine" in done.stdout
    assert (tmp_path / "tables" / "leaderboard.md").is_file()


def test_submissions_are_ranked_with_methods_that_were_scored_here(run, submission, tmp_path):
    """What docs/publish_leaderboard.md and CONTRIBUTING.md say."""
    run("score", "weight-norm", "interchange", "--suite", "tiny", "-o", "board/results")
    run("validate", "mine", "--seeds", "1", "-o", "board")
    shown = run("leaderboard", "board/results", "--suite", "tiny", "-o", "site")
    assert "6 answers: 2 measured again, 4 compared by digest." in shown.stderr
    for name in ("Mine", "weight-norm", "interchange"):
        assert name in shown.stdout
        assert len(list((tmp_path / "site" / "methods").glob(f"{name.lower()}-*.html"))) == 1
    table = (tmp_path / "site" / "leaderboard.md").read_text()
    assert all(name in table for name in ("Mine", "weight-norm", "interchange"))
    run("score", "weight-norm", "interchange", "--suite", "tiny", "-o", "board/results")
    assert tools(tmp_path / "board" / "results").count("Mine") == 2


def test_a_submission_with_a_problem_is_refused_and_others_are_not(run, submission, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "submission.json").write_text("{}")
    done = run("validate", "mine", "other", "-o", "board", code=1)
    assert "These submissions are refused:" in done.stderr
    assert "other must be the folder of a submission:" in done.stderr
    assert len(list((tmp_path / "board" / "results").glob("*.json"))) == 2
    report = json.loads((tmp_path / "board" / "report.json").read_text())
    assert [one["accepted"] for one in report["submissions"]] == [True, False]
    assert report["submissions"][1]["name"] is None


def test_claims_are_compared_and_never_used(run, submission, tmp_path):
    edited(submission, run={"claimed": 0.999})
    done = run("validate", "mine", "-o", "board", code=1)
    assert "and 0.999 is claimed" in done.stderr
    assert not (tmp_path / "board" / "results").exists()
    assert "0\\.999 is claimed" in (tmp_path / "board" / "report.md").read_text()


def test_two_submissions_cannot_bear_one_name(run, submission, tmp_path):
    run("submit", "results", "-o", "again", "--suite", "tiny", "--name", "MINE", *ABOUT)
    done = run("validate", "mine", "again", "-o", "board", code=1)
    assert "again: the name 'Mine' is that of the submission 'mine'" in done.stderr
    run("validate", "mine", "-o", "board")
    # Who had the name keeps it, in whatever order they are given.
    done = run("validate", "again", "mine", "-o", "board", code=1)
    assert "again: the name 'Mine' is that of the submission 'mine'" in done.stderr
    report = json.loads((tmp_path / "board" / "report.json").read_text())["submissions"]
    assert [(one["place"], one["accepted"]) for one in report] == [("again", False), ("mine", True)]
    # Elsewhere the first keeps it, unless it is refused.
    done = run("validate", "again", "mine", "-o", "new", code=1)
    assert "mine: the name 'MINE' is that of the submission 'again'" in done.stderr
    edited(tmp_path / "again", run={"claimed": 0.999})
    done = run("validate", "again", "mine", "-o", "other", code=1)
    assert "the name" not in done.stderr


def test_names_of_merged_submissions_are_taken(run, submission, tmp_path):
    """A new folder cannot take the name of one that is merged, and a merged one can be mended."""
    submission.rename(tmp_path / "zebra")
    shutil.copytree(tmp_path / "zebra", tmp_path / "merged" / "zebra")
    (tmp_path / "merged" / "README.md").write_text("")
    run("submit", "results", "-o", "ant", "--suite", "tiny", "--name", "mINE", *ABOUT)
    done = run("validate", "ant", "--beside", "merged", "-o", "board", code=1)
    assert "ant: the name 'Mine' is that of the submission 'zebra'; choose another" in done.stderr
    done = run("validate", "ant", "zebra", "--beside", "merged", "-o", "board", code=1)
    assert "zebra: " not in done.stderr
    assert tools(tmp_path / "board" / "results") == ["Mine", "Mine"]
    done = run("validate", "zebra", "--beside", "none", code=1)
    assert "none must be a folder of submissions, and cannot be read" in done.stderr


def test_a_submission_can_be_mended_and_withdrawn_beside_own_results(run, submission, tmp_path):
    results = tmp_path / "board" / "results"
    run("score", "weight-norm", "--suite", "tiny", "-o", "board/results")
    own = files_of(results)
    run("submit", "results", "-o", "other", "--suite", "tiny", "--name", "Other", *ABOUT)
    out = run("validate", "mine", "other", "-o", "board").stdout
    assert "Removed" not in out
    assert tools(results) == ["Mine"] * 2 + ["Other"] * 2 + ["weight-norm"] * 2
    assert len(list((results / "submissions").iterdir())) == 2

    edited(submission, description="Mended.")
    out = run("validate", "mine", "other", "-o", "board").stdout
    assert "Removed" not in out
    assert tools(results) == ["Mine"] * 2 + ["Other"] * 2 + ["weight-norm"] * 2
    kept = [json.loads(path.read_text()) for path in (results / "submissions").iterdir()]
    assert sorted(str(one["description"]) for one in kept) == ["Mended.", "None"]
    again = files_of(results)
    run("validate", "mine", "other", "-o", "board")
    assert files_of(results) == again

    out = run("validate", "mine", "-o", "board").stdout
    assert "Removed: 2 results of submissions that are not accepted now, in board/results" in out
    assert tools(results) == ["Mine"] * 2 + ["weight-norm"] * 2
    edited(submission, run={"claimed": 0.999})
    run("validate", "mine", "-o", "board", code=1)
    assert files_of(results) == own


def test_what_was_accepted_outlives_a_validation_that_ends_midway(run, submission, monkeypatch):
    run("submit", "results", "-o", "other", "--suite", "tiny", "--name", "Other", *ABOUT)
    run("validate", "mine", "other", "-o", "board")
    before = files_of(Path("board"))

    def stopped(submission, *args, **options):
        if submission.record.name == "Other":
            raise RuntimeError("the power is gone")
        return validated(submission, *args, **options)

    monkeypatch.setattr("glassbench.evaluators.validation.validated", stopped)
    for place in (submission, Path("other")):
        edited(place, description="Mended.")
    done = run("validate", "mine", "other", "-o", "board", code=1)
    assert str(done.exception) == "the power is gone"
    after = files_of(Path("board"))
    assert before.keys() < after.keys()  # the record of the mended one came
    assert tools(Path("board/results")) == ["Mine"] * 2 + ["Other"] * 2


def test_an_organiser_bounds_the_seeds(run, tmp_path):
    run("score", "submitted_method:mine", "--suite", "tiny", "--seeds", "2", "-o", "results")
    run("submit", "results", "-o", "mine", "--suite", "tiny", "--name", "Mine", *ABOUT)
    done = run("validate", "mine", "-o", "board", "--seeds", "1", code=1)
    assert done.stderr.count("seeds must be 0 to 0, got 1; leave it out") == 2
    run("validate", "mine", "-o", "board", "--seeds", "2")
    assert len(list((tmp_path / "board" / "results").glob("*.json"))) == 4


def test_several_methods_in_a_folder(run, submission):
    run("score", "weight-norm", "--suite", "tiny", "-o", "results")
    asked = ("submit", "results", "-o", "one", "--suite", "tiny", *ABOUT)
    done = run(*asked, code=1)
    assert "of one method with one choice of settings; say which by --method:" in done.stderr
    assert "  - submitted_method:mine\n  - weight-norm\n" in done.stderr
    named = (*asked, "--method", "weight-norm")
    assert "the name 'weight-norm' is that of a built-in method" in run(*named, code=1).stderr
    done = run(*asked, "--method", "x", code=1)
    assert "results must hold results of 'x', and holds those of submitted_method:mine, wei" in (
        " ".join(done.stderr.split())
    )
    run(*named, "--name", "Norms", "--date", "2026-01-31", "--code", "https://example.org")


def test_one_of_several_settings_is_submitted(run, submission, tmp_path):
    """A tool with other settings is another method, by the name that leaderboards show."""
    for k in (1, 2):
        for path in list((tmp_path / "results").glob("*.json")):
            first = Result.read(path)
            if not first.settings:
                one = first.model_copy(update={"tool": "tool", "settings": {"k": k}})
                answer = KeptAnswer.read("results", first).content
                Scored(one, KeptAnswer.of(one, answer)).write("results")
    asked = ("submit", "results", "--suite", "tiny", "--name", "Tool", *ABOUT, "-o")
    done = run(*asked, "one", "--method", "tool", code=1)
    assert "say which by --method:\n  - tool (k=1)\n  - tool (k=2)\n" in done.stderr
    out = run(*asked, "one", "--method", "tool (k=2)").stdout
    assert "Written: 2 runs in one" in out and "Left out" not in out
    assert json.loads((tmp_path / "one" / "submission.json").read_text())["settings"] == {"k": 2}
    run("validate", "one", "-o", "board")


def test_results_on_tasks_of_another_suite_are_left_out(run, submission, tmp_path, monkeypatch):
    larger = Suite("Three small tasks.", lambda: (*TINY.choose(), "reverse[vocab=2,length=3]"))
    monkeypatch.setattr(suites, "SUITES", MappingProxyType({**suites.SUITES, "larger": larger}))
    run("score", "weight-norm", "--suite", "larger", "-o", "results")
    out = run(
        "submit",
        "results",
        "-o",
        "two",
        "--suite",
        "tiny",
        "--name",
        "Norms",
        *ABOUT,
        "--method",
        "weight-norm",
    ).stdout
    assert "Written: 2 runs in two" in out
    assert "Left out: 1 result on tasks that are not of the suite 'tiny'" in out
    done = run("submit", "results", "-o", "none", "--suite", "toys", *ABOUT, code=1)
    assert "Expected results on tasks of the suite 'toys', found none among 5 results" in (
        " ".join(done.stderr.split())
    )


def test_the_leaderboard_refuses_what_does_not_match(run, submission, tmp_path):
    run("validate", "mine", "-o", "board")
    files = sorted((tmp_path / "board" / "results" / "answers").glob("*.json"))
    files[0].unlink()
    done = run("leaderboard", "board/results", "-o", "tables", code=1)
    assert ": no answer is kept" in done.stderr
    quick = ("--no-tables", "--no-circuits", "--no-verify")
    done = run("leaderboard", "board/results", "-o", "tables", *quick)
    assert "1 compared by digest. Of these results no answer is kept:" in done.stderr
    assert "  - Mine on " in done.stderr
    content = json.loads(files[1].read_text())
    files[1].write_text(json.dumps(content | {"scores": dict.fromkeys(content["scores"], 1.0)}))
    done = run("leaderboard", "board/results", "-o", "others", code=1)
    assert "holds results that are not those of their answers" in done.stderr
    assert not (tmp_path / "others" / "leaderboard.md").exists()


@pytest.fixture(scope="module")
def secret():
    return commit(1, "easy", regimes="exact", seed=SEED)


def answered(place, problems):
    """Answer every problem of a folder alike, without this package."""
    runs = []
    for one in json.loads((problems / "problems.json").read_text())["problems"]:
        asked = json.loads((problems / one["problem"] / "problem.json").read_text())
        folder = place / "answers" / one["problem"]
        folder.mkdir(parents=True)
        scores = dict.fromkeys(asked["answer"]["names"], 0.5)
        answer = {"format_version": "1.0", "problem": asked["id"], "scores": scores}
        (folder / "answer.json").write_text(json.dumps(answer))
        runs.append({**one, "folder": folder.name})
    record = {"format_version": "1.0", "name": "Flat", "authors": ["A"], "contact": "a"}
    return record | {"licence": "CC0-1.0", "runs": runs}


def test_a_hold_out_from_the_shell(run, secret, tmp_path):
    secret.write("secret.json")
    secret.commitment.write("commitment.json")
    out = run("holdout", "problems", "secret.json", "-o", "problems", "--seeds", "2").stdout
    assert "Written: 2 problems in problems" in out
    record = answered(tmp_path / "mine", tmp_path / "problems")
    assert all(one["task"] is None for one in record["runs"])
    (tmp_path / "mine" / "submission.json").write_text(json.dumps(record))
    run("holdout", "reveal", "secret.json", "--commitment", "commitment.json", "-o", "tasks")
    done = run("validate", "mine", "-o", "board", code=1)
    assert "It names no suite: give the tasks of its hold-out with --tasks" in done.stderr
    out = run("validate", "mine", "-o", "board", "--tasks", "tasks").stdout
    assert "Flat     2         2         0  accepted" in out
    quiet = ("--no-circuits", "--no-tables")
    done = run("leaderboard", "board/results", "-o", "tables", *quiet)
    assert "2 answers: 2 measured again" in done.stderr
    (tmp_path / "empty").mkdir()
    done = run("validate", "mine", "-o", "board", "--tasks", "empty", code=1)
    assert "empty must hold bundles, and holds none" in done.stderr
    again = run("holdout", "problems", "secret.json", "-o", "problems", code=1)
    assert "must be a new or empty folder" in again.stderr


def test_problems_of_a_suite_for_those_who_never_run_this(run, tmp_path):
    out = run("problems", "--suite", "tiny", "-o", "problems").stdout
    assert "Written: 2 problems in problems" in out
    record = answered(tmp_path / "mine", tmp_path / "problems") | {"suite": "tiny"}
    assert {one["task"].split("-")[0] for one in record["runs"]} == {"sort", "frac_prevs"}
    (tmp_path / "mine" / "submission.json").write_text(json.dumps(record))
    assert "accepted" in run("validate", "mine", "-o", "board").stdout
    done = run("validate", "mine", "-o", "board", "--tasks", "problems", code=1)
    assert "It names the suite 'tiny', and --tasks is for those that name none" in done.stderr
