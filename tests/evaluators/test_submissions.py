"""Submissions: packed, written by hand, read with distrust, and measured from their bytes."""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from glassbench.errors import BundleError, TaskError
from glassbench.evaluators import (
    TRACKS,
    FeaturesTrack,
    KeptAnswer,
    Result,
    Subspace,
    find_track,
    rescored,
    scored_suite,
)
from glassbench.evaluators.problem_folder import problem_id
from glassbench.evaluators.submission import SubmissionRecord, plain_name
from glassbench.evaluators.submission_folder import read_submission
from glassbench.evaluators.submission_names import names_in
from glassbench.evaluators.submission_packing import pack
from glassbench.evaluators.submitted_results import SUBMISSIONS, SubmittedResults
from glassbench.evaluators.validation import validated
from glassbench.evaluators.validation_report import ValidationReport, as_text
from glassbench.ground_truth import load
from glassbench.ground_truth.array_file import save_arrays
from glassbench.ground_truth.record import read_record
from glassbench.leaderboard import read_results

NAMES = ("sort[vocab=2,length=3]", "frac_prevs[vocab=2,length=3]")
TOY = "toy_superposition[n=4,d=2,sparsity=50]"
ABOUT = {"authors": ("A. Author",), "licence": "CC-BY-4.0", "contact": "a@example.org"}
QUESTIONS = ("circuit", "attribution", FeaturesTrack("independent"), "variables", "program")


@pytest.fixture(scope="module")
def tasks():
    return [load(name) for name in NAMES]


def answering(problem):
    """Some answer to the problem of any track."""
    match type(problem).__name__:
        case "CircuitProblem":
            return {edge: np.sin(len(edge)) / 3 for edge in problem.edges}
        case "AttributionProblem":
            n_ctx = problem.tokens.shape[1]
            return np.random.default_rng(0).normal(size=(len(problem.tokens), n_ctx, n_ctx))
        case "FeaturesProblem":
            return {
                hook: {
                    "directions": np.eye(rows.train.shape[1])[:2] / 3,
                    "activations": rows.held_out[:, :2] / 3,
                }
                for hook, rows in problem.hooks.items()
            }
        case "VariablesProblem":
            d_model = problem.model.weights.d_model
            return {
                name: Subspace(problem.hooks[-1], np.eye(d_model)[:1]) for name in problem.variables
            }
    return "same = select(tokens, tokens, ==); out = aggregate(same, tokens);"


def failing(problem):
    raise RuntimeError("no luck")


def poses(task, track):
    try:
        track.check([task])
    except TaskError:
        return False
    return True


def packed(place, tasks, method=answering, tracks=("circuit",), seeds=(0,), **about):
    """A submission of a method, written as one who scores here would."""
    results = []
    for track in tracks:
        posed = [task for task in tasks if poses(task, find_track(track))]
        for seed in seeds:
            for one in scored_suite([method], posed, track, seed=seed):
                one.write(place / "results")
                results.append(one.result)
    output = place / "mine"
    about = {"name": "Mine", "suite": "quick", **ABOUT, **about}
    return pack(results, place / "results", output, about, tasks)


@pytest.fixture(scope="module")
def written(tmp_path_factory, tasks):
    """The folder of a submission of the circuit track."""
    return packed(tmp_path_factory.mktemp("packed"), tasks).folder


@pytest.fixture
def folder(written, tmp_path):
    """The same, to be changed."""
    return shutil.copytree(written, tmp_path / "mine")


def changed(folder, **fields):
    """Change fields of the record; those of the first run are in `run`."""
    file = folder / "submission.json"
    content = json.loads(file.read_text())
    content["runs"][0] |= fields.pop("run", {})
    file.write_text(json.dumps(content | fields))
    return content["runs"]


def answer_of(folder):
    """The file of the answer of the first run."""
    (run, *_) = json.loads((folder / "submission.json").read_text())["runs"]
    return folder / "answers" / run["folder"] / "answer.json"


def refusal(folder, tasks):
    """Why a submission is refused."""
    with pytest.raises(BundleError) as raised:
        validated(read_submission(folder), tasks).check()
    return str(raised.value)


def test_what_is_packed_validates_on_every_track_and_earns_the_same(tmp_path, tasks):
    submission = packed(tmp_path, tasks, tracks=QUESTIONS, seeds=(0, 1))
    found = validated(submission, tasks)
    found.check()
    assert len(found.results) == 2 * (5 * len(tasks) - 1)  # one has no variables to ask about
    found.write(tmp_path / "board")
    scored_here = {
        (one.task, one.track, one.seed): one for one in read_results(tmp_path / "results")
    }
    for result in read_results(tmp_path / "board"):
        first = scored_here[result.task, result.track, result.seed]
        assert result.tool == "Mine"
        assert (result.metrics, result.reported) == (first.metrics, first.reported)
        assert result.answer_sha256 == first.answer_sha256
        assert result.told == {"submission": submission.sha256}
        answer = KeptAnswer.read(tmp_path / "board", result)
        rescored(result, answer, load(result.task))
    (kept,) = (tmp_path / "board" / SUBMISSIONS).iterdir()
    assert json.loads(kept.read_text())["authors"] == ["A. Author"]


def test_toy_models_can_be_answered(tmp_path):
    toys = [load(TOY)]
    submission = packed(tmp_path, toys, tracks=("features",))
    validated(submission, toys).check()


def test_several_processes_find_the_same(written, tasks):
    submission = read_submission(written)
    alone, together = (validated(submission, tasks, jobs=jobs) for jobs in (1, 2))
    assert [one.metrics for one in alone.results] == [one.metrics for one in together.results]


def test_a_submission_written_by_hand(tmp_path, tasks):
    """The least that one has to write who never ran this package, but for the problem's id."""
    track, task = TRACKS["circuit"], tasks[0]
    problem = track.problem(task, 0)
    answer = {"format_version": "1.0", "problem": problem_id("circuit", track.public(problem))}
    answer["scores"] = dict.fromkeys(problem.edges, 1.0)
    place = tmp_path / "by_hand"
    (place / "answers" / "first").mkdir(parents=True)
    (place / "answers" / "first" / "answer.json").write_text(json.dumps(answer))
    record = {
        "format_version": "1.0",
        "name": "By hand",
        "authors": ["A"],
        "licence": "CC0-1.0",
        "contact": "a@example.org",
        "suite": "quick",
        "runs": [
            {"task": NAMES[0].replace("sort", "sort-v1"), "track": "circuit", "folder": "first"}
        ],
    }
    (place / "submission.json").write_text(json.dumps(record))
    (place / "README.md").write_text("What it does.")
    found = validated(read_submission(place), tasks)
    found.check()
    (result,) = found.results
    assert result.metrics[result.primary].floors.prior is not None
    record["runs"][0] |= {"task": None, "problem": answer["problem"]}
    (place / "submission.json").write_text(json.dumps(record))
    found = validated(read_submission(place), tasks)
    found.check()
    assert found.results[0].task == str(task.id)


def test_runs_without_an_answer_are_rows_that_say_so(tmp_path, tasks):
    submission = packed(tmp_path, tasks, method=failing)
    assert not (submission.folder / "answers").exists()
    found = validated(submission, tasks)
    found.check()
    assert [one.status for one in found.results] == ["failed", "failed"]
    assert all("no luck" in one.error for one in found.results)


def test_seconds_are_those_that_the_submitter_says_and_else_not_known(folder, tasks, tmp_path):
    file = folder / "submission.json"
    content = json.loads(file.read_text())
    content["runs"][0]["wall_seconds"] = 2.5
    del content["runs"][1]["wall_seconds"]
    file.write_text(json.dumps(content))
    validated(read_submission(folder), tasks).write(tmp_path / "board")
    results = {one.task: one for one in read_results(tmp_path / "board")}
    first, second = (results[run["task"]] for run in content["runs"])
    assert (first.wall_seconds, second.wall_seconds) == (2.5, None)
    answers = [KeptAnswer.read(tmp_path / "board", one).record for one in (first, second)]
    assert [one.wall_seconds for one in answers] == [2.5, None]


# What stands in the record, and what is said of it.
RECORDS = {
    "unknown key": ({"score": 1.0}, "score: Extra inputs are not permitted"),
    "no author": ({"authors": []}, "authors: Tuple should have at least 1 item"),
    "a newer format": ({"format_version": "2.0"}, "format_version: must be '1.0', got '2.0'"),
    "code by another scheme": ({"code": "javascript:alert(1)"}, "code: String should match"),
    "a name of several lines": ({"name": "a\nb"}, "name: Value error, must be one line"),
    "a name that turns around": ({"name": "a\u202eb"}, "name: Value error, must be one line"),
    "a long name": ({"name": "a" * 81}, "name: String should have at most 80 characters"),
    "the name of a method here": ({"name": "EAP"}, "the name 'EAP' is that of a built-in"),
    "the name of a reference": ({"name": "ORACLE"}, "is that of a built-in method or of a"),
    "a hyphen that looks like another": (
        {"name": "eap\u2010ig"},
        "name: Value error, must be printable ASCII, so that no two names look alike, got "
        "'\u2010' (U+2010); write it with other characters",
    ),
    "a Cyrillic letter": ({"name": "\u0435ap"}, "printable ASCII, so that no two names look alike"),
    "wide letters": ({"name": "\uff4fracle"}, "got '\uff4f' (U+FF4F); write it"),
    "no run": ({"runs": []}, "runs: Tuple should have at least 1 item"),
    "much settings": ({"settings": {"a": "b" * 2**16}}, "settings must have at most 65,536 bytes"),
    "no day": ({"date": "2026-02-30"}, "date: "),
    "a folder above": ({"run": {"folder": ".."}}, "runs.0.folder: String should match pattern"),
    "a path": ({"run": {"folder": "a/b"}}, "runs.0.folder: String should match pattern"),
    "another seed": ({"run": {"seed": 10**6}}, "runs.0.seed: Input should be less than or equal"),
    "a seed that is text": ({"run": {"seed": "0"}}, "runs.0.seed: Input should be a valid integer"),
    "an unknown track": ({"run": {"track": "mind"}}, "runs.0.track: Input should be 'circuit'"),
    "neither task nor problem": ({"run": {"task": None}}, "a run has a task or a problem, or"),
    "ok without a folder": ({"run": {"folder": None}}, "a run with status 'ok' has a folder"),
    "failed with a folder": ({"run": {"status": "failed"}}, "has an error, and no folder"),
    "failed with a claim": (
        {"run": {"folder": None, "status": "failed", "error": "boom", "claimed": 0.9}},
        "a run with status 'failed' states nothing of an answer",
    ),
    "a folder that is not there": ({"run": {"folder": "none"}}, "answers/none: is missing"),
}


@pytest.mark.parametrize("case", RECORDS)
def test_records_are_read_strictly(folder, tasks, case):
    fields, said = RECORDS[case]
    changed(folder, **fields)
    told = refusal(folder, tasks)
    assert told.startswith("mine must be the folder of a submission:")
    assert said in told


def test_a_record_must_be_strict_json(folder, tasks):
    file = folder / "submission.json"
    text = file.read_text()
    for wrong, said in (
        (text.replace('"contact"', '"name"'), "the keys name are there more than once"),
        (text.replace('"suite": "quick"', '"suite": NaN'), "NaN is not JSON"),
        ("[" * 10_000, "recursion"),
        ("", "it is not JSON"),
    ):
        file.write_text(wrong)
        assert said in refusal(folder, tasks)


def test_every_file_that_does_not_belong_is_told(folder, tasks):
    (run, *_) = json.loads((folder / "submission.json").read_text())["runs"]
    inside = folder / "answers" / run["folder"]
    (folder / "setup.py").write_text("")
    (folder / "answers.zip").write_bytes(b"PK")
    (folder / "answers" / "stray").mkdir()
    (folder / "answers" / "stray" / "answer.json").write_text("{}")
    (folder / "answers" / "file").write_text("")
    (inside / "model.pt").write_bytes(b"")
    (inside / "x\n").mkdir()
    os.mkfifo(folder / "README.md")
    (folder / "LICENSE").symlink_to("/etc/passwd")
    told = refusal(folder, tasks)
    for said in (
        "setup.py: does not belong here; there may be submission.json, README.md, LICENSE",
        "answers.zip: does not belong here",
        "answers/stray: no run names it",
        "answers/file: must be a folder",
        f"answers/{run['folder']}/model.pt: does not belong here",
        f"answers/{run['folder']}/'x\\n': does not belong here",
        "README.md: must be a plain file, got a folder, a pipe or a device",
        "LICENSE: must be a plain file, got a link",
    ):
        assert f"  - {said}" in told


def test_links_are_refused_wherever_they_lead(folder, tasks, tmp_path):
    answer = answer_of(folder)
    answer.unlink()
    answer.symlink_to(tmp_path / "elsewhere.json")
    assert "answer.json: must be a plain file, got a link" in refusal(folder, tasks)
    shutil.rmtree(answer.parent)
    answer.parent.symlink_to(folder / "answers")
    assert f"answers/{answer.parent.name}: must be a folder" in refusal(folder, tasks)
    (tmp_path / "link").symlink_to(folder)
    assert "it must be a folder, got a link" in refusal(tmp_path / "link", tasks)
    assert "No such file" in refusal(tmp_path / "none", tasks)
    file = tmp_path / "mine.zip"
    file.write_bytes(b"PK")
    assert "unpack what is packed" in refusal(file, tasks)


def test_sizes_are_told_before_anything_is_read(folder, tasks, monkeypatch):
    with open(folder / "README.md", "wb") as file:
        file.truncate(2**20 + 1)
    with open(answer_of(folder), "wb") as file:
        file.truncate(2**26 + 1)
    told = refusal(folder, tasks)
    assert "README.md: must have at most 1,048,576 bytes, got 1,048,577" in told
    assert "answer.json: must have at most 67,108,864 bytes, got 67,108,865" in told
    at = "glassbench.evaluators.submission_folder"
    monkeypatch.setattr(f"{at}.MOST_BYTES", 1000)
    assert "its files must have at most 1,000 bytes, got " in refusal(folder, tasks)
    monkeypatch.setattr(f"{at}.MOST_RUNS", 1)
    assert "answers/ must hold at most 1 entries" in refusal(folder, tasks)


def edited_answer(**fields):
    def edit(folder):
        file = answer_of(folder)
        file.write_text(json.dumps(json.loads(file.read_text()) | fields))

    return edit


def of_run(**fields):
    return lambda folder: changed(folder, run=fields)


# What is done to a submission, and what is said then.
ANSWERS = {
    "other numbers": (edited_answer(scores={"a": 1.0}), "embed->m0: has no score"),
    "a text": (edited_answer(scores=None, text="x"), "answer.json must give 'scores'"),
    "another problem": (edited_answer(problem="0" * 32), "must repeat the id in problem.json"),
    "an unknown key": (edited_answer(code="x"), "code: Extra inputs are not permitted"),
    "NaN": (
        lambda folder: answer_of(folder).write_text('{"scores": {"a": NaN}}'),
        "NaN is not JSON",
    ),
    "none": (lambda folder: answer_of(folder).unlink(), ": is missing"),
    "another problem than it says": (of_run(problem="0" * 32), f"and {'0' * 32} was answered"),
    "a claim": (of_run(claimed=0.99), "edge_average_precision is "),
    "another digest of the task": (of_run(task_digest="0" * 64), "and 000000000000 is that of"),
    "another digest of the answer": (of_run(answer_sha256="0" * 64), "000000000000 is stated"),
    "a task that is not asked about": (of_run(task="histogram"), "is none of the 2 tasks that are"),
    "no task": (of_run(task="historgam"), "'historgam'"),
    "another question": (of_run(question={"arm": "x"}), "The circuit track has one question"),
    "a picked seed": (of_run(seed=3), "must repeat the id in problem.json"),
    "no problem": (of_run(task=None, problem="0" * 32), "none of the 2 tasks poses this problem"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_answers_are_measured_and_what_is_said_of_them_is_compared(folder, tasks, case):
    edit, said = ANSWERS[case]
    edit(folder)
    told = refusal(folder, tasks)
    assert said in told
    assert told.count("\n  - ") == (2 if case == "a picked seed" else 1)


def test_every_problem_is_told_and_the_rest_is_measured(folder, tasks):
    edited_answer(problem="0" * 32)(folder)
    content = json.loads((folder / "submission.json").read_text())
    content["runs"][1] |= {"claimed": 2.0}
    (folder / "submission.json").write_text(json.dumps(content))
    found = validated(read_submission(folder), tasks)
    assert [bool(one.problem) for one in found.runs] == [True, True]
    assert [one.status for one in found.results] == ["failed", "ok"]
    with pytest.raises(BundleError, match="is refused:"):
        found.write(folder.parent / "board")
    assert not (folder.parent / "board").exists()


def test_the_same_run_under_two_names_and_picked_seeds(folder, tasks, tmp_path):
    file = folder / "submission.json"
    content = json.loads(file.read_text())
    first = content["runs"][0]
    shutil.copytree(folder / "answers" / first["folder"], folder / "answers" / "again")
    again = first | {"task": first["task"].replace("-v1", ""), "folder": "again"}
    file.write_text(json.dumps(content | {"runs": [*content["runs"], again]}))
    assert "is the same run as" in refusal(folder, tasks)
    submission = packed(tmp_path / "seeds", tasks[:1], seeds=(1, 3))
    told = refusal(submission.folder, tasks)
    assert "seeds must be 0, 1, 2, and so on, so that none is picked, got 1, 3" in told


def test_seeds_can_be_bounded(tmp_path, tasks):
    submission = packed(tmp_path, tasks[:1], seeds=(0, 1, 2))
    assert validated(submission, tasks, seeds=3).accepted
    found = validated(submission, tasks, seeds=2)
    (problem,) = found.problems
    assert "seed 2): seeds must be 0 to 1, got 2; leave it out" in problem
    assert [one.seed for one in found.results] == [0, 1]


def test_a_folder_answers_one_run(folder, tasks):
    runs = changed(folder)
    changed(folder, run={"folder": runs[1]["folder"].upper()})
    assert "several runs have this folder" in refusal(folder, tasks)


def test_pickles_and_wrong_arrays_are_refused(tmp_path, tasks):
    submission = packed(tmp_path, tasks, tracks=("attribution",))
    file = submission.place(submission.record.runs[0]) / "answer.safetensors"
    for content, said in (
        (b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00.", "must be a safetensors file"),
        (save_arrays({"attribution": np.full((14, 4, 4), np.nan)}), "must be finite"),
        (save_arrays({"attribution": np.zeros((1, 2, 2))}), "shape"),
        (save_arrays({"labels": np.zeros(1)}), "'labels': is not asked for"),
    ):
        file.write_bytes(content)
        assert said in refusal(submission.folder, tasks)


def test_names_of_others_are_not_taken(written, folder, tasks, tmp_path):
    first = validated(read_submission(written), tasks)
    first.write(tmp_path / "board")
    changed(folder, name="MINE")
    other = validated(read_submission(folder), tasks)
    # Names among results of submissions are free: whether these are there still is not settled.
    assert other.beside(read_results(tmp_path / "board")).accepted
    own = [one.model_copy(update={"told": {}}) for one in first.results]
    with pytest.raises(BundleError, match="the name 'Mine' is that of other results; choose"):
        other.beside(own).check()
    with pytest.raises(BundleError, match="the name 'Mine' is that of the submission 'old'; choo"):
        other.beside((), {"another": "Another", "old": "Mine"}).check()
    assert other.beside((), {"another": "Another"}).accepted


def test_names_of_submissions_are_read_whatever_else_is_wrong_with_them(written, tmp_path):
    shutil.copytree(written, tmp_path / "whole")
    contents = {
        "old": b'{"name": "eap\\u2010ig", "of a version": 9}',
        "number": b'{"name": 3}',
        "list": b"[]",
        "broken": b"{",
        "bytes": b"\xff",
    }
    for name, content in contents.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "submission.json").write_bytes(content)
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_text("")
    (tmp_path / "link").symlink_to(written)
    assert names_in(tmp_path) == {"old": "eap\u2010ig", "whole": "Mine"}
    with pytest.raises(BundleError, match="none must be a folder of submissions, and cannot be"):
        names_in(tmp_path / "none")


def files_of(folder):
    """Every file below a folder, with its bytes."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


def scored_runs(found):
    return [run.scored for run in found.runs]


def test_what_validation_wrote_can_be_removed_and_nothing_else_is(folder, tasks, tmp_path):
    board = tmp_path / "board"
    for one in scored_suite(["weight-norm"], tasks):
        one.write(board)
    (board / "submissions").mkdir()
    (board / "submissions" / "notes.json").write_text("{}")
    (board / "notes.txt").write_text("")
    own = files_of(board)
    first = validated(read_submission(folder), tasks)
    first.write(board)
    both = files_of(board)
    there = SubmittedResults.among(board, read_results(board))
    assert there.submissions == {read_submission(folder).sha256}
    assert len(there.results) == 2
    assert there.remove_all_but(scored_runs(first)) == 0
    assert files_of(board) == both
    changed(folder, description="Mended.")
    mended = validated(read_submission(folder), tasks)
    mended.write(board)
    assert there.remove_all_but(scored_runs(mended)) == 0
    records = [path for path in files_of(board) if path.parent.name == "submissions"]
    assert len(records) == 2  # that of the mended one, and the notes
    there = SubmittedResults.among(board, read_results(board))
    assert there.submissions == {read_submission(folder).sha256}
    assert there.remove_all_but(()) == 2
    assert files_of(board) == own


def test_answers_that_are_no_more_are_removed(tmp_path, tasks):
    board = tmp_path / "board"
    submission = packed(tmp_path, tasks[:1], tracks=("attribution",))
    validated(submission, tasks).write(board)
    there = SubmittedResults.among(board, read_results(board))
    assert {path.suffix for path in (board / "answers").iterdir()} == {".json", ".safetensors"}
    shutil.rmtree(submission.folder / "answers")
    changed(submission.folder, run={"folder": None, "status": "failed", "error": "withdrawn"})
    content = json.loads((submission.folder / "submission.json").read_text())
    for name in ("claimed", "answer_sha256"):
        del content["runs"][0][name]
    (submission.folder / "submission.json").write_text(json.dumps(content))
    found = validated(read_submission(submission.folder), tasks)
    found.write(board)
    assert there.remove_all_but(scored_runs(found)) == 0
    assert [one.status for one in read_results(board)] == ["failed"]
    assert not list((board / "answers").iterdir())


def test_packing_tells_every_problem(tmp_path, tasks):
    results = [one.result for one in scored_suite(["weight-norm", "interchange"], tasks)]
    with pytest.raises(BundleError, match="of one method with one choice of settings, got:"):
        pack(results, tmp_path, tmp_path / "out", ABOUT, tasks)
    with pytest.raises(BundleError) as raised:
        pack(results[:2], tmp_path, tmp_path / "out", ABOUT, tasks[:1])
    told = str(raised.value)
    assert "must be kept with the result: No such file" in told
    assert "frac_prevs-v1[vocab=2,length=3]: the task is not of the suite" in told
    old = [results[0].model_copy(update={"task_digest": "0" * 64})]
    with pytest.raises(BundleError, match="with the digest 000000000000"):
        pack(old, tmp_path, tmp_path / "out", ABOUT, tasks)
    with pytest.raises(BundleError) as raised:
        packed(tmp_path, tasks, name="eap", licence="")
    assert "The submission would not be accepted:" in str(raised.value)
    assert not (tmp_path / "mine").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("")
    with pytest.raises(BundleError, match="must be a new or empty folder"):
        packed(tmp_path, tasks)


def test_the_report_shows_texts_as_they_are(folder, tasks):
    changed(folder, name="<script>*a*</script> | [b](http://c)", run={"claimed": 0.99})
    found = validated(read_submission(folder), tasks)
    report = ValidationReport.of([found])
    text = report.to_markdown()
    assert "<script>" not in text
    assert r"## &lt;script&gt;\*a\*&lt;/script&gt; \| \[b\]\(http\://c\): refused" in text
    assert "- circuit: answers to 2 of 2 tasks" in text
    assert text.count("| circuit | 0 | ok |") == 2
    again = ValidationReport.model_validate_json(report.to_json())
    assert again == report
    (one,) = again.submissions
    assert not one.accepted
    assert [run.problem is None for run in one.runs] == [False, True]
    assert one.runs[1].value == found.results[1].metrics["edge_average_precision"].value


def test_texts_of_several_lines_stay_on_one():
    assert as_text("a\n# b\n\n<!-- c") == r"a \# b &lt;\!\-\- c"


def test_names_are_compared_as_they_look():
    assert plain_name("\uff25\uff21\uff30  IG") == plain_name("eap ig")


def test_results_say_who_answered(written, tasks, tmp_path):
    validated(read_submission(written), tasks).write(tmp_path)
    for file in tmp_path.glob("*.json"):
        assert Result.read(file).tool == "Mine"
    sha256 = read_submission(written).sha256
    kept = (tmp_path / "submissions" / f"{sha256[:32]}.json").read_bytes()
    assert kept == (written / "submission.json").read_bytes()
    assert hashlib.sha256(kept).hexdigest() == sha256


INSERTED = (b"NaN", b"1e999", b"null", b"[", b"{}", b'"a":1,', b"9" * 50, b"\x00", b"..")


@pytest.fixture(scope="module")
def of_all_tracks(tmp_path_factory, tasks):
    return packed(tmp_path_factory.mktemp("fuzzed"), tasks[:1], tracks=QUESTIONS).folder


@pytest.mark.parametrize("seed", range(40))
def test_no_change_of_bytes_breaks_the_validator(of_all_tracks, tasks, tmp_path, seed):
    """A submission with other bytes is accepted or refused, and nothing else happens."""
    folder = shutil.copytree(of_all_tracks, tmp_path / "mine")
    draw = np.random.default_rng(seed)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    file = files[draw.integers(len(files))]
    content = bytearray(file.read_bytes())
    place = int(draw.integers(len(content)))
    match seed % 3:
        case 0:
            content[place] = int(draw.integers(256))
        case 1:
            del content[place : place + int(draw.integers(1, 40))]
        case 2:
            content[place:place] = INSERTED[draw.integers(len(INSERTED))]
    file.write_bytes(content)
    try:
        found = validated(read_submission(folder), tasks[:1])
    except BundleError:
        return  # what is said then is tested above
    assert ValidationReport.of([found]).submissions[0].accepted is found.accepted
    assert not [text for text in found.problems if "a bug of Glassbench" in text]


def test_an_answer_that_breaks_a_metric_is_refused_and_the_others_are_measured(
    written, tasks, monkeypatch
):
    measures = type(TRACKS["circuit"]).measures

    def breaking(self, answer, task, seed, priors):
        if task is tasks[0]:
            raise ZeroDivisionError("by zero")
        return measures(self, answer, task, seed, priors)

    monkeypatch.setattr(type(TRACKS["circuit"]), "measures", breaking)
    found = validated(read_submission(written), tasks)
    (problem,) = found.problems
    assert "which is a bug of Glassbench: ZeroDivisionError: by zero" in problem
    assert len(found.results) == 1


def test_the_example_of_the_docs_is_a_record():
    text = (Path(__file__).parents[2] / "docs" / "submissions.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```json\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    record = read_record(SubmissionRecord, block.encode(), "the example")
    assert [run.status for run in record.runs] == ["ok", "timeout"]
