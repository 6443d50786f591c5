"""Programs as answers: read with line and column, bounded in size and work, never evaluated."""

import time

import numpy as np
import pytest

from glassbench.errors import AnswerError
from glassbench.evaluators.program_problem import (
    MOST_CHARACTERS,
    N_INPUTS,
    ProgramProblem,
    checked_program,
)
from glassbench.ground_truth import load, make_task

TASK = "sort_unique[vocab=3,length=3]"
HEADING = "The answer must be a program that this model could be compiled from: "


@pytest.fixture(scope="module")
def problem():
    return ProgramProblem.of(load(TASK), seed=3)


def refusal(problem, answer):
    with pytest.raises(AnswerError) as caught:
        checked_program(problem, answer)
    return str(caught.value)


def test_the_problem_is_a_model_and_inputs(problem):
    assert {*vars(problem)} == {"model", "inputs"}
    assert problem.inputs.shape == (N_INPUTS, 4)
    assert (problem.inputs[:, 0] == problem.model.codec.bos).all()
    assert not problem.inputs.flags.writeable
    again, other = (ProgramProblem.of(load(TASK), seed=seed) for seed in (3, 4))
    np.testing.assert_array_equal(problem.inputs, again.inputs)
    assert (problem.inputs != other.inputs).any()


def test_a_program_is_read_on_the_tokens_and_lengths_of_the_model(problem):
    found = checked_program(problem, "x = tokens + 1;")
    assert found.text == "x = tokens + 1;"
    assert found.program.vocabulary == problem.model.codec.tokens
    assert found.program.max_length == 3
    assert not found.program.causal
    causal = ProgramProblem.of(load("count_so_far[vocab=2,length=3]"))
    assert checked_program(causal, "tokens;").program.causal


@pytest.mark.parametrize("answer", [None, 3, {"a": 1.0}, b"tokens;", ["tokens;"]])
def test_what_is_no_text(problem, answer):
    kind = type(answer).__name__
    assert refusal(problem, answer) == (
        f"An answer must be a program as RASP text, got {kind}; return for instance 'out = tokens;'"
    )


WRONG = {
    "": "A RASP program must give a sequence, got none: no statement of it does.",
    "x = ;": "line 1, column 5: Expected an expression, got `;`.",
    "a = tokens;\nb = a ++ ;": "line 2, column 10: Expected an expression, got `;`.",
    "a = 1;\nb = indeces;": "line 2, column 5: There is no name 'indeces'. Did you mean 'indices'?",
    "x = 1;": "A RASP program must give a sequence, got none: the last name is the constant 1.",
    '__import__("os").system("true");': "line 1, column 17: There is a '.'.",
    'exec("1");': "line 1, column 1: There is no name 'exec'.",
    "def f(x) { return f(x); }\nf(tokens);": "line 2, column 1: It is nested too deeply, or a",
    "load 'library';": "line 1, column 1: `load` is a command of an interactive interpreter",
}


@pytest.mark.parametrize("text", WRONG)
def test_texts_that_are_no_programs(problem, text):
    told = refusal(problem, text)
    assert told.startswith(HEADING)
    assert WRONG[text] in told


def test_every_problem_is_listed(problem):
    told = refusal(problem, "a = x;\nb = y;\nout = select(tokens, tokens);")
    assert told.count("\n  - line ") == 1  # what cannot be parsed hides the rest
    told = refusal(problem, "a = x;\nb = y;\nout = tokens and (tokens == 1, tokens);")
    assert [f"line {n}, column" in told for n in (1, 2, 3)] == [True] * 3


def test_programs_that_fail_on_the_tokens_of_the_model():
    letters = ProgramProblem.of(make_task("selector_width(select(tokens, tokens, ==));", "ab", 3))
    told = refusal(letters, 'x = tokens == "a";\nout =\n  (tokens < 3) and x;')
    assert "line 3, column 4: map: its function must be defined on every value" in told
    assert "fails on 2 of 2: ('a',): TypeError" in told
    assert "line 1, column 9: tokens_int: " in refusal(letters, "n = 2 * tokens_int;\nn;")


def test_programs_that_have_no_meaning_on_some_input():
    letters = ProgramProblem.of(make_task("selector_width(select(tokens, tokens, ==));", "ab", 3))
    told = refusal(letters, "any = select(1, 1, ==);\nsome = aggregate(any, tokens);")
    assert "It has no meaning on some inputs:\n  - line 2, column 1: some: a categorical" in told
    assert "on input ['a', 'b'] it selects different values at position 0" in told


def test_as_many_outputs_as_the_model(problem):
    told = refusal(problem, "[tokens, indices];")
    assert told == (
        f"{HEADING}it must give 1 sequence, as the model does, and gives 2 sequences; several are "
        "the last statement, as in `[x, y];`"
    )
    pair = ProgramProblem.of(
        make_task("n = selector_width(select(tokens, tokens, ==)); [n, n == length];", "ab", 3)
    )
    assert len(checked_program(pair, "[tokens, indices];").program.outputs) == 2
    assert "must give 2 sequences, as the model does, and gives 1" in refusal(pair, "tokens;")


def test_a_text_that_is_too_long(problem):
    assert checked_program(problem, "tokens;" + " " * (MOST_CHARACTERS - 7))
    told = refusal(problem, "tokens;" + " " * (MOST_CHARACTERS - 6))
    assert told.startswith("A program must have at most 65,536 characters, got 65,537; ")


def test_a_text_that_is_no_unicode(problem):
    told = refusal(problem, 'a = 1;\nb = "\ud800";')
    assert told == (
        "A program must be Unicode text, and holds the lone surrogate '\\ud800' at line 2, column "
        "6; leave it out"
    )


HUGE = {
    "nested": "x = " + "(" * 20_000 + "tokens" + ")" * 20_000 + ";",
    "chained": "x = tokens" + " + 1" * 16_000 + ";",
    "loops": "for i in range(9999) { for j in range(9999) { x = i; } } tokens;",
    "many": "x = tokens; for i in range(3000) { y = x; x = y + 1; x = x - 1; } x;",
    "attention": "x = tokens; for i in range(300) { x = aggregate(select(x, x, <), x, 0); } x;",
    "tables": "x = indices; y = tokens; for i in range(60) { x = x + y; y = x * y; } y;",
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
def test_programs_that_are_too_large(problem, text):
    started = time.perf_counter()
    told = refusal(problem, text)
    assert time.perf_counter() - started < 60  # some seconds on a slow machine, and not hours
    assert told.startswith("The answer must be a program that this model could be compiled from")
    known = ("too deeply", "too much work", "at most 2,000 expressions", "at most 4096 are allowed")
    assert any(words in told for words in (*known, "more than 4096", "must be at most 1e+09"))
