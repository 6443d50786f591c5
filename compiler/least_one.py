"""What settings must be: those that count something at least one, others numbers."""

import math
from collections.abc import Iterator


def below_one(settings: object, *names: str) -> Iterator[str]:
    """Yield a line for each of the named attributes that is no whole number from one up."""
    for name in names:
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"{name}: must be a whole number, got {value!r}"
        elif value < 1:
            yield f"{name}: must be at least 1, got {value}"


def not_finite(settings: object, *names: str) -> Iterator[str]:
    """Yield a line for each of the named attributes that is no finite number."""
    for name in names:
        value = getattr(settings, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            yield f"{name}: must be a finite number, got {value!r}"
