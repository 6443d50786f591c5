"""Suggestions for names that do not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 40
"""The most names that a message lists."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return a message about an unknown name: the nearest known ones, then all if they are few.

    Example:
        >>> unknown_name("program", "sorted", ["sort", "reverse"])
        "There is no program 'sorted'. Did you mean 'sort'? Known: reverse, sort."
    """
    names = sorted(known)
    nearest = get_close_matches(name, names, n=3, cutoff=0.5)
    question = f" Did you mean {' or '.join(map(repr, nearest))}?" if nearest else ""
    known = f"Known: {', '.join(names)}." if len(names) <= MOST else "See: glassbench list."
    return f"There is no {kind} {name!r}.{question} {known}"
