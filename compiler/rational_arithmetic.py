"""Arithmetic in which floats stand for fractions, so that equal numbers are equal.

In binary floating point `2/3 - 1/3` and `1/3` differ in the last bit. A compiled
model cannot hold two values that far apart, and no reader of a program means
them to be two. Here a float stands for the fraction of smallest denominator
that rounds to it (denominators up to a million; failing that, for the binary
fraction that it is), the operation is carried out on fractions, and the result
is rounded once, correctly. Integers, booleans and `Fraction`s are exact as they are.
"""

import math
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

LARGEST_DENOMINATOR = 10**6
LARGEST_INTEGER_BITS = 4096
LONGEST_SEQUENCE = 2**16
"""How many characters a string may have that `+` and `*` make, or items a tuple."""

Number = int | float | Fraction


def rational(value: Number) -> Fraction:
    """Return the fraction that a finite number stands for.

    Example:
        >>> rational(0.1), rational(2 / 3)
        (Fraction(1, 10), Fraction(2, 3))
    """
    if isinstance(value, float):
        return _simplest(value)
    return value if isinstance(value, Fraction) else Fraction(value)


@lru_cache(maxsize=1 << 16)
def _simplest(value: float) -> Fraction:
    exact = Fraction(value)
    if exact.denominator <= LARGEST_DENOMINATOR:
        return exact
    simple = exact.limit_denominator(LARGEST_DENOMINATOR)
    return simple if float(simple) == value else exact


def _stands_for_fraction(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int | Fraction)


def _rounded_once(function: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """Return `function(x, y)`; by way of fractions when a float is involved."""
    if not (isinstance(x, float) or isinstance(y, float)):
        return function(x, y)
    if not (_stands_for_fraction(x) and _stands_for_fraction(y)):
        return function(x, y)
    return float(function(rational(x), rational(y)))


def _check_size(function: Callable[[Any, Any], Any], x: Any, y: Any) -> None:
    """Refuse what would fill the memory: repeated, every step can be twice as long.

    Raises:
        OverflowError: the result would be too large.
    """
    if isinstance(x, int) and isinstance(y, int):
        if x.bit_length() + y.bit_length() > LARGEST_INTEGER_BITS:
            raise OverflowError(f"an integer must have at most {LARGEST_INTEGER_BITS} bits")
        return
    lengths = [len(one) if isinstance(one, str | tuple) else one for one in (x, y)]
    if all(isinstance(length, int) for length in lengths) and function(*lengths) > LONGEST_SEQUENCE:
        raise OverflowError(
            f"a string must have at most {LONGEST_SEQUENCE} characters, and a tuple as many items"
        )


def add(x: Any, y: Any) -> Any:
    """Return `x + y`; raises `OverflowError` where it is too large."""
    _check_size(operator.add, x, y)
    return _rounded_once(operator.add, x, y)


def subtract(x: Any, y: Any) -> Any:
    """Return `x - y`.

    Example:
        >>> subtract(2 / 3, 1 / 3) == 1 / 3
        True
    """
    return _rounded_once(operator.sub, x, y)


def multiply(x: Any, y: Any) -> Any:
    """Return `x * y`; raises `OverflowError` where it is too large."""
    _check_size(operator.mul, x, y)
    return _rounded_once(operator.mul, x, y)


def divide(x: Any, y: Any) -> Any:
    """Return `x / y`."""
    return _rounded_once(operator.truediv, x, y)


def combine(x: Any, y: Any, x_factor: Any, y_factor: Any) -> Any:
    """Return `x_factor * x + y_factor * y`, rounded once.

    Example:
        >>> combine(1, 2, 0.1, 0.1)
        0.3
    """
    numbers = (x, y, x_factor, y_factor)
    if any(isinstance(number, float) for number in numbers) and all(
        map(_stands_for_fraction, numbers)
    ):
        return float(rational(x_factor) * rational(x) + rational(y_factor) * rational(y))
    return add(multiply(x_factor, x), multiply(y_factor, y))


def mean(numbers: Sequence[Any]) -> Any:
    """Return the mean of one or more numbers, rounded once.

    The mean of a single number is that number itself. Otherwise it is a float,
    or a `Fraction` when one of the numbers is.

    Example:
        >>> mean([True, False, False]) == 1 / 3
        True
        >>> mean([1 / 3, 2 / 3])
        0.5
    """
    if len(numbers) == 1:
        return numbers[0]
    if all(isinstance(number, int) for number in numbers):
        return sum(numbers) / len(numbers)
    if not all(map(_stands_for_fraction, numbers)):
        return math.fsum(numbers) / len(numbers)
    exact = sum(map(rational, numbers), Fraction(0)) / len(numbers)
    return exact if any(isinstance(number, Fraction) for number in numbers) else float(exact)
