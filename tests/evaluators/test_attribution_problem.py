"""The problem of the attribution track: what a tool sees, that it sees no more, and its answers."""

from collections import Counter
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from glassbench.errors import AnswerError
from glassbench.evaluators.attribution_problem import AttributionProblem, checked_attribution
from glassbench.evaluators.attribution_track import AttributionTrack
from glassbench.ground_truth import load

NAME = "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled"


@pytest.fixture(scope="module")
def problem():
    return AttributionTrack().problem(load(NAME), 0)


def test_a_problem_has_no_other_fields(problem):
    assert is_dataclass(problem)
    assert [field.name for field in fields(problem)] == ["model", "tokens"]
    with pytest.raises(AttributeError):
        problem.tokens = None
    with pytest.raises(ValueError, match="read-only"):
        problem.tokens[0, 1] = 0


# -- inputs ------------------------------------------------------------------------


def test_a_small_domain_is_taken_whole(problem):
    domain = load(NAME).domain
    assert problem.tokens.shape == domain.tokens.shape == (14, 4)
    assert {*map(bytes, problem.tokens)} == {*map(bytes, domain.tokens)}
    np.testing.assert_array_equal(problem.real, problem.tokens < 2)
    assert problem.answer_shape == (14, 4, 4)


def test_inputs_are_distinct_and_even_over_lengths_and_answers():
    task = load("sort[vocab=4,length=5]")
    tokens = AttributionProblem.of(task, n_rows=128).tokens
    assert len(np.unique(tokens, axis=0)) == len(tokens) == 128
    lengths = Counter((tokens < 4).sum(axis=1).tolist())
    # Of lengths 1 and 2 there are 4 and 16 inputs in all; the others share what is left.
    assert (lengths[1], lengths[2]) == (4, 16)
    assert {lengths[3], lengths[4], lengths[5]} == {36}
    # Sorted inputs tell answers apart: no answer is asked about twice before all are once.
    longest = tokens[(tokens < 4).all(axis=1, where=np.arange(6) > 0)]
    answers = Counter(map(bytes, np.sort(longest, axis=1)))
    assert set(answers.values()) == {1}


def test_inputs_follow_the_seed(problem):
    task = load("sort[vocab=4,length=5]")
    one, again, other = (AttributionProblem.of(task, seed=seed).tokens for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert len(AttributionProblem.of(task, n_rows=5).tokens) == 5


# -- answers -----------------------------------------------------------------------


@pytest.fixture
def answer(problem):
    return np.random.default_rng(0).normal(size=problem.answer_shape)


def pairs_of(problem):
    return problem.real[:, :, None] & problem.real[:, None, :]


def test_arrays_lists_and_tensors_are_taken(problem, answer):
    import jax.numpy as jnp
    import torch

    expected = np.where(pairs_of(problem), answer, 0).astype(np.float32)
    for given in (answer, answer.tolist(), torch.tensor(answer), jnp.asarray(answer)):
        found = checked_attribution(problem, given)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    for whole in (answer > 0, (9 * answer).astype(int)):
        found = checked_attribution(problem, whole)
        np.testing.assert_array_equal(found, np.where(pairs_of(problem), whole, 0))


def test_signs_are_kept_and_the_answer_is_copied(problem, answer):
    found = checked_attribution(problem, answer)
    assert (found < 0).any()
    answer[:] = 0
    assert found.any()


def test_what_stands_at_bos_and_padding_is_not_looked_at(problem, answer):
    found = checked_attribution(problem, answer)
    pairs = pairs_of(problem)
    assert not found[~pairs].any()
    assert not found[:, 0].any()
    assert not found[:, :, 0].any()
    for value in (np.nan, np.inf, 1e300):
        other = np.where(pairs, answer, value)
        np.testing.assert_array_equal(checked_attribution(problem, other), found)


HEADING = (
    "The answer must be a float array [rows, output position, input position], its positions "
    "those of problem.tokens, BOS and padding counted, as np.zeros((14, 4, 4)) is:"
)


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        (None, ["it must hold real numbers, got NoneType of dtype object", "shape {s}, got ()"]),
        ("all of them", ["got str of dtype <U11", "it must have the shape {s}, got ()"]),
        (np.zeros((14, 3, 3)), ["it must have the shape {s}, got (14, 3, 3)"]),
        (np.zeros((14, 4)), ["it must have the shape {s}, got (14, 4)"]),
        (np.zeros((14, 4, 4), complex), ["it must hold real numbers, got ndarray of dtype comp"]),
        ({"a": 1.0}, ["it must hold real numbers, got dict of dtype object", "got ()"]),
        ([[1.0], [1.0, 2.0]], ["it is no array: ValueError: "]),
        (np.zeros(3, complex), ["dtype complex128", "it must have the shape {s}, got (3,)"]),
    ],
)
def test_answers_that_are_no_such_array_are_refused(problem, given, faults):
    with pytest.raises(AnswerError) as caught:
        checked_attribution(problem, given)
    heading, *lines = str(caught.value).splitlines()
    assert heading == HEADING
    assert len(lines) == len(faults)
    for line, fault in zip(lines, faults, strict=True):
        assert fault.replace("{s}", "(14, 4, 4)") in line


def test_every_number_that_is_not_finite_is_named(problem, answer):
    row = int(np.flatnonzero(problem.real.sum(axis=1) == 3)[0])
    answer[row, 2, 1], answer[row, 3, 3], answer[row, 1, 2] = np.nan, -np.inf, 1e300
    with pytest.raises(AnswerError) as caught:
        checked_attribution(problem, answer)
    assert str(caught.value).splitlines() == [
        HEADING,
        *(
            f"  - row {row}, output position {output}, input position {place}: must be finite in "
            f"float32, got {value}"
            for output, place, value in ((1, 2, "1e+300"), (2, 1, "nan"), (3, 3, "-inf"))
        ),
    ]
    with pytest.raises(AnswerError, match=r"\.\.\. and \d+ more"):
        checked_attribution(problem, np.full(problem.answer_shape, np.nan))
