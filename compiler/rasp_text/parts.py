"""What an expression of a text can be worth while it is read.

A part is an SOp, a selector, a constant (`bool`, number, string, tuple of constants
or `None`), a list, a dictionary, or a function. Only the first two are RASP
expressions; the others are there to write them with.
"""

from reprlib import repr as shortened
from typing import Any, TypeAlias

from .. import rasp

Part: TypeAlias = Any

CONSTANTS = (bool, int, float, str, tuple, type(None))


def is_constant(part: Part) -> bool:
    """Return whether a part is a single value that does not depend on the input."""
    return isinstance(part, CONSTANTS)


def kind(part: Part) -> str:
    """Return what a part is, in the words of messages.

    Example:
        >>> kind(3), kind(rasp.tokens), kind([1, 2])
        ('the constant 3', 'a sequence', 'a list')
    """
    match part:
        case rasp.SOp():
            return "a sequence"
        case rasp.Selector():
            return "a selector"
        case list():
            return "a list"
        case dict():
            return "a dictionary"
        case _ if is_constant(part):
            return f"the constant {shortened(part)}"
    return "a function"
