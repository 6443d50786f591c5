"""Programs that compare one half of a sequence with the other.

The halves are the first and the last half of it, rounded down: of an odd number of tokens the
middle one belongs to neither.
"""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import EQ, count, earlier, fraction_of_all, same, somewhere, value_at, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

COUNTED = "a"


def _half_at(index: int, length: int) -> str:
    if index < length // 2:
        return "first"
    return "second" if index >= length - length // 2 else "middle"


def _other_half_at(index: int, length: int) -> int:
    """Return the matching position of the other half; that of the middle token is its own."""
    step = length - length // 2
    return {"first": index + step, "second": index - step, "middle": index}[_half_at(index, length)]


def half() -> rasp.SOp:
    """Return in which half a position lies: `first`, `second` or `middle`."""
    return rasp.SequenceMap(_half_at, rasp.indices, rasp.length).named("half")


def palindrome() -> rasp.SOp:
    """Return, at every position, whether the sequence reads the same in both directions.

    A head looks for a token that is equal and in the mirrored place: no token is moved.
    """
    opposite = ((rasp.length - rasp.indices) - 1).named("opposite")
    mirrored = rasp.Select(rasp.indices, opposite, EQ) & same(rasp.tokens)
    equal_mirrored = count(mirrored.named("mirrored_and_equal")).named("equal_mirrored")
    return (fraction_of_all(equal_mirrored).named("share_mirrored") == 1).named("palindrome")


def anagram_halves() -> rasp.SOp:
    """Return, at every position, whether both halves hold the same tokens as often.

    Equal tokens count 1 in the first half and -1 in the second, so that their mean is 0
    where the halves balance.
    """
    sign = rasp.Map(lambda part: {"first": 1, "second": -1, "middle": 0}[part], half())
    sign = rasp.numerical(sign).named("sign_of_half")
    excess = rasp.numerical(rasp.Aggregate(same(rasp.tokens).named("same_token"), sign, default=0))
    unbalanced = (excess.named("excess_in_first") != 0).named("unbalanced")
    return (~somewhere(unbalanced)).named("anagram_halves")


def hamming_distance() -> rasp.SOp:
    """Return, at every position, at how many places the halves differ."""
    address = rasp.SequenceMap(_other_half_at, rasp.indices, rasp.length).named("address")
    partner = value_at(rasp.tokens, address).named("partner")
    differs = ((rasp.tokens != partner) & (rasp.indices < address)).named("differs")
    return count(where(differs, True).named("where_differs")).named("hamming_distance")


def edit_of_halves() -> rasp.SOp:
    """Return, at every position, whether one edit at most turns the first part into the rest.

    It does if no place that fails when both are laid side by side from their starts comes
    before one that fails when they are laid so from their ends.
    """
    from_start = rasp.SequenceMap(lambda i, n: i + (n + 1) // 2, rasp.indices, rasp.length)
    from_end = rasp.SequenceMap(
        lambda i, n: i + n // 2 if i < (n + 1) // 2 else i, rasp.indices, rasp.length
    )
    unlike_start, unlike_end = (
        (value_at(rasp.tokens, there.named(f"from_{name}"), default="") != rasp.tokens).named(
            f"unlike_from_{name}"
        )
        for name, there in (("start", from_start), ("end", from_end))
    )
    share = rasp.Aggregate(earlier(), rasp.numerical(unlike_start), default=0)
    begun = (rasp.numerical(share).named("share_unlike_before") > 0).named("unlike_before")
    return (~somewhere((unlike_end & begun).named("second_edit"))).named("edit_of_halves")


def same_majority() -> rasp.SOp:
    """Return, at every position, whether `a` has a majority in both halves or in neither."""
    part = half()
    is_counted = rasp.numerical(rasp.Map(lambda token: token == COUNTED, rasp.tokens)).named("is_a")
    has_majority = []
    for name in ("first", "second"):
        share = rasp.Aggregate(where(part, name).named(f"{name}_half"), is_counted, default=0)
        share = rasp.numerical(share).named(f"share_in_{name}")
        has_majority.append((share > 0.5).named(f"majority_in_{name}"))
    return (has_majority[0] == has_majority[1]).named("same_majority")


def _halves(xs: list[Any]) -> tuple[list[Any], list[Any]]:
    size = len(xs) // 2
    return xs[:size], xs[len(xs) - size :]


def _palindrome(xs: list[Any]) -> list[Value]:
    return [xs == xs[::-1]] * len(xs)


def _anagram_halves(xs: list[Any]) -> list[Value]:
    first, second = _halves(xs)
    return [sorted(first) == sorted(second)] * len(xs)


def _hamming_distance(xs: list[Any]) -> list[Value]:
    return [sum(x != y for x, y in zip(*_halves(xs), strict=True))] * len(xs)


def _edit_distance(first: list[Any], second: list[Any]) -> int:
    if not first or not second:
        return len(first) + len(second)
    replaced = _edit_distance(first[1:], second[1:])
    if first[0] == second[0]:
        return replaced
    return 1 + min(replaced, _edit_distance(first[1:], second), _edit_distance(first, second[1:]))


def _edit_of_halves(xs: list[Any]) -> list[Value]:
    size = (len(xs) + 1) // 2
    return [_edit_distance(xs[:size], xs[size:]) <= 1] * len(xs)


def _same_majority(xs: list[Any]) -> list[Value]:
    first, second = (2 * part.count(COUNTED) > len(part) for part in _halves(xs))
    return [first == second] * len(xs)


PALINDROME = ProgramSpec(
    name="palindrome",
    family="sets",
    build=lambda _vocabulary, _length: palindrome(),
    vocabulary=letters,
    oracle=_palindrome,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 14)),
    description=("Says at every position whether the sequence is the same when read from its end."),
    why=(
        "One attention pattern asks for content and place at once, and whether it finds "
        "anything is the message: the tokens compared are never moved. Each pair is tested "
        "twice, once from either end."
    ),
    tags=("positions", "redundancy", "reversal", "rare positives", "one answer"),
)

ANAGRAM_HALVES = ProgramSpec(
    name="anagram_halves",
    family="sets",
    build=lambda _vocabulary, _length: anagram_halves(),
    vocabulary=letters,
    oracle=_anagram_halves,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Says at every position whether the second half is a rearrangement of the first; a "
        "middle token is ignored."
    ),
    why=(
        "Contributions of both halves cancel inside one head's mean, so a position can matter "
        "only by undoing another; changing one token of a half always breaks a true answer."
    ),
    tags=("numbers", "cancellation", "rare positives", "one answer"),
)

HAMMING_DISTANCE = ProgramSpec(
    name="hamming_distance",
    family="sets",
    build=lambda _vocabulary, _length: hamming_distance(),
    vocabulary=letters,
    oracle=_hamming_distance,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 12)),
    description=(
        "Gives at every position at how many places the two halves differ; a middle token is "
        "ignored."
    ),
    why=(
        "An address computed from length and position drives a lookup, and only the first half "
        "of the lookups is counted: those of the second half are made and discarded."
    ),
    tags=("positions", "counting", "one answer"),
)

EDIT_OF_HALVES = ProgramSpec(
    name="edit_of_halves",
    family="sets",
    build=lambda _vocabulary, _length: edit_of_halves(),
    vocabulary=letters,
    oracle=_edit_of_halves,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Says at every position whether one edit at most turns the first half into the second; "
        "a middle token belongs to the first half, so that the edit is a substitution at even "
        "lengths and a deletion at odd ones."
    ),
    why=(
        "Two heads lay the halves side by side, from their starts and from their ends: at even "
        "lengths they do the same, and only at odd ones do they read different neighbours."
    ),
    tags=("comparison", "positions", "rare positives", "one answer"),
)

SAME_MAJORITY = ProgramSpec(
    name="same_majority",
    family="sets",
    build=lambda _vocabulary, _length: same_majority(),
    vocabulary=letters,
    oracle=_same_majority,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Says at every position whether `a` makes up more than half of both halves, or of "
        "neither; a middle token is ignored, and an empty half has no majority."
    ),
    why=(
        "Two heads do the same work on different halves and meet in an equality, so the effect "
        "of either turns its sign with the other: averaged over inputs, they seem to do little."
    ),
    tags=("statistics", "comparison", "one answer"),
)
