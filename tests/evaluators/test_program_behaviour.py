"""Agreement of programs with models: against slow versions, by hand, and what is blind."""

import warnings
from itertools import product

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from glassbench.compiler import compile_program, rasp, read_rasp
from glassbench.evaluators.program_behaviour import (
    NO_ANSWER,
    Behaviour,
    best_of_each,
    model_answers,
    program_answers,
)
from glassbench.evaluators.program_problem import ProgramProblem, checked_program
from glassbench.ground_truth import load
from glassbench.ground_truth.interchange_pairs import TaskDomain

HISTOGRAM = "selector_width(select(tokens, tokens, ==));"


def modelled(text, vocabulary, length, **options):
    """Return the problem of a model, and what it does on all inputs."""
    compiled = compile_program(text, vocabulary, length, **options)
    tokens = TaskDomain.of(compiled).tokens
    problem = ProgramProblem(compiled.model, tokens)
    return problem, Behaviour.of(compiled.model, tokens)


def earned(problem, behaviour, text):
    program = checked_program(problem, text).program
    return behaviour.metrics(behaviour.agreeing(program))


def slow_metrics(problem, behaviour, text):
    """Call the expressions and the model on one sequence after the other."""
    outputs, causal = read_rasp(text).outputs, problem.model.weights.causal
    shares, given_answers, true_answers = [], [], []
    for row in behaviour.tokens:
        sequence = problem.model.codec.sequence(row)
        given = [rasp.evaluate(output, sequence, causal) for output in outputs]
        answers = list(zip(*given, strict=True)) if len(outputs) > 1 else given[0]
        true = problem.model(sequence)
        shares.append(np.mean([a == b for a, b in zip(true, answers, strict=True)]))
        # The same number can be written in two ways.
        given_answers += [repr(a if a == b else b) for a, b in zip(true, answers, strict=True)]
        true_answers += map(repr, true)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # answers that the model never gives
        balanced = balanced_accuracy_score(true_answers, given_answers)
    return {
        "balanced_agreement": balanced,
        "agreement": np.mean(shares),
        "input_agreement": np.mean(np.array(shares) == 1),
    }


PREVIOUS = "p = aggregate(select(indices, indices - 1, ==), tokens);"
CASES = {
    "numbers": (HISTOGRAM, "abc", ["length;", HISTOGRAM, "1 + (tokens == 'a');", "tokens;"]),
    "no value": (
        PREVIOUS,
        "ab",
        [
            PREVIOUS,
            "tokens;",
            f"{PREVIOUS} p == tokens;",
            f"{PREVIOUS} p if p == 'a' else 'b';",
        ],
    ),
    "means": (
        "aggregate(select(indices, indices, <=), tokens == 'a');",
        "ab",
        ["0.5 + 0 * indices;", "aggregate(select(1, 1, ==), tokens == 'a');", "1 / (indices + 1);"],
    ),
    "several": (
        f"n = {HISTOGRAM} [n, tokens];",
        "ab",
        [f"n = {HISTOGRAM} [n, tokens];", "[length, tokens];", "[tokens, length];"],
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("causal", [False, True])
def test_metrics_are_those_of_calling_both_on_every_input(case, causal):
    text, vocabulary, submitted = CASES[case]
    problem, behaviour = modelled(text, vocabulary, 3, causal=causal)
    for other in submitted:
        expected = slow_metrics(problem, behaviour, other)
        assert earned(problem, behaviour, other) == pytest.approx(expected), other
    assert set(earned(problem, behaviour, text).values()) == {1.0}


def test_numbers_are_decoded_as_logits_are():
    third = "aggregate(select(1, 1, ==), tokens == 'a');"
    problem, behaviour = modelled(third, "ab", 3)
    near = f"x = {third} x + 0.01;"
    assert earned(problem, behaviour, near)["agreement"] == 1.0
    far = f"x = {third} x + 0.1;"  # the answers lie 1/6 apart, so that another is nearer
    assert earned(problem, behaviour, far)["agreement"] == 0.0
    off = f"x = {third} x + 10;"
    program = checked_program(problem, off).program
    answers, _ = program_answers(problem.model.codec, program, behaviour.tokens)
    assert set(answers[0][behaviour.real].tolist()) == {NO_ANSWER}


def test_an_output_of_one_value_is_that_value():
    problem, behaviour = modelled("aggregate(select(1, 1, ==), full(2));", "ab", 2)
    assert earned(problem, behaviour, "full(2);")["agreement"] == 1.0
    assert earned(problem, behaviour, "full(3);")["agreement"] == 0.0


def test_a_boolean_and_the_number_that_it_equals_are_one_answer():
    problem, behaviour = modelled("tokens == 'a';", "ab", 2)
    assert earned(problem, behaviour, "indicator(tokens == 'a');")["agreement"] == 1.0


def test_by_hand():
    """The example in docs/program_track.md."""
    problem, behaviour = modelled(HISTOGRAM, "ab", 2)
    assert len(behaviour.tokens) == 6
    assert earned(problem, behaviour, "length;") == pytest.approx(
        {"balanced_agreement": (2 / 6 + 4 / 4) / 2, "agreement": 4 / 6, "input_agreement": 4 / 6}
    )
    local = [behaviour.metrics(one) for one in behaviour.without_attention()]
    assert max(one["balanced_agreement"] for one in local[:2]) == pytest.approx(1 / 2)
    assert max(one["agreement"] for one in local[:2]) == pytest.approx(4 / 6)
    # At the first place 1 or 2 is told of 4 and 2 places, at the second of 2 and 2.
    assert max(one["balanced_agreement"] for one in local) == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert max(one["agreement"] for one in local) == pytest.approx(4 / 6)
    half = "1 + (tokens == 'a');"  # right at b of b, ab, ba; at both of aa; and nowhere else
    assert earned(problem, behaviour, half) == pytest.approx(
        {
            "balanced_agreement": (3 / 6 + 2 / 4) / 2,
            "agreement": (0 + 1 + 1 + 0.5 + 0.5 + 0) / 6,
            "input_agreement": 2 / 6,
        }
    )


@pytest.mark.parametrize("text", [HISTOGRAM, PREVIOUS, "selector_width(select(tokens, 'a', ==));"])
def test_no_function_of_token_and_position_agrees_more(text):
    """All of them are tried: 3 answers for each of 2 tokens at each of 2 positions."""
    _, behaviour = modelled(text, "ab", 2)
    real, answers = behaviour.real, behaviour.answers[0]
    cell = behaviour.tokens[:, 1:] * 2 + np.arange(2)
    known = np.unique(answers[real])
    tables, constants = [], []
    for chosen in product(known, repeat=4):
        told = np.array(chosen)[np.where(real, cell, 0)] == answers
        tables.append(behaviour.metrics(told & real))
        if len(set(chosen)) == 1:
            constants.append(tables[-1])
    found = [behaviour.metrics(one) for one in behaviour.without_attention()]
    for name in ("balanced_agreement", "agreement"):
        for own, tried in ((found[:2], constants), (found, tables)):
            assert max(one[name] for one in own) == pytest.approx(max(one[name] for one in tried))


def test_the_answer_of_the_greatest_weight():
    cells, answers = np.array([0, 0, 0, 2]), np.array([1, 0, 0, 3])
    assert best_of_each(cells, answers, np.array([3.0, 1.0, 1.0, 1.0])).tolist() == [1, 0, 3]
    assert best_of_each(cells, answers, np.ones(4)).tolist() == [0, 0, 3]


def test_answers_of_models_in_other_coordinates():
    task = load("sort[vocab=2,length=3]/crowded[distractors=2]/scrambled")
    codec, tokens = task.compiled.model.codec, task.domain.tokens
    found = model_answers(task.compiled.model, tokens)
    program, meant = program_answers(codec, task.compiled.program, tokens)
    np.testing.assert_array_equal(found, program)
    assert meant.all()
    behaviour = Behaviour(codec, tokens, found)
    assert behaviour.agreeing(task.compiled.program).sum() == behaviour.real.sum()
