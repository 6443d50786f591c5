"""Programs that look for runs, periods and symmetry among neighbouring tokens."""

from itertools import groupby, pairwise
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import count, fraction_of_all, same, so_far, somewhere, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits, letters

LETTER = "a"
LONGEST_PERIOD = 3
_START = 2
_OUTSIDE = ""


def neighbour(sop: rasp.SOp, offset: int, default: Value) -> rasp.SOp:
    """Return the value of `sop` `offset` positions before, `default` where there is none.

    A negative offset looks ahead.
    """
    name = f"{offset}_before" if offset >= 0 else f"{-offset}_after"
    there = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query - key == offset)
    return rasp.Aggregate(there.named(name), sop, default=default).named(f"value_{name}")


def starts_run() -> rasp.SOp:
    """Return whether this token differs from the one before; the first one does."""
    return (rasp.tokens != neighbour(rasp.tokens, 1, _OUTSIDE)).named("starts_run")


def run_length() -> rasp.SOp:
    """Return how many tokens the run that reaches here has so far (causal)."""
    run = count(where(starts_run(), True).named("starts_so_far")).named("run_number")
    return count(same(run).named("same_run")).named("run_length")


def number_of_runs() -> rasp.SOp:
    """Return the number of runs: the share of positions that start one, times the length."""
    share = fraction_of_all(starts_run()).named("share_of_starts")
    times = rasp.SequenceMap(lambda part, whole: round(part * whole), share, rasp.length)
    return times.named("number_of_runs")


def local_maximum() -> rasp.SOp:
    """Return whether this digit is greater than the neighbours that it has."""
    above_left = (rasp.tokens > neighbour(rasp.tokens, 1, -1)).named("above_left")
    above_right = (rasp.tokens > neighbour(rasp.tokens, -1, -1)).named("above_right")
    return (above_left & above_right).named("local_maximum")


def palindrome_radius() -> rasp.SOp:
    """Return how far, up to two tokens, the sequence reads alike to both sides of here."""
    near, far = (
        (neighbour(rasp.tokens, i, "<") == neighbour(rasp.tokens, -i, ">")).named(f"alike_{i}")
        for i in (1, 2)
    )
    radius = rasp.SequenceMap(lambda near, far: (1 + far) if near else 0, near, far)
    return radius.named("palindrome_radius")


def longest_run() -> rasp.SOp:
    """Return the length of the longest run of the letter, at every position."""
    holds = (rasp.tokens == LETTER).named(f"is_{LETTER}")
    block = count((where(holds, False) & so_far()).named("others_so_far")).named("block")
    run = count((same(block) & where(holds, True)).named("in_block")).named("run")
    longer = rasp.Select(run, run, rasp.Comparison.GT).named("longer")
    is_longest = (count(longer).named("longer_runs") == 0).named("is_longest")
    return rasp.Aggregate(where(is_longest, True).named("longest"), run).named("longest_run")


def steps_since() -> rasp.SOp:
    """Return how many positions ago the letter last stood (causal).

    The stretch from the last one to here holds the letter once, so that its share
    there is one over the length of the stretch.
    """
    holds = (rasp.tokens == LETTER).named(f"is_{LETTER}")
    stretch = count(where(holds, True).named("letters_so_far")).named("stretch")
    same_stretch = same(stretch).named("same_stretch")
    share = rasp.numerical(rasp.Aggregate(same_stretch, rasp.numerical(holds), default=0))
    steps = rasp.Map(lambda part: round(1 / part) - 1 if part else None, share.named("share"))
    return steps.named("steps_since")


def breaks_period(period: int) -> rasp.SOp:
    """Return, at every position, whether some token differs from the one `period` before."""
    before = neighbour(rasp.tokens, period, _OUTSIDE)
    differs = rasp.SequenceMap(
        lambda last, here: last not in (_OUTSIDE, here), before, rasp.tokens
    ).named(f"differs_{period}")
    return somewhere(differs).named(f"broken_{period}")


def smallest_period(least: int = 1) -> rasp.SOp:
    """Return the smallest period from `least` on, at every position; 4 if it is above 3."""
    broken = breaks_period(least)
    if least == LONGEST_PERIOD:
        return (broken + least).named(f"period_from_{least}")
    longer = smallest_period(least + 1)
    period = rasp.SequenceMap(lambda fails, other: other if fails else least, broken, longer)
    return period.named(f"period_from_{least}")


def is_zigzag() -> rasp.SOp:
    """Return, at every position, whether the digits rise and fall by turns."""
    before = neighbour(rasp.tokens, 1, -1)
    step = rasp.SequenceMap(
        lambda last, here: _START if last < 0 else (here > last) - (here < last),
        before,
        rasp.tokens,
    ).named("step")
    stalls = rasp.SequenceMap(
        lambda last, here: here == 0 or (here == last and here != _START),
        neighbour(step, 1, _START),
        step,
    ).named("stalls")
    return (fraction_of_all(stalls).named("share_of_stalls") == 0).named("is_zigzag")


def _run_length(xs: list[Any]) -> list[Value]:
    return [i for _, run in groupby(xs) for i, _ in enumerate(run, start=1)]


def _local_maximum(xs: list[Any]) -> list[Value]:
    return [all(x > y for y in xs[max(0, i - 1) : i] + xs[i + 1 : i + 2]) for i, x in enumerate(xs)]


def _palindrome_radius(xs: list[Any]) -> list[Value]:
    rooms = [min(i, len(xs) - 1 - i, 2) for i in range(len(xs))]
    return [
        max(r for r in range(room + 1) if xs[i - r : i] == xs[i + 1 : i + r + 1][::-1])
        for i, room in enumerate(rooms)
    ]


def _longest_run(xs: list[Any]) -> list[Value]:
    return [max(len(list(run)) if x == LETTER else 0 for x, run in groupby(xs))] * len(xs)


def _steps_since(xs: list[Any]) -> list[Value]:
    backwards = [xs[i::-1] for i in range(len(xs))]
    return [seen.index(LETTER) if LETTER in seen else None for seen in backwards]


def _smallest_period(xs: list[Any]) -> list[Value]:
    periods = (p for p in range(1, len(xs) + 1) if xs[p:] == xs[:-p])
    return [min(next(periods), LONGEST_PERIOD + 1)] * len(xs)


def _is_zigzag(xs: list[Any]) -> list[Value]:
    steps = [y - x for x, y in pairwise(xs)]
    return [0 not in steps and all(x * y < 0 for x, y in pairwise(steps))] * len(xs)


RUN_LENGTH = ProgramSpec(
    name="run_length",
    family="patterns",
    build=lambda _vocabulary, _length: run_length(),
    vocabulary=letters,
    oracle=_run_length,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at each position how many equal tokens in a row end there.",
    why=(
        "Runs are numbered before they are measured: the number of the run, which joins the two "
        "counting heads, cannot be guessed from the answer."
    ),
    tags=("counting", "runs"),
    causal=True,
)

NUMBER_OF_RUNS = ProgramSpec(
    name="number_of_runs",
    family="patterns",
    build=lambda _vocabulary, _length: number_of_runs(),
    vocabulary=letters,
    oracle=lambda xs: [len(list(groupby(xs)))] * len(xs),
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at every position how many runs of equal tokens the sequence has.",
    why=(
        "The count is the product of a share and a length from heads of different depth: neither "
        "alone fixes the answer."
    ),
    tags=("counting", "runs", "one answer"),
)

LOCAL_MAXIMUM = ProgramSpec(
    name="local_maximum",
    family="patterns",
    build=lambda _vocabulary, _length: local_maximum(),
    vocabulary=digits,
    oracle=_local_maximum,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Says at each position whether its digit exceeds both neighbours, or the one it has; a "
        "single digit does."
    ),
    why=(
        "Two heads look to opposite sides and either can veto: breaking one goes unnoticed where "
        "the other already says no."
    ),
    tags=("numbers", "comparison"),
)

PALINDROME_RADIUS = ProgramSpec(
    name="palindrome_radius",
    family="patterns",
    build=lambda _vocabulary, _length: palindrome_radius(),
    vocabulary=letters,
    oracle=_palindrome_radius,
    sizes=Sizes((2, 5), (3, 6), (5, 8), (8, 16)),
    description=(
        "Gives at each position the greatest radius up to 2 within which left mirrors right."
    ),
    why=(
        "Four heads with fixed offsets fetch what says nothing until it is compared in pairs, and "
        "the outer pair counts only where the inner one agrees."
    ),
    tags=("comparison", "reversal"),
)

LONGEST_RUN = ProgramSpec(
    name="longest_run",
    family="patterns",
    build=lambda _vocabulary, _length: longest_run(),
    vocabulary=letters,
    oracle=_longest_run,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 12)),
    description="Gives at every position the length of the longest run of `a`, 0 if there is none.",
    why=(
        "Four heads in a row number blocks, measure them, rank the lengths and fetch the greatest; "
        "of several longest runs the last head reads all at once."
    ),
    tags=("counting", "runs", "one answer"),
)

STEPS_SINCE = ProgramSpec(
    name="steps_since",
    family="patterns",
    build=lambda _vocabulary, _length: steps_since(),
    vocabulary=letters,
    oracle=_steps_since,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 12)),
    description=(
        "Gives at each position how long ago the last `a` stood, 0 at an `a`; no value before the "
        "first `a`."
    ),
    why=(
        "A distance is read off a mean: one `a` among n tokens leaves 1/n in a single direction, "
        "on which an MLP tells ever closer numbers apart."
    ),
    tags=("statistics", "positions"),
    causal=True,
)

SMALLEST_PERIOD = ProgramSpec(
    name="smallest_period",
    family="patterns",
    build=lambda _vocabulary, _length: smallest_period().named("smallest_period"),
    vocabulary=letters,
    oracle=_smallest_period,
    sizes=Sizes((2, 4), (3, 6), (5, 8), (8, 12)),
    description=(
        "Gives at every position the least p at which each token equals the one p before it, if "
        "there is one, and 4 if p is above 3."
    ),
    why=(
        "Three branches of two heads, in strict priority: a longer period is consulted only where "
        "the shorter ones fail, and is redundant elsewhere."
    ),
    tags=("comparison", "one answer"),
)

IS_ZIGZAG = ProgramSpec(
    name="is_zigzag",
    family="patterns",
    build=lambda _vocabulary, _length: is_zigzag(),
    vocabulary=digits,
    oracle=_is_zigzag,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Says at every position whether the digits of the whole sequence rise and fall by turns."
    ),
    why=(
        "A previous-token head reads digits, a second one reads a comparison made of them: "
        "the same pattern of attention, on different contents in two layers."
    ),
    tags=("numbers", "comparison", "one answer"),
)
