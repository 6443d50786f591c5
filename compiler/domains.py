"""Domains: which values each expression can take.

Categorical expressions have explicit sets. Means have exact rationals: every
`s / c` where `s` is a sum of `c` values, for every count `c` up to the greatest
length. Both may hold more than is ever reached, never less.
"""

from fractions import Fraction
from math import lcm

import numpy as np

from ..errors import ProgramError
from .rational_arithmetic import rational
from .values import Domain, Value

MAX_DOMAIN = 4096
_MAX_SUMS = 4_000_000
_MAX_UNIT = 10**9


def exact(number: Value) -> Fraction:
    """Return the fraction that a number stands for."""
    assert isinstance(number, int | float | Fraction)
    return rational(number)


def canonical(value: Value) -> Value:
    """Return a value as the compiler keeps it: NumPy scalars unwrapped, numbers exact.

    Floats become the fractions they stand for, integral fractions become ints.

    Raises:
        ProgramError: the value is not a boolean, a finite number, a string or a
            tuple of such.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not np.isfinite(value):
            raise ProgramError(f"values must be finite, got {value}")
        value = rational(value)
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else value
    if isinstance(value, tuple):
        return tuple(canonical(item) for item in value)
    raise ProgramError(
        f"values must be booleans, numbers, strings, tuples of these or None, "
        f"got {value!r} of type {type(value).__name__}"
    )


def mean_domain(values: Domain, max_count: int, default: Value) -> Domain:
    """Return every mean of 1 to `max_count` of `values`, and `default`.

    Example:
        >>> mean_domain(Domain.of([0, 1]), 2, 0).values
        (0, Fraction(1, 2), 1)

    Raises:
        ProgramError: there are more than `MAX_DOMAIN` of them.
    """
    fractions = [exact(value) for value in values.values]
    unit = lcm(*(fraction.denominator for fraction in fractions))
    scaled = [int(fraction * unit) for fraction in fractions]
    low = min(scaled)
    offsets = np.array([number - low for number in scaled])
    too_many = ProgramError(
        f"more than {MAX_DOMAIN} different means are possible over {len(values)} values; "
        "aggregate a variable with fewer values (booleans, say), or shorten the sequences"
    )
    if unit > _MAX_UNIT or int(offsets.max()) * max_count**2 > _MAX_SUMS:
        raise too_many
    sums = np.array([0])
    ratios: list[np.ndarray] = []
    for count in range(1, max_count + 1):
        sums = _distinct((sums[:, None] + offsets[None, :]).ravel())
        if len(sums) > MAX_DOMAIN:
            raise too_many
        ratios.append(_lowest_terms(sums + count * low, count * unit))
    numerators, denominators = np.concatenate(ratios, axis=1)
    keys = _distinct(numerators * (denominators.max() + 1) + denominators)
    if len(keys) > MAX_DOMAIN:
        raise too_many
    pairs = zip(*divmod(keys, denominators.max() + 1), strict=True)
    means = [canonical(Fraction(int(num), int(den))) for num, den in pairs]
    return Domain.of([*means, canonical(default)])


def _distinct(numbers: np.ndarray) -> np.ndarray:
    """Return the distinct elements of a flat array, in order."""
    ordered = np.sort(numbers)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])]


def _lowest_terms(numerators: np.ndarray, denominator: int) -> np.ndarray:
    """Return numerators and denominators in lowest terms, one row each."""
    divisor = np.gcd(numerators, denominator)
    return np.stack([numerators // divisor, denominator // divisor])


def width_domain(max_count: int, at_least_one: bool) -> Domain:
    """Return the possible numbers of selected positions."""
    return Domain(tuple(range(int(at_least_one), max_count + 1)))
