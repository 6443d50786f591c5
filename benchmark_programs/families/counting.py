"""Programs that count: how many tokens, or how many kinds of them, fit a condition."""

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
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
    shifted,
    where,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

COUNTED = "a"
OTHER = "b"
GT, NEQ = rasp.Comparison.GT, rasp.Comparison.NEQ
_SIZES = Sizes((2, 4), (4, 5), (6, 8), (8, 16))


def count_all() -> rasp.SOp:
    """Return the length of the input, counted by attention to every token."""
    all_tokens = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.TRUE).named("everywhere")
    return rasp.SelectorWidth(all_tokens).named("length")


def is_first(sop: rasp.SOp) -> rasp.SOp:
    """Return whether no earlier position holds the same value of `sop`."""
    return (count(same(sop) & earlier()).named("earlier_equal") == 0).named("is_first")


def histogram_by_mean() -> rasp.SOp:
    """Return the histogram, as one over the share of equal tokens that are the first of them."""
    first = rasp.numerical(rasp.Map(int, is_first(rasp.tokens), simplify=False)).named("first")
    share = rasp.numerical(rasp.Aggregate(same(rasp.tokens), first, default=0))
    inverse = rasp.Map(lambda part: round(1 / part) if part else 0, share.named("share_first"))
    return inverse.named("histogram_by_mean")


def histogram_by_complement() -> rasp.SOp:
    """Return the histogram, as the length minus the number of different tokens."""
    different = count(rasp.Select(rasp.tokens, rasp.tokens, NEQ).named("differs"))
    return (rasp.length - different.named("n_different")).named("histogram_by_complement")


def double_histogram() -> rasp.SOp:
    """Return how many different tokens occur as often as this one."""
    equally_often = same(count_equal(rasp.tokens)).named("equally_often")
    return count(equally_often & where(is_first(rasp.tokens), True)).named("double_histogram")


def distinct_so_far() -> rasp.SOp:
    """Return, in a causal model, how many different tokens occur up to here."""
    first = (count_equal(rasp.tokens).named("count_so_far") == 1).named("is_first")
    return count(where(first, True).named("firsts")).named("distinct_so_far")


def count_since() -> rasp.SOp:
    """Return, in a causal model, how many `a` there are after the last `b` so far."""
    segment = count_value(rasp.tokens, OTHER).named("segment")
    in_segment = same(segment).named("same_segment") & where(rasp.tokens, COUNTED)
    return count(in_segment).named("count_since")


def bigram_histogram() -> rasp.SOp:
    """Return how often the pair of this token and the one before occurs."""
    previous = shifted(rasp.tokens, 1).named("previous")
    same_pair = same(rasp.tokens) & same(previous).named("same_previous")
    return count(same_pair).named("bigram_histogram")


def count_before_minus_after() -> rasp.SOp:
    """Return how often the token occurs before this position, minus how often after it."""
    before = count(same(rasp.tokens) & earlier()).named("before")
    after = count(same(rasp.tokens) & later()).named("after")
    return rasp.numerical(before - after).named("count_before_minus_after")


def highest_count() -> rasp.SOp:
    """Return how often the most frequent token occurs."""
    histogram = count_equal(rasp.tokens)
    exceeding = count(rasp.Select(histogram, histogram, GT).named("more_often"))
    is_mode = (exceeding.named("n_more_often") == 0).named("is_mode")
    return rasp.Aggregate(where(is_mode, True).named("modes"), histogram).named("highest_count")


def majority_token() -> rasp.SOp:
    """Return the token that makes up more than half of the sequence, if there is one."""
    is_majority = rasp.SequenceMap(
        lambda occurs, length: 2 * occurs > length, count_equal(rasp.tokens), rasp.length
    ).named("is_majority")
    majority = where(is_majority, True).named("in_majority")
    return rasp.Aggregate(majority, rasp.tokens).named("majority_token")


def frequency_rank() -> rasp.SOp:
    """Return the dense rank of the token's count: one for the most frequent tokens."""
    histogram = count_equal(rasp.tokens)
    leads = is_first(histogram).named("first_of_its_count")
    more_often = rasp.Select(histogram, histogram, GT).named("more_often")
    above = count(more_often & where(leads, True)).named("n_greater_counts")
    return (above + 1).named("frequency_rank")


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


def _histogram(xs: list[Any]) -> list[Value]:
    totals = Counter(xs)
    return [totals[x] for x in xs]


def _count(xs: list[Any]) -> list[Value]:
    return [xs.count(COUNTED)] * len(xs)


def _length(xs: list[Any]) -> list[Value]:
    return [len(xs)] * len(xs)


def _double_histogram(xs: list[Any]) -> list[Value]:
    kinds = Counter(Counter(xs).values())
    return [kinds[xs.count(x)] for x in xs]


def _count_since(xs: list[Any]) -> list[Value]:
    counts: list[Value] = []
    running = 0
    for x in xs:
        running = 0 if x == OTHER else running + (x == COUNTED)
        counts.append(running)
    return counts


def _bigram_histogram(xs: list[Any]) -> list[Value]:
    pairs = list(pairwise(xs))
    return [0, *(pairs.count(pair) for pair in pairs)]


def _majority(xs: list[Any]) -> list[Value]:
    token, occurs = Counter(xs).most_common(1)[0]
    return [token if 2 * occurs > len(xs) else None] * len(xs)


def _frequency_rank(xs: list[Any]) -> list[Value]:
    levels = sorted(set(Counter(xs).values()), reverse=True)
    return [levels.index(xs.count(x)) + 1 for x in xs]


def _ordered_pairs(xs: list[Any]) -> list[Value]:
    n_pairs = sum(xs[:i].count(COUNTED) for i, x in enumerate(xs) if x == OTHER)
    return [n_pairs] * len(xs)


HISTOGRAM = ProgramSpec(
    name="histogram",
    family="counting",
    build=lambda _vocabulary, _length: count_equal(rasp.tokens),
    vocabulary=letters,
    oracle=_histogram,
    sizes=_SIZES,
    description="Gives at each position how often its token occurs in the whole sequence.",
    why=(
        "Among the smallest programs in which attention and an MLP must cooperate: the head "
        "measures one over the count, by its attention to BOS, and the MLP reads the count off it."
    ),
    citation=RASP_PAPER,
    tags=("histograms",),
)

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

HISTOGRAM_BY_MEAN = ProgramSpec(
    name="histogram_by_mean",
    family="counting",
    build=lambda _vocabulary, _length: histogram_by_mean(),
    vocabulary=letters,
    oracle=_histogram,
    sizes=_SIZES,
    description="Gives at each position how often its token occurs in the whole sequence.",
    why=(
        "It answers as `histogram` does, but by two heads in a row: one finds the first of equal "
        "tokens, the other averages that mark. Behaviour alone cannot tell the two apart."
    ),
    tags=("positions", "histograms"),
)

HISTOGRAM_BY_COMPLEMENT = ProgramSpec(
    name="histogram_by_complement",
    family="counting",
    build=lambda _vocabulary, _length: histogram_by_complement(),
    vocabulary=letters,
    oracle=_histogram,
    sizes=_SIZES,
    description="Gives at each position how often its token occurs in the whole sequence.",
    why=(
        "It answers as `histogram` does, but by subtraction: one head counts all tokens and one "
        "those that differ, so no head singles out the equal ones."
    ),
    tags=("histograms",),
)

DOUBLE_HISTOGRAM = ProgramSpec(
    name="double_histogram",
    family="counting",
    build=lambda _vocabulary, _length: double_histogram(),
    vocabulary=letters,
    oracle=_double_histogram,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (10, 9)),
    description=(
        "Gives at each position how many different tokens, its own among them, occur as often "
        "as its token."
    ),
    why=(
        "A count of counts: the second head compares what the first has measured, and a mark of "
        "first occurrences, found beside it, keeps repeated tokens from being counted twice."
    ),
    citation=RASP_PAPER,
    tags=("positions", "histograms"),
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

BIGRAM_HISTOGRAM = ProgramSpec(
    name="bigram_histogram",
    family="counting",
    build=lambda _vocabulary, _length: bigram_histogram(),
    vocabulary=letters,
    oracle=_bigram_histogram,
    sizes=_SIZES,
    description=(
        "Gives at each position how often the pair of the token before and its own token occurs "
        "at adjacent places of the sequence, and zero at the first position."
    ),
    why=(
        "A previous-token head feeds the keys and the queries of a second head, which needs both "
        "conditions: either edge alone leaves a histogram of the wrong thing."
    ),
    tags=("positions", "histograms", "n-grams"),
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

HIGHEST_COUNT = ProgramSpec(
    name="highest_count",
    family="counting",
    build=lambda _vocabulary, _length: highest_count(),
    vocabulary=letters,
    oracle=lambda xs: [max(Counter(xs).values())] * len(xs),
    sizes=Sizes((2, 4), (4, 5), (6, 8), (10, 12)),
    description="Gives at every position how often the most frequent token of the sequence occurs.",
    why=(
        "A maximum in three steps: count, find who is exceeded by nobody, fetch the count from "
        "there. The count is read three times, as key, as query and as value."
    ),
    tags=("moving", "histograms", "one answer"),
)

MAJORITY_TOKEN = ProgramSpec(
    name="majority_token",
    family="counting",
    build=lambda _vocabulary, _length: majority_token(),
    vocabulary=letters,
    oracle=_majority,
    sizes=_SIZES,
    description=(
        "Gives at every position the token that makes up more than half of the sequence, and no "
        "value if there is none."
    ),
    why=(
        "Where no token has a majority, the last head attends to BOS alone, and what it would "
        "move has no effect; such inputs become the rule as the vocabulary grows."
    ),
    tags=("moving", "histograms", "one answer"),
)

FREQUENCY_RANK = ProgramSpec(
    name="frequency_rank",
    family="counting",
    build=lambda _vocabulary, _length: frequency_rank(),
    vocabulary=letters,
    oracle=_frequency_rank,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 9)),
    description=(
        "Gives at each position the rank of its token by frequency: one for the most frequent "
        "tokens, two for those with the next smaller count, and so on."
    ),
    why=(
        "Three counts in a row of three different things: of equal tokens, of equal counts "
        "before, of greater counts. The first is read by both others, which gives it two paths."
    ),
    tags=("positions", "histograms"),
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

PROGRAMS = (
    HISTOGRAM,
    COUNT,
    LENGTH,
    HISTOGRAM_BY_MEAN,
    HISTOGRAM_BY_COMPLEMENT,
    DOUBLE_HISTOGRAM,
    DISTINCT_SO_FAR,
    COUNT_SO_FAR,
    COUNT_SINCE,
    BIGRAM_HISTOGRAM,
    COUNT_BEFORE_MINUS_AFTER,
    HIGHEST_COUNT,
    MAJORITY_TOKEN,
    FREQUENCY_RANK,
    COUNT_ORDERED_PAIRS,
    CARDINALITY,
)
