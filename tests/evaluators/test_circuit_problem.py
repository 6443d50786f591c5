"""The problem: what a tool sees, and that it sees no more."""

import math
from dataclasses import fields, is_dataclass
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import pytest

from glassbench.errors import AnswerError
from glassbench.evaluators.circuit_problem import CircuitProblem, checked_answer
from glassbench.ground_truth import load


@pytest.fixture(scope="module")
def problem():
    return CircuitProblem.of(load("sort[vocab=2,length=3]/crowded[distractors=2]/scrambled"))


def test_a_problem_has_no_other_fields(problem):
    assert is_dataclass(problem)
    assert [field.name for field in fields(problem)] == ["model", "base", "source", "edges"]
    with pytest.raises(AttributeError):
        problem.edges = ()


def test_pairs_follow_the_seed(problem):
    task = load("sort[vocab=2,length=3]/crowded[distractors=2]/scrambled")
    assert problem.base.shape == problem.source.shape == (64, 4)
    again = CircuitProblem.of(task)
    np.testing.assert_array_equal(again.base, problem.base)
    np.testing.assert_array_equal(again.source, problem.source)
    assert (CircuitProblem.of(task, seed=1).base != problem.base).any()
    assert (problem.base != problem.source).any()
    assert len(CircuitProblem.of(task, n_pairs=5).base) == 5


def test_edges_are_those_of_the_graph(problem):
    assert problem.edges == problem.graph.edge_names


def test_a_tool_cannot_spoil_the_model_for_the_next_one(problem):
    """Tasks are kept: what one tool overwrites, all others would see."""
    writable = [name for name, array in problem.model.weights.arrays() if array.flags.writeable]
    assert not writable


# -- answers -----------------------------------------------------------------------


def checked_scores(problem, answer):
    return np.abs(list(checked_answer(problem, answer).values()))


def answer_of(problem, **changes):
    return {**dict.fromkeys(problem.edges, 0.5), **changes}


def test_scores_are_magnitudes_in_the_order_of_the_edges(problem):
    values = {edge: (-1) ** place * place for place, edge in enumerate(problem.edges)}
    backwards = dict(reversed(values.items()))
    np.testing.assert_array_equal(checked_scores(problem, backwards), np.arange(len(values)))
    wrapped = MappingProxyType(values)
    np.testing.assert_array_equal(checked_scores(problem, wrapped), np.arange(len(values)))


@pytest.mark.parametrize(
    "value",
    [0.25, 1, True, np.float32(0.5), np.int64(-3), np.array(2.0), Fraction(1, 3), -0.0, 1e300],
)
def test_numbers_of_every_kind_are_taken(problem, value):
    edge = problem.edges[3]
    scores = checked_scores(problem, answer_of(problem, **{edge: value}))
    assert scores[3] == abs(float(value))


def test_scalars_of_jax_and_torch_are_taken(problem):
    import jax.numpy as jnp
    import torch

    edge = problem.edges[0]
    for value in (
        jnp.float32(-0.5),
        torch.tensor(-0.5),
        torch.tensor(-0.5, requires_grad=True),
    ):
        assert checked_scores(problem, answer_of(problem, **{edge: value}))[0] == 0.5


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (np.float64("nan"), "nan"),
        (None, "None"),
        ("0.5", "'0.5'"),
        (1j, "1j"),
        (np.array([1.0]), "array([1.])"),
        (np.array([[1.0, 2.0]]), "array([[1., 2.]])"),
        ([1.0], "[1.0]"),
        (np.array("x"), "array('x'"),
        (np.complex128(1), "1+0j"),
        (10**400, "100000"),
    ],
)
def test_scores_that_are_no_finite_number_are_refused(problem, value, shown):
    edge = problem.edges[2]
    with pytest.raises(AnswerError) as caught:
        checked_scores(problem, answer_of(problem, **{edge: value}))
    assert f"  - {edge}: its score must be a finite number, got " in str(caught.value)
    assert shown in str(caught.value)


@pytest.mark.parametrize("answer", [None, [0.5], 3, "edges", np.zeros(5), {"a"}, math.nan])
def test_answers_that_are_no_mapping_are_refused(problem, answer):
    with pytest.raises(AnswerError) as caught:
        checked_scores(problem, answer)
    assert str(caught.value).startswith(
        "An answer must map the name of every edge to a number, got"
    )
    assert type(answer).__name__ in str(caught.value)
    assert "for edge in problem.edges" in str(caught.value)


def test_every_fault_of_an_answer_is_listed(problem):
    answer = answer_of(problem, **{problem.edges[4]: math.nan, "m0->m9": 1.0})
    answer[7] = 1.0
    del answer[problem.edges[1]]
    with pytest.raises(AnswerError) as caught:
        checked_scores(problem, answer)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"The answer must give each of the {len(problem.edges)} edges")
    assert lines[1:] == [
        f"  - {problem.edges[1]}: has no score",
        "  - 'm0->m9': is no edge of this model",
        "  - 7: is no edge of this model",
        f"  - {problem.edges[4]}: its score must be a finite number, got nan",
    ]


def test_an_empty_answer_is_refused_and_the_list_is_cut_short(problem):
    with pytest.raises(AnswerError) as caught:
        checked_scores(problem, {})
    lines = str(caught.value).splitlines()
    assert lines[-1] == f"  - ... and {len(problem.edges) - 20} more"
