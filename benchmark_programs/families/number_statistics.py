"""Programs whose answer is a statistic of numbers: of those so far, or of all."""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from itertools import accumulate
from operator import add
from statistics import mean
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import LEQ, count, everywhere, fraction_of_all, same, so_far, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits

GAP = "_"
WEIGHTS = (0.625, 0.25, 0.125)


def gap_and_digits(size: int) -> tuple[Value, ...]:
    """Return the mark of a gap, then the integers from 0.

    Example:
        >>> gap_and_digits(3)
        ('_', 0, 1)
    """
    return (GAP, *digits(size - 1))


def running_max(vocabulary: Sequence[Value]) -> rasp.SOp:
    """Return, in a causal model, the greatest token so far: how many thresholds are reached."""
    reached = []
    for least in vocabulary[1:]:
        share = fraction_of_all((rasp.tokens >= least).named(f"at_least_{least}"))
        share = share.named(f"share_at_least_{least}")
        reached.append(rasp.Map(lambda x: int(x > 0), share).named(f"reached_{least}"))
    return reduce(add, reached).named("running_max")


def min_so_far() -> rasp.SOp:
    """Return, in a causal model, the least token so far: that of the last record."""
    smaller = rasp.Select(rasp.tokens, rasp.tokens, LEQ).named("at_most")
    is_record = (count(smaller).named("n_at_most") == 1).named("is_record")
    records = where(is_record, True).named("records")
    n_records = count(records).named("n_records")
    last_record = same(n_records).named("since_last_record") & records
    return rasp.Aggregate(last_record, rasp.tokens).named("min_so_far")


def mean_token(selector: rasp.Selector) -> rasp.SOp:
    """Return the mean of the selected tokens, which are numbers."""
    return rasp.numerical(rasp.Aggregate(selector, rasp.tokens, default=0)).named("mean")


def running_mean() -> rasp.SOp:
    """Return, in a causal model, the mean of the numbers so far, gaps left out."""
    number = rasp.Map(lambda token: 0 if token == GAP else token, rasp.tokens).named("number")
    numbers = rasp.Select(rasp.tokens, rasp.tokens, lambda key, _query: key != GAP)
    mean = rasp.Aggregate(numbers.named("numbers"), number, default=0)
    return rasp.numerical(mean).named("running_mean")


def cumulative_sum() -> rasp.SOp:
    """Return the sum of the tokens so far: their mean times their number."""
    times = rasp.SequenceMap(
        lambda number, index: round(number * (index + 1)), mean_token(so_far()), rasp.indices
    )
    return times.named("cumulative_sum")


def count_above_average() -> rasp.SOp:
    """Return how many tokens are greater than the mean of all tokens."""
    rounded_down = rasp.Map(math.floor, mean_token(everywhere())).named("mean_rounded_down")
    above = (rasp.tokens > rounded_down).named("above_average")
    return count(where(above, True)).named("count_above_average")


def value_range() -> rasp.SOp:
    """Return the greatest token minus the least."""
    ends = []
    for name, beyond in (("greatest", rasp.Comparison.GT), ("least", rasp.Comparison.LT)):
        exceeded_by = count(rasp.Select(rasp.tokens, rasp.tokens, beyond))
        is_end = (exceeded_by.named(f"beyond_{name}") == 0).named(f"is_{name}")
        end = rasp.Aggregate(where(is_end, True).named(f"at_{name}"), rasp.tokens)
        ends.append(rasp.categorical(end).named(name))
    return (ends[0] - ends[1]).named("value_range")


def weighted_moving_average() -> rasp.SOp:
    """Return the weighted sum of this token and those before it, where there are such."""

    def tokens_before(back: int) -> rasp.SOp:
        before = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query - key == back)
        tokens = rasp.Aggregate(before.named(f"before_{back}"), rasp.tokens, default=0)
        return rasp.categorical(tokens).named(f"previous_{back}")

    total: rasp.SOp = rasp.tokens
    for back, weight in enumerate(WEIGHTS[1:], start=1):
        kept = 1 if back > 1 else WEIGHTS[0]
        total = rasp.numerical(rasp.LinearSequenceMap(total, tokens_before(back), kept, weight))
        total = total.named(f"sum_of_{back + 1}")
    return total.named("weighted_moving_average")


def _running_mean(xs: list[Any]) -> list[Value]:
    seen = [[x for x in xs[: i + 1] if x != GAP] for i in range(len(xs))]
    return [sum(numbers) / len(numbers) if numbers else 0 for numbers in seen]


def _count_above_average(xs: list[Any]) -> list[Value]:
    return [sum(x > mean(map(Fraction, xs)) for x in xs)] * len(xs)


def _weighted_moving_average(xs: list[Any]) -> list[Value]:
    padded = [0] * (len(WEIGHTS) - 1) + xs
    return [
        float(sum(w * padded[i + len(WEIGHTS) - 1 - back] for back, w in enumerate(WEIGHTS)))
        for i in range(len(xs))
    ]


RUNNING_MAX = ProgramSpec(
    name="running_max",
    family="running statistics",
    build=lambda vocabulary, _length: running_max(vocabulary),
    vocabulary=digits,
    oracle=lambda xs: list(accumulate(xs, max)),
    sizes=Sizes((3, 4), (4, 5), (5, 8), (6, 12)),
    least_vocab=3,
    description="Gives at each position the greatest number so far.",
    why=(
        "A thermometer code: one head per threshold, and a number is how many of them fire. The "
        "heads imply one another, so single ones seem to contribute by one step each."
    ),
    tags=("statistics", "numbers"),
    causal=True,
)

MIN_SO_FAR = ProgramSpec(
    name="min_so_far",
    family="running statistics",
    build=lambda _vocabulary, _length: min_so_far(),
    vocabulary=digits,
    oracle=lambda xs: list(accumulate(xs, min)),
    sizes=Sizes((2, 4), (4, 5), (6, 8), (10, 10)),
    least_vocab=2,
    description="Gives at each position the smallest integer up to there.",
    why=(
        "Found by records: a new minimum is marked where it stands, records so far are counted, "
        "and the count leads back to the last one. Most positions repeat an answer fetched from "
        "far away."
    ),
    tags=("counting", "moving"),
    causal=True,
)

RUNNING_MEAN = ProgramSpec(
    name="running_mean",
    family="running statistics",
    build=lambda _vocabulary, _length: running_mean(),
    vocabulary=gap_and_digits,
    oracle=_running_mean,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 12)),
    least_vocab=3,
    description=(
        "Gives at each position the mean of all numbers up to there, where a gap `_` is none; 0 "
        "before the first number."
    ),
    why=(
        "What attention does by itself: each number has an effect in proportion to its size, over "
        "how many there are so far, and a gap acts through the pattern alone, so that keys and "
        "values of one head carry different facts about the same token."
    ),
    tags=("statistics", "numbers"),
    causal=True,
)

CUMULATIVE_SUM = ProgramSpec(
    name="cumulative_sum",
    family="running statistics",
    build=lambda _vocabulary, _length: cumulative_sum(),
    vocabulary=digits,
    oracle=lambda xs: list(accumulate(xs)),
    sizes=Sizes((2, 4), (4, 5), (5, 8), (6, 12)),
    least_vocab=2,
    description="Gives at each position the sum of all numbers up to there.",
    why=(
        "Attention can only average: an MLP multiplies the mean by the position, one set of "
        "neurons for each position, so the same head output means another sum at each place."
    ),
    tags=("statistics", "numbers", "positions"),
)

COUNT_ABOVE_AVERAGE = ProgramSpec(
    name="count_above_average",
    family="running statistics",
    build=lambda _vocabulary, _length: count_above_average(),
    vocabulary=digits,
    oracle=_count_above_average,
    sizes=Sizes((3, 4), (4, 5), (5, 8), (6, 10)),
    least_vocab=2,
    description="Gives at every position how many numbers are greater than the mean of all.",
    why=(
        "Every token acts twice: it moves the mean that all are compared with, and it is compared "
        "itself. The paths through one and the same embedding work against each other."
    ),
    tags=("statistics", "numbers", "comparison", "counting", "one answer"),
)

VALUE_RANGE = ProgramSpec(
    name="value_range",
    family="running statistics",
    build=lambda _vocabulary, _length: value_range(),
    vocabulary=digits,
    oracle=lambda xs: [max(xs) - min(xs)] * len(xs),
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description="Gives at every position the greatest number minus the least.",
    why=(
        "Two branches of the same form find opposite ends and meet in a difference; a repeated "
        "extreme is a backup, since its holders all carry the same value."
    ),
    tags=("statistics", "numbers", "one answer"),
)

WEIGHTED_MOVING_AVERAGE = ProgramSpec(
    name="weighted_moving_average",
    family="running statistics",
    build=lambda _vocabulary, _length: weighted_moving_average(),
    vocabulary=digits,
    oracle=_weighted_moving_average,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives at each position the mean of the last three numbers, weighted 5, 2 and 1 with the "
        "latest first; numbers before the start count as zero."
    ),
    why=(
        "Three paths of known strength add up in one direction, one of them without attention: "
        "methods that grade importance can be held against the weights 5, 2 and 1."
    ),
    tags=("statistics", "numbers", "positions"),
)
