"""Matrices that are stored with the package: of tasks of the library, of their size, and true."""

from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.benchmark_programs import TaskId
from glassbench.benchmark_programs.suites import superposition_candidates
from glassbench.benchmark_programs.task_id import SUPERPOSED
from glassbench.errors import CertificationError, TaskError
from glassbench.evaluators import score
from glassbench.ground_truth import (
    build_model,
    certified,
    feature_data,
    load,
    superposed,
    task_building,
)
from glassbench.ground_truth.compression_grid import STEPS, matrix_of, on_grid, steps_of
from glassbench.ground_truth.quality_gate import quality_gate
from glassbench.ground_truth.stored_compressions import (
    FILE,
    store_compressions,
    stored_compression,
    stored_compression_ids,
)
from glassbench.ground_truth.superposed import superpose

TASK = "frac_prevs-v1[vocab=2,length=3]/superposed[d=6,seed=0]"
SMALL = ("frac_prevs", "length", "running_mean")


def test_the_grid():
    W = np.array([[0.1, -1 / 3, 0.0], [1.0, 1e9, -1e9]])
    rounded = on_grid(W)
    np.testing.assert_array_equal(on_grid(rounded), rounded)
    assert (np.abs(rounded - W)[:, :2] <= 0.5 / STEPS).sum() == 3
    steps = steps_of(rounded)
    assert steps.dtype == np.dtype("<i4")
    assert steps[1].tolist() == [STEPS, 2**31 - 1, 1 - 2**31]
    np.testing.assert_array_equal(matrix_of(steps), rounded)


def test_what_is_stored_is_of_tasks_of_the_library():
    assert "frac_prevs-v1/superposed[d=8,seed=0]" in stored_compression_ids()
    for text in stored_compression_ids():
        task = TaskId.parse(text)
        assert str(task) == text
        name, parameters = task.regimes[-1]
        assert name == SUPERPOSED
        W = stored_compression(text)
        assert W is not None
        assert W.shape == (dict(parameters)["d"], build_model(task).model.weights.d_model)
        np.testing.assert_array_equal(on_grid(W), W)


def test_the_file_is_the_same_whatever_the_order(tmp_path):
    found = {task: stored_compression(task) for task in stored_compression_ids()}
    one, other = tmp_path / "one", tmp_path / "other"
    store_compressions(found, one)
    for task in reversed(found):
        store_compressions({task: found[task]}, other)
    assert one.read_bytes() == other.read_bytes() == FILE.read_bytes()
    assert stored_compression("histogram-v1/superposed[d=8,seed=0]") is None
    assert stored_compression_ids(tmp_path / "none") == ()


def test_a_task_is_loaded_with_what_is_stored():
    found = load(TASK)
    assert found.gate is not None
    np.testing.assert_array_equal(found.gate.W, stored_compression(TASK))
    assert found.gate.original.model.weights.d_model == 9
    assert found.gate.labels == found.labels


@pytest.mark.parametrize(
    "task",
    [
        pytest.param(one, marks=[] if one.startswith(SMALL) else [pytest.mark.slow])
        for one in superposition_candidates()
    ],
)
def test_what_is_stored_for_the_suite_passes_when_it_is_measured(task):
    found = load(task)
    assert found.gate is not None
    assert found.gate.passed
    np.testing.assert_array_equal(found.gate.W, stored_compression(task))
    data = feature_data(found)
    rows, _ = data.rows(data.hooks[-1], 10_000, 1, seed=0)
    off = rows.streams - rows.activations @ data.key(data.hooks[-1]).directions
    assert np.abs(off).max() < 0.1  # less than the gate alone asks
    result = score("pca", found, track="features")
    assert result.status == "ok"
    assert result.metrics["matched_cosine"].ceiling == pytest.approx(1)


@pytest.mark.slow
def test_what_is_trained_again_passes_too():
    """It need not be the same matrix: where training differs in the last bits it ends elsewhere."""
    (made,) = superpose(load("frac_prevs[vocab=2,length=3]"), 6)
    assert made.gate.passed
    np.testing.assert_array_equal(on_grid(made.W), made.W)


def test_what_is_not_stored_is_trained_and_told(monkeypatch, caplog):
    looked_for, asked, task = [], [], TaskId.parse(TASK)
    W = stored_compression(TASK)

    def superpose(original, d, seeds):
        asked.append((original.id, d, seeds))
        gate = quality_gate(original.compiled, W, original.labels, original.domain)
        return (SimpleNamespace(gate=gate),)

    monkeypatch.setattr(superposed, "superpose", superpose)
    monkeypatch.setattr(task_building, "stored_compression", looked_for.append)
    found = certified(task, build_model(task))
    assert looked_for == [TASK]
    assert asked == [(TaskId.parse("frac_prevs[vocab=2,length=3]"), 6, (0,))]
    assert found.gate is not None
    assert found.gate.passed
    assert f"{TASK} is trained now, since the package has no matrix of it" in caplog.text
    assert f"'glassbench build {TASK}' keeps it" in caplog.text


def test_what_is_stored_is_measured(monkeypatch):
    task = TaskId.parse(TASK)
    compiled, W = build_model(task), stored_compression(TASK)
    monkeypatch.setattr(task_building, "stored_compression", lambda _: -W[::-1] * 0.5)
    with pytest.raises(CertificationError, match="is no task: the labels do not hold"):
        certified(task, compiled)
    monkeypatch.setattr(task_building, "stored_compression", lambda _: W[:, :-1])
    with pytest.raises(TaskError, match="must have 6 rows of 9, got 6 of 8"):
        certified(task, compiled)
