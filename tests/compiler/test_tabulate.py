"""Tables of functions: those computed as arrays are those that calling would give."""

import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.compiler import Domain, rasp, tabulate
from glassbench.compiler import rasp_operations as ops
from glassbench.compiler.domains import LARGEST_DOMAIN, canonical, mean_domain
from glassbench.compiler.known_functions import known_predicate, known_results
from glassbench.compiler.rasp_selectors import (
    BoundPredicate,
    CombinedPredicate,
    NegatedPredicate,
)
from glassbench.compiler.rasp_sops import LinearCombination
from glassbench.compiler.tabulate import map_table, predicate_table, sequence_map_table
from glassbench.errors import ProgramError

COMPARISONS = [ops.EQUAL, ops.NOT_EQUAL, ops.LESS, ops.AT_MOST, ops.GREATER, ops.AT_LEAST]
ARITHMETIC = [ops.ADD, ops.SUBTRACT, ops.MULTIPLY, ops.DIVIDE]

INTEGERS = st.integers(-9, 9)
FRACTIONS = st.fractions(-5, 5, max_denominator=12)
NUMBERS = st.one_of(
    INTEGERS,
    st.booleans(),
    FRACTIONS,
    st.integers(-99, 99).map(lambda number: number / 10),
    st.integers(-(2**62), 2**62),
    st.fractions(-(10**4), 10**4, max_denominator=2 * 10**6),
    st.builds(Fraction, st.integers(4_503_599_600, 4_503_599_700), st.integers(999_983, 10**6)),
    st.floats(-1e9, 1e9, allow_subnormal=False),
)
VALUES = st.one_of(
    NUMBERS,
    st.sampled_from(["", "a", "b", "1"]),
    st.tuples(st.sampled_from([1, True, Fraction(1, 3), "a", 0.1, 2**53 + 1])),
)


def domains(values):
    return st.lists(values, max_size=7).map(lambda some: Domain.of(map(canonical, some)))


DOMAINS = st.one_of(domains(INTEGERS | FRACTIONS), domains(NUMBERS), domains(VALUES))
CONSTANTS = st.one_of(
    INTEGERS,
    st.sampled_from([0.5, 1 / 3, 2**0.5, True, "a", Fraction(1, 3), 10**30, float("inf")]),
    st.sampled_from([np.float64(0.1), np.int64(3), None, (1, 0.5)]),
)
OPERATIONS = st.one_of(
    st.sampled_from([*COMPARISONS, *ARITHMETIC, ops.AND, ops.OR]),
    st.sampled_from([operator.eq, operator.lt, operator.add]),
    st.builds(LinearCombination, CONSTANTS, CONSTANTS),
)
STEPS = st.one_of(
    st.sampled_from([ops.NOT, ops.NEGATE]),
    st.builds(
        ops.WithConstant,
        st.sampled_from([*COMPARISONS, *ARITHMETIC, ops.OR]),
        CONSTANTS,
        st.booleans(),
    ),
)
FUNCTIONS = st.one_of(STEPS, st.lists(STEPS, max_size=4).map(tuple).map(ops.Composition))
PREDICATES = st.recursive(
    st.sampled_from([*rasp.Comparison, ops.AT_LEAST, operator.ne]),
    lambda inner: st.one_of(
        st.builds(NegatedPredicate, inner),
        st.builds(BoundPredicate, inner, CONSTANTS, st.booleans()),
        st.builds(CombinedPredicate, inner, inner, st.booleans()),
    ),
    max_leaves=4,
)


def outcome(tabulated, *arguments):
    """Return what was made, types and all, or what was said."""
    try:
        made = tabulated(*arguments)
    except ProgramError as problem:
        return str(problem)
    if isinstance(made, np.ndarray):
        return made.tolist(), made.dtype, made.shape
    assert made.table.dtype == np.int64
    assert made.optional == (-1 in made.table)
    assert made.domain == Domain.of(made.domain.values)
    kinds = [type(value) for value in made.domain.values]
    return made.domain.values, kinds, made.table.tolist(), made.table.shape


@settings(max_examples=150, deadline=None)
@given(OPERATIONS, DOMAINS, DOMAINS)
def test_functions_of_two_variables_are_as_called(function, fst, snd):
    called = outcome(sequence_map_table, lambda x, y: function(x, y), fst, snd)
    assert outcome(sequence_map_table, function, fst, snd) == called


@settings(max_examples=150, deadline=None)
@given(FUNCTIONS, DOMAINS)
def test_functions_of_one_variable_are_as_called(function, inner):
    called = outcome(map_table, lambda value: function(value), inner)
    assert outcome(map_table, function, inner) == called


@settings(max_examples=100, deadline=None)
@given(PREDICATES, DOMAINS, DOMAINS)
def test_predicates_are_as_called(predicate, keys, queries):
    called = outcome(predicate_table, lambda key, query: predicate(key, query), keys, queries)
    assert outcome(predicate_table, predicate, keys, queries) == called


def test_what_is_known_is_not_called(monkeypatch):
    monkeypatch.setattr(tabulate, "MOST_CALLS", 0)
    numbers = Domain.of([False, 2, Fraction(1, 3), Fraction(-7, 10)])
    means = mean_domain(Domain.of([0, 1]), 64, None)
    for function in (*COMPARISONS, *ARITHMETIC[:3], LinearCombination(0.5, -2)):
        sequence_map_table(function, numbers, numbers)
        map_table(ops.WithConstant(function, 3), numbers)
    sequence_map_table(ops.DIVIDE, numbers, Domain.of([-1, Fraction(1, 2)]))
    half = ops.Composition((ops.WithConstant(ops.DIVIDE, 2.0), ops.NEGATE, ops.NOT))
    assert map_table(half, means).domain.values == (False, True)
    assert map_table(ops.WithConstant(ops.SUBTRACT, 1, constant_first=True), means).table[0] == 1260
    assert predicate_table(rasp.Comparison.LT, means, means).sum() == 1261 * 1260 // 2
    assert known_predicate(rasp.Comparison.EQ, numbers, Domain.of("ab")) is not None
    assert known_results(lambda x, y: x, numbers, numbers) is None
    assert known_results(ops.ADD, numbers, Domain.of([canonical(2**0.5)])) is None
    assert known_results(ops.DIVIDE, numbers, numbers) is None
    with pytest.raises(ProgramError, match="would be called"):
        map_table(lambda value: value, numbers)


def test_results_are_rounded_once():
    thirds = Domain.of([Fraction(1, 3), Fraction(2, 3)])
    made = sequence_map_table(ops.SUBTRACT, thirds, thirds)
    assert made.domain.values == (Fraction(-1, 3), 0, Fraction(1, 3))
    fine = Domain.of([Fraction(1, 999_983)])
    (product,) = sequence_map_table(ops.MULTIPLY, fine, fine).domain.values
    assert product == Fraction(1 / 999_983**2)


def test_none_is_no_value_of_the_domain():
    made = map_table(lambda value: None if value == "b" else value, Domain.of("abc"))
    assert made.domain.values == ("a", "c")
    np.testing.assert_array_equal(made.table, [0, -1, 1])
    assert made.optional
    nothing = sequence_map_table(lambda x, y: None, Domain.of("ab"), Domain.of("c"))
    assert nothing.domain.values == ()
    np.testing.assert_array_equal(nothing.table, [[-1], [-1]])


def test_the_first_of_equal_results_is_kept():
    made = map_table({0: 1.0, 1: True, 2: Fraction(1), 3: 0.1, 4: Fraction(1, 10)}.get, FIVE)
    assert [type(value) for value in made.domain.values] == [Fraction, int]
    np.testing.assert_array_equal(made.table, [1, 1, 1, 0, 0])
    (same,) = map_table({0: True, 1: 1, 2: 1.0, 3: np.int64(1), 4: 1}.get, FIVE).domain.values
    assert same is True
    # Equal to the float 0.1, which stands for another fraction.
    exactly = map_table({0: 0.1, 1: Fraction(0.1), 2: 0.1, 3: 0.1, 4: Fraction(0.1)}.get, FIVE)
    np.testing.assert_array_equal(exactly.table, [0, 1, 0, 0, 1])


FIVE = Domain.of(range(5))


def test_functions_that_fail_are_refused_with_the_arguments():
    message = outcome(sequence_map_table, ops.ADD, Domain.of([1, "a"]), Domain.of([2]))
    assert "fails on 1 of 2: ('a', 2): TypeError" in message
    message = outcome(map_table, ops.WithConstant(ops.DIVIDE, 1, constant_first=True), FIVE)
    assert "fails on 1 of 5: (0,): ZeroDivisionError" in message
    message = outcome(predicate_table, rasp.Comparison.LT, Domain.of([1]), Domain.of(["a", "b"]))
    assert "fails on 2 of 2: (1, 'a'): TypeError" in message
    message = outcome(map_table, lambda value: {1} if value else float("nan"), FIVE)
    assert "fails on 5 of 5: (0,): ProgramError: values must be finite, got nan; (1,)" in message


def test_functions_that_change_their_mind_are_refused():
    draws = iter(range(100))
    message = outcome(sequence_map_table, lambda x, y: next(draws), FIVE, FIVE)
    assert message == (
        "its function must give the same value each time, and on (0, 0) it gives 0 and then 25"
    )


def test_tables_that_are_too_large_are_refused():
    many = Domain.of(range(513))
    message = outcome(sequence_map_table, lambda x, y: x, many, many)
    assert "its function would be called 513 x 513 times, and at most 262144 calls" in message
    assert "or write the function with operators, rasp.LinearSequenceMap or a rasp.Comp" in message
    assert outcome(predicate_table, lambda x, y: True, many, many) == message
    more = Domain.of(range(LARGEST_DOMAIN + 1))
    message = outcome(predicate_table, rasp.Comparison.EQ, more, more)
    assert "its table has 4097 x 4097 entries, and at most 16777216 are allowed" in message
    assert outcome(sequence_map_table, ops.EQUAL, more, more) == message


def test_too_many_results_are_refused():
    message = outcome(sequence_map_table, ops.ADD, Domain.of(range(4000)), Domain.of(range(98)))
    assert message.startswith("it can take 4097 values, and at most 4096 are allowed; map it")
