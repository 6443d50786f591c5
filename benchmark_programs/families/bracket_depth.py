"""Programs that read how deep brackets stand, and which of them belong together.

The depth of a position is the number of opening brackets up to there minus that of
closing ones. The level of a bracket is the depth inside it: of an opening bracket its
depth, of a closing one a depth more. Between a bracket and its partner all levels are
greater, so brackets of one level, read alone, open and close in turn. Tokens that are no
brackets are ignored.
"""

from fractions import Fraction
from itertools import accumulate
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER
from ..idioms import EQ, count, earlier, fraction_so_far, later, same, so_far, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import parentheses, parentheses_and_braces

OPENING, CLOSING = "({[<", ")}]>"


def balance_so_far(opening: Value, closing: Value) -> rasp.SOp:
    """Return the share of opening brackets so far minus that of closing ones."""
    opened = fraction_so_far((rasp.tokens == opening).named("is_open")).named("opened")
    closed = fraction_so_far((rasp.tokens == closing).named("is_close")).named("closed")
    return rasp.numerical(rasp.LinearSequenceMap(opened, closed, 1, -1)).named("balance")


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


def braces_in_parentheses() -> rasp.SOp:
    """Return how many braces open where more parentheses have opened than closed."""
    step = rasp.Map(lambda token: (token == "(") - (token == ")"), rasp.tokens)
    is_inside = (fraction_so_far(step.named("step")).named("mean_step") > 0).named("is_inside")
    opens_inside = ((rasp.tokens == "{") & is_inside).named("opens_inside")
    return count(where(opens_inside, True)).named("braces_in_parentheses")


def _pair_balance(xs: list[Any]) -> list[Value]:
    return [float(Fraction(depth, i)) for i, depth in enumerate(_depths(xs), start=1)]


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


def _first_unmatched_closing(xs: list[Any]) -> list[Value]:
    unmatched = (i for i, partner in enumerate(_partners(xs)) if xs[i] == ")" and partner is None)
    return [next(unmatched, None)] * len(xs)


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
