"""Arrays of rationals: exact, or refused before anything overflows."""

import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.compiler.rational_arithmetic import rational
from glassbench.compiler.rational_arrays import (
    RationalArray,
    distinct,
    positions,
    separable,
)

SOME = st.fractions(-(10**6), 10**6, max_denominator=10**7) | st.integers(-(2**53), 2**53)
LISTS = st.lists(SOME, min_size=3, max_size=3)
FUNCTIONS = (operator.add, operator.sub, operator.mul, operator.truediv)


@settings(max_examples=100, deadline=None)
@given(LISTS, LISTS, st.sampled_from(FUNCTIONS))
def test_arithmetic_is_exact_or_refused(left, right, function):
    try:
        made = function(RationalArray.of(left), RationalArray.of(right))
    except OverflowError:
        return
    except ZeroDivisionError:
        assert 0 in right
        return
    exact = [function(Fraction(x), Fraction(y)) for x, y in zip(left, right, strict=True)]
    assert made.values() == exact
    assert [type(value) for value in made.values()] == [
        int if value.denominator == 1 else Fraction for value in exact
    ]
    assert made.floats.tolist() == [float(value) for value in exact]
    assert max(made.bounds) <= 2**53
    if made.lowest().survives_rounding:
        assert [rational(number) for number in made.floats.tolist()] == exact
    if separable(made):
        assert len(set(made.floats.tolist())) == len(set(exact))


def test_what_could_overflow_is_refused():
    large = RationalArray.of([2**40])
    for function in (operator.mul, lambda x, y: x + RationalArray.of([Fraction(1, 2**20)])):
        with pytest.raises(OverflowError, match=r"at most 2\*\*53"):
            function(large, large)
    for number in (2**53 + 1, Fraction(1, 2**54), 2**70):
        with pytest.raises(OverflowError):
            RationalArray.of([number])
    with pytest.raises(ZeroDivisionError):
        large / RationalArray.of([0])


def test_floats_that_separate():
    near = RationalArray.of([Fraction(1, 10**6), Fraction(1, 10**6 + 1)])
    assert separable(near)
    confused = RationalArray(np.array([2**53 - 3, 2**53 - 1]), np.array([3, 3]))
    assert not separable(confused)
    assert not separable(near, RationalArray.of([2**50]))
    assert not RationalArray.of([Fraction(10**10, 3)]).survives_rounding
    assert RationalArray.of([10**10, Fraction(10**9, 3)]).survives_rounding


def test_nothing_is_an_array_too():
    nothing = RationalArray.of([])
    assert nothing.values() == (nothing + nothing).values() == []
    assert nothing.bounds == (0, 1)
    assert distinct(nothing.numerators).size == 0


@pytest.mark.parametrize(
    "numbers",
    [[3, -1, 3, 2], [10**15, -(10**15), 0, 0], [0.5, -1.0, 0.5], [7], np.eye(3, dtype=np.int64)],
)
def test_distinct_numbers_and_where_they_stand(numbers):
    numbers = np.array(numbers)
    among = distinct(numbers)
    np.testing.assert_array_equal(among, np.unique(numbers))
    np.testing.assert_array_equal(among[positions(numbers, among)], numbers)
