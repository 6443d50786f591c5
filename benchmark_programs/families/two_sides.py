"""Programs that compare the sets of tokens on two sides of a separator.

The first `|` parts the sides: the left one stands before it, the right one is every other
token after it.
"""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import EQ, count, fraction_of_all, fraction_so_far, is_new, same, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import characters

SEPARATOR = "|"


def side() -> rasp.SOp:
    """Return on which side of the first separator a token stands: `left`, `right` or `|`."""
    separators = fraction_so_far((rasp.tokens == SEPARATOR).named("is_separator"))
    parted = (separators.named("share_of_separators") > 0).named("parted")
    return rasp.SequenceMap(
        lambda token, after: token if token == SEPARATOR else "right" if after else "left",
        rasp.tokens,
        parted,
    ).named("side")


def on_side(sides: rasp.SOp, name: str) -> rasp.SOp:
    """Return the tokens on one side, and no value elsewhere."""
    return rasp.SequenceMap(
        lambda token, own: token if own == name else None, rasp.tokens, sides
    ).named(f"{name}_token")


def copies_in(keys: rasp.SOp, queries: rasp.SOp) -> rasp.SOp:
    """Return how many of the `keys` are what stands here in `queries`."""
    return count(rasp.Select(keys, queries, EQ).named("copies_of_this")).named("copies")


def moved_to_front(sop: rasp.SOp, kept: rasp.SOp) -> rasp.SOp:
    """Return the values of `sop` where `kept` holds, in their order, from the first position on.

    The place of a kept value is one less than the number of values kept so far.
    """
    share = fraction_so_far(kept).named("share_kept")
    last_place = rasp.SequenceMap(lambda mean, i: round(mean * (i + 1)) - 1, share, rasp.indices)
    place = rasp.SequenceMap(
        lambda keep, last: last if keep else None, kept, last_place.named("last_place")
    ).named("place")
    goes_here = rasp.Select(place, rasp.indices, EQ).named("goes_here")
    return rasp.Aggregate(goes_here, sop)


def in_left_side() -> rasp.SOp:
    """Return whether this token of the right side also stands on the left side."""
    sides = side()
    copies = copies_in(on_side(sides, "left"), on_side(sides, "right"))
    return (copies > 0).named("in_left_side")


def subset() -> rasp.SOp:
    """Return, at every position, whether every token of the left side is on the right side."""
    sides = side()
    on_right = rasp.numerical(rasp.Map(lambda own: own == "right", sides)).named("on_right")
    found = rasp.Aggregate(same(rasp.tokens).named("same_token"), on_right, default=0)
    found = rasp.numerical(found).named("share_of_copies_right")
    missing = ((sides == "left") & (found == 0)).named("missing")
    return (fraction_of_all(missing).named("share_missing") == 0).named("subset")


def set_difference() -> rasp.SOp:
    """Return the tokens of the left side that are not on the right side, moved to the front."""
    sides = side()
    copies = copies_in(on_side(sides, "right"), rasp.tokens)
    kept = ((sides == "left") & (copies == 0)).named("kept")
    return moved_to_front(rasp.tokens, kept).named("set_difference")


def jaccard_index() -> rasp.SOp:
    """Return, at every position, the size of the sides' intersection over that of their union.

    First occurrences stand for the union, and those of tokens that have some of their copies
    on the right, but not all, for the intersection. One mean over them is the quotient.
    """
    sides = side()
    in_union = ((sides != SEPARATOR) & is_new()).named("in_union")
    found = same(rasp.tokens).named("same_token")
    on_right = rasp.numerical((sides == "right").named("on_right"))
    share = rasp.numerical(rasp.Aggregate(found, on_right, default=0)).named("share_right")
    on_both = rasp.numerical(((share > 0) & (share < 1)).named("on_both"))
    index = rasp.Aggregate(where(in_union, True).named("union"), on_both, default=0)
    return rasp.numerical(index).named("jaccard_index")


def _parted(xs: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the left and the right side of a sequence; without a separator all is left."""
    place = xs.index(SEPARATOR) if SEPARATOR in xs else len(xs)
    return xs[:place], [x for x in xs[place:] if x != SEPARATOR]


def _in_left_side(xs: list[Any]) -> list[Value]:
    left = _parted(xs)[0]
    return [i > len(left) and x in left for i, x in enumerate(xs)]


def _subset(xs: list[Any]) -> list[Value]:
    left, right = _parted(xs)
    return [set(left) <= set(right)] * len(xs)


def _set_difference(xs: list[Any]) -> list[Value]:
    left, right = _parted(xs)
    kept: list[Value] = [x for x in left if x not in right]
    return kept + [None] * (len(xs) - len(kept))


def _jaccard_index(xs: list[Any]) -> list[Value]:
    left, right = (set(part) for part in _parted(xs))
    return [len(left & right) / len(left | right) if left | right else 0] * len(xs)


IN_LEFT_SIDE = ProgramSpec(
    name="in_left_side",
    family="sets",
    build=lambda _vocabulary, _length: in_left_side(),
    vocabulary=characters(SEPARATOR),
    oracle=_in_left_side,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Says at each position whether it stands after the first `|` and its token stands "
        "before it."
    ),
    why=(
        "Keys and queries of the matching head come from different variables, each empty on "
        "the other side; earlier equal tokens on the same side are decoys for a plain "
        "duplicate-token head."
    ),
    tags=("counting", "conditions", "membership"),
    causal=True,
)

SUBSET = ProgramSpec(
    name="subset",
    family="sets",
    build=lambda _vocabulary, _length: subset(),
    vocabulary=characters(SEPARATOR),
    oracle=_subset,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Says at every position whether every token before the first `|` also stands after it; "
        "without a `|` nothing stands after it."
    ),
    why=(
        "A universal claim answered by the absence of a counterexample: three heads in a row, "
        "each of which turns a share into yes or no before the next one reads it."
    ),
    tags=("conditions", "membership", "one answer"),
)

SET_DIFFERENCE = ProgramSpec(
    name="set_difference",
    family="sets",
    build=lambda _vocabulary, _length: set_difference(),
    vocabulary=characters(SEPARATOR),
    oracle=_set_difference,
    sizes=Sizes((3, 4), (3, 5), (6, 8), (8, 12)),
    least_vocab=2,
    description=(
        "Gives the tokens before the first `|` that do not stand after it, repetitions "
        "included, moved to the front in their order; the places after them have no value."
    ),
    why=(
        "Four dependent heads: find the side, look across, count what is kept, fetch it. A "
        "token on the right changes where tokens of the left end up without being moved itself."
    ),
    tags=("moving", "conditions", "counting", "membership"),
)

JACCARD_INDEX = ProgramSpec(
    name="jaccard_index",
    family="sets",
    build=lambda _vocabulary, _length: jaccard_index(),
    vocabulary=characters(SEPARATOR),
    oracle=_jaccard_index,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 14)),
    least_vocab=2,
    description=(
        "Gives at every position how many different tokens stand on both sides of the first "
        "`|`, divided by how many stand on at least one; 0 where there are none."
    ),
    why=(
        "A quotient without a division: attention restricted to first occurrences supplies the "
        "denominator, so queries and keys carry half of the answer and values the other half."
    ),
    tags=("numbers", "statistics", "one answer"),
)
