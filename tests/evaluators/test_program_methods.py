"""The built-in methods of the program track, and the values that they enumerate."""

import time

import numpy as np
import pytest

from glassbench.compiler import InputSpace, compile_program, interpret, rasp, write_rasp
from glassbench.compiler.traced_program import traced_program
from glassbench.compiler.values import as_argument
from glassbench.evaluators.methods import built_in
from glassbench.evaluators.methods.enumerated_expressions import ABSENT, Expressions
from glassbench.evaluators.methods.program_synthesis import _Candidate, _Search, synthesise
from glassbench.evaluators.methods.tabulated_answers import (
    AnswersToTell,
    answer_tables,
    coded,
    coded_pair,
)
from glassbench.evaluators.program_behaviour import Behaviour
from glassbench.evaluators.program_problem import ProgramProblem, checked_program
from glassbench.ground_truth import load
from glassbench.ground_truth.interchange_pairs import TaskDomain

METHODS = built_in("program")


def modelled(text, vocabulary="abc", length=3, **options):
    compiled = compile_program(text, vocabulary, length, **options)
    domain = TaskDomain.of(compiled)
    return ProgramProblem(compiled.model, domain.draw(128, np.random.default_rng(0)))


def agreement(problem, text):
    """Return how often a text agrees on all inputs."""
    compiled = checked_program(problem, text).program
    behaviour = Behaviour.of(problem.model, everything(problem))
    return behaviour.metrics(behaviour.agreeing(compiled))["balanced_agreement"]


def everything(problem):
    codec = problem.model.codec
    return InputSpace(len(codec.tokens), codec.max_length).everything()


# -- what is enumerated --------------------------------------------------------------


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("vocabulary", ["abc", (0, 1, 2)])
def test_values_are_those_of_the_interpreter(vocabulary, causal):
    """Of every expression that the first rounds make, on all inputs at once."""
    problem = modelled("length;", vocabulary, causal=causal)
    codec = problem.model.codec
    found = Expressions(codec, problem.inputs, causal=causal)
    tokens, indices = found.tokens, found.indices
    selections = [*found.ordered([tokens]), *found.related([tokens, indices], [tokens, indices])]
    selections += [*found.both(selections[:4], selections[4:])]
    variables = [tokens, indices, *found.widths(selections)]
    variables += [*found.aggregates(selections, [tokens, indices])]
    variables += [*found.compared(variables[:6], variables[:6])]
    assert len(variables) > 60
    wrong = []
    for variable in variables:
        traced, checked = traced_program([variable.expression], vocabulary, 3, causal=causal)
        if checked.reasons:  # on an input that is not in the batch
            continue
        program = traced.program
        (place,) = program.outputs
        node = program.nodes[place]
        given = [as_argument(value) for value in node.domain.values]
        if variable.is_token:
            known = {value: n for n, value in enumerate(codec.tokens.values)} | {ABSENT: -1}
            given = [known[value] for value in given]
        ids = interpret(program, problem.inputs, (place,)).values[place]
        values = np.append(np.array(given, dtype=float), 0.0)[ids]
        if not np.allclose(np.where(found.real, values, 0.0), variable.values):
            wrong.append(variable.expression)
    assert not wrong


def test_expressions_of_the_same_values_are_one():
    problem = modelled("length;")
    found = Expressions(problem.model.codec, problem.inputs, causal=False)
    (width,) = found.widths([found.everything])
    assert found.widths([found.everything]) == []
    assert found.variables([(rasp.length, width.values)]) == []
    assert [*found.related([found.indices], [found.indices])]
    assert [*found.related([found.indices], [found.indices])] == []


# -- how well they tell --------------------------------------------------------------


def test_tables_by_hand():
    """Four inputs of one token; tables are made on the first and the third."""
    made_on = np.array([True, False, True, False])
    telling = AnswersToTell(np.array([0, 0, 1, 1]), np.full(4, 0.25), made_on)
    assert telling.agreement(np.array([0, 0, 1, 1])) == 1.0
    assert telling.agreement(np.array([0, 1, 1, 0])) == 0.0
    assert telling.agreement(np.zeros(4, dtype=int)) == 0.5
    assert telling.agreement(np.arange(4)) == 0.5  # what was not seen has the commonest
    assert telling.uncertainty(np.array([0, 0, 1, 1])) == 0.0
    assert telling.uncertainty(np.zeros(4, dtype=int)) == pytest.approx(np.log(2))
    assert telling.is_told(np.array([1, 0, 2, 2]))
    assert not telling.is_told(np.array([0, 0, 0, 1]))


def test_numbers_of_values():
    fst, snd = coded(np.array([0.5, -1.0, 0.5])), coded(np.array([3.0, 3.0, 2.0]))
    assert fst.tolist() == [1, 0, 1]
    assert len(set(coded_pair(fst, snd).tolist())) == 3


@pytest.mark.parametrize(
    "text",
    [
        "tokens == 'b';",
        "indices if tokens == 'a' else 7;",
        "aggregate(select(indices, indices - 1, ==), tokens);",
        "[tokens == 'a', indices];",
    ],
)
def test_tables_of_what_tells_all_are_the_model(text):
    problem = modelled(text)
    previous = rasp.Aggregate(
        rasp.Select(rasp.indices, rasp.indices - 1, rasp.Comparison.EQ), rasp.tokens
    )
    sides = (previous,) if "aggregate" in text else (rasp.tokens, rasp.indices)
    traced, _ = traced_program(sides, "abc", 3)
    behaviour = Behaviour.of(problem.model, problem.inputs)
    outputs = answer_tables(behaviour, sides, traced.program)
    assert agreement(problem, write_rasp(*outputs)) == 1.0


# -- what comes out ------------------------------------------------------------------

FOUND = {
    "length": "length;",
    "histogram": "selector_width(select(tokens, tokens, ==));",
    "fraction": "aggregate(select(indices, indices, <=), tokens == 'a');",
    "previous": "aggregate(select(indices, indices - 1, ==), tokens);",
    "reverse": "aggregate(select(indices, length - 1 - indices, ==), tokens);",
    "a count": "selector_width(select(tokens, 'a', ==)) > 1;",
    "two counts": (
        "x = selector_width(select(tokens, 'a', ==)); y = selector_width(select(tokens, 'b', ==));"
        "x == y;"
    ),
    "several": "n = selector_width(select(tokens, tokens, ==)); [n, tokens == 'a'];",
}


@pytest.mark.parametrize("name", FOUND)
def test_small_programs_are_found(name):
    problem = modelled(FOUND[name])
    text = METHODS["synthesis"].function(problem)
    assert agreement(problem, text) == 1.0


def test_causal_programs_are_found():
    problem = modelled("selector_width(select(tokens, tokens, ==));", causal=True)
    assert agreement(problem, synthesise(problem)) == 1.0


def test_sorting_is_found():
    task = load("sort[vocab=3,length=3]/crowded[distractors=2]/scrambled")
    problem = ProgramProblem.of(task)
    assert agreement(problem, synthesise(problem)) == 1.0


def test_the_same_program_each_time():
    problem = modelled(FOUND["two counts"])
    assert synthesise(problem) == synthesise(problem)


def test_a_search_ends_in_time_with_the_best_that_it_has():
    hard = (
        "x = selector_width(select(tokens, tokens, <) and select(indices, indices, >));"
        "y = selector_width(select(x, x, ==) and select(tokens, tokens, !=)); (7 * x + 3 * y) % 5;"
    )
    problem = modelled(hard, "abcd", 4)
    started = time.process_time()
    text = synthesise(problem, seconds=1.0)
    assert time.process_time() - started < 30  # a second, and what is written and checked after
    table = METHODS["token-position-table"].function(problem)
    assert agreement(problem, text) >= agreement(problem, table) - 1e-9


def test_the_table_is_the_best_program_without_attention():
    problem = modelled("selector_width(select(tokens, tokens, ==));")
    behaviour = Behaviour.of(problem.model, everything(problem))
    local = [behaviour.metrics(one)["balanced_agreement"] for one in behaviour.without_attention()]
    text = METHODS["token-position-table"].function(problem)
    assert agreement(problem, text) == pytest.approx(max(local))


def test_a_candidate_that_takes_the_place_of_another_has_its_own_text():
    """Those that are left out make room in memory, where the next ones may come to stand."""
    search = _Search(modelled("length;"), time.process_time() + 60)
    search.consider(next(search.rounds()))
    tokens, indices = search._known
    texts = {}
    for known in (tokens, indices) * 20:
        candidate = _Candidate((known,), known.codes, 0.0, is_told=False)
        texts.setdefault(known, set()).add(search._text(candidate))
        del candidate
    assert len(texts[tokens]) == len(texts[indices]) == 1
    assert texts[tokens] != texts[indices]
