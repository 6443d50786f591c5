"""Programs that look for patterns: n-grams, runs, periods and other order among tokens."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import TRACR_PAPER
from ..idioms import (
    EQ,
    all_of,
    count,
    earlier,
    fraction_of_all,
    fraction_so_far,
    same,
    shifted,
    so_far,
    somewhere,
    where,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits, letters

PATTERN = "abc"
COUNTED_PATTERN = "aba"
BIGRAM = "ab"
LETTER = "a"
LONGEST_CONTEXT = 3
LONGEST_PERIOD = 3
_START = 2
_OUTSIDE = ""


def ends_pattern(sop: rasp.SOp, pattern: Sequence[Value]) -> rasp.SOp:
    """Return whether `pattern` ends at this position; `None` where there is no room for it."""
    matches = []
    for offset, value in enumerate(reversed(pattern)):
        match = (sop == value).named(f"is_{value}")
        matches.append(shifted(match, offset) if offset else match)
    return all_of(matches[::-1]).named("detect_pattern")


def count_pattern() -> rasp.SOp:
    """Return, at every position, how often the counted pattern ends somewhere."""
    fits = [
        ((shifted(rasp.tokens, offset, _OUTSIDE) if offset else rasp.tokens) == token).named(
            f"fits_{offset}"
        )
        for offset, token in enumerate(reversed(COUNTED_PATTERN))
    ]
    ends = all_of(fits).named("ends_pattern")
    return count(where(ends, True).named("matches")).named("count_pattern")


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


def longest_match() -> rasp.SOp:
    """Return how many of the last tokens have stood in this order before (causal)."""
    context: rasp.SOp = rasp.tokens
    seen = []
    for size in range(1, LONGEST_CONTEXT + 1):
        if size > 1:
            context = (shifted(rasp.tokens, size - 1) + context).named(f"last_{size}")
        times = count(same(context).named(f"same_last_{size}")).named(f"times_{size}")
        seen.append((times > 1).named(f"seen_{size}"))
    matched = (seen[0] + seen[1]).named("matched_up_to_2")
    return (matched + seen[2]).named("longest_match")


def recurrence_distance() -> rasp.SOp:
    """Return how many positions ago this token last stood (causal)."""
    occurrence = count(same(rasp.tokens)).named("occurrence")
    last = rasp.Select(occurrence, (occurrence - 1).named("last_occurrence"), EQ)
    place = rasp.Aggregate((same(rasp.tokens) & last).named("last_time"), rasp.indices)
    return (rasp.indices - place.named("last_place")).named("recurrence_distance")


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


def find_bigram() -> rasp.SOp:
    """Return, at every position, where the bigram first starts, -1 if it does not."""
    first = (rasp.tokens == BIGRAM[0]).named("is_first")
    second = (rasp.tokens == BIGRAM[1]).named("is_second")
    starts = (first & neighbour(second, -1, default=False)).named("starts_bigram")
    before = count(where(starts, True) & earlier()).named("matches_before")
    is_first_match = (starts & (before == 0)).named("is_first_match")
    there = where(is_first_match, True).named("first_match")
    return rasp.Aggregate(there, rasp.indices, default=-1).named("find_bigram")


def contains_subsequence(pattern: Sequence[Value]) -> rasp.SOp:
    """Return whether the different values of `pattern` stood in this order, gaps allowed."""
    seen = None
    for i, value in enumerate(pattern, start=1):
        fits = (rasp.tokens == value).named(f"is_{value}")
        if seen is not None:
            fits = (fits & seen).named(f"extends_{i}")
        seen = (fraction_so_far(fits).named(f"share_{i}") > 0).named(f"seen_{i}")
    assert seen is not None
    return seen.named("contains_subsequence")


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


def _detect_pattern(xs: list[Any]) -> list[Value]:
    text = "".join(xs)
    room = len(PATTERN) - 1
    return [None if i < room else text[: i + 1].endswith(PATTERN) for i in range(len(text))]


def _count_pattern(xs: list[Any]) -> list[Value]:
    return [sum(xs[i : i + 3] == list(COUNTED_PATTERN) for i in range(len(xs)))] * len(xs)


def _longest_match(xs: list[Any]) -> list[Value]:
    text = "".join(xs)
    return [
        max(k for k in range(min(i, LONGEST_CONTEXT) + 1) if text[i - k : i] in text[: i - 1])
        for i in range(1, len(text) + 1)
    ]


def _recurrence_distance(xs: list[Any]) -> list[Value]:
    last: dict[Any, int] = {}
    distances: list[Value] = []
    for i, x in enumerate(xs):
        distances.append(i - last[x] if x in last else None)
        last[x] = i
    return distances


def _run_length(xs: list[Any]) -> list[Value]:
    return [i for _, run in groupby(xs) for i, _ in enumerate(run, start=1)]


def _local_maximum(xs: list[Any]) -> list[Value]:
    return [all(x > y for y in xs[max(0, i - 1) : i] + xs[i + 1 : i + 2]) for i, x in enumerate(xs)]


def _contains_subsequence(xs: list[Any]) -> list[Value]:
    found = 0
    answers: list[Value] = []
    for x in xs:
        found += found < len(PATTERN) and x == PATTERN[found]
        answers.append(found == len(PATTERN))
    return answers


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


DETECT_PATTERN = ProgramSpec(
    name="detect_pattern",
    family="patterns",
    build=lambda _vocabulary, _length: ends_pattern(rasp.tokens, PATTERN),
    vocabulary=letters,
    oracle=_detect_pattern,
    sizes=Sizes((3, 4), (3, 6), (5, 8), (8, 16)),
    least_vocab=3,
    description=(
        "Says at each position whether the last three tokens are `abc`; has no value at the "
        "first two."
    ),
    why=(
        "Heads that look back by a fixed number of positions, as previous-token heads of "
        "language models do, and a rare positive answer that random inputs seldom reach."
    ),
    citation=TRACR_PAPER,
    tags=("moving", "n-grams", "rare positives"),
    causal=True,
)

COUNT_PATTERN = ProgramSpec(
    name="count_pattern",
    family="patterns",
    build=lambda _vocabulary, _length: count_pattern(),
    vocabulary=letters,
    oracle=_count_pattern,
    sizes=Sizes((2, 5), (3, 7), (5, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives at every position how often `aba` occurs in the sequence; occurrences may overlap."
    ),
    why=(
        "Two heads look back by one and by two, and a third counts where all three tokens fit: in "
        "`ababa` the middle `a` ends one match and starts another, so its loss costs both."
    ),
    tags=("n-grams", "counting", "rare positives", "one answer"),
)

LONGEST_MATCH = ProgramSpec(
    name="longest_match",
    family="patterns",
    build=lambda _vocabulary, _length: longest_match(),
    vocabulary=letters,
    oracle=_longest_match,
    sizes=Sizes((2, 4), (2, 8), (3, 10), (4, 12)),
    description=(
        "Gives at each position the length, three at most, of the longest stretch of tokens ending "
        "there that stood in the sequence before, ending earlier."
    ),
    why=(
        "Backing off from trigrams to single tokens: three heads count side by side at different "
        "depths, and where one finds its match, those of shorter context are certain to."
    ),
    tags=("n-grams", "counting", "in-context learning"),
    causal=True,
)

RECURRENCE_DISTANCE = ProgramSpec(
    name="recurrence_distance",
    family="patterns",
    build=lambda _vocabulary, _length: recurrence_distance(),
    vocabulary=letters,
    oracle=_recurrence_distance,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives at each position how long ago its token stood last; no value where it is new."
    ),
    why=(
        "The last of several equal tokens is found by counting occurrences and asking for the "
        "number before, not by attending to what is near."
    ),
    tags=("counting", "positions"),
    causal=True,
)

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

FIND_BIGRAM = ProgramSpec(
    name="find_bigram",
    family="patterns",
    build=lambda _vocabulary, _length: find_bigram(),
    vocabulary=letters,
    oracle=lambda xs: ["".join(xs).find(BIGRAM)] * len(xs),
    sizes=Sizes((2, 4), (3, 6), (6, 8), (8, 16)),
    least_vocab=2,
    description="Gives at every position where `ab` starts for the first time, -1 if nowhere.",
    why=(
        "The second of three heads in a row only keeps later matches from the third: on inputs "
        "with at most one match it could be removed unseen."
    ),
    tags=("n-grams", "positions", "one answer"),
)

CONTAINS_SUBSEQUENCE = ProgramSpec(
    name="contains_subsequence",
    family="patterns",
    build=lambda _vocabulary, _length: contains_subsequence(PATTERN),
    vocabulary=letters,
    oracle=_contains_subsequence,
    sizes=Sizes((3, 4), (3, 6), (5, 8), (8, 16)),
    least_vocab=3,
    description=(
        "Says at each position whether an `a`, later a `b` and later still a `c` stood up to there."
    ),
    why=(
        "An automaton unrolled over layers: three heads attend alike to all that came before, each "
        "reads a condition that the last one made, and random inputs seldom reach the end."
    ),
    tags=("statistics", "state", "rare positives"),
    causal=True,
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

PROGRAMS = (
    DETECT_PATTERN,
    COUNT_PATTERN,
    LONGEST_MATCH,
    RECURRENCE_DISTANCE,
    RUN_LENGTH,
    NUMBER_OF_RUNS,
    LOCAL_MAXIMUM,
    FIND_BIGRAM,
    CONTAINS_SUBSEQUENCE,
    PALINDROME_RADIUS,
    LONGEST_RUN,
    STEPS_SINCE,
    SMALLEST_PERIOD,
    IS_ZIGZAG,
)
