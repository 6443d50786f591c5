"""Variables of programs sought in models: what programs say, and what interchanges show."""

import numpy as np
import pytest

from glassbench.compiler import compile_program, rasp, write_rasp
from glassbench.compiler.untrace import untrace
from glassbench.evaluators.program_behaviour import model_answers, program_answers
from glassbench.evaluators.program_interventions import predicted
from glassbench.evaluators.program_mechanism import (
    Alignment,
    Interchanges,
    accuracies,
    groups,
    interchanges,
)
from glassbench.evaluators.program_normal_form import NormalForm
from glassbench.evaluators.program_problem import ProgramProblem, checked_program
from glassbench.ground_truth import HighLevelModel, Pairs, load
from glassbench.ground_truth.interchange_pairs import TaskDomain

HISTOGRAM = "selector_width(select(tokens, tokens, ==));"
TASKS = (
    "sort[vocab=3,length=3]",
    "shuffle_dyck1[vocab=3,length=4]/crowded[distractors=2]/scrambled",
    "reverse[vocab=2,length=4]",
    "count_before_minus_after[vocab=2,length=3]",
    "induction[vocab=3,length=4]",
)


@pytest.fixture(scope="module", params=TASKS)
def task(request):
    return load(request.param)


def sought(text, task, seed=0):
    """Return how often each variable of a text is each group of a task's variables."""
    compiled = task.compiled
    form = NormalForm.of(compiled.program, task.domain.tokens)
    program = checked_program(ProgramProblem.of(task), text).program
    own = NormalForm.of(program, task.domain.tokens)
    done = interchanges(task, form, seed)
    return accuracies(done, program, own), groups(compiled.program, form, done.bases)


# -- what programs say ---------------------------------------------------------------


def test_programs_say_what_the_high_level_model_does(task):
    """Which computes with coefficients, on values that do not meet too."""
    compiled = task.compiled
    program, codec, model = compiled.program, compiled.model.codec, HighLevelModel(compiled)
    rng = np.random.default_rng(1)
    pairs = Pairs.draw(task.domain, 64, rng)
    where = rng.random(pairs.base.shape) < 0.6
    where &= codec.is_real(pairs.base) & codec.is_real(pairs.source)
    form = NormalForm.of(program, task.domain.tokens)
    compared = 0
    for places in form.holders.values():
        found = predicted(program, codec, pairs.base, pairs.source, places, where[:, 1:])
        names = {program.nodes[place].name: pairs.source for place in places}
        expected = model.interchange(pairs.base, names, where)
        answers = codec.answer_ids(list(found.answers))
        np.testing.assert_array_equal(found.said, expected.defined[:, 1:])
        np.testing.assert_array_equal(answers[found.said], expected.answers[:, 1:][found.said])
        compared += found.said.sum()
    assert compared > 64


def test_nothing_overridden_is_the_program_itself(task):
    program, codec, tokens = task.compiled.program, task.compiled.model.codec, task.domain.tokens
    nowhere = np.zeros(tokens[:, 1:].shape, dtype=bool)
    found = predicted(program, codec, tokens, tokens, (), nowhere)
    answers, _ = program_answers(codec, program, tokens)
    np.testing.assert_array_equal(found.answers, answers)
    np.testing.assert_array_equal(found.said, tokens[:, 1:] < codec.bos)


def test_values_that_do_not_meet_are_not_spoken_of():
    """Ranks of "ab" and "ba" are 0 1 and 1 0: with one of them exchanged two positions meet."""
    compiled = compile_program(
        "rank = selector_width(select(tokens, tokens, <));"
        "out = aggregate(select(rank, indices, ==), tokens);",
        "ab",
        2,
    )
    tokens = np.array([[2, 0, 1]])
    other = np.array([[2, 1, 0]])
    form = NormalForm.of(compiled.program, np.array([[2, 0, 1], [2, 0, 3]]))
    (rank,) = [places for unit, places in form.holders.items() if form.units[unit].kind == "width"]
    for where, said, answers in (
        ([[True, True]], [[True, True]], [[1, 0]]),
        ([[True, False]], [[True, False]], [[-1, 0]]),
    ):
        found = predicted(
            compiled.program, compiled.model.codec, tokens, other, rank, np.array(where)
        )
        assert found.said.tolist() == said
        assert found.answers[0][found.said].tolist() == np.array(answers)[found.said].tolist()


def test_what_comes_later_leaves_no_doubt_where_attention_looks_back():
    """On "ab" both tokens get the name "a": what is copied then is in doubt, from the second on."""
    compiled = compile_program(
        "own = aggregate(select(indices, indices, ==), tokens);"
        "alike = aggregate(select(own, own, ==), tokens);"
        "out = selector_width(select(alike, 'a', ==));",
        "ab",
        2,
        causal=True,
    )
    codec, names = compiled.model.codec, [node.name for node in compiled.program.nodes]
    bases, sources = codec.encode(["ab"]), codec.encode(["aa"])
    where = np.ones((1, 2), dtype=bool)
    found = predicted(compiled.program, codec, bases, sources, (names.index("own"),), where)
    assert found.said.tolist() == [[True, False]]


def test_what_an_aggregate_never_does_on_an_input_is_not_spoken_of():
    """On "ab" and "ba" a mean is over one position: it is a copy, however it is written."""
    alike = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    own = rasp.numerical(rasp.Aggregate(alike, rasp.indices)).named("own")
    program = compile_program(own, "ab", 2).program
    inputs, sources = np.array([[2, 0, 1], [2, 1, 0]]), np.array([[2, 1, 1], [2, 1, 1]])
    form = NormalForm.of(program, inputs)
    names = [node.name for node in program.nodes]
    codec, where = compile_program(own, "ab", 2).model.codec, np.ones((2, 2), dtype=bool)
    for seen, said in ((form.seen, False), ({}, True)):
        found = predicted(program, codec, inputs, sources, (names.index("tokens"),), where, seen)
        assert found.said.all() == found.said.any() == said


# -- what interchanges show ----------------------------------------------------------


def test_the_program_of_a_model_is_found_in_it(task):
    text = write_rasp(*untrace(task.compiled.program))
    found, names = sought(text, task)
    assert found.shape[1] == len(names)
    assert len(found) >= 1
    alignment = Alignment.of(found, len(found))
    assert set(alignment.metrics().values()) == {1.0}


def test_models_answer_as_they_do_where_nothing_is_interchanged():
    task = load(TASKS[0])
    form = NormalForm.of(task.compiled.program, task.domain.tokens)
    done = interchanges(task, form, 3)
    assert (done.where <= (done.bases[:, 1:] < 3)).all()
    assert (done.where <= (done.sources[:, 1:] < 3)).all()
    base = model_answers(task.compiled.model, done.bases)
    untouched = ~done.where.any(axis=1)
    real = done.bases[:, 1:] < 3
    for answers in done.answers:
        np.testing.assert_array_equal(
            answers[0][untouched], np.where(real, base[0], answers[0])[untouched]
        )
    again, other = (interchanges(task, form, seed) for seed in (3, 4))
    np.testing.assert_array_equal(done.answers[0], again.answers[0])
    assert (done.bases != other.bases).any()


def test_another_route_to_the_same_answers():
    """Equal tokens before and after a position, counted apart: the model has one count."""
    task = load("histogram[vocab=3,length=3]")
    same = "same = select(tokens, tokens, ==);"
    apart = (
        f"{same} x = selector_width(same and select(indices, indices, <));"
        "y = selector_width(same and select(indices, indices, >=)); x + y;"
    )
    found, _ = sought(apart, task)
    assert len(found) == 2
    metrics = Alignment.of(found, 1).metrics()
    assert metrics["interchange_accuracy"] < 0.5
    direct, _ = sought(HISTOGRAM, task)
    assert Alignment.of(direct, 1).metrics()["interchange_f1"] == 1.0
    assert Alignment.of(sought("tokens;", task)[0], 1).metrics() == {
        "interchange_f1": 0.0,
        "interchange_accuracy": 0.0,
        "interchange_coverage": 0.0,
    }


def test_variables_under_other_names_are_found():
    """The model has the share of tokens that are a, the text one less the share of others."""
    task = load("frac_prevs[vocab=3,length=3]")
    before = "before = select(indices, indices, <=);"
    turned = f'{before} rest = aggregate(before, not (tokens == "{token_of(task)}")); 1 - rest;'
    found, _ = sought(turned, task)
    assert Alignment.of(found, 1).metrics()["interchange_f1"] == 1.0


def token_of(task):
    """Return the token that is counted."""
    model = task.compiled.model
    (token,) = [one for one in model.codec.tokens.values if model([one]) == [1]]
    return token


def test_by_hand():
    """The example in docs/program_track.md: a length taken for a count."""
    compiled = compile_program(HISTOGRAM, "ab", 2)
    codec, count = compiled.model.codec, compiled.source_map.outputs[0]
    problem = ProgramProblem(compiled.model, TaskDomain.of(compiled).tokens)
    program = checked_program(problem, "length;").program
    form = NormalForm.of(program, problem.inputs)
    bases, sources = codec.encode(["a", "ab", "aa"]), codec.encode(["bb", "b", "ab"])
    where = codec.is_real(bases) & codec.is_real(sources)
    (places,) = [form.holders[unit] for unit in form.inner if form.holders[unit]]
    says = predicted(program, codec, bases, sources, places, where[:, 1:])
    given = [[codec.answer(at) for at in row[real]] for row, real in zip(*told(says), strict=True)]
    assert given == [[2], [1, 2], [2, 2]]
    answers = HighLevelModel(compiled).interchange(bases, {count: sources}).answers[:, 1:]
    shows = [
        [codec.answer(at) for at in row[real]] for row, real in zip(answers, says.said, strict=True)
    ]
    assert shows == [[2], [1, 1], [1, 1]]
    done = Interchanges(codec, bases, sources, where[:, 1:], (answers[None],))
    found = accuracies(done, program, form)
    assert found.tolist() == [
        [0.5]
    ]  # of the first two pairs; of the third nothing is said to change
    assert Alignment.of(found, 1).metrics()["interchange_f1"] == 0.5


def told(says):
    """Return the answers of the one output, and where they are said."""
    return says.answers[0], says.said


def test_every_subspace_stands_for_one_variable():
    found = np.array([[1.0, 0.25], [1.0, 0.5]])
    assert Alignment.of(found, 2).metrics() == {
        "interchange_f1": 0.75,
        "interchange_accuracy": 0.75,
        "interchange_coverage": 0.75,
    }
    assert Alignment.of(found[:, :1], 2).metrics()["interchange_f1"] == 0.5
    assert Alignment.of(found[:1], 2).metrics()["interchange_coverage"] == 0.5


def test_no_more_variables_are_assigned_than_there_are():
    found = np.array([[0.5, 0.25], [0.75, 0.7]])
    assert Alignment.of(found, 2).total == pytest.approx(0.5 + 0.7)
    assert Alignment.of(found, 1).metrics() == pytest.approx(
        {
            "interchange_f1": 2 * 0.75 / 3,
            "interchange_accuracy": 0.75 / 2,
            "interchange_coverage": 0.75,
        }
    )
