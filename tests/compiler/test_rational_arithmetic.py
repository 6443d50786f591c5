"""Floats stand for fractions, and results are rounded once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.compiler import rasp
from glassbench.compiler.rational_arithmetic import combine, mean, rational

FRACTIONS = st.fractions(min_value=-1000, max_value=1000, max_denominator=1000)


@settings(max_examples=50, deadline=None)
@given(FRACTIONS, FRACTIONS)
def test_float_arithmetic_is_that_of_the_fractions_they_stand_for(x, y):
    assert rational(float(x)) == x
    assert combine(float(x), float(y), 1, -1) == float(x - y)
    assert mean([float(x), float(y)]) == float((x + y) / 2)


@settings(max_examples=50, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rational_rounds_back(value):
    assert float(rational(value)) == value


def test_infinite_numbers_keep_float_arithmetic():
    assert (rasp.tokens + 1)([float("inf")]) == [float("inf")]
    assert mean([float("inf"), 1.0]) == float("inf")
    assert combine(float("inf"), 1, 1, 1) == float("inf")
