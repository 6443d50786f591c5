"""Programs that count how often each token, or each pair of tokens, occurs."""

from collections import Counter
from itertools import pairwise
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER
from ..idioms import count, count_equal, is_first, same, shifted, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

GT, NEQ = rasp.Comparison.GT, rasp.Comparison.NEQ
_SIZES = Sizes((2, 4), (4, 5), (6, 8), (8, 16))


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


def bigram_histogram() -> rasp.SOp:
    """Return how often the pair of this token and the one before occurs."""
    previous = shifted(rasp.tokens, 1).named("previous")
    same_pair = same(rasp.tokens) & same(previous).named("same_previous")
    return count(same_pair).named("bigram_histogram")


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


def _histogram(xs: list[Any]) -> list[Value]:
    totals = Counter(xs)
    return [totals[x] for x in xs]


def _double_histogram(xs: list[Any]) -> list[Value]:
    kinds = Counter(Counter(xs).values())
    return [kinds[xs.count(x)] for x in xs]


def _bigram_histogram(xs: list[Any]) -> list[Value]:
    pairs = list(pairwise(xs))
    return [0, *(pairs.count(pair) for pair in pairs)]


def _majority(xs: list[Any]) -> list[Value]:
    token, occurs = Counter(xs).most_common(1)[0]
    return [token if 2 * occurs > len(xs) else None] * len(xs)


def _frequency_rank(xs: list[Any]) -> list[Value]:
    levels = sorted(set(Counter(xs).values()), reverse=True)
    return [levels.index(xs.count(x)) + 1 for x in xs]


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
