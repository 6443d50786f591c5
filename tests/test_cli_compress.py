"""`glassbench compress`: what it prints and writes, what it refuses, and how it is interrupted."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from glassbench import ground_truth
from glassbench.ground_truth import load, stored_compressions, superposed, write_bundle
from glassbench.ground_truth.compression_report import CompressionReport
from glassbench.ground_truth.quality_gate import quality_gate
from glassbench.ground_truth.superposed import Superposed

TASK = "frac_prevs[vocab=2,length=2]"
FULL = "frac_prevs-v1[vocab=2,length=2]"


@pytest.fixture
def run(tmp_path, monkeypatch, invoke):
    """Run the command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    return partial(invoke, "compress")


@pytest.fixture
def untrained(monkeypatch):
    """Have nothing trained: what comes out is the identity, or its first rows."""
    asked = []

    def superpose(
        task, d, seeds, *, recipe="gauss-newton", checkpoint=None, progress=lambda *_: None
    ):
        asked.append((d, tuple(seeds), recipe, checkpoint))
        found = []
        for seed in seeds:
            W = np.eye(d, task.compiled.model.weights.d_model)
            gate = quality_gate(task.compiled, W, task.labels, task.domain)
            progress(seed, 1, "as it is")
            found.append(Superposed(str(task.id), d, seed, recipe, {}, W, gate, 0.5, 1, 0.1))
        return tuple(found)

    monkeypatch.setattr(superposed, "superpose", superpose)
    return asked


@pytest.fixture(params=["untrained", pytest.param("trained", marks=pytest.mark.slow)])
def maybe_trained(request):
    """Have nothing trained, or all as it is."""
    if request.param == "untrained":
        request.getfixturevalue("untrained")


@pytest.mark.usefixtures("maybe_trained")
def test_it_says_what_can_be_loaded(run, tmp_path):
    out = run(TASK, "--d", "8", "-o", "report.json").stdout
    assert out.startswith(FULL)
    (row,) = (line.split() for line in out.splitlines() if line.startswith("8 "))
    assert row[:4] == ["8", "0", "yes", "100.00%"]
    name = f"{TASK}/superposed[d=8,seed=0]"
    assert f'  gb.load("{name}")\n' in out
    assert "Written: 1 report in report.json" in out
    report = CompressionReport.read(tmp_path / "report.json")
    assert (report.task, report.d, report.passed) == (FULL, 8, True)
    loaded = load(name).compiled.model.weights
    again = quality_gate(load(TASK).compiled, report.matrix, load(TASK).labels, load(TASK).domain)
    np.testing.assert_array_equal(loaded.W_E, again.compiled.model.weights.W_E)


def test_several_widths_and_seeds(run, untrained, tmp_path):
    out = run(TASK, "--d", "8,4,8", "--seeds", "2", "-o", "reports").stdout
    assert untrained == [(d, (0, 1), "gauss-newton", None) for d in (8, 4)]
    rows = [line.split() for line in out.splitlines() if line[:2] in ("8 ", "4 ")]
    assert [row[:3] for row in rows] == [
        ["8", "0", "yes"],
        ["8", "1", "yes"],
        ["4", "0", "no"],
        ["4", "1", "no"],
    ]
    assert "d=4, seed=1 does not pass:\n  - every answer must be the original's, got " in out
    assert "2 of 4 models can be tasks: their labels hold." in out
    assert "Written: 4 reports in reports" in out
    found = {CompressionReport.read(file).run for file in (tmp_path / "reports").iterdir()}
    assert found == {(FULL, d, seed, "gauss-newton") for d in (8, 4) for seed in (0, 1)}


def test_many_reasons_are_counted(run, monkeypatch, untrained):
    task, W = load(TASK), np.random.default_rng(0).normal(size=(4, 8)) / 2
    gate = quality_gate(task.compiled, W, task.labels, task.domain, always_states=True)
    assert len(gate.shortcomings) > 3
    made = Superposed(FULL, 4, 0, "gauss-newton", {}, W, gate, 0.5, 1, 0.1)
    monkeypatch.setattr(superposed, "superpose", lambda *_, **__: (made,))
    out = run(TASK, "--d", "4").stdout
    assert f"  - ... and {len(gate.shortcomings) - 3} more" in out
    assert "0 of 1 model can be tasks" in out


def test_models_of_another_recipe_are_not_those_of_the_ids(run, untrained):
    out = run(TASK, "--d", "8", "--recipe", "talk").stdout
    assert "gb.load" not in out
    assert "An id trains by the recipe gauss-newton, and not by talk" in out


def test_an_id_under_which_another_matrix_is_stored_says_so(run, untrained, monkeypatch):
    stored = {f"{FULL}/superposed[d=8,seed=0]": np.eye(8), f"{FULL}/superposed[d=8,seed=1]": None}
    monkeypatch.setattr(stored_compressions, "stored_compression", stored.get)
    assert "# stored" not in run(TASK, "--d", "8", "--seeds", "2").stdout
    stored[f"{FULL}/superposed[d=8,seed=1]"] = 2 * np.eye(8)
    out = run(TASK, "--d", "8", "--seeds", "2").stdout
    assert 'd=8,seed=0]")\n' in out
    assert 'd=8,seed=1]")  # stored, with another matrix\n' in out


def test_reports_of_the_same_run_are_replaced(run, untrained, tmp_path):
    run(TASK, "--d", "8", "-o", "a.json")
    run(TASK, "--d", "8", "-o", "a.json")
    told = run(TASK, "--d", "7", "-o", "a.json", code=1).stderr
    assert "Only reports of the same run are written over; move these files:" in told
    assert f"a.json: {FULL}, d=8, seed=0, recipe gauss-newton" in told
    (tmp_path / "b.json").write_text("mine")
    told = run(TASK, "--d", "8", "-o", "b.json", code=1).stderr
    assert "b.json does not hold a compression report" in told
    assert (tmp_path / "b.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("frac_prev", "--d", "8"), 1, "Did you mean 'frac_prevs'"),
        ((TASK,), 2, "Missing option '--d'"),
        ((TASK, "--d", "8,x"), 2, "must be numbers such as 8 or 8,9, got '8,x'"),
        ((TASK, "--d", "0,8,9"), 1, "9: must be at least 1 and at most the width of the model, 8"),
        ((TASK, "--d", "8", "--seeds", "0"), 2, "Invalid value for '--seeds'"),
        ((TASK, "--d", "8", "--recipe", "adm"), 1, "no recipe 'adm'. Did you mean 'adam'"),
        ((TASK, "--d", "8,7", "-o", "a.json"), 2, "must be a folder, since there are 2 reports"),
        ((TASK, "--d", "8", "-o", "there.txt"), 2, "must be a folder or a .json file"),
        ((TASK, "--d", "8", "-o", "there.txt/a.json"), 1, "must be where files can be written"),
        ((TASK, "--d", "8", "--checkpoint", "c"), 1, "gauss-newton keeps none, since it takes"),
        ((TASK, "--d", "8,7", "--checkpoint", "c"), 2, "is of one training: give one --d"),
        ((TASK, "--d", "8", "--checkpoint", "."), 2, "must be a file, got a folder"),
        ((f"{TASK}/superposed[d=8]", "--d", "7"), 1, "is compressed already"),
        (("toy_superposition", "--d", "1"), 1, "toy_superposition is a toy model"),
    ],
)
def test_what_is_refused_before_any_work(run, monkeypatch, tmp_path, arguments, code, message):
    def never(*_, **__):
        raise AssertionError("work began")

    monkeypatch.setattr(superposed, "superpose", never)
    monkeypatch.setattr(ground_truth, "certified", never)
    (tmp_path / "there.txt").write_text("mine")
    told = " ".join(run(*arguments, code=code).stderr.replace("│", " ").split())
    assert message in told
    assert [path.name for path in tmp_path.iterdir()] == ["there.txt"]


def test_an_interrupted_run_tells_what_is_done(run, monkeypatch, untrained, tmp_path):
    whole = superposed.superpose

    def interrupted(task, d, *arguments, **options):
        if d == 7:
            raise KeyboardInterrupt
        return whole(task, d, *arguments, **options)

    monkeypatch.setattr(superposed, "superpose", interrupted)
    result = run(TASK, "--d", "8,7,6", "-o", "reports", code=130)
    assert "Interrupted: 1 of 3 runs done." in result.stderr
    assert 'superposed[d=8,seed=0]")' in result.stdout
    assert len(list((tmp_path / "reports").iterdir())) == 1


@pytest.mark.slow
def test_training_by_adam_goes_on_from_its_checkpoint(run, monkeypatch):
    short = replace(superposed.RECIPES["adam"], steps=1_000, batch=16, n_interchanged=32)
    monkeypatch.setitem(superposed.RECIPES, "adam", short)
    options = (TASK, "--d", "2", "--seeds", "2", "--recipe", "adam", "--checkpoint", "c.st")
    better = superposed._Measuring._better

    def interrupted(self, known, attempt, seed, number):
        if number == 1_000:
            raise KeyboardInterrupt
        return better(self, known, attempt, seed, number)

    with monkeypatch.context() as patched:
        patched.setattr(superposed._Measuring, "_better", interrupted)
        told = run(*options, code=130).stderr
    assert "Interrupted: 0 of 2 runs done. The same command goes on from c.st." in told
    resumed, whole = run(*options).stdout, run(*options[:-2]).stdout
    rows = [
        [line.split()[:-1] for line in out.splitlines() if line.startswith("2 ")]
        for out in (resumed, whole)
    ]  # all but the seconds
    assert rows[0] == rows[1] != []
    told = run(TASK, "--d", "3", "--recipe", "adam", "--checkpoint", "c.st", code=1).stderr
    assert "c.st" in told


def test_a_bundle_is_compressed_like_its_task(run, untrained, tmp_path):
    write_bundle(load(TASK), tmp_path / "bundle")
    out = run("bundle", "--d", "8").stdout
    assert "1 of 1 model can be tasks" in out
    assert "gb.load" not in out
