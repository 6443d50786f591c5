"""Programs that judge whether brackets are balanced, and which of them belong together.

A sequence is shuffle-Dyck when each kind of bracket, read alone, is balanced; kinds may
interleave, as in `({)}`. It is Dyck when they also nest. Tokens that are no brackets are
ignored.

The depth of a position is the number of opening brackets up to there minus that of
closing ones. The level of a bracket is the depth inside it: of an opening bracket its
depth, of a closing one a depth more. Between a bracket and its partner all levels are
greater, so brackets of one level, read alone, open and close in turn.
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
from ..idioms import (
    EQ,
    count,
    earlier,
    fraction_so_far,
    last_value,
    later,
    same,
    shifted,
    so_far,
    somewhere,
    where,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import brackets_only, characters, parentheses, parentheses_and_braces

BOUNDED_HIERARCHY_PAPER = (
    "Shunyu Yao, Binghui Peng, Christos Papadimitriou, Karthik Narasimhan. Self-Attention "
    "Networks Can Process Bounded Hierarchical Languages. ACL 2021. arXiv:2105.11115"
)
OPENING, CLOSING = "({[<", ")}]>"
CLOSING_OF = dict(zip(OPENING + CLOSING, CLOSING * 2, strict=True))
PAIRS = tuple(map("".join, zip(OPENING, CLOSING, strict=True)))


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
    never_below = (~somewhere(below_zero.named("below_zero"))).named("never_below")
    at_zero = reduce(and_, [balance == 0 for balance in balances]).named("at_zero")
    return (last_value(at_zero).named("ends_at_zero") & never_below).named("shuffle_dyck")


def depth_of(openings: str, closings: str, *, causal: bool) -> rasp.SOp:
    """Return the depth: one head counts openings up to here, another closings."""

    def number_of(kinds: str) -> rasp.SOp:
        holds = rasp.Select(rasp.tokens, rasp.tokens, lambda key, _query: key in kinds)
        return count(holds if causal else holds & so_far())

    opened, closed = number_of(openings).named("opened"), number_of(closings).named("closed")
    return (opened - closed).named("depth")


def step_of(token: Value) -> int:
    """Return by how much a token changes the depth."""
    return (token in OPENING) - (token in CLOSING) if isinstance(token, str) else 0


def level_of(depth: rasp.SOp) -> rasp.SOp:
    """Return the level of each bracket; other tokens have none."""
    return rasp.SequenceMap(
        lambda token, inside: {1: inside, 0: None, -1: inside + 1}[step_of(token)],
        rasp.tokens,
        depth,
    ).named("level")


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


def max_depth() -> rasp.SOp:
    """Return the greatest depth, or zero if all are below: the one that none exceeds."""
    depth = depth_of("(", ")", causal=False)
    exceeding = count(rasp.Select(depth, depth, rasp.Comparison.GT)).named("exceeding")
    is_deepest = (exceeding == 0).named("is_deepest")
    deepest = rasp.categorical(rasp.Aggregate(where(is_deepest, True), depth)).named("deepest")
    return rasp.Map(lambda number: max(number, 0), deepest).named("max_depth")


def has_partner() -> rasp.SOp:
    """Return whether a bracket is one of a pair: another of its level is on the right side."""
    level = level_of(depth_of("(", ")", causal=False))
    before = count(same(level) & earlier()).named("same_level_before")
    after = count(same(level) & later()).named("same_level_after")
    left = rasp.SequenceMap(lambda token, n: step_of(token) > 0 and n > 0, rasp.tokens, after)
    right = rasp.SequenceMap(lambda token, n: step_of(token) < 0 and n > 0, rasp.tokens, before)
    return (left.named("is_left") | right.named("is_right")).named("has_partner")


def partner_position() -> rasp.SOp:
    """Return where the partner of a bracket is: the next of its level, or the one before."""
    level = level_of(depth_of("(", ")", causal=False))
    place = count(same(level) & so_far()).named("place_in_level")
    wanted = rasp.SequenceMap(lambda n, token: n + step_of(token), place, rasp.tokens)
    partner = same(level) & rasp.Select(place, wanted.named("wanted_place"), EQ)
    return rasp.Aggregate(partner.named("partner"), rasp.indices).named("partner_position")


def first_unmatched_closing() -> rasp.SOp:
    """Return the first position up to which more parentheses have closed than opened."""
    below_zero = (balance_so_far("(", ")") < 0).named("below_zero")
    below_before = count(where(below_zero, True) & earlier()).named("below_before")
    is_first = (below_zero & (below_before == 0)).named("is_first")
    at_first = where(is_first, True).named("at_first")
    return rasp.Aggregate(at_first, rasp.indices).named("first_unmatched_closing")


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


def braces_in_parentheses() -> rasp.SOp:
    """Return how many braces open where more parentheses have opened than closed."""
    step = rasp.Map(lambda token: (token == "(") - (token == ")"), rasp.tokens)
    is_inside = (fraction_so_far(step.named("step")).named("mean_step") > 0).named("is_inside")
    opens_inside = ((rasp.tokens == "{") & is_inside).named("opens_inside")
    return count(where(opens_inside, True)).named("braces_in_parentheses")


def _pair_balance(xs: list[Any]) -> list[Value]:
    return [float(Fraction(depth, i)) for i, depth in enumerate(_depths(xs), start=1)]


def _balanced(xs: list[Any], pairs: Sequence[str]) -> list[Value]:
    def is_balanced(opening: str, closing: str) -> bool:
        depths = list(accumulate((x == opening) - (x == closing) for x in xs))
        return min(depths) >= 0 and depths[-1] == 0

    return [all(is_balanced(*pair) for pair in pairs)] * len(xs)


def _depths(xs: list[Any]) -> list[int]:
    return list(accumulate({"(": 1, ")": -1}.get(x, 0) for x in xs))


def _partners(xs: list[Any]) -> list[Value]:
    partners: list[Value] = [None] * len(xs)
    stack: list[int] = []
    for i, token in enumerate(xs):
        if token == "(":
            stack.append(i)
        elif token == ")" and stack:
            opening = stack.pop()
            partners[i], partners[opening] = opening, i
    return partners


def _open_brackets(xs: list[Any], pairs: Sequence[str]) -> list[str]:
    stacks = [""]
    for token in xs:
        if any(token == pair[0] for pair in pairs):
            stacks.append(stacks[-1] + token)
        else:
            closes = any(token == pair[1] for pair in pairs)
            stacks.append(stacks[-1][:-1] if closes else stacks[-1])
    return stacks[1:]


def _first_unmatched_closing(xs: list[Any]) -> list[Value]:
    unmatched = (i for i, partner in enumerate(_partners(xs)) if xs[i] == ")" and partner is None)
    return [next(unmatched, None)] * len(xs)


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


def _braces_in_parentheses(xs: list[Any]) -> list[Value]:
    inside = [xs[:i].count("(") > xs[:i].count(")") for i in range(len(xs))]
    return [sum(x == "{" and within for x, within in zip(xs, inside, strict=True))] * len(xs)


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
    tags=("statistics", "cancellation"),
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

DEPTH = ProgramSpec(
    name="depth",
    family="brackets",
    build=lambda _vocabulary, _length: rasp.numerical(depth_of("(", ")", causal=True)).named(
        "depth"
    ),
    vocabulary=parentheses,
    oracle=lambda xs: [*_depths(xs)],
    sizes=Sizes((2, 4), (3, 6), (4, 8), (4, 16)),
    least_vocab=2,
    description="Gives at each position the number of `(` up to there minus that of `)`.",
    why=(
        "A counter without a stack: two heads count, and their difference stands in one "
        "direction, where an opening and a closing bracket cancel wherever they stand."
    ),
    tags=("counting", "numbers", "cancellation", "running counts"),
    causal=True,
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

MAX_DEPTH = ProgramSpec(
    name="max_depth",
    family="brackets",
    build=lambda _vocabulary, _length: max_depth(),
    vocabulary=parentheses,
    oracle=lambda xs: [max(0, *_depths(xs))] * len(xs),
    sizes=Sizes((2, 4), (3, 6), (4, 8), (4, 12)),
    least_vocab=2,
    description=(
        "Gives at every position the greatest number by which opening parentheses so far exceed "
        "closing ones, at least zero."
    ),
    why=(
        "Every position that reaches the greatest depth can answer for all: they are backups of "
        "one another, and patching what is read from a single one often changes nothing."
    ),
    tags=("counting", "redundancy", "one answer"),
)

HAS_PARTNER = ProgramSpec(
    name="has_partner",
    family="brackets",
    build=lambda _vocabulary, _length: has_partner(),
    vocabulary=parentheses,
    oracle=lambda xs: [partner is not None for partner in _partners(xs)],
    sizes=Sizes((2, 4), (3, 6), (4, 8), (4, 12)),
    least_vocab=2,
    description="Says of each position whether it holds a parenthesis that has a partner.",
    why=(
        "The token decides which of two mirrored heads is heard, one that looks back and one that "
        "looks ahead; at each position the other one has no effect."
    ),
    tags=("matching",),
)

PARTNER_POSITION = ProgramSpec(
    name="partner_position",
    family="brackets",
    build=lambda _vocabulary, _length: partner_position(),
    vocabulary=parentheses,
    oracle=_partners,
    sizes=Sizes((2, 4), (3, 6), (4, 8), (4, 10)),
    least_vocab=2,
    description=(
        "Gives for each parenthesis the position of its partner; no value for one without, and "
        "for other tokens."
    ),
    why=(
        "Attention goes to the matching bracket at any distance, by numbers that heads before it "
        "have computed at both ends: a pointer made of content and not of position."
    ),
    tags=("matching", "positions"),
)

FIRST_UNMATCHED_CLOSING = ProgramSpec(
    name="first_unmatched_closing",
    family="brackets",
    build=lambda _vocabulary, _length: first_unmatched_closing(),
    vocabulary=parentheses,
    oracle=_first_unmatched_closing,
    sizes=Sizes((2, 4), (3, 6), (4, 8), (4, 16)),
    least_vocab=2,
    description=(
        "Gives at every position where the first closing parenthesis is that nothing opened; no "
        "value if there is none."
    ),
    why=(
        "Every position reads one position that is found by exclusion, and all tokens after that "
        "one are without effect, though the heads before it go on counting them."
    ),
    tags=("positions", "one answer"),
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

BRACES_IN_PARENTHESES = ProgramSpec(
    name="braces_in_parentheses",
    family="brackets",
    build=lambda _vocabulary, _length: braces_in_parentheses(),
    vocabulary=parentheses_and_braces,
    oracle=_braces_in_parentheses,
    sizes=Sizes((4, 3), (4, 5), (5, 8), (5, 16)),
    least_vocab=4,
    description=(
        "Gives at every position how many `{` stand where more parentheses have opened so far "
        "than closed."
    ),
    why=(
        "Two kinds of bracket with different parts: parentheses only set the context and braces "
        "only count within it, so either effect is absent without the other; closing braces are "
        "pure distraction."
    ),
    tags=("counting", "one answer"),
)

PROGRAMS = (
    PAIR_BALANCE,
    SHUFFLE_DYCK1,
    SHUFFLE_DYCK2,
    SHUFFLE_DYCK3,
    DEPTH,
    STACK_HEIGHT,
    MAX_DEPTH,
    HAS_PARTNER,
    PARTNER_POSITION,
    FIRST_UNMATCHED_CLOSING,
    DYCK1_PTF,
    DYCK2_PTF,
    BOUNDED_DYCK2,
    EXPECTED_CLOSING,
    BRACES_IN_PARENTHESES,
)
