"""Programs that look tokens up by where they stand: at a position, a distance or a rank."""

from itertools import pairwise
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import count, kept_where, occurs_before, shifted, so_far, value_at, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import characters, digits, letters
from .lookup_by_key import found

MARKER = "#"


def pointer_chase() -> rasp.SOp:
    """Return the number read after three steps, each to the position that was read."""
    second = value_at(rasp.tokens, rasp.tokens).named("second_pointer")
    third = value_at(rasp.tokens, second).named("third_pointer")
    return value_at(rasp.tokens, third).named("pointer_chase")


def look_back_twice() -> rasp.SOp:
    """Return the token found by two steps back, each as far as the token stood on says."""
    place = (rasp.indices - rasp.tokens).named("place")
    second_place = value_at(place, place).named("second_place")
    return value_at(rasp.tokens, second_place).named("look_back_twice")


def section_heading() -> rasp.SOp:
    """Return the token after the latest marker, once it has been read."""
    is_marker = (rasp.tokens == MARKER).named("is_marker")
    section = count((where(is_marker, True) & so_far()).named("markers_so_far")).named("section")
    opened = kept_where(is_marker, section).named("opened")
    heads_section = shifted(opened, 1).named("heads_section")
    return found(heads_section, section, rasp.tokens).named("section_heading")


def next_in_order() -> rasp.SOp:
    """Return the token whose first occurrence comes next after that of this token."""
    is_new = (~occurs_before(rasp.tokens)).named("is_new")
    kinds = count((where(is_new, True) & so_far()).named("new_so_far")).named("kinds")
    rank = kept_where(is_new, kinds).named("rank")
    introduced = kept_where(is_new, rasp.tokens).named("introduced")
    own_rank = found(introduced, rasp.tokens, rank).named("own_rank")
    return found(rank, (own_rank + 1).named("next_rank"), rasp.tokens).named("next_in_order")


def _pointer_chase(xs: list[Any]) -> list[Value]:
    reached: list[Value] = []
    for x in xs:
        for _ in range(3):
            x = xs[x] if x is not None and x < len(xs) else None
        reached.append(x)
    return reached


def _look_back_twice(xs: list[Any]) -> list[Value]:
    reached: list[Value] = []
    for i in range(len(xs)):
        place = i
        for _ in range(2):
            place = place - xs[place] if place >= 0 else -1
        reached.append(xs[place] if place >= 0 else None)
    return reached


def _section_heading(xs: list[Any]) -> list[Value]:
    headings: list[Value] = []
    heading = None
    for i, x in enumerate(xs):
        if x == MARKER:
            heading = None
        elif i and xs[i - 1] == MARKER:
            heading = x
        headings.append(heading)
    return headings


def _next_in_order(xs: list[Any]) -> list[Value]:
    order = list(dict.fromkeys(xs))
    return [dict(pairwise(order)).get(x) for x in xs]


POINTER_CHASE = ProgramSpec(
    name="pointer_chase",
    family="retrieval",
    build=lambda _vocabulary, _length: pointer_chase(),
    vocabulary=digits,
    oracle=_pointer_chase,
    sizes=Sizes((2, 4), (5, 5), (6, 8), (12, 12)),
    least_vocab=2,
    description=(
        "Reads each number as a pointer to a position, follows pointers for three steps, and gives "
        "the number found there; no value where a step leaves the sequence."
    ),
    why=(
        "The same tokens are values in one head and addresses in the next, and long chains often "
        "end in a cycle, where a wrong step gives the right answer."
    ),
    tags=("lookup", "composition", "numbers"),
)

LOOK_BACK_TWICE = ProgramSpec(
    name="look_back_twice",
    family="retrieval",
    build=lambda _vocabulary, _length: look_back_twice(),
    vocabulary=digits,
    oracle=_look_back_twice,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Steps back from each position by as many positions as its number says, does so once more "
        "from there, and gives the number found; no value where a step leaves the sequence."
    ),
    why=(
        "An MLP turns tokens and positions into addresses, and a head passes on an address rather "
        "than a token: half of the circuit carries positions only."
    ),
    tags=("lookup", "composition", "positions", "numbers"),
    causal=True,
)

SECTION_HEADING = ProgramSpec(
    name="section_heading",
    family="retrieval",
    build=lambda _vocabulary, _length: section_heading(),
    vocabulary=characters(MARKER),
    oracle=_section_heading,
    sizes=Sizes((2, 4), (3, 6), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives at each position the token right after the latest `#` up to there; no value before "
        "the first `#` and at a `#`."
    ),
    why=(
        "A count serves as an address: positions of one section share it, however long the "
        "section is, so the head that fetches the heading uses neither distance nor content."
    ),
    tags=("lookup", "counting"),
    causal=True,
)

NEXT_IN_ORDER = ProgramSpec(
    name="next_in_order",
    family="retrieval",
    build=lambda _vocabulary, _length: next_in_order(),
    vocabulary=letters,
    oracle=_next_in_order,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 10)),
    least_vocab=2,
    description=(
        "Orders the kinds of tokens by their first occurrence, and gives at each position the kind "
        "after that of its token; no value for the last kind."
    ),
    why=(
        "Four heads in a row, of which the first three only build an order that stands nowhere in "
        "the sequence, so no single head's pattern shows what the last one looks for."
    ),
    tags=("lookup", "composition"),
)
