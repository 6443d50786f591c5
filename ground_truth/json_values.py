"""JSON values: the values of programs as JSON has them, and back."""

from collections.abc import Sequence
from reprlib import repr as shortened

from pydantic import JsonValue

from ..compiler.domains import canonical
from ..compiler.values import Domain, Value, as_argument
from ..errors import BundleError, ProgramError


def plain(values: Sequence[Value]) -> tuple[JsonValue, ...]:
    """Return values as JSON has them: fractions as floating-point numbers, tuples as lists.

    Example:
        >>> from fractions import Fraction
        >>> plain((True, 2, Fraction(1, 4), "a", ("b", 1)))
        (True, 2, 0.25, 'a', ['b', 1])
    """
    return tuple(_plain(as_argument(value)) for value in values)


def _plain(value: Value) -> JsonValue:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    assert value is None or isinstance(value, bool | int | float | str)
    return value


def values_from(values: Sequence[JsonValue]) -> Domain:
    """Return the values that JSON holds: the other way of `plain`.

    Raises:
        BundleError: they are no values, or not different.
    """
    try:
        found = tuple(canonical(_value(value)) for value in values)
    except ProgramError as error:
        raise BundleError(f"values must be those of a program: {error}") from None
    if len(set(found)) < len(found):
        raise BundleError(f"values must differ from each other, got {shortened(list(found))}")
    return Domain(found)


def _value(value: JsonValue) -> Value:
    if isinstance(value, list):
        return tuple(_value(item) for item in value)
    return value  # type: ignore[return-value]  # what is no value is refused by `canonical`
