"""The problem of the features track: what a tool sees, that it sees no more, and its answers."""

from dataclasses import fields, is_dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.errors import AnswerError
from glassbench.evaluators.features_problem import (
    FeaturesProblem,
    FoundFeatures,
    StreamRows,
    checked_features,
)
from glassbench.ground_truth import feature_data, load

NAME = "sort[vocab=2,length=3]/scrambled"
LAST, FIRST = "blocks.2.hook_resid_post", "blocks.0.hook_resid_pre"


def problem_of(arm="model", hooks=(LAST,), seed=0):
    return FeaturesProblem.of(feature_data(load(NAME), arm), hooks, seed=seed)


@pytest.fixture(scope="module")
def problem():
    return problem_of()


@pytest.fixture(scope="module")
def rows(problem):
    return problem.hooks[LAST]


def test_a_problem_has_no_other_fields(problem, rows):
    assert is_dataclass(problem)
    assert [field.name for field in fields(problem)] == ["hooks", "model", "seed"]
    assert [field.name for field in fields(rows)] == ["train", "held_out", "max_directions"]
    with pytest.raises(TypeError):
        problem.hooks["more"] = rows


def test_rows_follow_the_seed_and_cannot_be_overwritten(problem, rows):
    again, other = problem_of().hooks[LAST], problem_of(seed=1).hooks[LAST]
    np.testing.assert_array_equal(again.train, rows.train)
    np.testing.assert_array_equal(again.held_out, rows.held_out)
    assert (other.train != rows.train).any()
    assert not rows.train.flags.writeable
    assert not rows.held_out.flags.writeable
    assert problem.seed == 0


def test_twice_as_many_directions_as_classes_may_be_given(rows):
    data = feature_data(load(NAME))
    assert rows.max_directions == 2 * data.key(LAST).n_classes
    hooks = problem_of(hooks=(FIRST, LAST)).hooks
    assert list(hooks) == [FIRST, LAST]
    assert hooks[FIRST].max_directions == 2 * data.key(FIRST).n_classes < rows.max_directions


# -- answers -----------------------------------------------------------------------


def answer_of(rows, count=2, **changes):
    parts = {
        "directions": np.eye(count, rows.train.shape[1]),
        "activations": np.zeros((len(rows.held_out), count)),
    }
    return {LAST: {**parts, **changes}}


def test_objects_mappings_lists_and_tensors_are_taken(problem, rows):
    import jax.numpy as jnp
    import torch

    parts = answer_of(rows)[LAST]
    for answer in (
        parts,
        FoundFeatures(**parts),
        SimpleNamespace(**parts),
        {name: array.tolist() for name, array in parts.items()},
        {name: torch.tensor(array) for name, array in parts.items()},
        {name: jnp.asarray(array) for name, array in parts.items()},
        {name: array.astype(int) for name, array in parts.items()},
    ):
        found = checked_features(problem, {LAST: answer})[LAST]
        assert found.directions.dtype == found.activations.dtype == np.float64
        np.testing.assert_array_equal(found.directions, parts["directions"])


def test_an_answer_without_directions_is_one(problem, rows):
    found = checked_features(problem, answer_of(rows, count=0))[LAST]
    assert found.directions.shape == (0, rows.train.shape[1])


def test_an_answer_is_copied(problem, rows):
    answer = answer_of(rows)
    found = checked_features(problem, answer)[LAST]
    answer[LAST]["directions"][:] = 0
    assert found.directions.any()


def test_activations_are_read_in_float32_and_directions_whole(problem, rows):
    directions = np.full((1, rows.train.shape[1]), 1 / 3)
    activations = np.full((len(rows.held_out), 1), 1 / 3)
    answer = answer_of(rows, 1, directions=directions, activations=activations)
    found = checked_features(problem, answer)[LAST]
    np.testing.assert_array_equal(found.directions, directions)
    np.testing.assert_array_equal(found.activations, np.float32(1 / 3))
    answer[LAST]["activations"] *= 1e300
    with pytest.raises(AnswerError, match="activations must be finite, got inf"):
        checked_features(problem, answer)


@pytest.mark.parametrize("size", [1e-160, 1e160, 5e-324, 1.7e308])
def test_directions_have_a_length(problem, rows, size):
    directions = np.eye(rows.train.shape[1])[:2] * [[1.0], [size]]
    answer = answer_of(rows, 2, directions=directions)
    with pytest.raises(AnswerError, match=r"between 1e-100 and 1e\+100, .* in row 1"):
        checked_features(problem, answer)
    checked_features(problem, answer_of(rows, 2, directions=np.sign(directions) * 1e-100))


@pytest.mark.parametrize("answer", [None, [0.5], np.zeros((3, 3)), "directions"])
def test_answers_that_are_no_mapping_are_refused(problem, answer):
    with pytest.raises(AnswerError) as caught:
        checked_features(problem, answer)
    assert str(caught.value) == (
        "An answer must map the name of every hook to directions and activations, got "
        f"{type(answer).__name__}; return for instance {{hook: FoundFeatures(directions, "
        "activations)}"
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"directions": np.eye(2, 3)}, "directions must be rows of d_model={d} numbers, got the "),
        ({"directions": np.eye(2)[0]}, "directions must have two axes, got the shape (2,)"),
        ({"activations": 0.0}, "activations must have two axes, got the shape ()"),
        ({"activations": np.zeros((3, 2))}, "rows, directions], ({n}, 2), got (3, 2)"),
        ({"directions": "two"}, "directions must be an array of numbers: TypeError: it must hold "),
        ({"directions": np.eye(2, dtype=complex)}, "real numbers, got ndarray of dtype complex128"),
        ({"activations": [["1", "2"]]}, "it must hold real numbers, got list of dtype <U1"),
        ({"activations": np.ma.masked_all((1, 2))}, "it must hide no numbers behind a mask"),
        ({"directions": [[1.0], [1.0, 2.0]]}, "directions must be an array of numbers: ValueErr"),
        ({"activations": None}, "it must hold real numbers, got NoneType of dtype object"),
    ],
)
def test_arrays_that_cannot_be_scored_are_refused(problem, rows, change, fault):
    with pytest.raises(AnswerError) as caught:
        checked_features(problem, answer_of(rows, **change))
    expected = fault.replace("{d}", str(rows.train.shape[1])).replace(
        "{n}", str(len(rows.held_out))
    )
    assert f"  - {LAST}: " in str(caught.value)
    assert expected in str(caught.value)


def test_every_fault_of_an_answer_is_listed():
    problem = problem_of(hooks=(FIRST, LAST))
    rows = problem.hooks[LAST]
    count = rows.max_directions + 1
    answer = answer_of(rows, count, activations=np.zeros((1, 1)))
    answer[LAST]["directions"] = np.ones((count, rows.train.shape[1]))
    answer[LAST]["directions"][[1, 3]] = 0
    answer |= {"blocks.9.hook_resid_post": None, 7: None}
    with pytest.raises(AnswerError) as caught:
        checked_features(problem, answer)
    n_rows, most = len(rows.held_out), rows.max_directions
    assert str(caught.value).splitlines() == [
        "The answer must give directions and activations at each hook of the problem:",
        f"  - {FIRST}: has no answer",
        "  - 'blocks.9.hook_resid_post': is no hook of it",
        "  - 7: is no hook of it",
        f"  - {LAST}: at most max_directions={most} directions can be given, got {count}",
        f"  - {LAST}: directions must not be zero, got zero in row 1, 3",
        f"  - {LAST}: activations must have the shape [held-out rows, directions], "
        f"({n_rows}, {count}), got (1, 1)",
    ]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(problem, rows, value):
    for name in ("directions", "activations"):
        answer = answer_of(rows)
        answer[LAST][name][0, 1] = value
        with pytest.raises(AnswerError, match=f"{name} must be finite, got {value}"):
            checked_features(problem, answer)


def test_what_has_neither_is_refused(problem):
    with pytest.raises(AnswerError) as caught:
        checked_features(problem, {LAST: 3})
    assert "directions must be an array of numbers: AttributeError" in str(caught.value)
    assert "activations must be an array of numbers: AttributeError" in str(caught.value)


def test_rows_are_kept_as_plain_arrays(rows):
    assert isinstance(rows, StreamRows)
    assert type(rows.train) is np.ndarray
