"""Compression reports: what is written of a compression, and read back strictly."""

import json
from dataclasses import replace

import numpy as np
import pytest

from glassbench.compiler.adam_recipe import AdamRecipe
from glassbench.errors import BundleError, TaskError
from glassbench.ground_truth import EdgeState, load
from glassbench.ground_truth.compression_report import CompressionReport, report_file_name
from glassbench.ground_truth.quality_gate import quality_gate
from glassbench.ground_truth.superposed import Superposed, superpose

TASK = "frac_prevs[vocab=2,length=2]"


@pytest.fixture(scope="module")
def task():
    return load(TASK)


POOR = np.random.default_rng(0).normal(size=(4, 8)) / 2
"""A matrix of half the dimensions, that nobody trained."""


def superposed(task, W, **options):
    """Return what a compression by a matrix came to, without any training."""
    gate = quality_gate(task.compiled, W, task.labels, task.domain, **options)
    of = str(task.id), len(W), 1, "gauss-newton", {"tries": 3}
    return Superposed(*of, W, gate, 0.25, 4, 1.5)


@pytest.fixture(scope="module")
def whole(task):
    """The report of a matrix that changes nothing."""
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))
    return CompressionReport.of(task, superposed(task, rotation))


@pytest.fixture(scope="module")
def poor(task):
    """The report of a matrix that was not trained."""
    return CompressionReport.of(task, superposed(task, POOR))


def test_what_a_report_says(whole, task):
    assert whole.passed
    assert (whole.shortcomings, whole.moved) == ((), ())
    assert (whole.d, whole.d_model, whole.seed, whole.attempts) == (8, 8, 1, 4)
    assert whole.weights == task.labels.weights
    assert [one.name for one in whole.components] == ["m0", "a1.h0"]
    assert whole.quality.cosine == pytest.approx(1)
    assert whole.quality.error == pytest.approx(0, abs=1e-9)
    assert whole.parameters == {"tries": 3}
    assert whole.sufficiency is not None
    assert whole.sufficiency.n_changed == 0


def test_it_reads_what_it_wrote(whole, poor, tmp_path):
    for report in (whole, poor):
        file = report.write(tmp_path / "new" / report.file_name)
        assert CompressionReport.read(file) == report
        assert file.read_text() == report.to_json()


def test_what_it_says_can_be_measured_again(poor, task):
    gate = quality_gate(task.compiled, poor.matrix, task.labels, task.domain)
    assert gate.shortcomings == poor.shortcomings
    assert gate.quality.accuracy == poor.accuracy
    assert gate.quality.error == poor.quality.error


def test_states_that_were_not_measured(poor):
    assert not poor.passed
    assert (poor.moved, poor.sufficiency) == (None, None)


def test_edges_that_moved(task):
    report = CompressionReport.of(task, superposed(task, POOR, always_states=True))
    assert report.moved
    moved = report.moved[0]
    assert moved.original is task.labels.states[moved.edge]
    assert moved.measured is not moved.original
    assert {type(one.measured) for one in report.moved} == {EdgeState}


def test_a_recipe_of_ones_own(task):
    (made,) = superpose(task, 8, recipe=AdamRecipe(steps=5, batch=4, n_interchanged=8))
    report = CompressionReport.of(task, made)
    assert (report.recipe, report.parameters["steps"]) == ("AdamRecipe", 5)
    assert report.attempts == 1


def test_what_cannot_be_reported(task):
    made = superposed(task, np.eye(8))
    other = load("frac_prevs[vocab=2,length=3]")
    with pytest.raises(TaskError, match=r"The task that was compressed is .*length=2.*length=3"):
        CompressionReport.of(other, made)
    endless = replace(made, loss=float("inf"))
    with pytest.raises(TaskError, match="numbers that are not finite"):
        CompressionReport.of(task, endless)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d": 5}, "W must have 5 rows of 8 numbers"),
        ({"d": 9}, "d must be at most d_model, 8, got 9"),
        ({"passed": True}, "passed must be true if and only if there are no shortcomings"),
        ({"shortcomings": [], "passed": True}, "a model that passed has measured states"),
        ({"moved": []}, "moved and sufficiency go together"),
        ({"accuracy": 1.5}, "accuracy: Input should be less than or equal to 1"),
        ({"weights": "?"}, "weights: String should match pattern"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
        ({"format_version": "2.0"}, "use the version of Glassbench that wrote it"),
    ],
)
def test_files_that_are_no_reports(poor, tmp_path, change, message):
    file = tmp_path / "report.json"
    file.write_text(json.dumps(json.loads(poor.to_json()) | change))
    with pytest.raises(BundleError, match="does not hold a compression report") as caught:
        CompressionReport.read(file)
    assert message in str(caught.value)


def test_files_that_are_missing_or_no_json(tmp_path):
    with pytest.raises(BundleError, match="must be a file of a compression report: No such file"):
        CompressionReport.read(tmp_path / "nowhere.json")
    (tmp_path / "a.json").write_text('{"W": [[NaN]]}')
    with pytest.raises(BundleError, match="it is not JSON: NaN is not JSON"):
        CompressionReport.read(tmp_path / "a.json")


def test_each_run_has_a_file_of_its_own():
    runs = [
        ("sort-v1", 8, 0, "adam"),
        ("sort-v1", 8, 1, "adam"),
        ("sort-v1", 9, 0, "adam"),
        ("sort-v1", 8, 0, "talk"),
        ("sort-v1/scrambled[seed=0]", 8, 0, "adam"),
    ]
    names = {report_file_name(*run) for run in runs}
    assert len(names) == len(runs)
    assert not any(set(name) & set("[]/=, ") for name in names)
