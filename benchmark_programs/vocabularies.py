"""Vocabularies: the tokens that programs read, for any number of them."""

import string

from ..errors import TaskError

# ASCII first, then Latin-1 Supplement, Latin Extended-A and -B without the signs among them.
_LETTERS = (
    string.ascii_lowercase
    + string.ascii_uppercase
    + "".join(chr(code) for code in range(0xC0, 0x250) if code not in (0xD7, 0xF7))
)


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


def digits(size: int) -> tuple[int, ...]:
    """Return the integers from 0 to `size - 1`.

    Example:
        >>> digits(3)
        (0, 1, 2)
    """
    return tuple(range(size))


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
