"""Compiled blocks in trained models: what is kept, and what controls keep."""

import pytest

import glassbench as gb
from glassbench.benchmark_programs import get_suite
from glassbench.errors import TaskError
from glassbench.ground_truth import build_model, load


@pytest.fixture(scope="module")
def task():
    """The smallest model in which a head copies: what it brings no relabelling can give."""
    (one,) = (task for task in get_suite("trained") if task.name == "shift")
    return load(one)


def head_of(task):
    (head,) = task.training.alignment.heads.values()
    return head


def test_the_block_of_a_head_keeps_what_the_model_does(task):
    found = gb.splice(task, head_of(task))
    assert found.block in task.training.alignment.heads
    assert found.variables == ("previous",)
    assert found.kept > 0.95 and found.decoded > 0.95 and found.explained > 0.5
    assert found.controls["random weights"] < 0.5
    assert found.controls["the mean"] < 0.5
    assert found.controls["other inputs"] < 0.5
    others = [kept for name, kept in found.controls.items() if name.startswith("m")]
    assert others and max(others) < 0.5
    assert found.n_inputs == task.training.answers.tried


def test_a_block_that_computes_another_variable_does_not(task):
    (mlp,) = (one for one in gb.splice(task, head_of(task)).controls if one.startswith("m"))
    assert gb.splice(task, head_of(task), mlp).kept < 0.5


def test_a_component_that_stands_for_nothing(task):
    alignment = task.training.alignment
    named = {alignment.name(one.name) for one in alignment.compiled.writers}
    quiet = next(one.name for one in alignment.ordinary.writers if one.name not in named)
    with pytest.raises(TaskError, match="stands for nothing in the program, so that the block"):
        gb.splice(task, quiet)
    # It does nothing, so that whatever takes its place keeps all.
    (head,) = alignment.heads
    assert gb.splice(task, quiet, head).kept > 0.95


def test_what_cannot_be_spliced(task):
    with pytest.raises(TaskError, match=r"no component 'a9\.h9'"):
        gb.splice(task, "a9.h9")
    with pytest.raises(TaskError, match="no block 'm9'"):
        gb.splice(task, head_of(task), "m9")
    with pytest.raises(TaskError, match="has a compiled one; take its regime `trained`"):
        gb.splice(load("histogram[vocab=2,length=3]"), "a0.h0")
    assert build_model(task.id).model.weights.activation == "relu"
