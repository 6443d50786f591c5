"""Problems in a text: where each stands, and the message that shows all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from ...errors import ProgramError, listing

_WIDTH = 90


class Place(NamedTuple):
    """A position in a text; both numbers count from 1."""

    line: int
    column: int


@dataclass
class LocatedError(Exception):
    """Something wrong at a place of the text; `calls` says through which calls it was reached."""

    place: Place
    message: str
    calls: tuple[str, ...] = ()


def excerpt(text: str, place: Place) -> str:
    r"""Return the line of a place with a caret below the column.

    Example:
        >>> print(excerpt("a = 1;\nb = c;", Place(2, 5)))
        b = c;
            ^
    """
    line = text.split("\n")[place.line - 1].rstrip().replace("\t", " ")
    column = place.column - 1
    if len(line) > _WIDTH:
        start = max(0, column - _WIDTH // 2)
        line, column = line[start : start + _WIDTH], column - start
    return f"{line}\n{' ' * column}^"


def text_error(text: str, problems: Iterable[LocatedError]) -> ProgramError:
    """Return the error that lists `problems` in the order of the text."""
    entries = dict.fromkeys(
        _entry(text, problem) for problem in sorted(problems, key=lambda problem: problem.place)
    )
    return ProgramError(listing("The RASP text cannot be read:", list(entries)))


def _entry(text: str, problem: LocatedError) -> str:
    calls = "".join(f" ({call})" for call in problem.calls)
    indented = excerpt(text, problem.place).replace("\n", "\n      ")
    place = f"line {problem.place.line}, column {problem.place.column}"
    return f"{place}: {problem.message}{calls}\n      {indented}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a question about the known names nearest to one that is not known, or nothing.

    Example:
        >>> suggestion("indeces", ["tokens", "indices"])
        " Did you mean 'indices'?"
    """
    nearest = get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, nearest))}?" if nearest else ""
