"""What settings must be: those that count something at least one, others numbers."""

import math
from collections.abc import Iterable, Iterator


def below_one(settings: object, *names: str) -> Iterator[str]:
    """Yield a line for each of the named attributes that is no whole number from one up."""
    return _below(settings, 1, names)


def below_zero(settings: object, *names: str) -> Iterator[str]:
    """Yield a line for each of the named attributes that is no whole number from zero up."""
    return _below(settings, 0, names)


def _below(settings: object, least: int, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"{name}: must be a whole number, got {value!r}"
        elif value < least:
            yield f"{name}: must be at least {least}, got {value}"


def not_finite(settings: object, *names: str) -> Iterator[str]:
    """Yield a line for each of the named attributes that is no finite number."""
    for name in names:
        value = getattr(settings, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            yield f"{name}: must be a finite number, got {value!r}"
