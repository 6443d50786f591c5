"""Programs that sort: find out how many tokens come before, then fetch by place."""

from collections.abc import Sequence
from math import isqrt
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER, TRACR_PAPER
from ..idioms import EQ, LEQ, LT, count, earlier, same, sort_by_keys, sort_by_unique_keys
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits

KNUTH = (
    "Donald E. Knuth. The Art of Computer Programming, Volume 3: Sorting and Searching. "
    "Second edition. Addison-Wesley, 1998"
)
GT = rasp.Comparison.GT
_SIZES = Sizes((2, 4), (4, 5), (6, 8), (8, 16))


def sort_descending() -> rasp.SOp:
    """Return the tokens in descending order: equal ones claim a stretch of places together."""
    start = count(rasp.Select(rasp.tokens, rasp.tokens, GT).named("greater")).named("start")
    at_least = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.GEQ).named("at_least")
    end = count(at_least).named("end")
    claims = rasp.Select(start, rasp.indices, LEQ) & rasp.Select(end, rasp.indices, GT)
    return rasp.Aggregate(claims.named("claims"), rasp.tokens).named("sort_descending")


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


def _sort(xs: list[Any]) -> list[Value]:
    return sorted(xs)


def _sort_unique(xs: list[Any]) -> list[Value]:
    placed: list[Value] = []
    for token in sorted(set(xs)):
        placed += [token] + [None] * (xs.count(token) - 1)
    return placed


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
