"""`glassbench faithfulness`: what circuits of kept answers keep of their models."""

import json

import pandas as pd
import pytest

from glassbench.evaluators import CircuitProblem, built_in, faithfulness
from glassbench.evaluators.faithfulness import ABLATIONS, MEASURES
from glassbench.ground_truth import load, make_task, write_bundle

TASK = "histogram[vocab=2,length=3]"


@pytest.fixture
def run(tmp_path, monkeypatch, invoke):
    """Run the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return invoke


def rows_of(out, method):
    return [line.split() for line in out.splitlines() if line.split()[:1] == [method]]


def test_numbers_are_those_of_the_function(run):
    """Whatever else is in the folder: another track is left alone."""
    run("score", "eap", "weight-norm", "--task", TASK, "-o", "out")
    run("score", "pca", "--task", TASK, "--track", "features", "-o", "out")
    out = run("faithfulness", "out", "-o", "new/all.csv").stdout
    assert "Three methods on a task show how far these measures agree with the score." in out
    assert "Written: 2 answers in new/all.csv" in out
    found = pd.read_csv("new/all.csv").set_index("method")
    assert list(found.index) == ["eap", "weight-norm"]
    problem = CircuitProblem.of(load(TASK))
    for method in found.index:
        expected = faithfulness(problem, built_in("circuit")[method].function(problem))
        own = found.loc[method]
        assert own[list(expected)].to_dict() == pytest.approx(expected)
        shown = [f"{expected[f'{measure}_zero']:.3f}" for measure in MEASURES]
        row = [method, "zero", "1", f"{own.average_precision:.3f}", *shown]
        assert row in rows_of(out, method)
        assert [one[1] for one in rows_of(out, method)] == list(ABLATIONS)


def test_agreement_is_told_where_methods_are_enough(run):
    tasks = ["--task", TASK, "--task", "frac_prevs[vocab=2,length=3]"]
    run("score", "eap", "weight-norm", "path-norm", *tasks, "-o", "out")
    out = run("faithfulness", "out").stdout
    assert "Rank correlation with the score" in out
    assert [row[:3] for row in rows_of(out, "CPR")] == [["CPR", name, "2"] for name in ABLATIONS]
    assert [row[2] for row in rows_of(out, "KL")] == ["1"] * 3  # the other output is a number
    assert all(-1 <= float(row[3]) <= 1 for row in rows_of(out, "CPR"))


def test_a_task_of_ones_own_is_read_from_its_bundle(run, tmp_path):
    task = make_task("selector_width(select(tokens, tokens, ==));", "ab", 3)
    bundle = write_bundle(task, tmp_path / "mine" / "bundle")
    run("score", "eap", "--task", str(bundle), "-o", "out")
    assert rows_of(run("faithfulness", "out", "--task", "mine").stdout, "eap")


def test_answers_must_be_there_and_of_their_task(run, tmp_path):
    run("score", "pca", "--task", TASK, "--track", "features", "-o", "out")
    assert (
        "out: expected answers of the circuit track, found none. Score a method into it first."
        in run("faithfulness", "out", code=1).stderr
    )
    run("score", "weight-norm", "--task", TASK, "-o", "other")
    (file,) = (tmp_path / "other").glob("*.json")
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"task_digest": "0" * 64}))
    stderr = run("faithfulness", "other", code=1).stderr
    assert "weight-norm on histogram-v1[vocab=2,length=3]: the task must be" in stderr
    file.write_text(json.dumps(content))
    answer = tmp_path / "other" / "answers" / file.name
    kept = json.loads(answer.read_text())
    kept["scores"] = {edge: score + 1 for edge, score in kept["scores"].items()}
    answer.write_text(json.dumps(kept))
    assert "the answer must have the sha256" in run("faithfulness", "other", code=1).stderr
    assert "must be a file, got a folder" in run("faithfulness", "other", "-o", ".", code=1).stderr
