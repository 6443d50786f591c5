"""Programs that look for n-grams and subsequences, and for when a token last stood."""

from collections.abc import Sequence
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import TRACR_PAPER
from ..idioms import EQ, all_of, count, earlier, fraction_so_far, same, shifted, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters
from .runs_and_periods import neighbour

PATTERN = "abc"
COUNTED_PATTERN = "aba"
BIGRAM = "ab"
LONGEST_CONTEXT = 3
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


def _contains_subsequence(xs: list[Any]) -> list[Value]:
    found = 0
    answers: list[Value] = []
    for x in xs:
        found += found < len(PATTERN) and x == PATTERN[found]
        answers.append(found == len(PATTERN))
    return answers


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
