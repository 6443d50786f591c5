"""Values that RASP expressions take, and finite ordered sets of them.

A value is a boolean, a number (`int`, `float` or exact `Fraction`), a string,
or a tuple of values. `None` means "no value": it is never a member of a
`Domain`, is encoded as the zero vector, and passes through every map.
"""

from collections.abc import Collection, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from .rational_arithmetic import rational
from .rational_arrays import RationalArray, positions, separable

Value = Hashable | None

_NUMBERS = frozenset({bool, int, float, Fraction})
_AS_THEY_ARE = (int, str, bool)


class Encoding(Enum):
    """How a variable is written into the residual stream.

    `CATEGORICAL`: one basis direction per value (one-hot). `NUMERICAL`: one
    direction whose coefficient is the value.
    """

    CATEGORICAL = "categorical"
    NUMERICAL = "numerical"


def is_number(value: Value) -> bool:
    """Return whether `value` is a boolean, an integer, a float or a fraction."""
    return isinstance(value, int | float | Fraction)


def are_numbers(values: Collection[Value]) -> bool:
    """Return whether all of `values` are numbers."""
    return _NUMBERS.issuperset(map(type, values)) or all(map(is_number, values))


def as_argument(value: Value) -> Value:
    """Return a value as functions of a program see it.

    Values that are equal are one value, so a function must not be able to tell
    them apart: whole numbers are ints, other numbers are correctly rounded floats.

    Example:
        >>> as_argument(2.0), as_argument(Fraction(1, 4)), as_argument(True)
        (2, 0.25, True)
    """
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, tuple):
        return tuple(as_argument(item) for item in value)
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def sort_key(value: Value) -> tuple:
    """Return a key that orders values of mixed types the same way in every process."""
    if is_number(value):
        return (0, value, "")
    if isinstance(value, str):
        return (1, 0, value)
    if isinstance(value, tuple):
        return (2, 0, tuple(sort_key(item) for item in value))
    return (3, 0, f"{type(value).__name__}:{value!r}")


def _in_order(values: Sequence[Value]) -> tuple[Value, ...]:
    """Return distinct values in canonical order."""
    if not are_numbers(values):
        return tuple(sorted(values, key=sort_key))
    if Fraction not in map(type, values):
        return tuple(sorted(values))  # type: ignore[type-var]
    try:
        rounded = [float(value) for value in values]  # type: ignore[arg-type]
    except OverflowError:
        return tuple(sorted(values))  # type: ignore[type-var]
    # Fractions compare slowly; floats have the same order, and where they are equal values decide.
    return tuple(value for _, value in sorted(zip(rounded, values, strict=True)))


@dataclass(frozen=True)
class Domain:
    """A finite set of values in canonical order (numbers, then strings, then tuples)."""

    values: tuple[Value, ...]

    @classmethod
    def of(cls, values: Iterable[Value]) -> "Domain":
        """Return the domain of the distinct `values` that are not `None`."""
        distinct = dict.fromkeys(values)
        distinct.pop(None, None)
        return cls(_in_order(tuple(distinct)))

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def _positions(self) -> dict[Value, int]:
        return {value: position for position, value in enumerate(self.values)}

    def index(self, value: Value) -> int:
        """Return the position of `value`; -1 for `None`.

        Raises:
            KeyError: `value` is not in the domain.
        """
        return -1 if value is None else self._positions[value]

    def indices(self, values: Iterable[Value]) -> np.ndarray:
        """Return the position of each of `values`, int64, -1 for `None`."""
        places = {**self._positions, None: -1}
        return np.array([places[value] for value in values], dtype=np.int64)

    def positions_in(self, other: "Domain") -> np.ndarray:
        """Return the position of each value in another domain, int64 `[len(self)]`.

        Example:
            >>> Domain.of("ac").positions_in(Domain.of("abc"))
            array([0, 2])

        Raises:
            KeyError: a value is not in `other`.
        """
        known = [one.rationals for one in (self, other) if one.rationals is not None]
        if len(known) < 2 or not separable(*known):
            return other.indices(self.values)
        found = positions(self.numbers, among=other.numbers)
        missing = np.append(other.numbers, np.nan)[found] != self.numbers
        if missing.any():
            raise KeyError(self.values[int(missing.argmax())])
        return found

    @cached_property
    def is_numeric(self) -> bool:
        """Whether every value is a number."""
        return are_numbers(self.values)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The values as float64 `[len(self)]`; they must be numbers."""
        return np.array([float(value) for value in self.values])  # type: ignore[arg-type]

    @cached_property
    def rationals(self) -> RationalArray | None:
        """The values as exact rationals `[len(self)]`.

        `None` where not all are integers, booleans or fractions of moderate size.
        """
        if not all(isinstance(value, int | Fraction) for value in self.values):
            return None
        try:
            return RationalArray.of(self.values)  # type: ignore[arg-type]
        except OverflowError:
            return None

    @property
    def smallest_gap(self) -> float:
        """The least distance between two numbers of the domain; infinity for fewer than two."""
        if len(self) < 2:
            return float("inf")
        if self.rationals is not None:
            with suppress(OverflowError):
                gaps = self.rationals[1:] - self.rationals[:-1]
                return float(gaps.floats.min())
        exact = [rational(value) for value in self.values]  # type: ignore[arg-type]
        return float(min(after - before for before, after in pairwise(exact)))
