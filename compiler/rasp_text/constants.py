"""Constants as the text of a program."""

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np

from ..values import as_argument


class UnwritableError(Exception):
    """The language has no words for something; the message says for what, and what to use."""


def written_constant(value: Any) -> str:
    """Return the text that is read as a value equal to `value`.

    Raises:
        UnwritableError: it is no boolean, number, string, `None` or tuple of such.

    Example:
        >>> written_constant(("a", -2.0, None))
        '("a", -2, None)'
    """
    if isinstance(value, np.generic):
        value = value.item()
    match value:
        case None | True | False:
            return repr(value)
        case str():
            return json.dumps(str(value), ensure_ascii=False)
        case tuple():
            comma = "," if len(value) == 1 else ""
            return f"({', '.join(map(written_constant, value))}{comma})"
        case Fraction() as fraction if Fraction(float(fraction)) != fraction:
            raise UnwritableError(
                f"the constant {value!r} has no text; use the float nearest to it"
            )
        case int() | float() | Fraction() if math.isfinite(value):
            number: Any = as_argument(value)
            return repr(int(number)) if isinstance(number, int) else repr(float(number))
    raise UnwritableError(
        f"the constant {value!r} has no text; use finite numbers, strings, booleans, "
        "None, or tuples of them"
    )


def written_operand(value: Any) -> str:
    """Return the text of a constant to stand beside an operator."""
    text = written_constant(value)
    return f"({text})" if text.startswith("-") else text
