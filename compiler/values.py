"""Values that RASP expressions take, and finite ordered sets of them.

A value is a boolean, a number (`int`, `float` or exact `Fraction`), a string,
or a tuple of values. `None` means "no value": it is never a member of a
`Domain`, is encoded as the zero vector, and passes through every map.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cached_property

import numpy as np

Value = Hashable | None

_NUMBERS = (bool, int, float, Fraction)


class Encoding(Enum):
    """How a variable is written into the residual stream.

    `CATEGORICAL`: one basis direction per value (one-hot). `NUMERICAL`: one
    direction whose coefficient is the value.
    """

    CATEGORICAL = "categorical"
    NUMERICAL = "numerical"


def is_number(value: Value) -> bool:
    """Return whether `value` is a boolean, an integer, a float or a fraction."""
    return isinstance(value, _NUMBERS)


def as_argument(value: Value) -> Value:
    """Return a value as functions of a program see it.

    Values that are equal are one value, so a function must not be able to tell
    them apart: whole numbers are ints, other numbers are correctly rounded floats.

    Example:
        >>> as_argument(2.0), as_argument(Fraction(1, 4)), as_argument(True)
        (2, 0.25, True)
    """
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


@dataclass(frozen=True)
class Domain:
    """A finite set of values in canonical order (numbers, then strings, then tuples)."""

    values: tuple[Value, ...]

    @classmethod
    def of(cls, values: Iterable[Value]) -> "Domain":
        """Return the domain of the distinct `values` that are not `None`."""
        distinct = dict.fromkeys(value for value in values if value is not None)
        return cls(tuple(sorted(distinct, key=sort_key)))

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

    def indices(self, values: Sequence[Value]) -> np.ndarray:
        """Return the position of each of `values`, int64, -1 for `None`."""
        return np.array([self.index(value) for value in values], dtype=np.int64)

    @property
    def is_numeric(self) -> bool:
        """Whether every value is a number."""
        return all(is_number(value) for value in self.values)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The values as float64 `[len(self)]`; they must be numbers."""
        return np.array([float(value) for value in self.values])  # type: ignore[arg-type]

    @property
    def smallest_gap(self) -> float:
        """The least distance between two numbers of the domain; infinity for fewer than two."""
        return float(np.diff(self.numbers).min()) if len(self) > 1 else float("inf")
