"""`glassbench rescore`: answers that are kept with results earn what the results say."""

import json

import pytest

from glassbench.benchmark_programs import SUITES
from glassbench.benchmark_programs.suites import Suite
from glassbench.compiler import rasp
from glassbench.evaluators import TRACKS, Result, score
from glassbench.ground_truth import load, make_task, write_bundle

TASK = "sort[vocab=2,length=3]"
TOY = "toy_superposition[n=4,d=2,sparsity=50]"
FAILS = "def fails(problem):\n    raise RuntimeError('no')\n"


@pytest.fixture
def run(tmp_path, monkeypatch, invoke):
    """Run the command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    return invoke


@pytest.fixture
def results(run, tmp_path, monkeypatch):
    """A folder of results of both tracks, one of them without an answer."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "failing_method.py").write_text(FAILS)
    run("score", "weight-norm", "failing_method:fails", "--task", TASK, "-o", "out", code=1)
    run("score", "pca", "--task", TASK, "--task", TOY, "--track", "features", "-o", "out")
    run("score", "pca", "--task", TASK, "--track", "features", "--arm", "independent", "-o", "out")
    return tmp_path / "out"


def test_every_answer_earns_what_its_result_says(run, results):
    out = run("rescore", "out").stdout
    rows = [line.split() for line in out.splitlines() if line.rstrip().endswith(" same")]
    assert sorted(row[:3:2] for row in rows) == [["pca", "features"]] * 3 + [
        ["weight-norm", "circuit"]
    ]
    assert "1 run gave no answer." in out
    assert "4 answers: every number is that of the result." in out


def test_results_that_were_edited_or_have_no_answer(run, results):
    for file in results.glob("*.json"):
        content = json.loads(file.read_text())
        if content["tool"] == "weight-norm":
            content["metrics"]["edge_auroc"] |= {"value": 1.0, "normalised": 1.0}
            file.write_text(json.dumps(content))
        elif "question" in content:
            (results / "answers" / file.name).unlink()
    result = run("rescore", "out", code=1)
    assert result.stdout.count(" differs\n") == 2
    assert "weight-norm on sort-v1[vocab=2,length=3]: numbers differ" in result.stderr
    assert "edge_auroc, value: must be " in result.stderr
    assert "must be kept with the result: No such file" in result.stderr


@pytest.fixture
def small_suite(monkeypatch):
    """The ids of a suite of three small tasks, `small`."""
    programs = ("histogram", "sort", "frac_prevs")
    names = [
        f"{one}-v1[vocab=2,length=3]/crowded[distractors=2,seed={seed}]"
        for seed, one in enumerate(programs)
    ]
    monkeypatch.setitem(SUITES, "small", Suite("Small ones.", lambda: tuple(names)))
    return names


def test_priors_of_a_suite_are_learned_anew(run, results, small_suite):
    """As when the whole suite had been asked; what is of no task of the suite stays as it is."""
    task = small_suite[0]
    run("score", "weight-norm", "--task", task, "-o", "out")
    before = {file.name: file.read_bytes() for file in results.glob("*.json")}
    out = run("rescore", "out", "--priors-of", "small").stdout
    assert "Written: 1 result with the priors of small." in out
    changed = [
        file.name for file in results.glob("*.json") if file.read_bytes() != before[file.name]
    ]
    (name,) = changed
    track, tasks = TRACKS["circuit"], [load(one) for one in small_suite]
    expected = score("weight-norm", tasks[0], priors=track.priors(tasks))
    found = Result.read(results / name)
    assert (found.task, found.metrics) == (task, expected.metrics)
    assert found.wall_seconds == json.loads(before[name])["wall_seconds"]
    assert "Written: 0 results with" in run("rescore", "out", "--priors-of", "small").stdout


def test_priors_of_no_suite(run, results):
    before = {file.name: file.read_bytes() for file in results.glob("*.json")}
    told = run("rescore", "out", "--priors-of", "quik", code=1).stderr
    assert "'quik'" in told
    assert "quick" in told
    assert {file.name: file.read_bytes() for file in results.glob("*.json")} == before


def test_a_result_that_is_wrong_is_not_written_with_priors(run, results, small_suite):
    task = small_suite[0]
    run("score", "weight-norm", "--task", task, "-o", "out")
    (wrong,) = (
        file for file in results.glob("*.json") if json.loads(file.read_text())["task"] == task
    )
    content = json.loads(wrong.read_text())
    content["metrics"]["edge_auroc"] |= {"value": 1.0, "normalised": 1.0}
    wrong.write_text(json.dumps(content))
    before = wrong.read_bytes()
    result = run("rescore", "out", "--priors-of", "small", code=1)
    assert "edge_auroc, value: must be " in result.stderr
    assert "Written: 0 results with" in result.stdout
    assert wrong.read_bytes() == before


def test_tasks_of_ones_own_are_read_from_their_bundles(run, tmp_path):
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    task = make_task(rasp.SelectorWidth(same).named("mine"), "ab", 3)
    write_bundle(task, tmp_path / "bundle")
    run("score", "weight-norm", "--task", "bundle", "-o", "out")
    assert " same \n" in run("rescore", "out", "--task", "bundle").stdout
    assert " differs\n" in run("rescore", "out", code=1).stdout


def test_a_folder_without_results(run, tmp_path):
    told = run("rescore", str(tmp_path), code=1).stderr
    assert "expected a folder of results, found none" in told
