"""Programs that sort or rank: find out how many tokens come before, then fetch by place."""

from collections import Counter
from collections.abc import Sequence
from math import isqrt
from operator import gt
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER, TRACR_PAPER
from ..idioms import (
    EQ,
    LEQ,
    LT,
    count,
    count_equal,
    earlier,
    first_value,
    fraction_so_far,
    is_new,
    kept_where,
    same,
    shifted,
    sort_by_keys,
    sort_by_unique_keys,
    where,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits, letters
from .counting import is_first

KNUTH = (
    "Donald E. Knuth. The Art of Computer Programming, Volume 3: Sorting and Searching. "
    "Second edition. Addison-Wesley, 1998"
)
QUICKSORT = "C. A. R. Hoare. Quicksort. The Computer Journal 5(1), 1962"
GT = rasp.Comparison.GT
K = 3
_SIZES = Sizes((2, 4), (4, 5), (6, 8), (8, 16))


def sort_by_frequency(max_length: int) -> rasp.SOp:
    """Return the tokens, those of the most frequent kinds first, ties in order of position."""
    rarity = (-count_equal(rasp.tokens)).named("rarity")
    return sort_by_keys(rasp.tokens, rarity, max_length).named("sort_by_frequency")


def most_frequent() -> rasp.SOp:
    """Return each token once, the most frequent first, ties in order of first occurrence."""
    first = is_new()
    rarity = (-count_equal(rasp.tokens)).named("rarity")
    place = bucket_place(kept_where(first, rarity).named("rarity_of_kind"))
    return fetched(rasp.tokens, kept_where(first, place).named("place_of_kind")).named(
        "most_frequent"
    )


def sort_by_key(max_length: int) -> rasp.SOp:
    """Return the even tokens, then the odd ones, each in order of position."""
    key = rasp.Map(lambda token: token % 2, rasp.tokens).named("key")
    return sort_by_keys(rasp.tokens, key, max_length).named("sort_by_key")


def sort_descending() -> rasp.SOp:
    """Return the tokens in descending order: equal ones claim a stretch of places together."""
    start = count(rasp.Select(rasp.tokens, rasp.tokens, GT).named("greater")).named("start")
    at_least = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.GEQ).named("at_least")
    end = count(at_least).named("end")
    claims = rasp.Select(start, rasp.indices, LEQ) & rasp.Select(end, rasp.indices, GT)
    return rasp.Aggregate(claims.named("claims"), rasp.tokens).named("sort_descending")


def top_k() -> rasp.SOp:
    """Return the `K` largest tokens in descending order, and no value after them."""
    greater = count(rasp.Select(rasp.tokens, rasp.tokens, GT).named("greater")).named("n_greater")
    equal = count(same(rasp.tokens) & earlier()).named("n_equal_before")
    place = rasp.SequenceMap(lambda x, y: x + y if x + y < K else None, greater, equal)
    return fetched(rasp.tokens, place.named("place")).named("top_k")


def fetched(values: rasp.SOp, place: rasp.SOp) -> rasp.SOp:
    """Return at each position the value whose `place` it is."""
    return rasp.Aggregate(rasp.Select(place, rasp.indices, EQ).named("claims"), values)


def compared_place(keys: rasp.SOp) -> rasp.SOp:
    """Return how many positions come before in order of `keys`, equal keys by position."""
    smaller = rasp.Select(keys, keys, LT)
    comes_before = (smaller | (same(keys) & earlier())).named("comes_before")
    return count(comes_before).named("place")


def bucket_place(keys: rasp.SOp) -> rasp.SOp:
    """Return the same place as a sum: those in lower buckets and those before in the same."""
    lower = count(rasp.Select(keys, keys, LT).named("lower_bucket")).named("n_lower")
    before = count(same(keys) & earlier()).named("n_before")
    return (lower + before).named("place")


def sort_by_comparison() -> rasp.SOp:
    """Return the tokens in ascending order, tokens and positions compared by separate heads."""
    # One selector with `or` would be compiled like the unique keys of `sort`: an MLP writes
    # pairs of token and position, and one head compares these.
    return fetched(rasp.tokens, bucket_place(rasp.tokens)).named("sort_by_comparison")


def counting_sort(vocabulary: Sequence[Any]) -> rasp.SOp:
    """Return the sorted tokens, each as the number of smaller numbers that end before it."""
    passed = []
    for number in vocabulary[:-1]:
        n_at_most = count(_at_most(number)).named(f"n_at_most_{number}")
        is_passed = rasp.SequenceMap(lambda n, index: int(n <= index), n_at_most, rasp.indices)
        passed.append(rasp.numerical(is_passed).named(f"passed_{number}"))
    return _total(passed).named("counting_sort")


def _at_most(bound: int) -> rasp.Selector:
    """Select the tokens that are at most `bound`, from every position alike."""
    at_most = rasp.Select(rasp.tokens, rasp.tokens, lambda key, _query: key <= bound)
    return at_most.named(f"at_most_{bound}")


def _total(numbers: Sequence[rasp.SOp]) -> rasp.SOp:
    """Return the sum of numbers, added in pairs, so that few additions depend on each other."""
    if len(numbers) == 1:
        return numbers[0]
    half = (len(numbers) + 1) // 2
    return rasp.numerical(_total(numbers[:half]) + _total(numbers[half:]))


def radix_sort(vocabulary: Sequence[Value]) -> rasp.SOp:
    """Return the sorted tokens: put in buckets by their low digit, then by their high digit."""
    base = isqrt(len(vocabulary) - 1) + 1
    low = rasp.Map(lambda token: token % base, rasp.tokens).named("low_digit")
    by_low = fetched(rasp.tokens, bucket_place(low)).named("by_low_digit")
    high = rasp.Map(lambda token: token // base, by_low).named("high_digit")
    return fetched(by_low, bucket_place(high)).named("radix_sort")


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


def partition_by_first() -> rasp.SOp:
    """Return the tokens below the first one, then those equal to it, then those above it."""
    pivot = first_value(rasp.tokens).named("pivot")
    side = rasp.SequenceMap(lambda x, y: (x > y) - (x < y), rasp.tokens, pivot).named("side")
    return fetched(rasp.tokens, bucket_place(side)).named("partition_by_first")


def group_equal() -> rasp.SOp:
    """Return the tokens grouped, kinds in order of their first occurrence."""
    leader = same(rasp.tokens) & where(is_first(rasp.tokens), True)
    leader_place = rasp.Aggregate(leader, rasp.indices).named("leader_place")
    return fetched(rasp.tokens, compared_place(leader_place)).named("group_equal")


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


def _sort(xs: list[Any]) -> list[Value]:
    return sorted(xs)


def _sort_unique(xs: list[Any]) -> list[Value]:
    placed: list[Value] = []
    for token in sorted(set(xs)):
        placed += [token] + [None] * (xs.count(token) - 1)
    return placed


def _sort_by_frequency(xs: list[Any]) -> list[Value]:
    order = sorted(range(len(xs)), key=lambda i: (-xs.count(xs[i]), i))
    return [xs[i] for i in order]


def _most_frequent(xs: list[Any]) -> list[Value]:
    kinds = [kind for kind, _ in Counter(xs).most_common()]
    return kinds + [None] * (len(xs) - len(kinds))


def _top_k(xs: list[Any]) -> list[Value]:
    largest = sorted(xs, reverse=True)[:K]
    return largest + [None] * (len(xs) - len(largest))


def _second_largest(xs: list[Any]) -> list[Value]:
    values = sorted(set(xs))
    return [values[-2] if len(values) > 1 else None] * len(xs)


def _next_larger(xs: list[Any]) -> list[Value]:
    return [min((y for y in xs if y > x), default=None) for x in xs]


def _partition_by_first(xs: list[Any]) -> list[Value]:
    return sorted(xs, key=lambda x: (x > xs[0]) - (x < xs[0]))


def _ascending_run(xs: list[Any]) -> list[Value]:
    lengths: list[Value] = []
    start = 0
    for i, x in enumerate(xs):
        start = i if i > 0 and xs[i - 1] > x else start
        lengths.append(i + 1 - start)
    return lengths


SORT = ProgramSpec(
    name="sort",
    family="sorting",
    build=lambda _vocabulary, length: sort_by_keys(rasp.tokens, rasp.tokens, length),
    vocabulary=digits,
    oracle=_sort,
    sizes=_SIZES,
    description="Sorts integers in ascending order; tokens may repeat.",
    why=(
        "Three steps in a row, each of which needs the one before at every position: an MLP "
        "that makes keys unique, a head that counts smaller keys, a head that moves tokens."
    ),
    citation=TRACR_PAPER,
    tags=("moving",),
)

SORT_UNIQUE = ProgramSpec(
    name="sort_unique",
    family="sorting",
    build=lambda _vocabulary, _length: sort_by_unique_keys(rasp.tokens, rasp.tokens).named(
        "sort_unique"
    ),
    vocabulary=digits,
    oracle=_sort_unique,
    sizes=_SIZES,
    description=(
        "Sorts integers in ascending order; a repeated token stands once, at its first place, "
        "and leaves the places of its repetitions empty."
    ),
    why=(
        "The shortest program whose second head depends on what the first has computed; on "
        "repeated tokens one query attends to several keys, and some attend to none."
    ),
    citation=TRACR_PAPER,
    tags=("moving",),
)

SORT_BY_FREQUENCY = ProgramSpec(
    name="sort_by_frequency",
    family="sorting",
    build=lambda _vocabulary, length: sort_by_frequency(length),
    vocabulary=letters,
    oracle=_sort_by_frequency,
    sizes=_SIZES,
    description=(
        "Sorts the tokens by how often they occur, the most frequent first, equally frequent "
        "ones in order of position, so that `abab` stays `abab`."
    ),
    why=(
        "A histogram feeds a sort: three dependent heads in a row, so that a method must "
        "follow a count through two more steps."
    ),
    citation=TRACR_PAPER,
    tags=("counting", "moving", "histograms"),
)

MOST_FREQUENT = ProgramSpec(
    name="most_frequent",
    family="sorting",
    build=lambda _vocabulary, _length: most_frequent(),
    vocabulary=letters,
    oracle=_most_frequent,
    sizes=_SIZES,
    description=(
        "Gives each token once, the most frequent first, equally frequent ones in order of first "
        "occurrence; the places after them have no value."
    ),
    why=(
        "The first of equal tokens stands for its kind and carries the key; the others are "
        "counted, then drop out of the comparison, so a token may matter without being moved."
    ),
    citation=RASP_PAPER,
    tags=("histograms", "moving"),
)

SORT_BY_KEY = ProgramSpec(
    name="sort_by_key",
    family="sorting",
    build=lambda _vocabulary, length: sort_by_key(length),
    vocabulary=digits,
    oracle=lambda xs: sorted(xs, key=lambda x: x % 2),
    sizes=_SIZES,
    least_vocab=2,
    description="Gives the even integers, then the odd ones, each in order of appearance.",
    why=(
        "The order comes from one bit of each token and the content from all of it: a swap of "
        "two tokens of one parity changes what is moved and leaves all attention as it is."
    ),
    tags=("moving", "positions"),
)

SORT_DESCENDING = ProgramSpec(
    name="sort_descending",
    family="sorting",
    build=lambda _vocabulary, _length: sort_descending(),
    vocabulary=digits,
    oracle=lambda xs: sorted(xs, reverse=True),
    sizes=_SIZES,
    least_vocab=2,
    description="Sorts integers in descending order; tokens may repeat.",
    why=(
        "No tie is broken: equal tokens claim the same stretch of places, and each place of it "
        "reads all of them at once, so that they are backups of one another."
    ),
    tags=("moving", "redundancy"),
)

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

SORT_BY_COMPARISON = ProgramSpec(
    name="sort_by_comparison",
    family="sorting",
    build=lambda _vocabulary, _length: sort_by_comparison(),
    vocabulary=digits,
    oracle=_sort,
    sizes=_SIZES,
    description="Sorts integers in ascending order; tokens may repeat.",
    why=(
        "It answers as `sort` does, but makes no keys unique: one head counts smaller tokens, "
        "another equal ones before, and only their sum is a place. Without repeated tokens the "
        "second head is idle."
    ),
    citation=f"{RASP_PAPER}; {KNUTH}",
    tags=("moving", "positions"),
)

COUNTING_SORT = ProgramSpec(
    name="counting_sort",
    family="sorting",
    build=lambda vocabulary, _length: counting_sort(vocabulary),
    vocabulary=digits,
    oracle=_sort,
    sizes=_SIZES,
    least_vocab=2,
    description="Sorts integers in ascending order; tokens may repeat.",
    why=(
        "It sorts without moving a token: heads count the tokens up to each number, and an "
        "output is how many of these counts its position has passed. No head attends from a "
        "place to what belongs there."
    ),
    citation=KNUTH,
    tags=("counting", "positions", "numbers"),
)

RADIX_SORT = ProgramSpec(
    name="radix_sort",
    family="sorting",
    build=lambda vocabulary, _length: radix_sort(vocabulary),
    vocabulary=digits,
    oracle=_sort,
    sizes=_SIZES,
    least_vocab=2,
    description="Sorts integers in ascending order; tokens may repeat.",
    why=(
        "It answers as `sort` does, in two rounds of the same form: the second round undoes most "
        "of what the first did and relies on the order that is left, within equal digits."
    ),
    citation=KNUTH,
    tags=("moving", "positions"),
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

PARTITION_BY_FIRST = ProgramSpec(
    name="partition_by_first",
    family="sorting",
    build=lambda _vocabulary, _length: partition_by_first(),
    vocabulary=digits,
    oracle=_partition_by_first,
    sizes=Sizes((2, 4), (5, 4), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives the integers below the first one, then those equal to it, then those above it, "
        "each in order of appearance."
    ),
    why=(
        "The partition step of quicksort: the first position decides the place of every other "
        "token, and has to be carried there before anything can be counted."
    ),
    citation=QUICKSORT,
    tags=("moving", "positions"),
)

GROUP_EQUAL = ProgramSpec(
    name="group_equal",
    family="sorting",
    build=lambda _vocabulary, _length: group_equal(),
    vocabulary=letters,
    oracle=lambda xs: [x for kind in dict.fromkeys(xs) for x in xs if x == kind],
    sizes=_SIZES,
    least_vocab=2,
    description="Gathers equal tokens, the kinds in order of their first occurrence.",
    why=(
        "A sort whose key is looked up first: each token finds the first one of its kind and "
        "takes over its position, so four heads stand in a row, and the key that orders the "
        "output is never part of it."
    ),
    tags=("moving", "positions", "counting"),
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

PROGRAMS = (
    SORT,
    SORT_UNIQUE,
    SORT_BY_FREQUENCY,
    MOST_FREQUENT,
    SORT_BY_KEY,
    SORT_DESCENDING,
    TOP_K,
    SORT_BY_COMPARISON,
    COUNTING_SORT,
    RADIX_SORT,
    MEDIAN,
    SECOND_LARGEST,
    NEXT_LARGER,
    PARTITION_BY_FIRST,
    GROUP_EQUAL,
    IS_SORTED,
    ASCENDING_RUN,
)
