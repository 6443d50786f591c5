"""Programs that move tokens to positions computed from places and lengths.

A head gathers (each query names the position it wants) or scatters (each key names the
position it goes to); what differs between the programs is how the name is computed.
"""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER
from ..idioms import count_value, first_value, last_value, reversed_order, shifted, value_at
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

LETTER = "a"
ROTATION = 2
_ELSEWHERE = ""


def shift() -> rasp.SOp:
    """Return the tokens one position later, the first one at its own place too."""
    before = shifted(rasp.tokens, 1, _ELSEWHERE).named("previous")
    return rasp.SequenceMap(lambda last, own: last or own, before, rasp.tokens).named("shift")


def rotate_by_constant() -> rasp.SOp:
    """Return the tokens rotated to the left by two positions."""
    source = rasp.SequenceMap(
        lambda place, length: (place + ROTATION) % length, rasp.indices, rasp.length
    )
    return value_at(rasp.tokens, source.named("source")).named("rotate_by_constant")


def rotate_by_count() -> rasp.SOp:
    """Return the tokens rotated to the left, by one position for each letter."""
    ahead = (rasp.indices + count_value(rasp.tokens, LETTER)).named("ahead")
    source = rasp.SequenceMap(lambda place, length: place % length, ahead, rasp.length)
    return value_at(rasp.tokens, source.named("source")).named("rotate_by_count")


def swap_neighbours() -> rasp.SOp:
    """Return the tokens with those at positions 0 and 1 swapped, 2 and 3, and so on."""
    partner = rasp.Map(lambda place: place ^ 1, rasp.indices).named("partner")
    across = value_at(rasp.tokens, partner, default=_ELSEWHERE).named("across")
    either = rasp.SequenceMap(lambda other, own: other or own, across, rasp.tokens)
    return either.named("swap_neighbours")


def interleave_halves() -> rasp.SOp:
    """Return the tokens of the first half and of the second by turns."""
    source = rasp.SequenceMap(
        lambda place, length: place // 2 + place % 2 * ((length + 1) // 2),
        rasp.indices,
        rasp.length,
    )
    return value_at(rasp.tokens, source.named("source")).named("interleave_halves")


def swap_ends() -> rasp.SOp:
    """Return the tokens with the first and the last swapped."""
    from_last = rasp.SequenceMap(
        lambda place, last: last if place == 0 else _ELSEWHERE,
        rasp.indices,
        last_value(rasp.tokens),
    ).named("from_last")
    is_last = (rasp.indices == (rasp.length - 1).named("last_place")).named("is_last")
    from_first = rasp.SequenceMap(
        lambda here, first: first if here else _ELSEWHERE, is_last, first_value(rasp.tokens)
    ).named("from_first")
    ends = rasp.SequenceMap(lambda x, y: x or y, from_last, from_first).named("from_ends")
    return rasp.SequenceMap(lambda x, own: x or own, ends, rasp.tokens).named("swap_ends")


def _reverse(xs: list[Any]) -> list[Value]:
    return xs[::-1]


def _rotate_by_constant(xs: list[Any]) -> list[Value]:
    shift = ROTATION % len(xs)
    return xs[shift:] + xs[:shift]


def _rotate_by_count(xs: list[Any]) -> list[Value]:
    shift = xs.count(LETTER)
    return xs[shift:] + xs[:shift]


def _swap_neighbours(xs: list[Any]) -> list[Value]:
    swapped: list[Value] = []
    for i in range(0, len(xs), 2):
        swapped += xs[i : i + 2][::-1]
    return swapped


def _interleave_halves(xs: list[Any]) -> list[Value]:
    half = (len(xs) + 1) // 2
    mixed = xs.copy()
    mixed[::2], mixed[1::2] = xs[:half], xs[half:]
    return mixed


def _swap_ends(xs: list[Any]) -> list[Value]:
    return xs if len(xs) == 1 else [xs[-1], *xs[1:-1], xs[0]]


REVERSE = ProgramSpec(
    name="reverse",
    family="moving",
    build=lambda _vocabulary, _length: reversed_order(rasp.tokens),
    vocabulary=letters,
    oracle=_reverse,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives the tokens in reverse order.",
    why=(
        "Half of the circuit computes the length, which is invisible to any method that "
        "compares inputs of one length only."
    ),
    citation=RASP_PAPER,
    tags=("reversal", "positions"),
)

SHIFT = ProgramSpec(
    name="shift",
    family="moving",
    build=lambda _vocabulary, _length: shift(),
    vocabulary=letters,
    oracle=lambda xs: [xs[0], *xs[:-1]],
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at each position the token before it, and at the first its own.",
    why=(
        "A previous-token head: its pattern is fixed by position and what it moves by content. "
        "Only at the first position, where it finds nothing, does the path past it count."
    ),
    tags=("copying", "positions"),
    causal=True,
)

ROTATE_BY_CONSTANT = ProgramSpec(
    name="rotate_by_constant",
    family="moving",
    build=lambda _vocabulary, _length: rotate_by_constant(),
    vocabulary=letters,
    oracle=_rotate_by_constant,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives the tokens rotated to the left by two positions.",
    why=(
        "At all but the last two positions the source is two ahead whatever the length is: the "
        "head that finds the length matters only where the rotation wraps around."
    ),
    tags=("copying", "positions"),
)

ROTATE_BY_COUNT = ProgramSpec(
    name="rotate_by_count",
    family="moving",
    build=lambda _vocabulary, _length: rotate_by_count(),
    vocabulary=letters,
    oracle=_rotate_by_count,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives the tokens rotated to the left by as many positions as there are tokens `a`."
    ),
    why=(
        "Two heads count side by side, and the head that moves tokens needs both numbers: of a "
        "token's two ways to the output, one is as content and one is as amount."
    ),
    tags=("counting", "positions"),
)

SWAP_NEIGHBOURS = ProgramSpec(
    name="swap_neighbours",
    family="moving",
    build=lambda _vocabulary, _length: swap_neighbours(),
    vocabulary=letters,
    oracle=_swap_neighbours,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives the tokens with each one at an even position swapped with the next, if there is one."
    ),
    why=(
        "One head moves every token but a last one without a partner, which the MLP takes from the "
        "residual stream: the direct path matters on inputs of odd length only."
    ),
    tags=("positions",),
)

INTERLEAVE_HALVES = ProgramSpec(
    name="interleave_halves",
    family="moving",
    build=lambda _vocabulary, _length: interleave_halves(),
    vocabulary=letters,
    oracle=_interleave_halves,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives the tokens of the first half and of the second by turns; an odd one belongs to the "
        "first."
    ),
    why=(
        "The perfect shuffle of cards: half of the sources do not depend on the length, so that "
        "patching the length head changes odd positions only."
    ),
    tags=("positions",),
)

SWAP_ENDS = ProgramSpec(
    name="swap_ends",
    family="moving",
    build=lambda _vocabulary, _length: swap_ends(),
    vocabulary=letters,
    oracle=_swap_ends,
    sizes=Sizes((2, 4), (3, 5), (6, 8), (8, 16)),
    description="Gives the tokens with the first and the last swapped.",
    why=(
        "Two heads fetch the same values for every position, and MLPs decide where they count: "
        "attention says nothing of where the output depends on a head."
    ),
    tags=("positions", "routing"),
)
