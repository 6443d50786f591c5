"""Values in canonical order, and finite sets of them."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.compiler import Domain
from glassbench.compiler.domains import canonical, mean_domain
from glassbench.compiler.values import as_argument, sort_key

MIXED = (3, "b", -1, "a", 0.5, (1, "x"), True, ("a",), Fraction(1, 3), (0, 2), (1, ("y", 2)))


def test_the_order_of_a_domain_does_not_depend_on_the_order_given():
    ordered = Domain.of(MIXED).values
    assert ordered[:5] == (-1, Fraction(1, 3), 0.5, True, 3)
    assert ordered[5:7] == ("a", "b")
    for seed in range(20):
        shuffled = np.random.default_rng(seed).permutation(len(MIXED))
        assert Domain.of([MIXED[i] for i in shuffled]).values == ordered


def test_a_domain_holds_each_value_once_and_never_none():
    assert Domain.of([1, True, 1.0, None, "1", None]).values == (1, "1")
    domain = Domain.of("cab")
    assert len(domain) == 3
    assert [domain.index(value) for value in ("a", "b", "c", None)] == [0, 1, 2, -1]
    np.testing.assert_array_equal(domain.indices(["c", None, "a"]), [2, -1, 0])
    with pytest.raises(KeyError):
        domain.index("d")


def test_numbers_of_a_domain():
    domain = Domain.of([True, Fraction(1, 2), -2])
    assert domain.is_numeric
    np.testing.assert_array_equal(domain.numbers, [-2, 0.5, 1])
    assert domain.smallest_gap == 0.5
    assert Domain.of([7]).smallest_gap == float("inf")
    assert not Domain.of([1, "a"]).is_numeric


def test_arguments_are_rounded_once():
    assert as_argument(Fraction(1, 3)) == 1 / 3
    assert type(as_argument(Fraction(1, 3))) is float
    assert as_argument("a") == "a"
    assert as_argument(None) is None
    assert type(as_argument(3)) is int
    nested = as_argument((Fraction(1, 3), ("a", Fraction(1, 2))))
    assert nested == (1 / 3, ("a", 0.5))
    assert type(nested[0]) is float


NUMBERS = st.one_of(
    st.integers(),
    st.booleans(),
    st.fractions(max_denominator=10**7),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(2**53, 2**53 + 3),
    st.just(10**400),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(NUMBERS, st.none(), st.sampled_from("ab"), st.tuples(NUMBERS))))
def test_domains_are_sorted_by_value(values):
    domain = Domain.of(values)
    distinct = dict.fromkeys(value for value in values if value is not None)
    assert domain.values == tuple(sorted(distinct, key=sort_key))
    np.testing.assert_array_equal(domain.indices(domain.values), np.arange(len(domain)))


@settings(max_examples=100, deadline=None)
@given(st.lists(NUMBERS.map(canonical)), st.lists(NUMBERS.map(canonical)), st.booleans())
def test_positions_in_another_domain(some, more, mixed):
    small, large = Domain.of(some), Domain.of([*some, *more, *["a"] * mixed])
    np.testing.assert_array_equal(small.positions_in(large), large.indices(small.values))


@pytest.mark.parametrize("other", [[], [1, 3], [1, "a"], [Fraction(3, 2), 2**60], [2**0.5]])
def test_values_that_another_domain_does_not_have(other):
    with pytest.raises(KeyError):
        Domain.of([1, Fraction(3, 2)]).positions_in(Domain.of(other))
    with pytest.raises(KeyError, match="5"):
        Domain.of([1, 5]).positions_in(Domain.of([1, 3]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fractions(-(10**8), 10**8, max_denominator=10**8), min_size=2, unique=True))
def test_the_smallest_gap_is_exact(numbers):
    ordered = sorted(numbers)
    gaps = [after - before for before, after in itertools.pairwise(ordered)]
    assert Domain.of(numbers).smallest_gap == float(min(gaps))


def test_exact_rationals_of_a_domain():
    assert Domain.of([True, Fraction(1, 2)]).rationals.values() == [Fraction(1, 2), 1]
    assert Domain.of([1, "a"]).rationals is None
    assert Domain.of([2**60]).rationals is None
    assert Domain.of([0.1]).rationals is None
    means = mean_domain(Domain.of([0, 1]), 64, None)
    assert means.smallest_gap == float(Fraction(1, 63 * 64))
