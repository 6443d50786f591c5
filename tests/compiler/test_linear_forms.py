"""Sums of means over the same selector: their values are those of one mean."""

from fractions import Fraction
from itertools import product

import pytest

from glassbench.compiler import compile_program, rasp, trace
from glassbench.compiler.domains import sum_domain
from glassbench.compiler.linear_forms import LinearForm, combined

TOKENS, INDICES = rasp.tokens, rasp.indices
EVERY = rasp.Select(TOKENS, TOKENS, rasp.Comparison.TRUE)
SO_FAR = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)
SAME = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
NEVER = rasp.Select(TOKENS, TOKENS, rasp.Comparison.FALSE)


def mean_of(function, selector=SO_FAR, default=0):
    value = rasp.numerical(rasp.Map(function, TOKENS))
    return rasp.numerical(rasp.Aggregate(selector, value, default=default))


def difference(fst, snd, fst_factor=1, snd_factor=-1):
    return rasp.numerical(rasp.LinearSequenceMap(fst, snd, fst_factor, snd_factor))


def domain_of(expression, vocabulary="abc", max_length=4):
    program = trace([expression], vocabulary, max_length).program
    (output,) = program.outputs
    return program.nodes[output].domain


def reached(expression, vocabulary="abc", max_length=4):
    """Return every value that an expression takes on any input."""
    return {
        value
        for length in range(1, max_length + 1)
        for sequence in product(vocabulary, repeat=length)
        for value in rasp.evaluate(expression, sequence)
    }


IS_A, IS_B = mean_of(lambda x: x == "a"), mean_of(lambda x: x == "b")


@pytest.mark.parametrize(
    "expression",
    [
        difference(IS_A, IS_B),
        difference(IS_A, IS_B, 2, Fraction(1, 2)),
        difference(difference(IS_A, IS_B), mean_of(lambda x: x == "c"), 1, 1),
        difference(IS_A, IS_A),
        difference(IS_A, mean_of(lambda x: 3 if x == "a" else -1), 1, 2),
    ],
)
def test_a_sum_of_means_takes_the_values_of_one_mean(expression, differential):
    domain = domain_of(expression)
    assert set(map(float, domain.values)) == {float(value) for value in reached(expression)}
    for level in (0, 1):
        compiled = compile_program(expression, "abc", 4, level=level)
        differential.check_exact(compiled, expression, differential.all_sequences("abc", 4))


def test_a_balance_has_few_values_at_length_64():
    """As many as there are means of -1, 0 and 1, not all differences of two means of 0 and 1."""
    balance = difference(IS_A, IS_B)
    values = set(domain_of(balance, max_length=64).values)
    assert values == {Fraction(s, n) for n in range(1, 65) for s in range(-n, n + 1)}
    assert len(values) == 2521


def test_means_over_other_positions_are_added_value_by_value():
    other = mean_of(lambda x: x == "b", SAME)
    both = difference(IS_A, other)
    pairs = [(Fraction(1), domain_of(IS_A)), (Fraction(-1), domain_of(other))]
    assert domain_of(both) == sum_domain(pairs)


def test_selectors_that_are_written_twice_are_the_same():
    again = rasp.Select(INDICES, INDICES, lambda key, query: key <= query)
    assert domain_of(difference(IS_A, mean_of(lambda x: x == "b", again))) == domain_of(
        difference(IS_A, IS_B)
    )


def test_the_default_of_a_sum_is_the_sum_of_the_defaults():
    fst = mean_of(lambda x: x == "a", NEVER, default=Fraction(1, 3))
    snd = mean_of(lambda x: x == "b", NEVER, default=5)
    expression = difference(fst, snd, 3, 2)
    assert 3 * Fraction(1, 3) + 2 * 5 in domain_of(expression).values
    assert compile_program(expression, "ab", 2)("ab") == [11, 11]


def test_variables_without_a_common_source_are_combined():
    place = rasp.numerical(rasp.Aggregate(EVERY, rasp.numerical(INDICES), default=0))
    share = mean_of(lambda x: x == "a", EVERY)
    expression = difference(place, share)
    assert reached(expression) <= {float(v) for v in domain_of(expression).values}


SELECTOR = ((0, 0, b""),)


def form(factors, default=0, selector=SELECTOR):
    return LinearForm(selector, {n: Fraction(f) for n, f in factors.items()}, Fraction(default))


def test_forms_are_combined_by_their_factors():
    found = combined([(Fraction(2), form({1: 1, 2: 3}, 5)), (Fraction(-1), form({2: 1}, 1))])
    assert found == form({1: 2, 2: 5}, 9)
    assert combined([(Fraction(1), form({1: 1})), (Fraction(1), None)]) is None
    other = form({1: 1}, selector=((1, 0, b""),))
    assert combined([(Fraction(1), form({1: 1})), (Fraction(1), other)]) is None
