"""Vocabularies: the tokens that programs read, for any number of them."""

import string
from collections.abc import Callable

from ..errors import TaskError

# ASCII first, then Latin-1 Supplement, Latin Extended-A and -B without the signs among them.
_LETTERS = (
    string.ascii_lowercase
    + string.ascii_uppercase
    + "".join(chr(code) for code in range(0xC0, 0x250) if code not in (0xD7, 0xF7))
)
_BRACKETS = "(){}[]<>"


def letters(size: int) -> tuple[str, ...]:
    """Return `size` different letters, `a` first.

    Raises:
        TaskError: there are not that many.

    Example:
        >>> letters(3)
        ('a', 'b', 'c')
    """
    if size > len(_LETTERS):
        raise TaskError(f"vocab must be at most {len(_LETTERS)} for letters, got {size}.")
    return tuple(_LETTERS[:size])


def characters(*signs: str) -> Callable[[int], tuple[str, ...]]:
    """Return the vocabulary of `signs` and then letters, for any number of tokens.

    Example:
        >>> characters("#")(3)
        ('#', 'a', 'b')
    """
    return lambda size: (*signs, *letters(max(0, size - len(signs))))[:size]


def digits(size: int) -> tuple[int, ...]:
    """Return the integers from 0 to `size - 1`.

    Example:
        >>> digits(3)
        (0, 1, 2)
    """
    return tuple(range(size))


def signs_and_digits(size: int) -> tuple[str | int, ...]:
    """Return `+` and `-`, then the integers from 0.

    Example:
        >>> signs_and_digits(4)
        ('+', '-', 0, 1)
    """
    return ("+", "-", *digits(size - 2))


def parentheses(size: int) -> tuple[str, ...]:
    """Return `(` and `)`, then letters.

    Example:
        >>> parentheses(3)
        ('(', ')', 'a')
    """
    return ("(", ")", *letters(size - 2))


def parentheses_and_braces(size: int) -> tuple[str, ...]:
    """Return `(`, `)`, `{` and `}`, then letters.

    Example:
        >>> parentheses_and_braces(4)
        ('(', ')', '{', '}')
    """
    return ("(", ")", "{", "}", *letters(size - 4))


def brackets_only(size: int) -> tuple[str, ...]:
    """Return `size` brackets, an opening one and its closing one after the other.

    Raises:
        TaskError: there are not that many, or one would lack its other half.

    Example:
        >>> brackets_only(4)
        ('(', ')', '{', '}')
    """
    if size % 2 or size > len(_BRACKETS):
        raise TaskError(
            f"vocab must be even and at most {len(_BRACKETS)} for brackets, got {size}."
        )
    return tuple(_BRACKETS[:size])
