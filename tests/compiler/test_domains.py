"""The sets of values that expressions can take."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.compiler import Domain
from glassbench.compiler.domains import (
    LARGEST_DOMAIN,
    canonical,
    exact,
    mean_domain,
    reciprocal_domain,
    sum_domain,
    width_domain,
)
from glassbench.errors import ProgramError


def test_canonical_values():
    assert canonical(0.1) == Fraction(1, 10)
    assert canonical(2 / 3) == Fraction(2, 3)
    assert canonical(np.float32(0.5)) == Fraction(1, 2)
    assert canonical((0.25, ("a", np.int64(3)))) == (Fraction(1, 4), ("a", 3))
    for value, kind in ((2.0, int), (Fraction(4, 2), int), (True, bool), ("a", str)):
        assert type(canonical(value)) is kind
    assert type(canonical(np.bool_(True))) is bool
    assert canonical(None) is None
    irrational = 2**0.5
    assert float(canonical(irrational)) == irrational


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), [1], {1: 2}, object(), 1j, b"a"])
def test_values_that_cannot_be_held(value):
    with pytest.raises(ProgramError, match="values must be"):
        canonical(value)
    with pytest.raises(ProgramError, match="values must be"):
        canonical(("in a tuple", value))


@pytest.mark.parametrize(
    "values",
    [
        (0, 1),
        (-2, 3),
        (1, 2, 5),
        (Fraction(1, 2), Fraction(-1, 3), 0),
        (4,),
        (0.1, 0.7),
        (False, True),
        (True, 3, Fraction(10**9, 7)),
        (-(10**9), 10**9),
        (0, Fraction(1, 10**10)),
    ],
)
@pytest.mark.parametrize("default", [0, Fraction(7, 2), True, -(10**12), None])
def test_means_by_enumeration(values, default):
    """Every mean that can be reached is in the domain, and nothing else."""
    exact = [canonical(value) for value in values]
    means = {canonical(default)} - {None}
    for count in range(1, 6):
        for chosen in itertools.combinations_with_replacement(exact, count):
            means.add(canonical(Fraction(sum(map(Fraction, chosen))) / count))
    assert mean_domain(Domain.of(exact), 5, default).values == tuple(sorted(means))


@pytest.mark.parametrize("default", ["none", (1, 2)])
def test_a_default_of_a_mean_that_is_no_number_comes_last(default):
    assert mean_domain(Domain.of([0, 1]), 2, default).values == (0, Fraction(1, 2), 1, default)


def test_means_of_a_long_sequence():
    domain = mean_domain(Domain.of([0, 1]), 60, 0)
    assert domain.values == tuple(
        sorted({Fraction(s, n) for n in range(1, 61) for s in range(n + 1)})
    )
    assert len(domain) <= LARGEST_DOMAIN
    assert {type(value) for value in domain.values} == {int, Fraction}
    assert len(mean_domain(Domain.of(range(LARGEST_DOMAIN)), 1, None)) == LARGEST_DOMAIN


@pytest.mark.parametrize(
    ("values", "count"),
    [
        (range(0, 4000, 37), 30),
        ([0, 1], 200),
        (range(129), 64),
        (range(1, LARGEST_DOMAIN + 1), 2),
        (range(LARGEST_DOMAIN + 1), 1),
        ([2**i for i in range(12)], 12),
    ],
)
def test_too_many_means_are_refused(values, count):
    with pytest.raises(ProgramError, match="more than 4096 different means") as caught:
        mean_domain(Domain.of(values), count, 0)
    assert f"over {len(values)} values; aggregate a variable with fewer" in str(caught.value)


def test_means_that_floats_cannot_tell_apart_are_refused():
    with pytest.raises(
        ProgramError, match="the means of its values cannot be told apart"
    ) as caught:
        mean_domain(Domain.of([0, 1, 2**50]), 3, 0)
    assert "up to 1125899906842624 steps of 1 apart; round them to fewer digits" in str(
        caught.value
    )


NUMBERS = st.one_of(
    st.integers(-20, 20),
    st.booleans(),
    st.fractions(-3, 3, max_denominator=20),
    st.floats(-100, 100).map(canonical),
)
TERMS = st.lists(
    st.tuples(
        st.fractions(-2, 2, max_denominator=10), st.lists(NUMBERS, max_size=5).map(Domain.of)
    ),
    max_size=3,
)


@settings(max_examples=100, deadline=None)
@given(TERMS)
def test_sums_by_enumeration(terms):
    columns = [[factor * exact(value) for value in domain.values] for factor, domain in terms]
    sums = {canonical(sum(chosen, Fraction(0))) for chosen in itertools.product(*columns)}
    found = sum_domain(terms).values
    assert found == tuple(sorted(sums))
    assert all(type(value) is type(canonical(value)) for value in found)


def test_sums_of_many_values():
    many = Domain.of(range(2048))
    found = sum_domain([(Fraction(1, 3), many), (Fraction(-1, 3), many)])
    assert found.values == tuple(canonical(Fraction(i, 3)) for i in range(-2047, 2048))
    # No common denominator of these fits into 64 bits.
    means = mean_domain(Domain.of([0, 1]), 60, None)
    shifted = sum_domain([(Fraction(1), means), (Fraction(-1), Domain.of([2]))])
    assert shifted.values == tuple(value - 2 for value in means.values)
    large = Domain.of([3 * 2**61, 2**62])
    doubled = sum_domain([(Fraction(1), large), (Fraction(1), large)])
    assert doubled.values == (2**63, 5 * 2**61, 3 * 2**62)


def test_too_many_sums_are_refused():
    means = mean_domain(Domain.of([0, 1]), 60, None)
    for domain in (means, Domain.of(range(3000))):
        with pytest.raises(ProgramError, match="more than 4096 different sums are possible; map"):
            sum_domain([(Fraction(1), domain), (Fraction(-1), domain)])


def test_widths():
    assert width_domain(3, at_least_one=False).values == (0, 1, 2, 3)
    assert width_domain(3, at_least_one=True).values == (1, 2, 3)
    assert width_domain(1, at_least_one=True).values == (1,)


def test_reciprocals_of_widths_stand_in_the_opposite_order():
    widths = width_domain(5, at_least_one=True)
    reciprocals = reciprocal_domain(widths).values
    assert reciprocals == tuple(1 / (1 + Fraction(width)) for width in widths.values[::-1])
