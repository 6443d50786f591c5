"""Values in canonical order, and the sets of them that expressions can take."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from glassbench.compiler import Domain
from glassbench.compiler.domains import (
    MAX_DOMAIN,
    canonical,
    mean_domain,
    width_domain,
)
from glassbench.compiler.values import as_argument
from glassbench.errors import ProgramError

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


def test_arguments_are_rounded_once():
    assert as_argument(Fraction(1, 3)) == 1 / 3
    assert type(as_argument(Fraction(1, 3))) is float
    assert as_argument("a") == "a"
    assert as_argument(None) is None
    assert type(as_argument(3)) is int
    nested = as_argument((Fraction(1, 3), ("a", Fraction(1, 2))))
    assert nested == (1 / 3, ("a", 0.5))
    assert type(nested[0]) is float


@pytest.mark.parametrize(
    "values", [(0, 1), (-2, 3), (1, 2, 5), (Fraction(1, 2), Fraction(-1, 3), 0), (4,), (0.1, 0.7)]
)
@pytest.mark.parametrize("default", [0, Fraction(7, 2)])
def test_means_by_enumeration(values, default):
    exact = [canonical(value) for value in values]
    means = {canonical(default)}
    for count in range(1, 6):
        for chosen in itertools.combinations_with_replacement(exact, count):
            means.add(canonical(Fraction(sum(map(Fraction, chosen))) / count))
    assert mean_domain(Domain.of(exact), 5, default).values == tuple(sorted(means))


def test_means_of_a_long_sequence():
    domain = mean_domain(Domain.of([0, 1]), 60, 0)
    assert domain.values == tuple(
        sorted({Fraction(s, n) for n in range(1, 61) for s in range(n + 1)})
    )
    assert len(domain) <= MAX_DOMAIN


@pytest.mark.parametrize(
    ("values", "count"),
    [(range(0, 4000, 37), 30), ([0, Fraction(1, 10**10)], 3), ([0, 1], 200), ([0, 10**9], 5)],
)
def test_too_many_means_are_refused(values, count):
    with pytest.raises(ProgramError, match="more than 4096 different means"):
        mean_domain(Domain.of(values), count, 0)


def test_widths():
    assert width_domain(3, at_least_one=False).values == (0, 1, 2, 3)
    assert width_domain(3, at_least_one=True).values == (1, 2, 3)
    assert width_domain(1, at_least_one=True).values == (1,)
