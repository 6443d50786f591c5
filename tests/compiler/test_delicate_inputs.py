"""Tokens and sizes that compilers of RASP have got wrong, and the smallest there are."""

from fractions import Fraction

import pytest

from glassbench.benchmark_programs import get_program
from glassbench.compiler import compile_program, rasp

TOKENS, INDICES = rasp.tokens, rasp.indices
SAME = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
SO_FAR = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)
PREVIOUS = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)


@pytest.mark.parametrize(
    "vocabulary",
    [
        (0, "a", 2, "b"),
        (-3, 0.5, "x"),
        (("a", 1), ("a", 2), "a"),
        (True, 2, "True"),
        ("b", "B", ""),
    ],
)
def test_vocabularies_of_mixed_values(vocabulary, differential):
    inputs = differential.all_sequences(vocabulary, 3)
    for expression in (
        TOKENS,
        rasp.SelectorWidth(SAME),
        rasp.Aggregate(PREVIOUS, TOKENS, "none"),
        rasp.numerical(rasp.Map(vocabulary.index, TOKENS)),
    ):
        compiled = compile_program(expression, vocabulary, 3)
        differential.check_exact(compiled, expression, inputs)


def test_numerical_tokens(differential):
    number = rasp.numerical(TOKENS)
    place = rasp.numerical(INDICES)
    inputs = differential.all_sequences((-1, 0.5, 3), 4)
    for expression in (
        number,
        number * place,
        rasp.LinearSequenceMap(number, place, -1, 2),
        rasp.SelectorWidth(rasp.Select(number, place, rasp.Comparison.GT)),
        rasp.Aggregate(SO_FAR, number),
    ):
        compiled = compile_program(expression, (-1, 0.5, 3), 4)
        differential.check_exact(compiled, expression, inputs)


def test_means_that_are_themselves_tokens(differential):
    """The mean of 0 and 2 is the token 1, and need not be taken for it."""
    inputs = differential.all_sequences((0, 1, 2), 4)

    def oracle(xs):
        return [float(Fraction(sum(xs[:n]), n)) for n in range(1, len(xs) + 1)]

    for expression in (rasp.Aggregate(SO_FAR, TOKENS), rasp.Aggregate(SO_FAR, TOKENS, 7)):
        compiled = compile_program(expression, (0, 1, 2), 4)
        differential.check_exact(compiled, expression, inputs, oracle)


def test_every_mean_of_length_10_is_a_value(differential):
    """Not only those whose denominator is the length: 65 balances are reached, -1 to 1."""
    spec = get_program("pair_balance")
    compiled = compile_program(spec.build("()a", 10), "()a", 10)
    inputs = [[token] * count + ["a"] * (10 - count) for token in "()" for count in range(1, 11)]
    inputs += [["a"] * (10 - count) + [token] * count for token in "()" for count in range(1, 11)]
    expected = [spec.oracle(sequence) for sequence in inputs]
    assert {value for row in expected for value in row} == {
        float(Fraction(k, n)) for n in range(1, 11) for k in range(-n, n + 1)
    }
    differential.check_exact(compiled, spec.build("()a", 10), inputs, spec.oracle)


def test_one_token_and_one_position(differential):
    for expression in (TOKENS, INDICES, rasp.length, rasp.SelectorWidth(SAME)):
        compiled = compile_program(expression, "a", 1)
        differential.check_exact(compiled, expression, [["a"]])


def test_whole_numbers_stay_what_functions_take_them_for(differential):
    """Texts of numbers differ between `1` and `1.0`, though the numbers do not."""
    halves = rasp.Map(lambda x: x / 2, TOKENS)
    for expression in (
        rasp.Map(str, TOKENS),
        rasp.Map(str, rasp.Aggregate(SAME, TOKENS), simplify=False),
        rasp.Map(str, halves, simplify=False),
    ):
        compiled = compile_program(expression, [1, 2, 4], 3)
        differential.check_exact(compiled, expression, differential.all_sequences([1, 2, 4], 3))
