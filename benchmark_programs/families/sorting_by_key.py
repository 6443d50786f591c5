"""Programs that sort tokens by something else: frequency, class, or first occurrence."""

from collections import Counter
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER, TRACR_PAPER
from ..idioms import (
    count_equal,
    first_value,
    is_first,
    is_new,
    kept_where,
    same,
    sort_by_keys,
    where,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits, letters
from .sorting import bucket_place, compared_place, fetched

QUICKSORT = "C. A. R. Hoare. Quicksort. The Computer Journal 5(1), 1962"
_SIZES = Sizes((2, 4), (4, 5), (6, 8), (8, 16))


def sort_by_frequency(max_length: int) -> rasp.SOp:
    """Return the tokens, those of the most frequent kinds first, ties in order of position."""
    rarity = (-count_equal(rasp.tokens)).named("rarity")
    return sort_by_keys(rasp.tokens, rarity, max_length).named("sort_by_frequency")


def most_frequent() -> rasp.SOp:
    """Return each token once, the most frequent first, ties in order of first occurrence."""
    first = is_new()
    rarity = (-count_equal(rasp.tokens)).named("rarity")
    place = bucket_place(kept_where(first, rarity).named("rarity_of_kind"))
    return fetched(rasp.tokens, kept_where(first, place).named("place_of_kind")).named(
        "most_frequent"
    )


def sort_by_key(max_length: int) -> rasp.SOp:
    """Return the even tokens, then the odd ones, each in order of position."""
    key = rasp.Map(lambda token: token % 2, rasp.tokens).named("key")
    return sort_by_keys(rasp.tokens, key, max_length).named("sort_by_key")


def partition_by_first() -> rasp.SOp:
    """Return the tokens below the first one, then those equal to it, then those above it."""
    pivot = first_value(rasp.tokens).named("pivot")
    side = rasp.SequenceMap(lambda x, y: (x > y) - (x < y), rasp.tokens, pivot).named("side")
    return fetched(rasp.tokens, bucket_place(side)).named("partition_by_first")


def group_equal() -> rasp.SOp:
    """Return the tokens grouped, kinds in order of their first occurrence."""
    leader = same(rasp.tokens) & where(is_first(rasp.tokens), True)
    leader_place = rasp.Aggregate(leader, rasp.indices).named("leader_place")
    return fetched(rasp.tokens, compared_place(leader_place)).named("group_equal")


def _sort_by_frequency(xs: list[Any]) -> list[Value]:
    order = sorted(range(len(xs)), key=lambda i: (-xs.count(xs[i]), i))
    return [xs[i] for i in order]


def _most_frequent(xs: list[Any]) -> list[Value]:
    kinds = [kind for kind, _ in Counter(xs).most_common()]
    return kinds + [None] * (len(xs) - len(kinds))


def _partition_by_first(xs: list[Any]) -> list[Value]:
    return sorted(xs, key=lambda x: (x > xs[0]) - (x < xs[0]))


SORT_BY_FREQUENCY = ProgramSpec(
    name="sort_by_frequency",
    family="sorting",
    build=lambda _vocabulary, length: sort_by_frequency(length),
    vocabulary=letters,
    oracle=_sort_by_frequency,
    sizes=_SIZES,
    description=(
        "Sorts the tokens by how often they occur, the most frequent first, equally frequent "
        "ones in order of position, so that `abab` stays `abab`."
    ),
    why=(
        "A histogram feeds a sort: three dependent heads in a row, so that a method must "
        "follow a count through two more steps."
    ),
    citation=TRACR_PAPER,
    tags=("counting", "moving", "histograms"),
)

MOST_FREQUENT = ProgramSpec(
    name="most_frequent",
    family="sorting",
    build=lambda _vocabulary, _length: most_frequent(),
    vocabulary=letters,
    oracle=_most_frequent,
    sizes=_SIZES,
    description=(
        "Gives each token once, the most frequent first, equally frequent ones in order of first "
        "occurrence; the places after them have no value."
    ),
    why=(
        "The first of equal tokens stands for its kind and carries the key; the others are "
        "counted, then drop out of the comparison, so a token may matter without being moved."
    ),
    citation=RASP_PAPER,
    tags=("histograms", "moving"),
)

SORT_BY_KEY = ProgramSpec(
    name="sort_by_key",
    family="sorting",
    build=lambda _vocabulary, length: sort_by_key(length),
    vocabulary=digits,
    oracle=lambda xs: sorted(xs, key=lambda x: x % 2),
    sizes=_SIZES,
    least_vocab=2,
    description="Gives the even integers, then the odd ones, each in order of appearance.",
    why=(
        "The order comes from one bit of each token and the content from all of it: a swap of "
        "two tokens of one parity changes what is moved and leaves all attention as it is."
    ),
    tags=("moving", "positions"),
)

PARTITION_BY_FIRST = ProgramSpec(
    name="partition_by_first",
    family="sorting",
    build=lambda _vocabulary, _length: partition_by_first(),
    vocabulary=digits,
    oracle=_partition_by_first,
    sizes=Sizes((2, 4), (5, 4), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives the integers below the first one, then those equal to it, then those above it, "
        "each in order of appearance."
    ),
    why=(
        "The partition step of quicksort: the first position decides the place of every other "
        "token, and has to be carried there before anything can be counted."
    ),
    citation=QUICKSORT,
    tags=("moving", "positions"),
)

GROUP_EQUAL = ProgramSpec(
    name="group_equal",
    family="sorting",
    build=lambda _vocabulary, _length: group_equal(),
    vocabulary=letters,
    oracle=lambda xs: [x for kind in dict.fromkeys(xs) for x in xs if x == kind],
    sizes=_SIZES,
    least_vocab=2,
    description="Gathers equal tokens, the kinds in order of their first occurrence.",
    why=(
        "A sort whose key is looked up first: each token finds the first one of its kind and "
        "takes over its position, so four heads stand in a row, and the key that orders the "
        "output is never part of it."
    ),
    tags=("moving", "positions", "counting"),
)
