"""Programs that judge whether brackets are balanced.

A sequence is shuffle-Dyck when each kind of bracket, read alone, is balanced;
kinds may interleave, as in `({)}`. Tokens that are no brackets are ignored.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from itertools import accumulate
from operator import and_, or_
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER
from ..idioms import fraction_so_far
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import parentheses, parentheses_and_braces


def balance_so_far(opening: Value, closing: Value) -> rasp.SOp:
    """Return the share of opening brackets so far minus that of closing ones."""
    opened = fraction_so_far((rasp.tokens == opening).named("is_open")).named("opened")
    closed = fraction_so_far((rasp.tokens == closing).named("is_close")).named("closed")
    return rasp.numerical(rasp.LinearSequenceMap(opened, closed, 1, -1)).named("balance")


def is_shuffle_dyck(pairs: Sequence[str]) -> rasp.SOp:
    """Return, at every position, whether each of `pairs` (such as `"()"`) is balanced.

    It is when no balance is ever negative and every balance ends at zero.
    """
    balances = [balance_so_far(pair[0], pair[1]).named(f"balance_{pair}") for pair in pairs]
    below_zero = reduce(or_, [balance < 0 for balance in balances])
    below_zero = rasp.numerical(rasp.Map(lambda x: x, below_zero)).named("below_zero")
    everywhere = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.TRUE).named("everywhere")
    share_below = rasp.numerical(rasp.Aggregate(everywhere, below_zero, default=0))
    never_below = (~share_below.named("share_below")).named("never_below")
    at_zero = reduce(and_, [balance == 0 for balance in balances]).named("at_zero")
    last = rasp.Select(rasp.indices, rasp.length - 1, rasp.Comparison.EQ).named("last")
    ends_at_zero = rasp.Aggregate(last, at_zero).named("ends_at_zero")
    return (ends_at_zero & never_below).named("shuffle_dyck")


def _pair_balance(xs: list[Any]) -> list[Value]:
    depths = accumulate({"(": 1, ")": -1}.get(x, 0) for x in xs)
    return [float(Fraction(depth, i)) for i, depth in enumerate(depths, start=1)]


def _balanced(xs: list[Any], pairs: Sequence[str]) -> list[Value]:
    for pair in pairs:
        depth = 0
        for token in xs:
            depth += (token == pair[0]) - (token == pair[1])
            if depth < 0:
                return [False] * len(xs)
        if depth > 0:
            return [False] * len(xs)
    return [True] * len(xs)


PAIR_BALANCE = ProgramSpec(
    name="pair_balance",
    family="brackets",
    build=lambda _vocabulary, _length: balance_so_far("(", ")").named("pair_balance"),
    vocabulary=parentheses,
    oracle=_pair_balance,
    sizes=Sizes((2, 4), (3, 6), (4, 8), (4, 16)),
    least_vocab=2,
    description=(
        "Gives at each position the share of `(` minus the share of `)` among the tokens so far."
    ),
    why=(
        "Two heads do the same work on different tokens and their outputs cancel in one "
        "direction, so each looks harmful or useless when it is judged by sign alone."
    ),
    citation=RASP_PAPER,
    tags=("statistics",),
)

SHUFFLE_DYCK1 = ProgramSpec(
    name="shuffle_dyck1",
    family="brackets",
    build=lambda _vocabulary, _length: is_shuffle_dyck(["()"]).named("shuffle_dyck1"),
    vocabulary=parentheses,
    oracle=lambda xs: _balanced(xs, ["()"]),
    sizes=Sizes((2, 4), (3, 6), (4, 8), (4, 16)),
    least_vocab=2,
    description="Says at every position whether the parentheses of the sequence are balanced.",
    why=(
        "A conjunction of a running condition and a final one: most random inputs already fail "
        "the first, which hides the second from methods that sample without care."
    ),
    citation=RASP_PAPER,
    tags=("statistics", "constant output"),
)

SHUFFLE_DYCK2 = ProgramSpec(
    name="shuffle_dyck2",
    family="brackets",
    build=lambda _vocabulary, _length: is_shuffle_dyck(["()", "{}"]).named("shuffle_dyck2"),
    vocabulary=parentheses_and_braces,
    oracle=lambda xs: _balanced(xs, ["()", "{}"]),
    sizes=Sizes((4, 4), (4, 6), (5, 8), (5, 16)),
    least_vocab=4,
    description=(
        "Says at every position whether parentheses and braces are balanced, each kind read alone."
    ),
    why=(
        "The largest circuit of the library: four heads side by side and a long chain after "
        "them, with redundancy, since one broken kind of bracket masks the other."
    ),
    citation=RASP_PAPER,
    tags=("statistics", "constant output"),
)

PROGRAMS = (PAIR_BALANCE, SHUFFLE_DYCK1, SHUFFLE_DYCK2)
