"""Programs that count the tokens that fit a condition, or their kinds."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER, TRACR_PAPER
from ..idioms import (
    count,
    count_equal,
    count_value,
    earlier,
    everywhere,
    fraction_of_all,
    later,
    same,
    where,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

COUNTED = "a"
OTHER = "b"
_SIZES = Sizes((2, 4), (4, 5), (6, 8), (8, 16))


def count_all() -> rasp.SOp:
    """Return the length of the input, counted by attention to every token."""
    all_tokens = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.TRUE).named("everywhere")
    return rasp.SelectorWidth(all_tokens).named("length")


def distinct_so_far() -> rasp.SOp:
    """Return, in a causal model, how many different tokens occur up to here."""
    first = (count_equal(rasp.tokens).named("count_so_far") == 1).named("is_first")
    return count(where(first, True).named("firsts")).named("distinct_so_far")


def count_since() -> rasp.SOp:
    """Return, in a causal model, how many `a` there are after the last `b` so far."""
    segment = count_value(rasp.tokens, OTHER).named("segment")
    in_segment = same(segment).named("same_segment") & where(rasp.tokens, COUNTED)
    return count(in_segment).named("count_since")


def count_before_minus_after() -> rasp.SOp:
    """Return how often the token occurs before this position, minus how often after it."""
    before = count(same(rasp.tokens) & earlier()).named("before")
    after = count(same(rasp.tokens) & later()).named("after")
    return rasp.numerical(before - after).named("count_before_minus_after")


def count_ordered_pairs() -> rasp.SOp:
    """Return how many pairs of an `a` and a later `b` there are."""
    before = count(where(rasp.tokens, COUNTED) & earlier()).named("a_before")
    pairs_here = rasp.numerical(
        rasp.SequenceMap(lambda n, token: n if token == OTHER else 0, before, rasp.tokens)
    ).named("pairs_here")
    mean = rasp.numerical(rasp.Aggregate(everywhere(), pairs_here, default=0)).named("mean_pairs")
    n_pairs = rasp.SequenceMap(lambda part, length: round(part * length), mean, rasp.length)
    return n_pairs.named("count_ordered_pairs")


def cardinality(vocabulary: Sequence[Value]) -> rasp.SOp:
    """Return, at every position, how many different tokens there are: a head asks for each."""
    present: list[rasp.SOp] = []
    for token in vocabulary:
        share = fraction_of_all((rasp.tokens == token).named(f"is_{token}"))
        there = rasp.Map(lambda value: int(value > 0), share.named(f"share_of_{token}"))
        present.append(rasp.numerical(there).named(f"has_{token}"))
    total = reduce(_sum_of, present)
    return rasp.categorical(rasp.Map(round, total)).named("cardinality")


def _sum_of(x: rasp.SOp, y: rasp.SOp) -> rasp.SOp:
    return rasp.numerical(rasp.LinearSequenceMap(x, y, 1, 1)).named("sum")


def _count(xs: list[Any]) -> list[Value]:
    return [xs.count(COUNTED)] * len(xs)


def _length(xs: list[Any]) -> list[Value]:
    return [len(xs)] * len(xs)


def _count_since(xs: list[Any]) -> list[Value]:
    counts: list[Value] = []
    running = 0
    for x in xs:
        running = 0 if x == OTHER else running + (x == COUNTED)
        counts.append(running)
    return counts


def _ordered_pairs(xs: list[Any]) -> list[Value]:
    n_pairs = sum(xs[:i].count(COUNTED) for i, x in enumerate(xs) if x == OTHER)
    return [n_pairs] * len(xs)


COUNT = ProgramSpec(
    name="count",
    family="counting",
    build=lambda _vocabulary, _length: count_value(rasp.tokens, COUNTED),
    vocabulary=letters,
    oracle=_count,
    sizes=_SIZES,
    description="Gives at every position how many tokens of the sequence are `a`.",
    why=(
        "Every query at a token attends alike: on inputs of one length nothing on the query side "
        "of this head has an effect, and only a source that is shorter, whose last queries are "
        "padding, shows that the edge carries something."
    ),
    citation=TRACR_PAPER,
    tags=("one answer",),
)

LENGTH = ProgramSpec(
    name="length",
    family="counting",
    build=lambda _vocabulary, _length: count_all(),
    vocabulary=letters,
    oracle=_length,
    sizes=_SIZES,
    description="Gives at every position the length of the sequence.",
    why=(
        "No token matters, only how many there are: swapping tokens at a fixed length shows an "
        "empty circuit, and inputs of another length show the true one."
    ),
    citation=RASP_PAPER,
    tags=("one answer",),
)

DISTINCT_SO_FAR = ProgramSpec(
    name="distinct_so_far",
    family="counting",
    build=lambda _vocabulary, _length: distinct_so_far(),
    vocabulary=letters,
    oracle=lambda xs: [len(set(xs[: i + 1])) for i in range(len(xs))],
    sizes=Sizes((2, 4), (4, 5), (6, 8), (10, 10)),
    description="Gives at each position how many different tokens occur up to there.",
    why=(
        "A head marks the first occurrences and a second one counts the marks: each mark is made "
        "at a key position, so what matters at one position is read at all later ones."
    ),
    tags=("positions", "running counts"),
    causal=True,
)

COUNT_SO_FAR = ProgramSpec(
    name="count_so_far",
    family="counting",
    build=lambda _vocabulary, _length: count(same(rasp.tokens)).named("count_so_far"),
    vocabulary=letters,
    oracle=lambda xs: [xs[: i + 1].count(x) for i, x in enumerate(xs)],
    sizes=_SIZES,
    description=(
        "Gives at each position the number of this occurrence of its token: one for the first, "
        "two for the second, and so on."
    ),
    why=(
        "The expression is that of `histogram`; only the causal mask makes it a running number, "
        "so order matters although no position is ever read."
    ),
    tags=("running counts",),
    causal=True,
)

COUNT_SINCE = ProgramSpec(
    name="count_since",
    family="counting",
    build=lambda _vocabulary, _length: count_since(),
    vocabulary=letters,
    oracle=_count_since,
    sizes=_SIZES,
    least_vocab=2,
    description="Gives at each position how many `a` there are after the last `b` up to there.",
    why=(
        "A counter with a reset: the number of `b` so far names the segment, and the head that "
        "counts compares that number at both ends, so one variable is read as key and as query."
    ),
    tags=("running counts",),
    causal=True,
)

COUNT_BEFORE_MINUS_AFTER = ProgramSpec(
    name="count_before_minus_after",
    family="counting",
    build=lambda _vocabulary, _length: count_before_minus_after(),
    vocabulary=letters,
    oracle=lambda xs: [xs[:i].count(x) - xs[i + 1 :].count(x) for i, x in enumerate(xs)],
    sizes=_SIZES,
    description=(
        "Gives at each position how often its token occurs before it minus how often it occurs "
        "after it."
    ),
    why=(
        "Two heads mirror each other and cancel: at the middle one of equal tokens both counts "
        "are large and the answer is zero, so removing both does no harm and removing one does."
    ),
    tags=("positions", "numbers"),
)

COUNT_ORDERED_PAIRS = ProgramSpec(
    name="count_ordered_pairs",
    family="counting",
    build=lambda _vocabulary, _length: count_ordered_pairs(),
    vocabulary=letters,
    oracle=_ordered_pairs,
    sizes=Sizes((2, 4), (6, 4), (6, 7), (8, 9)),
    least_vocab=2,
    description=(
        "Gives at every position the number of pairs of positions of which the earlier holds "
        "`a` and the later `b`."
    ),
    why=(
        "A sum over pairs: one head counts the `a` before each `b`, a second averages those "
        "counts, and the length, found beside, turns the mean into a sum."
    ),
    tags=("positions", "one answer"),
)

CARDINALITY = ProgramSpec(
    name="cardinality",
    family="counting",
    build=lambda vocabulary, _length: cardinality(vocabulary),
    vocabulary=letters,
    oracle=lambda xs: [len(set(xs))] * len(xs),
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at every position how many different tokens the sequence has.",
    why=(
        "One head for each token of the vocabulary, all alike and summed up: the answer is "
        "spread evenly over them, and the partial sums differ in nothing but their order."
    ),
    tags=("numbers", "histograms", "one answer"),
)
