"""Programs that judge whether brackets are balanced, and whether they nest.

A sequence is shuffle-Dyck when each kind of bracket, read alone, is balanced; kinds may
interleave, as in `({)}`. It is Dyck when they also nest. Tokens that are no brackets are
ignored. Depths and levels are those of `bracket_depth`.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate
from operator import and_, or_
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER
from ..idioms import EQ, count, fraction_so_far, last_value, same, shifted, so_far, somewhere, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import brackets_only, characters, parentheses, parentheses_and_braces
from .bracket_depth import CLOSING, OPENING, balance_so_far, depth_of, level_of, step_of

BOUNDED_HIERARCHY_PAPER = (
    "Shunyu Yao, Binghui Peng, Christos Papadimitriou, Karthik Narasimhan. Self-Attention "
    "Networks Can Process Bounded Hierarchical Languages. ACL 2021. arXiv:2105.11115"
)
CLOSING_OF = dict(zip(OPENING + CLOSING, CLOSING * 2, strict=True))
PAIRS = tuple(map("".join, zip(OPENING, CLOSING, strict=True)))


def is_shuffle_dyck(pairs: Sequence[str]) -> rasp.SOp:
    """Return, at every position, whether each of `pairs` (such as `"()"`) is balanced.

    It is when no balance is ever negative and every balance ends at zero.
    """
    balances = [balance_so_far(pair[0], pair[1]).named(f"balance_{pair}") for pair in pairs]
    below_zero = reduce(or_, [balance < 0 for balance in balances])
    never_below = (~somewhere(below_zero.named("below_zero"))).named("never_below")
    at_zero = reduce(and_, [balance == 0 for balance in balances]).named("at_zero")
    return (last_value(at_zero).named("ends_at_zero") & never_below).named("shuffle_dyck")


def stack_height() -> rasp.SOp:
    """Return, in a causal model, how many parentheses are open if unmatched ones are ignored.

    An unmatched closing one is where the depth is below zero and lower than ever before:
    no position so far but this one is as low. The depth counts it as minus one.
    """
    depth = depth_of("(", ")", causal=True)
    as_low = count(rasp.Select(depth, depth, rasp.Comparison.LEQ)).named("as_low")
    is_unmatched = rasp.SequenceMap(lambda here, n: here < 0 and n == 1, depth, as_low)
    unmatched = count(where(is_unmatched.named("is_unmatched"), True)).named("unmatched")
    height = rasp.LinearSequenceMap(depth, unmatched, 1, 1)
    return rasp.numerical(height).named("stack_height")


def dyck1_ptf() -> rasp.SOp:
    """Return whether what is read so far is balanced, can become so, or cannot."""
    balance = balance_so_far("(", ")")
    failed = (fraction_so_far((balance < 0).named("below_zero")) > 0).named("failed")
    good = rasp.Map(lambda x: "T" if x == 0 else "P", balance).named("if_not_failed")
    state = rasp.SequenceMap(lambda bad, other: "F" if bad else other, failed, good)
    return state.named("dyck1_ptf")


def dyck2_ptf() -> rasp.SOp:
    """Return, in a causal model, the same for two kinds of brackets that must nest.

    A closing bracket must be of the kind of the bracket before it of the same level.
    """
    depth = depth_of("({", ")}", causal=True)
    level = level_of(depth)
    place = count(same(level)).named("place_in_level")
    one_before = rasp.Select(place, place, lambda key, query: query - key == 1)
    partner = rasp.Aggregate(same(level) & one_before, rasp.tokens, default="none")
    wrong = rasp.SequenceMap(
        lambda token, left: step_of(token) < 0 and left + token not in PAIRS,
        rasp.tokens,
        partner.named("token_before_in_level"),
    )
    failed = somewhere(wrong.named("mismatch")).named("failed")
    good = rasp.Map(lambda x: "P" if x else "T", depth).named("if_not_failed")
    state = rasp.SequenceMap(lambda bad, other: "F" if bad else other, failed, good)
    return state.named("dyck2_ptf")


def bounded_dyck() -> rasp.SOp:
    """Return whether brackets nest, two deep at most: whether two rounds of pairing remove all.

    A round removes brackets that stand beside their partners. For the second one what
    remains is numbered, and each odd number asks for the token of the next.
    """

    def are_pair(left: rasp.SOp, right: rasp.SOp) -> rasp.SOp:
        return rasp.SequenceMap(lambda opening, closing: opening + closing in PAIRS, left, right)

    after, before = shifted(rasp.tokens, -1, "none"), shifted(rasp.tokens, 1, "none")
    opens_pair = are_pair(rasp.tokens, after.named("next")).named("pairs_with_next")
    closes_pair = are_pair(before.named("previous"), rasp.tokens).named("pairs_with_previous")
    remains = (~(opens_pair | closes_pair)).named("remains")
    number = count(where(remains, True) & so_far()).named("number")
    place = rasp.SequenceMap(lambda kept, n: n if kept else None, remains, number).named("place")
    following = rasp.Select(place, number, lambda key, query: key - query == 1).named("following")
    then = rasp.Aggregate(following, rasp.tokens, default="none").named("next_remaining")
    must_open = rasp.SequenceMap(lambda kept, n: kept and n % 2 == 1, remains, number)
    wrong = must_open.named("must_open") & ~are_pair(rasp.tokens, then).named("second_round_pair")
    return (~somewhere(wrong.named("unpaired"))).named("dyck_depth2")


def expected_closing() -> rasp.SOp:
    """Return, in a causal model, what closes the innermost open bracket.

    That bracket is the latest opening one whose level is the depth here.
    """
    depth = depth_of("({", ")}", causal=True)
    opening_level = rasp.SequenceMap(
        lambda token, inside: inside if step_of(token) > 0 else None, rasp.tokens, depth
    ).named("opening_level")
    at_depth = rasp.Select(opening_level, depth, EQ)
    place = count(at_depth).named("openings_at_depth")
    innermost = (at_depth & rasp.Select(place, place, EQ)).named("innermost")
    opening = rasp.Aggregate(innermost, rasp.tokens).named("innermost_opening")
    return rasp.Map(CLOSING_OF.get, opening).named("expected_closing")


def _balanced(xs: list[Any], pairs: Sequence[str]) -> list[Value]:
    def is_balanced(opening: str, closing: str) -> bool:
        depths = list(accumulate((x == opening) - (x == closing) for x in xs))
        return min(depths) >= 0 and depths[-1] == 0

    return [all(is_balanced(*pair) for pair in pairs)] * len(xs)


def _open_brackets(xs: list[Any], pairs: Sequence[str]) -> list[str]:
    stacks = [""]
    for token in xs:
        if any(token == pair[0] for pair in pairs):
            stacks.append(stacks[-1] + token)
        else:
            closes = any(token == pair[1] for pair in pairs)
            stacks.append(stacks[-1][:-1] if closes else stacks[-1])
    return stacks[1:]


def _prefix_states(xs: list[Any], pairs: Sequence[str]) -> list[Value]:
    states: list[Value] = []
    stack: list[str] = []
    failed = False
    for token in xs:
        if any(token == pair[0] for pair in pairs):
            stack.append(token)
        elif any(token == pair[1] for pair in pairs):
            failed = failed or not stack or stack.pop() + token not in pairs
        states.append("F" if failed else "P" if stack else "T")
    return states


def _dyck_depth2(xs: list[Any]) -> list[Value]:
    deepest = max(accumulate(1 if x in OPENING else -1 for x in xs))
    return [_prefix_states(xs, PAIRS)[-1] == "T" and deepest <= 2] * len(xs)


def _expected_closing(xs: list[Any]) -> list[Value]:
    return [CLOSING_OF[stack[-1]] if stack else None for stack in _open_brackets(xs, PAIRS[:2])]


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
    tags=("statistics", "rare positives", "one answer"),
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
        "Four heads side by side and a long chain after them, with redundancy, since one "
        "broken kind of bracket masks the other."
    ),
    citation=RASP_PAPER,
    tags=("statistics", "rare positives", "one answer"),
)

SHUFFLE_DYCK3 = ProgramSpec(
    name="shuffle_dyck3",
    family="brackets",
    build=lambda _vocabulary, _length: is_shuffle_dyck(PAIRS[:3]).named("shuffle_dyck3"),
    vocabulary=characters(*"(){}[]"),
    oracle=lambda xs: _balanced(xs, PAIRS[:3]),
    sizes=Sizes((6, 3), (6, 4), (6, 8), (7, 12)),
    least_vocab=6,
    description=(
        "Says at every position whether parentheses, braces and square brackets are balanced, each "
        "kind read alone."
    ),
    why=(
        "Three counters side by side, each of which can veto alone: on a random input several "
        "are broken at once, so that repairing any one of them changes nothing."
    ),
    citation=RASP_PAPER,
    tags=("statistics", "rare positives", "redundancy", "one answer"),
)

STACK_HEIGHT = ProgramSpec(
    name="stack_height",
    family="brackets",
    build=lambda _vocabulary, _length: stack_height(),
    vocabulary=parentheses,
    oracle=lambda xs: [len(stack) for stack in _open_brackets(xs, PAIRS[:1])],
    sizes=Sizes((2, 4), (3, 6), (4, 7), (4, 9)),
    least_vocab=2,
    description=(
        "Gives at each position how many parentheses are open, where closing ones that nothing "
        "opened are ignored."
    ),
    why=(
        "A counter that stops at zero, from three heads in a row: the first count is right until "
        "something is unmatched, and only then the correction of the later heads has any effect."
    ),
    tags=("counting", "running counts", "state"),
    causal=True,
)

DYCK1_PTF = ProgramSpec(
    name="dyck1_ptf",
    family="brackets",
    build=lambda _vocabulary, _length: dyck1_ptf(),
    vocabulary=parentheses,
    oracle=lambda xs: _prefix_states(xs, PAIRS[:1]),
    sizes=Sizes((2, 4), (3, 6), (4, 8), (4, 16)),
    least_vocab=2,
    description=(
        "Says at each position whether the parentheses so far are balanced (`T`), can still be "
        "(`P`) or cannot any more (`F`)."
    ),
    why=(
        "One number takes two ways to the answer, one read where it stands and one through a head "
        "that remembers its sign; once the second has fired, the first is ignored."
    ),
    citation=RASP_PAPER,
    tags=("statistics", "state"),
)

DYCK2_PTF = ProgramSpec(
    name="dyck2_ptf",
    family="brackets",
    build=lambda _vocabulary, _length: dyck2_ptf(),
    vocabulary=parentheses_and_braces,
    oracle=lambda xs: _prefix_states(xs, PAIRS[:2]),
    sizes=Sizes((4, 3), (4, 5), (5, 8), (5, 10)),
    least_vocab=4,
    description=(
        "Says at each position whether the parentheses and braces so far nest in balance (`T`), "
        "can still come to (`P`) or cannot any more (`F`)."
    ),
    why=(
        "A head finds the bracket to compare with by its level and its place among those of that "
        "level; with brackets alone about half of all inputs fail at their first token, before it "
        "has found any."
    ),
    citation=RASP_PAPER,
    tags=("matching",),
    causal=True,
)

BOUNDED_DYCK2 = ProgramSpec(
    name="dyck_depth2",
    family="brackets",
    build=lambda _vocabulary, _length: bounded_dyck(),
    vocabulary=brackets_only,
    oracle=_dyck_depth2,
    sizes=Sizes((4, 4), (4, 5), (4, 8), (6, 10)),
    least_vocab=4,
    description=(
        "Says at every position whether the sequence is Dyck and nests at most two deep: every "
        "bracket has a partner of its kind, and pairs do not cross."
    ),
    why=(
        "The same step twice at two scales: neighbours in the text pair off first, then "
        "neighbours among what remains, so that distance is bridged by numbers that attention "
        "itself has made."
    ),
    citation=BOUNDED_HIERARCHY_PAPER,
    tags=("matching", "rare positives", "one answer"),
)

EXPECTED_CLOSING = ProgramSpec(
    name="expected_closing",
    family="brackets",
    build=lambda _vocabulary, _length: expected_closing(),
    vocabulary=parentheses_and_braces,
    oracle=_expected_closing,
    sizes=Sizes((4, 3), (4, 5), (5, 8), (5, 10)),
    least_vocab=4,
    description=(
        "Gives at each position the bracket that closes the innermost open one, of parentheses "
        "and braces; a closing bracket closes whatever is innermost, and there is no value where "
        "none is open."
    ),
    why=(
        "What a language model must know to close brackets, the top of a stack, without a stack: "
        "a head that counts makes the key by which another fetches the opening bracket."
    ),
    citation=BOUNDED_HIERARCHY_PAPER,
    tags=("matching",),
    causal=True,
)
