"""Every traced program has a text: tables are written as operators, and are the same again."""

import numpy as np
import pytest

from glassbench.benchmark_programs import library
from glassbench.compiler import InputSpace, optimise, rasp, read_rasp, write_rasp
from glassbench.compiler.interpreter import interpret
from glassbench.compiler.traced_program import traced_program
from glassbench.compiler.untrace import untrace


def values(program, tokens):
    """Return the values of the first output, `None` at padding."""
    (place,) = program.outputs
    known = np.array([*program.nodes[place].domain.values, None], dtype=object)
    return known[interpret(program, tokens, (place,)).values[place]]


def rewritten(program):
    source = read_rasp(write_rasp(*untrace(program)))
    vocabulary = program.vocabulary.values
    traced, checked = traced_program(
        source.outputs, vocabulary, program.max_length, causal=program.causal
    )
    assert not checked.reasons
    return traced.program


def assert_rewritten(program):
    tokens = InputSpace(len(program.vocabulary), program.max_length).everything()
    np.testing.assert_array_equal(values(rewritten(program), tokens), values(program, tokens))


@pytest.mark.parametrize("spec", library(), ids=lambda spec: spec.name)
def test_programs_of_the_library(spec):
    vocab, length = spec.sizes.tiny
    expression = spec.expression(vocab, length)
    traced, _ = traced_program([expression], spec.vocabulary(vocab), length, causal=spec.causal)
    for level in (0, 1):
        assert_rewritten(optimise(traced.program, level))


before = rasp.Select(rasp.indices, rasp.indices, lambda key, query: key == query - 1)
odd = rasp.Select(rasp.tokens, rasp.indices, lambda key, query: ((ord(key) + query) % 3) > 1)
only_keys = rasp.Select(rasp.tokens, rasp.indices, lambda key, query: key in "ac")
only_queries = rasp.Select(rasp.tokens, rasp.indices, lambda key, query: query % 2 == 1)
never = rasp.Select(rasp.tokens, rasp.indices, lambda key, query: False)
previous = rasp.Aggregate(before, rasp.tokens)
CASES = {
    "no value": rasp.Map(lambda token: {"a": 1, "b": None, "c": True}[token], rasp.tokens),
    "one and true": rasp.Map(lambda token: {"a": 1, "b": 0, "c": False}[token], rasp.tokens),
    "a constant": rasp.Map(lambda token: "x", previous),
    "no value at all else": rasp.Map(lambda token: None if token == "a" else 2, rasp.tokens),
    "two variables": rasp.SequenceMap(lambda t, p: f"{t}{p}", rasp.tokens, previous),
    "two, no value": rasp.SequenceMap(
        lambda t, i: None if t == "a" and i == 1 else i, rasp.tokens, rasp.indices
    ),
    "a relation": rasp.SelectorWidth(odd),
    "of keys": rasp.SelectorWidth(only_keys),
    "of queries": rasp.SelectorWidth(only_queries),
    "of none": rasp.SelectorWidth(never),
    "of keys, where a query has a value": rasp.SelectorWidth(
        rasp.Select(rasp.tokens, previous, lambda key, query: key in "ac")
    ),
    "of no value": rasp.SelectorWidth(rasp.Select(previous, rasp.tokens, rasp.Comparison.TRUE)),
    "a sum": rasp.numerical(
        rasp.LinearSequenceMap(
            rasp.numerical(rasp.Aggregate(odd, rasp.tokens == "a", 0)),
            rasp.numerical(rasp.Aggregate(only_keys, rasp.indices, 0)),
            0.5,
            -2,
        )
    ),
}


@pytest.mark.parametrize("expression", CASES.values(), ids=CASES)
def test_functions_and_relations_of_any_kind(expression):
    traced, checked = traced_program([expression], "abc", 4)
    assert not checked.reasons
    for level in (0, 1):
        assert_rewritten(optimise(traced.program, level))


def test_names_stay():
    is_a = rasp.Map(lambda token: token == "a", rasp.tokens).named("is_a")
    count = rasp.SelectorWidth(rasp.Select(is_a, is_a, rasp.Comparison.EQ).named("alike"))
    traced, _ = traced_program([count.named("count")], "ab", 3)
    assert write_rasp(*untrace(traced.program)) == (
        'is_a = tokens in ["a"];\nalike = select(is_a, is_a, ==);\ncount = selector_width(alike);\n'
    )
