"""Programs that sort: count who comes before, then fetch by place."""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER, TRACR_PAPER
from ..idioms import count_equal, sort_by_keys, sort_by_unique_keys
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits, letters


def sort_by_frequency(max_length: int) -> rasp.SOp:
    """Return the tokens, those of the most frequent kinds first, ties in order of position."""
    rarity = (-count_equal(rasp.tokens)).named("rarity")
    return sort_by_keys(rasp.tokens, rarity, max_length).named("most_frequent")


def _sort(xs: list[Any]) -> list[Value]:
    return sorted(xs)


def _sort_unique(xs: list[Any]) -> list[Value]:
    placed: list[Value] = []
    for token in sorted(set(xs)):
        placed += [token] + [None] * (xs.count(token) - 1)
    return placed


def _most_frequent(xs: list[Any]) -> list[Value]:
    order = sorted(range(len(xs)), key=lambda i: (-xs.count(xs[i]), i))
    return [xs[i] for i in order]


SORT = ProgramSpec(
    name="sort",
    family="sorting",
    build=lambda _vocabulary, length: sort_by_keys(rasp.tokens, rasp.tokens, length),
    vocabulary=digits,
    oracle=_sort,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Sorts integers in ascending order; tokens may repeat.",
    why=(
        "Three steps in a row, each of which needs the one before at every position: an MLP "
        "that makes keys unique, a head that counts smaller keys, a head that moves tokens."
    ),
    citation=TRACR_PAPER,
    tags=("moving",),
)

SORT_UNIQUE = ProgramSpec(
    name="sort_unique",
    family="sorting",
    build=lambda _vocabulary, _length: sort_by_unique_keys(rasp.tokens, rasp.tokens).named(
        "sort_unique"
    ),
    vocabulary=digits,
    oracle=_sort_unique,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Sorts integers in ascending order; a repeated token stands once, at its first place, "
        "and leaves the places of its repetitions empty."
    ),
    why=(
        "The shortest program whose second head depends on what the first has computed; on "
        "repeated tokens one query attends to several keys, and some attend to none."
    ),
    citation=RASP_PAPER,
    tags=("moving",),
)

MOST_FREQUENT = ProgramSpec(
    name="most_frequent",
    family="sorting",
    build=lambda _vocabulary, length: sort_by_frequency(length),
    vocabulary=letters,
    oracle=_most_frequent,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Sorts the tokens by how often they occur, the most frequent first, equally frequent "
        "ones in their order of appearance."
    ),
    why=(
        "A histogram feeds a sort: the deepest chain of dependent heads in the library, in "
        "which a method must follow a count through two more steps."
    ),
    citation=RASP_PAPER,
    tags=("counting", "moving"),
)

PROGRAMS = (SORT, SORT_UNIQUE, MOST_FREQUENT)
