"""Programs that ask whether a token, or a pair of tokens, is in the sequence, and how often."""

from itertools import pairwise
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import INDUCTION_PAPER, IOI_PAPER
from ..idioms import (
    EQ,
    count,
    count_equal,
    earlier,
    fraction_so_far,
    is_new,
    same,
    shifted,
    somewhere,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters
from .two_sides import moved_to_front

COUNTED = "a"


def contains_duplicate() -> rasp.SOp:
    """Return, in a causal model, whether two of the tokens so far are equal."""
    repeated = (count(same(rasp.tokens)) > 1).named("repeated")
    return (fraction_so_far(repeated).named("share_repeated") > 0).named("contains_duplicate")


def occurs_once() -> rasp.SOp:
    """Return whether no other position holds this token."""
    return (count_equal(rasp.tokens) == 1).named("occurs_once")


def membership() -> rasp.SOp:
    """Return, at every position, whether the counted letter is among the tokens."""
    return somewhere((rasp.tokens == COUNTED).named("is_a")).named("membership")


def deduplicate() -> rasp.SOp:
    """Return each token once, in order of first occurrence, from the first position on."""
    return moved_to_front(rasp.tokens, is_new()).named("deduplicate")


def reversed_pair_seen() -> rasp.SOp:
    """Return whether the last two tokens have occurred before the other way round."""
    previous = shifted(rasp.tokens, 1).named("previous")
    pair = rasp.SequenceMap(lambda first, second: (first, second), previous, rasp.tokens)
    swapped = rasp.SequenceMap(lambda first, second: (second, first), previous, rasp.tokens)
    matches = rasp.Select(pair.named("pair"), swapped.named("swapped"), EQ)
    return (count(matches & earlier()).named("matches") > 0).named("reversed_pair_seen")


def _contains_duplicate(xs: list[Any]) -> list[Value]:
    return [len(set(xs[: i + 1])) <= i for i in range(len(xs))]


def _deduplicate(xs: list[Any]) -> list[Value]:
    kept: list[Value] = list(dict.fromkeys(xs))
    return kept + [None] * (len(xs) - len(kept))


def _reversed_pair_seen(xs: list[Any]) -> list[Value]:
    pairs = list(pairwise(xs))
    return [False, *(pair[::-1] in pairs[:i] for i, pair in enumerate(pairs))]


CONTAINS_DUPLICATE = ProgramSpec(
    name="contains_duplicate",
    family="sets",
    build=lambda _vocabulary, _length: contains_duplicate(),
    vocabulary=letters,
    oracle=_contains_duplicate,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Says at each position whether two of the tokens up to there are equal.",
    why=(
        "A duplicate-token head marks repetitions and a second head passes on that there was "
        "one; with a second repetition the first is no longer needed, so that ablation of one "
        "position understates it."
    ),
    citation=IOI_PAPER,
    tags=("counting", "redundancy"),
    causal=True,
)

OCCURS_ONCE = ProgramSpec(
    name="occurs_once",
    family="sets",
    build=lambda _vocabulary, _length: occurs_once(),
    vocabulary=letters,
    oracle=lambda xs: [xs.count(x) == 1 for x in xs],
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Says at each position whether its token occurs only once in the sequence.",
    why=(
        "A histogram of which one bit is used: the head tells all counts apart and the MLP hears "
        "only whether it is one, so a change from two to three is seen inside and not outside."
    ),
    tags=("membership", "histograms"),
)

MEMBERSHIP = ProgramSpec(
    name="membership",
    family="sets",
    build=lambda _vocabulary, _length: membership(),
    vocabulary=letters,
    oracle=lambda xs: [COUNTED in xs] * len(xs),
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description="Says at every position whether `a` occurs in the sequence.",
    why=(
        "Every `a` is enough and none is needed where there are two: taking out one token at a "
        "time finds no cause on such inputs, though the head reads each of them."
    ),
    tags=("membership", "redundancy", "one answer"),
)

DEDUPLICATE = ProgramSpec(
    name="deduplicate",
    family="sets",
    build=lambda _vocabulary, _length: deduplicate(),
    vocabulary=letters,
    oracle=_deduplicate,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 12)),
    description=(
        "Gives each token once, in order of first occurrence, moved to the front; the places "
        "after them have no value."
    ),
    why=(
        "The condition that drops a token is part of the key that the last head looks for, so "
        "a token is removed by never being found rather than by being overwritten."
    ),
    tags=("moving", "counting"),
)

REVERSED_PAIR_SEEN = ProgramSpec(
    name="reversed_pair_seen",
    family="sets",
    build=lambda _vocabulary, _length: reversed_pair_seen(),
    vocabulary=letters,
    oracle=_reversed_pair_seen,
    sizes=Sizes((2, 4), (4, 5), (5, 8), (6, 16)),
    description=(
        "Says at each position whether the tokens of this position and the one before it have "
        "occurred side by side in the opposite order, ending before this position."
    ),
    why=(
        "A previous-token head feeds both the keys and the queries of the next head, as in "
        "induction, but with the pair swapped: the match needs both tokens in the wrong order."
    ),
    citation=INDUCTION_PAPER,
    tags=("in-context learning", "moving"),
    causal=True,
)
