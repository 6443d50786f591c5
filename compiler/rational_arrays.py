"""Arrays of rational numbers: exact arithmetic on whole tables at once.

Numerators and denominators are int64 and kept below 2**53, where every integer is
a float. Their quotient is then the rational rounded once, correctly: the very
float that `rational_arithmetic` gives. Arithmetic that could leave this range
raises `OverflowError` before anything is computed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from .rational_arithmetic import LARGEST_DENOMINATOR

_LARGEST = 2**53
FLOATS_SEPARATE = 2**52
_DENSE = 8


@dataclass(frozen=True, eq=False)
class RationalArray:
    """Rationals `numerators / denominators`, not necessarily in lowest terms.

    Attributes:
        numerators: int64, any shape.
        denominators: int64, positive, the same shape.
    """

    numerators: np.ndarray
    denominators: np.ndarray

    @classmethod
    def of(cls, numbers: Iterable[int | Fraction]) -> "RationalArray":
        """Return the array `[n]` of some numbers.

        Example:
            >>> thirds = RationalArray.of([Fraction(1, 3), 1])
            >>> (thirds + thirds).values()
            [Fraction(2, 3), 2]

        Raises:
            OverflowError: a numerator or a denominator is too large.
        """
        ratios = [number.as_integer_ratio() for number in numbers]
        array = np.array(ratios, dtype=np.int64).reshape(-1, 2)
        made = cls(array[:, 0], array[:, 1])
        _require(*made.bounds)
        return made

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The largest numerator, by size, and the largest denominator."""
        largest = max(int(self.numerators.max(initial=0)), -int(self.numerators.min(initial=0)))
        return largest, int(self.denominators.max(initial=1))

    @property
    def integral(self) -> bool:
        """Whether all denominators are one."""
        return self.bounds[1] == 1

    @property
    def floats(self) -> np.ndarray:
        """The nearest float to each number, float64."""
        return self.numerators / self.denominators

    @property
    def survives_rounding(self) -> bool:
        """Whether each number is what its float stands for; it must be in lowest terms.

        That is so for whole numbers, which floats hold exactly, and by the argument of
        `separable` for those that cannot be confused with another fraction of a
        denominator up to `LARGEST_DENOMINATOR`.
        """
        small = np.abs(self.numerators) < FLOATS_SEPARATE // LARGEST_DENOMINATOR
        simple = small & (self.denominators <= LARGEST_DENOMINATOR)
        return bool((simple | (self.denominators == 1)).all())

    def __getitem__(self, key: Any) -> "RationalArray":
        return RationalArray(self.numerators[key], self.denominators[key])

    def __neg__(self) -> "RationalArray":
        return RationalArray(-self.numerators, self.denominators)

    def __add__(self, other: "RationalArray") -> "RationalArray":
        (n, d), (m, e) = self.bounds, other.bounds
        _require(n * e + m * d, d * e)
        if self.integral and other.integral:
            return _whole(self.numerators + other.numerators)
        return RationalArray(
            self.numerators * other.denominators + other.numerators * self.denominators,
            self.denominators * other.denominators,
        )

    def __sub__(self, other: "RationalArray") -> "RationalArray":
        return self + -other

    def __mul__(self, other: "RationalArray") -> "RationalArray":
        (n, d), (m, e) = self.bounds, other.bounds
        _require(n * m, d * e)
        if self.integral and other.integral:
            return _whole(self.numerators * other.numerators)
        return RationalArray(
            self.numerators * other.numerators, self.denominators * other.denominators
        )

    def __truediv__(self, other: "RationalArray") -> "RationalArray":
        if not other.numerators.all():
            raise ZeroDivisionError("division by zero")
        sign = np.sign(other.numerators)
        return self * RationalArray(sign * other.denominators, sign * other.numerators)

    def lowest(self) -> "RationalArray":
        """Return the same numbers in lowest terms."""
        divisors = np.gcd(self.numerators, self.denominators)
        return RationalArray(self.numerators // divisors, self.denominators // divisors)

    def ravel(self) -> "RationalArray":
        """Return the same numbers as a flat array."""
        return RationalArray(self.numerators.ravel(), self.denominators.ravel())

    def values(self) -> list[int | Fraction]:
        """Return the numbers of a flat array; whole ones are ints."""
        reduced = self.lowest()
        ratios = zip(reduced.numerators.tolist(), reduced.denominators.tolist(), strict=True)
        return [n if d == 1 else Fraction(n, d) for n, d in ratios]


def separable(*arrays: RationalArray) -> bool:
    """Return whether different numbers, in whichever array, have different floats.

    Two different fractions `p / q` and `r / s` differ by at least `1 / (q s)`. If they
    round to the same float they differ by at most `2**-52` of either, so `|p| s >= 2**52`.
    """
    numerators, denominators = zip(*(array.bounds for array in arrays), strict=True)
    return max(numerators) * max(denominators) < FLOATS_SEPARATE


def _whole(numerators: np.ndarray) -> RationalArray:
    """Return integers as rationals, the denominators without memory of their own."""
    return RationalArray(numerators, np.broadcast_to(np.int64(1), numerators.shape))


def _require(*bounds: int) -> None:
    if max(bounds) > _LARGEST:
        raise OverflowError(f"integers must be at most 2**53 here, got up to {max(bounds)}")


def distinct(numbers: np.ndarray) -> np.ndarray:
    """Return the different numbers of an array, flat and ascending.

    Integers that lie close together are marked in a table instead of being sorted.

    Example:
        >>> distinct(np.array([[3, 1], [3, 2]]))
        array([1, 2, 3])
    """
    flat = numbers.ravel()
    if flat.size == 0:
        return flat
    if flat.dtype.kind == "i":
        low, high = int(flat.min()), int(flat.max())
        if high - low <= _DENSE * flat.size:
            marked = np.zeros(high - low + 1, dtype=bool)
            marked[flat - low] = True
            return np.flatnonzero(marked) + low
    ordered = np.sort(flat)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])]


def positions(numbers: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return the position of each number in `among`, which is ascending and holds them all.

    Example:
        >>> positions(np.array([30, 10]), among=np.array([10, 20, 30]))
        array([2, 0])
    """
    if among.dtype.kind == "i" and among.size:
        low, high = int(among[0]), int(among[-1])
        if high - low <= _DENSE * numbers.size:
            table = np.zeros(high - low + 1, dtype=np.int64)
            table[among - low] = np.arange(among.size)
            return table[numbers - low]
    return np.searchsorted(among, numbers)
