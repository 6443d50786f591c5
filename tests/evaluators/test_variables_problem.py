"""The problem of the variables track: what a tool sees, that it sees no more, and its answers."""

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.errors import AnswerError
from glassbench.evaluators.variables_pairs import (
    AS_SOURCE,
    KEPT,
    OWN,
    PairSource,
    VariablePairs,
    split_domain,
)
from glassbench.evaluators.variables_pose import posed
from glassbench.evaluators.variables_problem import (
    Subspace,
    VariableQuestion,
    checked_subspaces,
    place_of,
)
from glassbench.ground_truth import load
from glassbench.ground_truth.high_level_model import HighLevelModel
from glassbench.ground_truth.interchange_pairs import TaskDomain
from glassbench.ground_truth.variable_window import hook_name

NAME = "sort[vocab=2,length=3]/crowded[distractors=2,seed=1]/scrambled"


@pytest.fixture(scope="module")
def task():
    return load(NAME)


@pytest.fixture(scope="module")
def problem(task):
    return posed(task, 0).problem


def test_a_problem_has_no_other_fields(problem):
    names = [[field.name for field in fields(kind)] for kind in (VariableQuestion, VariablePairs)]
    assert [field.name for field in fields(problem)] == ["model", "hooks", "variables", "seed"]
    assert names[0] == ["train", "max_directions", "numbers"]
    assert names[1] == ["base", "source", "base_values", "source_values", "where", "answers"]
    with pytest.raises(TypeError):
        problem.variables["more"] = None


def test_hooks_are_named_in_the_order_of_the_streams(problem):
    n_layers = problem.model.weights.n_layers
    assert len(problem.hooks) == 2 * n_layers + 1
    assert [place_of(hook) for hook in problem.hooks] == list(range(2 * n_layers + 1))
    assert place_of(hook_name(2 * n_layers, n_layers)) == 2 * n_layers


def test_names_tell_nothing_of_the_order_of_the_program(task):
    order = [list(posed(load(name), 0).keys) for name in (NAME, "sort")]
    assert order == [["v0", "v1", "v2"]] * 2
    places = [
        [posed(load(name), 0).keys[v].window[0] for v in ("v0", "v1", "v2")]
        for name in (NAME, "sort", "sort/scrambled", "sort/scrambled[seed=1]")
    ]
    assert any(each != sorted(each) for each in places)


def test_pairs_follow_the_seed_and_cannot_be_overwritten(task, problem):
    again, other = posed(task, 0).problem, posed(task, 1).problem
    assert again is problem
    for name, question in problem.variables.items():
        assert not any(array.flags.writeable for array in vars(question.train).values())
        assert other.variables[name].max_directions == question.max_directions
    assert any(
        not np.array_equal(other.variables[name].train.base, question.train.base)
        for name, question in problem.variables.items()
    )


# -- pairs -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 3])
def test_no_held_out_input_is_one_to_learn_from(task, seed):
    pose = posed(task, seed)
    for name, key in pose.keys.items():
        train = pose.problem.variables[name].train
        learnt = {row.tobytes() for row in (*train.base, *train.source)}
        measured = {row.tobytes() for row in (*key.held_out.base, *key.held_out.source)}
        assert learnt
        assert measured
        assert not learnt & measured


def test_a_quarter_of_the_inputs_is_held_out_and_two_of_the_smallest_domain():
    for name, n_out in (("sort", 341), ("sort[vocab=2,length=3]", 4)):
        domain = load(name).domain
        learn, measure = split_domain(domain, 0)
        assert len(measure.tokens) == n_out
        assert len(learn.tokens) == len(domain.tokens) - n_out
    four = TaskDomain(domain.tokens[:4], True, np.array([7, 2, 7, 2]), domain.length[:4])
    learn, measure = split_domain(four, 0)
    assert [len(part.tokens) for part in (learn, measure)] == [2, 2]
    assert all(set(part.stratum) == set(range(part.stratum.max() + 1)) for part in (learn, measure))


def test_pairs_are_what_the_program_says(task):
    model, codec = HighLevelModel(task.compiled), task.compiled.model.codec
    source = PairSource(task, task.domain, np.random.default_rng(0))
    for variable in ("place", "unique_key", "sort"):
        pairs, kinds = source.pairs(variable, 60)
        real = codec.is_real(pairs.base)
        found = model.interchange(pairs.base, {variable: pairs.source}, pairs.where)
        np.testing.assert_array_equal(found.answers, pairs.answers)
        assert (found.defined | ~real).all()
        values = model.values(pairs.base)[variable], model.values(pairs.source)[variable]
        np.testing.assert_array_equal(values, (pairs.base_values, pairs.source_values))
        assert not (pairs.where & ~(real & codec.is_real(pairs.source))).any()
        base, other = model.output(pairs.base), model.output(pairs.source)
        kept = ((pairs.answers == base) | ~real).all(axis=1)
        swapped = ((pairs.answers == np.where(pairs.where, other, base)) | ~real).all(axis=1)
        expected = np.where(kept, KEPT, np.where(swapped, AS_SOURCE, OWN))
        np.testing.assert_array_equal(kinds, expected)


def test_kinds_take_turns():
    source = PairSource(load("frac_prevs"), load("frac_prevs").domain, np.random.default_rng(0))
    _, kinds = source.pairs("is_a", 90)
    assert np.bincount(kinds).tolist() == [30, 30, 30]
    assert np.bincount(kinds[:9]).tolist() == [3, 3, 3]
    whole = source.where == (
        source.real & load("frac_prevs").compiled.model.codec.is_real(source.source)
    )
    assert 0.4 < whole.all(axis=1).mean() < 0.8


# -- answers -----------------------------------------------------------------------


def answer_of(problem, **changes):
    d_model = problem.model.weights.d_model
    parts = {"hook": problem.hooks[2], "directions": np.eye(1, d_model), **changes}
    return {name: dict(parts) for name in problem.variables}


def test_objects_mappings_lists_and_tensors_are_taken(problem):
    import jax.numpy as jnp
    import torch

    d_model = problem.model.weights.d_model
    rows, hook = np.eye(1, d_model), problem.hooks[2]
    for part in (
        {"hook": hook, "directions": rows},
        {"hook": 2, "directions": rows.tolist()},
        {"hook": np.int64(2), "directions": torch.tensor(rows), "read": None},
        {"hook": hook, "directions": jnp.asarray(rows), "read": rows.astype(int)},
        Subspace(hook, rows),
        SimpleNamespace(hook=hook, directions=rows),
    ):
        found = checked_subspaces(problem, dict.fromkeys(problem.variables, part))
        assert list(found) == list(problem.variables)
        assert found["v0"].hook == hook
        assert found["v0"].directions.dtype == np.float64
        np.testing.assert_array_equal(found["v0"].directions, rows)


def test_an_answer_is_copied(problem):
    answer = answer_of(problem)
    found = checked_subspaces(problem, answer)["v0"]
    answer["v0"]["directions"][:] = 0
    assert found.directions.any()


@pytest.mark.parametrize("answer", [None, [0.5], np.zeros((3, 3)), "directions"])
def test_answers_that_are_no_mapping_are_refused(problem, answer):
    with pytest.raises(AnswerError) as caught:
        checked_subspaces(problem, answer)
    assert str(caught.value) == (
        "An answer must map the name of every variable to a hook and directions, got "
        f"{type(answer).__name__}; return for instance {{name: Subspace(hook, directions)}}"
    )


def test_every_fault_of_an_answer_is_listed(problem):
    d_model = problem.model.weights.d_model
    names = list(problem.variables)
    most = problem.variables["v1"].max_directions
    broken = np.eye(2, d_model)
    broken[1, 3] = np.nan
    answer = {
        "v0": {"hook": "blocks.9.hook_mlp_out", "directions": np.eye(2, d_model + 1)},
        "v1": {"hook": len(problem.hooks), "directions": np.eye(most + 1, d_model), "read": broken},
        "v9": None,
        7: None,
    }
    assert names == ["v0", "v1", "v2"]
    with pytest.raises(AnswerError) as caught:
        checked_subspaces(problem, answer)
    span = f"{problem.hooks[0]} to {problem.hooks[-1]}"
    assert str(caught.value).splitlines() == [
        "The answer must give a hook and directions for each variable of the problem:",
        "  - v2: has no answer",
        "  - 'v9': is no variable of it",
        "  - 7: is no variable of it",
        f"  - v0: its hook must be one of problem.hooks, {span}, got 'blocks.9.hook_mlp_out'",
        f"  - v0: directions must be rows of d_model={d_model} numbers, got the shape "
        f"(2, {d_model + 1})",
        f"  - v1: its hook must be one of problem.hooks, {span}, got {len(problem.hooks)}",
        f"  - v1: directions must span at most max_directions={most} dimensions, got {most + 1}",
        "  - v1: read must be finite, got nan",
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"hook": None}, "its hook must be one of problem.hooks, blocks.0.hook_resid_pre to "),
        ({"hook": 1.5}, "got 1.5"),
        ({"hook": True}, "got True"),
        ({"hook": -1}, "got -1"),
        ({"directions": np.zeros((0, 5))}, "directions must be rows of d_model="),
        ({"directions": []}, "numbers, got the shape (0,)"),
        ({"directions": 3.0}, "numbers, got the shape ()"),
        ({"directions": "two"}, "directions must be an array of numbers: TypeError: it must hold "),
        ({"directions": np.eye(2, dtype=complex)}, "real numbers, got ndarray of dtype complex128"),
        ({"directions": [[1.0], [1.0, 2.0]]}, "directions must be an array of numbers: ValueErr"),
    ],
)
def test_parts_that_cannot_be_scored_are_refused(problem, change, fault):
    with pytest.raises(AnswerError) as caught:
        checked_subspaces(problem, answer_of(problem, **change))
    assert all(f"  - {name}: " in str(caught.value) for name in problem.variables)
    assert fault in str(caught.value)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_subspace_of_no_dimension_is_refused(problem, rows):
    nothing = np.zeros((rows, problem.model.weights.d_model))
    told = f"must span one dimension at least, got {rows} that are all zero"
    for part in ("directions", "read"):
        with pytest.raises(AnswerError, match=f"v0: {part} {told}"):
            checked_subspaces(problem, answer_of(problem, **{part: nothing}))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(problem, value):
    answer = answer_of(problem)
    answer["v1"]["directions"][0, 1] = value
    with pytest.raises(AnswerError, match=f"v1: directions must be finite, got {value}"):
        checked_subspaces(problem, answer)


def test_many_rows_may_span_few_dimensions(problem):
    d_model = problem.model.weights.d_model
    same = np.ones((40, 1)) * np.eye(1, d_model)
    found = checked_subspaces(problem, answer_of(problem, directions=same))
    assert len(found["v0"].factors[1]) == 1


def test_what_is_read_must_not_be_at_right_angles_to_what_is_written(problem):
    d_model = problem.model.weights.d_model
    with pytest.raises(AnswerError, match="v0: read must not be at right angles to directions"):
        checked_subspaces(problem, answer_of(problem, read=np.eye(2, d_model)[1:]))
    answer = answer_of(problem, read=np.eye(1, d_model))
    assert checked_subspaces(problem, answer)["v0"].read is not None


def test_what_has_neither_is_refused(problem):
    with pytest.raises(AnswerError) as caught:
        checked_subspaces(problem, dict.fromkeys(problem.variables, 3))
    assert "v0: hook must be given: AttributeError" in str(caught.value)
    assert "v0: directions must be an array of numbers: AttributeError" in str(caught.value)


def test_pairs_can_be_taken_in_part(problem):
    train = problem.variables["v0"].train
    some = train.take(slice(3, 9))
    assert len(some) == 6
    np.testing.assert_array_equal(some.answers, train.answers[3:9])
    assert replace(some).where.shape == some.base.shape
