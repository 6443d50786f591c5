"""Programs that ask which token comes where in the order of all, or whether they are in order."""

from operator import gt
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import EQ, LT, count, earlier, fraction_so_far, is_first, same, shifted, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits
from .sorting import compared_place, fetched

GT = rasp.Comparison.GT
K = 3
_SIZES = Sizes((2, 4), (4, 5), (6, 8), (8, 16))


def top_k() -> rasp.SOp:
    """Return the `K` largest tokens in descending order, and no value after them."""
    greater = count(rasp.Select(rasp.tokens, rasp.tokens, GT).named("greater")).named("n_greater")
    equal = count(same(rasp.tokens) & earlier()).named("n_equal_before")
    place = rasp.SequenceMap(lambda x, y: x + y if x + y < K else None, greater, equal)
    return fetched(rasp.tokens, place.named("place")).named("top_k")


def median() -> rasp.SOp:
    """Return the lower median at every position."""
    middle = rasp.Map(lambda length: (length - 1) // 2, rasp.length).named("middle")
    in_middle = rasp.Select(compared_place(rasp.tokens), middle, EQ).named("in_middle")
    return rasp.Aggregate(in_middle, rasp.tokens).named("median")


def second_largest() -> rasp.SOp:
    """Return the greatest token, then the greatest of those that are smaller."""
    greater = rasp.Select(rasp.tokens, rasp.tokens, GT)
    n_greater = count(greater.named("greater")).named("n_greater")
    largest = rasp.Aggregate(where(n_greater, 0).named("at_largest"), rasp.tokens)
    n_between = count(greater & rasp.Select(rasp.tokens, largest.named("largest"), LT))
    is_second = rasp.SequenceMap(
        lambda between, above: between == 0 and above > 0, n_between.named("n_between"), n_greater
    ).named("is_second")
    return rasp.Aggregate(where(is_second, True), rasp.tokens).named("second_largest")


def dense_rank() -> rasp.SOp:
    """Return how many different tokens are smaller, by counting first occurrences."""
    smaller = rasp.Select(rasp.tokens, rasp.tokens, LT).named("smaller")
    return count(smaller & where(is_first(rasp.tokens), True)).named("dense_rank")


def next_larger() -> rasp.SOp:
    """Return the smallest token of the sequence that is greater than this one."""
    rank = dense_rank()
    one_above = rasp.Select(rank, (rank + 1).named("next_rank"), EQ).named("one_above")
    return rasp.Aggregate(one_above, rasp.tokens).named("next_larger")


def is_sorted() -> rasp.SOp:
    """Return, in a causal model, whether no position so far comes after a greater token."""
    exceeding = count(rasp.Select(rasp.tokens, rasp.tokens, GT).named("greater"))
    is_late = (exceeding.named("n_greater_before") > 0).named("is_late")
    return (fraction_so_far(is_late).named("share_late") == 0).named("is_sorted")


def ascending_run() -> rasp.SOp:
    """Return, in a causal model, the length so far of the run without a descent."""
    is_descent = rasp.SequenceMap(gt, shifted(rasp.tokens, 1).named("previous"), rasp.tokens)
    descents = where(is_descent.named("is_descent"), True).named("descents")
    same_run = same(count(descents).named("n_descents")).named("same_run")
    return count(same_run).named("ascending_run")


def _top_k(xs: list[Any]) -> list[Value]:
    largest = sorted(xs, reverse=True)[:K]
    return largest + [None] * (len(xs) - len(largest))


def _second_largest(xs: list[Any]) -> list[Value]:
    values = sorted(set(xs))
    return [values[-2] if len(values) > 1 else None] * len(xs)


def _next_larger(xs: list[Any]) -> list[Value]:
    return [min((y for y in xs if y > x), default=None) for x in xs]


def _ascending_run(xs: list[Any]) -> list[Value]:
    lengths: list[Value] = []
    start = 0
    for i, x in enumerate(xs):
        start = i if i > 0 and xs[i - 1] > x else start
        lengths.append(i + 1 - start)
    return lengths


TOP_K = ProgramSpec(
    name="top_k",
    family="sorting",
    build=lambda _vocabulary, _length: top_k(),
    vocabulary=digits,
    oracle=_top_k,
    sizes=_SIZES,
    least_vocab=2,
    description=(
        "Gives the three largest integers in descending order at the first three positions, "
        "repeated ones as often as they occur; no value at later positions."
    ),
    why=(
        "Every token is ranked and all ranks from three on are then struck out: small tokens have "
        "no effect as long as they stay small, though they are ranked as the others are."
    ),
    tags=("moving", "numbers"),
)

MEDIAN = ProgramSpec(
    name="median",
    family="sorting",
    build=lambda _vocabulary, _length: median(),
    vocabulary=digits,
    oracle=lambda xs: [sorted(xs)[(len(xs) - 1) // 2]] * len(xs),
    sizes=_SIZES,
    description="Gives at every position the median of the integers, the lower one of two.",
    why=(
        "All queries look for the one key whose place is in the middle: the place is computed at "
        "every position and read at one, which one depends on all tokens."
    ),
    tags=("moving", "statistics", "one answer"),
)

SECOND_LARGEST = ProgramSpec(
    name="second_largest",
    family="sorting",
    build=lambda _vocabulary, _length: second_largest(),
    vocabulary=digits,
    oracle=_second_largest,
    sizes=_SIZES,
    least_vocab=2,
    description=(
        "Gives at every position the second largest of the different integers, and no value if "
        "all are equal."
    ),
    why=(
        "The largest is found, carried everywhere and set aside, and the search is run again on "
        "the rest: two rounds of the same form, four heads deep, of which the second fails with "
        "the first."
    ),
    tags=("moving", "one answer"),
)

NEXT_LARGER = ProgramSpec(
    name="next_larger",
    family="sorting",
    build=lambda _vocabulary, _length: next_larger(),
    vocabulary=digits,
    oracle=_next_larger,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (10, 9)),
    least_vocab=2,
    description=(
        "Gives at each position the smallest integer of the sequence that is greater than its "
        "own, and no value at the largest."
    ),
    why=(
        "Keys and queries of the last head are the same rank, one of them raised by one: a link "
        "from each token to its successor in an order that stands nowhere in the input."
    ),
    tags=("moving", "counting"),
)

IS_SORTED = ProgramSpec(
    name="is_sorted",
    family="sorting",
    build=lambda _vocabulary, _length: is_sorted(),
    vocabulary=digits,
    oracle=lambda xs: [xs[: i + 1] == sorted(xs[: i + 1]) for i in range(len(xs))],
    sizes=_SIZES,
    least_vocab=2,
    description=(
        "Says at each position whether the integers up to there are in ascending order; they may "
        "repeat."
    ),
    why=(
        "Every token is compared with all before it, not just with its neighbour, so one large "
        "token early has many witnesses, and patching one of them leaves the answer as it is."
    ),
    tags=("comparison", "rare positives", "redundancy"),
    causal=True,
)

ASCENDING_RUN = ProgramSpec(
    name="ascending_run",
    family="sorting",
    build=lambda _vocabulary, _length: ascending_run(),
    vocabulary=digits,
    oracle=_ascending_run,
    sizes=_SIZES,
    least_vocab=2,
    description=(
        "Gives at each position the number of integers since the last descent, that is, the "
        "length up to there of the run in which no integer is smaller than the one before."
    ),
    why=(
        "The runs of natural merge sort: a comparison with the token before, a count of descents "
        "that names the run, and a count within it; each step is read through the next head "
        "alone."
    ),
    tags=("counting", "positions", "runs"),
    causal=True,
)
