"""Programs that compare how frequent letters are: so far, in a window, in a half."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER
from ..idioms import EQ, count, count_equal, earlier, fraction_of_all, fraction_so_far, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

COUNTED, RIVAL, TIE = "a", "b", "tie"
WINDOW = 3


def is_counted() -> rasp.SOp:
    """Return whether each token is the counted letter."""
    return (rasp.tokens == COUNTED).named("is_a")


def sign(number: rasp.SOp, below: Value, zero: Value, above: Value) -> rasp.SOp:
    """Return one of three values: for numbers below zero, for zero, for those above."""
    return rasp.Map(lambda x: below if x < 0 else above if x > 0 else zero, number)


def margin_between(first: rasp.SOp, second: rasp.SOp) -> rasp.SOp:
    """Return one number minus another."""
    return rasp.numerical(rasp.LinearSequenceMap(first, second, 1, -1)).named("margin")


def running_majority() -> rasp.SOp:
    """Return, in a causal model, which of two letters is ahead so far."""
    shares = [
        fraction_of_all((rasp.tokens == letter).named(f"is_{letter}")).named(f"share_{letter}")
        for letter in (COUNTED, RIVAL)
    ]
    return sign(margin_between(*shares), RIVAL, TIE, COUNTED).named("running_majority")


def lead_changes() -> rasp.SOp:
    """Return, in a causal model, how often the standing between two letters has changed.

    One head takes a vote, for and against; the next compares with the position before.
    """
    vote = rasp.Map(lambda token: (token == COUNTED) - (token == RIVAL), rasp.tokens)
    leader = sign(fraction_of_all(vote.named("vote")).named("margin"), RIVAL, TIE, COUNTED)
    leader = leader.named("leader")
    before = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query - key == 1)
    previous = rasp.Aggregate(before.named("before"), leader, default=TIE).named("previous_leader")
    changed = (leader != previous).named("changed")
    return count(where(changed, True)).named("lead_changes")


def half_comparison() -> rasp.SOp:
    """Return which half of the sequence holds the counted letter more often."""
    half = rasp.SequenceMap(
        lambda index, length: (
            "first" if 2 * index + 1 < length else "second" if 2 * index + 1 > length else "middle"
        ),
        rasp.indices,
        rasp.length,
    ).named("half")
    holds = where(rasp.tokens, COUNTED)
    first, second = (
        count(where(half, name) & holds).named(f"count_in_{name}") for name in ("first", "second")
    )
    return sign(margin_between(first, second), "second", "equal", "first").named("half_comparison")


def time_to_majority() -> rasp.SOp:
    """Return how many prefixes end before the counted letter first has a strict majority."""
    has_majority = (fraction_so_far(is_counted()).named("share") > 0.5).named("has_majority")
    reached = (fraction_so_far(has_majority).named("share_in_majority") > 0).named("reached")
    return count(where(reached, False).named("not_yet")).named("time_to_majority")


def moving_average_crossover() -> rasp.SOp:
    """Return whether a letter is more frequent in the last few tokens than in all so far."""
    recent = rasp.Select(rasp.indices, rasp.indices, lambda key, query: 0 <= query - key < WINDOW)
    counted = rasp.numerical(is_counted())
    short = rasp.numerical(rasp.Aggregate(recent.named("recent"), counted, default=0))
    margin = margin_between(short.named("short_average"), fraction_so_far(counted))
    return (margin > 0).named("moving_average_crossover")


def running_mode() -> rasp.SOp:
    """Return, in a causal model, the token that was first to reach the highest count so far.

    Each position knows the how-manyth of its kind it is. Where that is a new record, its
    kind takes the lead; how many records there are so far tells which of them is the latest.
    """
    occurrence = count_equal(rasp.tokens).named("occurrence")
    as_many = rasp.Select(occurrence, occurrence, rasp.Comparison.GEQ) & earlier()
    is_record = (count(as_many.named("as_many_before")) == 0).named("is_record")
    records = count(where(is_record, True)).named("records")
    latest = where(is_record, True) & rasp.Select(records, records, EQ)
    return rasp.Aggregate(latest.named("latest_record"), rasp.tokens).named("running_mode")


def _counts_so_far(xs: Sequence[Any], token: Any) -> list[int]:
    return list(accumulate(x == token for x in xs))


def _frac_prevs(xs: list[Any]) -> list[Value]:
    shares: list[Value] = []
    seen = 0
    for position, token in enumerate(xs, start=1):
        seen += token == COUNTED
        shares.append(float(Fraction(seen, position)))
    return shares


def _running_majority(xs: list[Any]) -> list[Value]:
    standings: list[Value] = []
    for ours, theirs in zip(_counts_so_far(xs, COUNTED), _counts_so_far(xs, RIVAL), strict=True):
        standings.append(COUNTED if ours > theirs else RIVAL if theirs > ours else TIE)
    return standings


def _lead_changes(xs: list[Any]) -> list[Value]:
    standings = [TIE, *_running_majority(xs)]
    return list(accumulate(int(old != new) for old, new in pairwise(standings)))


def _half_comparison(xs: list[Any]) -> list[Value]:
    half = len(xs) // 2
    first, second = xs[:half].count(COUNTED), xs[len(xs) - half :].count(COUNTED)
    answer = "first" if first > second else "second" if second > first else "equal"
    return [answer] * len(xs)


def _time_to_majority(xs: list[Any]) -> list[Value]:
    ahead = [2 * seen > i for i, seen in enumerate(_counts_so_far(xs, COUNTED), start=1)]
    return [ahead.index(True) if any(ahead) else len(xs)] * len(xs)


def _moving_average_crossover(xs: list[Any]) -> list[Value]:
    above: list[Value] = []
    for end in range(1, len(xs) + 1):
        recent = xs[max(0, end - WINDOW) : end]
        above.append(recent.count(COUNTED) * end > xs[:end].count(COUNTED) * len(recent))
    return above


def _running_mode(xs: list[Any]) -> list[Value]:
    counts: dict[Any, int] = {}
    leaders: list[Value] = []
    for token in xs:
        counts[token] = counts.get(token, 0) + 1
        leads = not leaders or counts[token] > counts[leaders[-1]]
        leaders.append(token if leads else leaders[-1])
    return leaders


FRAC_PREVS = ProgramSpec(
    name="frac_prevs",
    family="running statistics",
    build=lambda _vocabulary, _length: fraction_so_far((rasp.tokens == COUNTED).named("is_a")),
    vocabulary=letters,
    oracle=_frac_prevs,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at each position the share of tokens up to there that are `a`.",
    why=(
        "One number in one direction is the whole answer, so methods that compare token "
        "probabilities see nothing; attention spreads evenly and the mean carries the meaning."
    ),
    citation=RASP_PAPER,
    tags=("statistics",),
)

RUNNING_MAJORITY = ProgramSpec(
    name="running_majority",
    family="running statistics",
    build=lambda _vocabulary, _length: running_majority(),
    vocabulary=letters,
    oracle=_running_majority,
    sizes=Sizes((2, 4), (3, 6), (6, 8), (8, 16)),
    least_vocab=2,
    description="Says at each position which of `a` and `b` is ahead so far, or `tie`.",
    why=(
        "Two uniform heads compete and only the sign of their difference survives, so an effect "
        "on the output appears only where a change of a share reaches or crosses the tie."
    ),
    tags=("statistics", "comparison"),
    causal=True,
)

LEAD_CHANGES = ProgramSpec(
    name="lead_changes",
    family="running statistics",
    build=lambda _vocabulary, _length: lead_changes(),
    vocabulary=letters,
    oracle=_lead_changes,
    sizes=Sizes((2, 4), (3, 6), (5, 8), (6, 10)),
    least_vocab=2,
    description=(
        "Counts at each position how often so far the standing of `a` against `b` (ahead, behind "
        "or tied; tied before the start) has differed from the one a token before."
    ),
    why=(
        "A previous-position head reads what another head has computed and not the token, which "
        "attention patterns alone do not tell from copying the token before."
    ),
    tags=("statistics", "comparison", "counting", "running counts"),
    causal=True,
)

HALF_COMPARISON = ProgramSpec(
    name="half_comparison",
    family="running statistics",
    build=lambda _vocabulary, _length: half_comparison(),
    vocabulary=letters,
    oracle=_half_comparison,
    sizes=Sizes((2, 4), (3, 6), (6, 8), (8, 16)),
    description=(
        "Says at every position whether `a` is more frequent in the first half of the sequence, "
        "in the second, or neither; the middle token of an odd number is in no half."
    ),
    why=(
        "Which keys a head attends to depends on the length, measured by another head before: "
        "at one fixed length that part of the circuit seems to do nothing."
    ),
    tags=("statistics", "comparison", "positions", "one answer"),
)

TIME_TO_MAJORITY = ProgramSpec(
    name="time_to_majority",
    family="running statistics",
    build=lambda _vocabulary, _length: time_to_majority(),
    vocabulary=letters,
    oracle=_time_to_majority,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives at every position how many tokens come before the one at which `a` first makes up "
        "more than half of all tokens so far; the length, if that never happens."
    ),
    why=(
        "The first position is found without a pointer, by counting those at which it has not "
        "come yet; whatever comes after the first majority is computed and has no effect."
    ),
    tags=("statistics", "positions", "one answer"),
)

MOVING_AVERAGE_CROSSOVER = ProgramSpec(
    name="moving_average_crossover",
    family="running statistics",
    build=lambda _vocabulary, _length: moving_average_crossover(),
    vocabulary=letters,
    oracle=_moving_average_crossover,
    sizes=Sizes((2, 5), (3, 6), (6, 8), (8, 16)),
    description=(
        "Says at each position whether `a` is more frequent among the last three tokens than "
        "among all tokens so far."
    ),
    why=(
        "A local and a global head read the same values and agree on the first three positions, "
        "where the answer is always no; they differ by attention pattern alone."
    ),
    tags=("statistics", "comparison", "positions"),
)

RUNNING_MODE = ProgramSpec(
    name="running_mode",
    family="running statistics",
    build=lambda _vocabulary, _length: running_mode(),
    vocabulary=letters,
    oracle=_running_mode,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 10)),
    least_vocab=2,
    description=(
        "Gives at each position the most frequent token so far; of equally frequent ones, that "
        "which was first to occur so often."
    ),
    why=(
        "Four heads in a row, the last of which matches on two computed variables at once; the "
        "token itself is moved only at the end and everything before serves to point at it."
    ),
    tags=("statistics", "counting", "moving"),
    causal=True,
)
