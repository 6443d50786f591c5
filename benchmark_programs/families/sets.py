"""Programs that compare tokens and sets of tokens.

Where a sequence has halves, they are the first and the last half of it, rounded down: of an
odd number of tokens the middle one belongs to neither. Where it has two sides, the first `|`
parts them: the left side stands before it, the right side is every other token after it.
"""

from itertools import pairwise
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import INDUCTION_PAPER, IOI_PAPER
from ..idioms import (
    EQ,
    count,
    count_equal,
    earlier,
    fraction_of_all,
    fraction_so_far,
    is_new,
    same,
    shifted,
    somewhere,
    value_at,
    where,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import characters, letters

SEPARATOR = "|"
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


def side() -> rasp.SOp:
    """Return on which side of the first separator a token stands: `left`, `right` or `|`."""
    separators = fraction_so_far((rasp.tokens == SEPARATOR).named("is_separator"))
    parted = (separators.named("share_of_separators") > 0).named("parted")
    return rasp.SequenceMap(
        lambda token, after: token if token == SEPARATOR else "right" if after else "left",
        rasp.tokens,
        parted,
    ).named("side")


def on_side(sides: rasp.SOp, name: str) -> rasp.SOp:
    """Return the tokens on one side, and no value elsewhere."""
    return rasp.SequenceMap(
        lambda token, own: token if own == name else None, rasp.tokens, sides
    ).named(f"{name}_token")


def copies_in(keys: rasp.SOp, queries: rasp.SOp) -> rasp.SOp:
    """Return how many of the `keys` are what stands here in `queries`."""
    return count(rasp.Select(keys, queries, EQ).named("copies_of_this")).named("copies")


def moved_to_front(sop: rasp.SOp, kept: rasp.SOp) -> rasp.SOp:
    """Return the values of `sop` where `kept` holds, in their order, from the first position on.

    The place of a kept value is one less than the number of values kept so far.
    """
    share = fraction_so_far(kept).named("share_kept")
    last_place = rasp.SequenceMap(lambda mean, i: round(mean * (i + 1)) - 1, share, rasp.indices)
    place = rasp.SequenceMap(
        lambda keep, last: last if keep else None, kept, last_place.named("last_place")
    ).named("place")
    goes_here = rasp.Select(place, rasp.indices, EQ).named("goes_here")
    return rasp.Aggregate(goes_here, sop)


def contains_duplicate() -> rasp.SOp:
    """Return, in a causal model, whether two of the tokens so far are equal."""
    repeated = (count(same(rasp.tokens)) > 1).named("repeated")
    return (fraction_so_far(repeated).named("share_repeated") > 0).named("contains_duplicate")


def occurs_once() -> rasp.SOp:
    """Return whether no other position holds this token."""
    return (count_equal(rasp.tokens) == 1).named("occurs_once")


def membership() -> rasp.SOp:
    """Return, at every position, whether the counted letter is among the tokens."""
    return somewhere((rasp.tokens == COUNTED).named("is_a")).named("membership")


def deduplicate() -> rasp.SOp:
    """Return each token once, in order of first occurrence, from the first position on."""
    return moved_to_front(rasp.tokens, is_new()).named("deduplicate")


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


def in_left_side() -> rasp.SOp:
    """Return whether this token of the right side also stands on the left side."""
    sides = side()
    copies = copies_in(on_side(sides, "left"), on_side(sides, "right"))
    return (copies > 0).named("in_left_side")


def subset() -> rasp.SOp:
    """Return, at every position, whether every token of the left side is on the right side."""
    sides = side()
    on_right = rasp.numerical(rasp.Map(lambda own: own == "right", sides)).named("on_right")
    found = rasp.Aggregate(same(rasp.tokens).named("same_token"), on_right, default=0)
    found = rasp.numerical(found).named("share_of_copies_right")
    missing = ((sides == "left") & (found == 0)).named("missing")
    return (fraction_of_all(missing).named("share_missing") == 0).named("subset")


def set_difference() -> rasp.SOp:
    """Return the tokens of the left side that are not on the right side, moved to the front."""
    sides = side()
    copies = copies_in(on_side(sides, "right"), rasp.tokens)
    kept = ((sides == "left") & (copies == 0)).named("kept")
    return moved_to_front(rasp.tokens, kept).named("set_difference")


def jaccard_index() -> rasp.SOp:
    """Return, at every position, the size of the sides' intersection over that of their union.

    First occurrences stand for the union, and those of tokens that have some of their copies
    on the right, but not all, for the intersection. One mean over them is the quotient.
    """
    sides = side()
    in_union = ((sides != SEPARATOR) & is_new()).named("in_union")
    found = same(rasp.tokens).named("same_token")
    on_right = rasp.numerical((sides == "right").named("on_right"))
    share = rasp.numerical(rasp.Aggregate(found, on_right, default=0)).named("share_right")
    on_both = rasp.numerical(((share > 0) & (share < 1)).named("on_both"))
    index = rasp.Aggregate(where(in_union, True).named("union"), on_both, default=0)
    return rasp.numerical(index).named("jaccard_index")


def reversed_pair_seen() -> rasp.SOp:
    """Return whether the last two tokens have occurred before the other way round."""
    previous = shifted(rasp.tokens, 1).named("previous")
    pair = rasp.SequenceMap(lambda first, second: (first, second), previous, rasp.tokens)
    swapped = rasp.SequenceMap(lambda first, second: (second, first), previous, rasp.tokens)
    matches = rasp.Select(pair.named("pair"), swapped.named("swapped"), EQ)
    return (count(matches & earlier()).named("matches") > 0).named("reversed_pair_seen")


def _parted(xs: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the left and the right side of a sequence; without a separator all is left."""
    place = xs.index(SEPARATOR) if SEPARATOR in xs else len(xs)
    return xs[:place], [x for x in xs[place:] if x != SEPARATOR]


def _halves(xs: list[Any]) -> tuple[list[Any], list[Any]]:
    size = len(xs) // 2
    return xs[:size], xs[len(xs) - size :]


def _contains_duplicate(xs: list[Any]) -> list[Value]:
    return [len(set(xs[: i + 1])) <= i for i in range(len(xs))]


def _deduplicate(xs: list[Any]) -> list[Value]:
    kept: list[Value] = list(dict.fromkeys(xs))
    return kept + [None] * (len(xs) - len(kept))


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


def _in_left_side(xs: list[Any]) -> list[Value]:
    left = _parted(xs)[0]
    return [i > len(left) and x in left for i, x in enumerate(xs)]


def _subset(xs: list[Any]) -> list[Value]:
    left, right = _parted(xs)
    return [set(left) <= set(right)] * len(xs)


def _set_difference(xs: list[Any]) -> list[Value]:
    left, right = _parted(xs)
    kept: list[Value] = [x for x in left if x not in right]
    return kept + [None] * (len(xs) - len(kept))


def _jaccard_index(xs: list[Any]) -> list[Value]:
    left, right = (set(part) for part in _parted(xs))
    return [len(left & right) / len(left | right) if left | right else 0] * len(xs)


def _reversed_pair_seen(xs: list[Any]) -> list[Value]:
    pairs = list(pairwise(xs))
    return [False, *(pair[::-1] in pairs[:i] for i, pair in enumerate(pairs))]


CONTAINS_DUPLICATE = ProgramSpec(
    name="contains_duplicate",
    family="sets",
    build=lambda _vocabulary, _length: contains_duplicate(),
    vocabulary=letters,
    oracle=_contains_duplicate,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Says at each position whether two of the tokens up to there are equal.",
    why=(
        "A duplicate-token head marks repetitions and a second head passes on that there was "
        "one; with a second repetition the first is no longer needed, so that ablation of one "
        "position understates it."
    ),
    citation=IOI_PAPER,
    tags=("counting", "redundancy"),
    causal=True,
)

OCCURS_ONCE = ProgramSpec(
    name="occurs_once",
    family="sets",
    build=lambda _vocabulary, _length: occurs_once(),
    vocabulary=letters,
    oracle=lambda xs: [xs.count(x) == 1 for x in xs],
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Says at each position whether its token occurs only once in the sequence.",
    why=(
        "A histogram of which one bit is used: the head tells all counts apart and the MLP hears "
        "only whether it is one, so a change from two to three is seen inside and not outside."
    ),
    tags=("membership", "histograms"),
)

MEMBERSHIP = ProgramSpec(
    name="membership",
    family="sets",
    build=lambda _vocabulary, _length: membership(),
    vocabulary=letters,
    oracle=lambda xs: [COUNTED in xs] * len(xs),
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description="Says at every position whether `a` occurs in the sequence.",
    why=(
        "Every `a` is enough and none is needed where there are two: taking out one token at a "
        "time finds no cause on such inputs, though the head reads each of them."
    ),
    tags=("membership", "redundancy", "one answer"),
)

DEDUPLICATE = ProgramSpec(
    name="deduplicate",
    family="sets",
    build=lambda _vocabulary, _length: deduplicate(),
    vocabulary=letters,
    oracle=_deduplicate,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 12)),
    description=(
        "Gives each token once, in order of first occurrence, moved to the front; the places "
        "after them have no value."
    ),
    why=(
        "The condition that drops a token is part of the key that the last head looks for, so "
        "a token is removed by never being found rather than by being overwritten."
    ),
    tags=("moving", "counting"),
)

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

IN_LEFT_SIDE = ProgramSpec(
    name="in_left_side",
    family="sets",
    build=lambda _vocabulary, _length: in_left_side(),
    vocabulary=characters(SEPARATOR),
    oracle=_in_left_side,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Says at each position whether it stands after the first `|` and its token stands "
        "before it."
    ),
    why=(
        "Keys and queries of the matching head come from different variables, each empty on "
        "the other side; earlier equal tokens on the same side are decoys for a plain "
        "duplicate-token head."
    ),
    tags=("counting", "conditions", "membership"),
    causal=True,
)

SUBSET = ProgramSpec(
    name="subset",
    family="sets",
    build=lambda _vocabulary, _length: subset(),
    vocabulary=characters(SEPARATOR),
    oracle=_subset,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Says at every position whether every token before the first `|` also stands after it; "
        "without a `|` nothing stands after it."
    ),
    why=(
        "A universal claim answered by the absence of a counterexample: three heads in a row, "
        "each of which turns a share into yes or no before the next one reads it."
    ),
    tags=("conditions", "membership", "one answer"),
)

SET_DIFFERENCE = ProgramSpec(
    name="set_difference",
    family="sets",
    build=lambda _vocabulary, _length: set_difference(),
    vocabulary=characters(SEPARATOR),
    oracle=_set_difference,
    sizes=Sizes((3, 4), (3, 5), (6, 8), (8, 12)),
    least_vocab=2,
    description=(
        "Gives the tokens before the first `|` that do not stand after it, repetitions "
        "included, moved to the front in their order; the places after them have no value."
    ),
    why=(
        "Four dependent heads: find the side, look across, count what is kept, fetch it. A "
        "token on the right changes where tokens of the left end up without being moved itself."
    ),
    tags=("moving", "conditions", "counting", "membership"),
)

JACCARD_INDEX = ProgramSpec(
    name="jaccard_index",
    family="sets",
    build=lambda _vocabulary, _length: jaccard_index(),
    vocabulary=characters(SEPARATOR),
    oracle=_jaccard_index,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 14)),
    least_vocab=2,
    description=(
        "Gives at every position how many different tokens stand on both sides of the first "
        "`|`, divided by how many stand on at least one; 0 where there are none."
    ),
    why=(
        "A quotient without a division: attention restricted to first occurrences supplies the "
        "denominator, so queries and keys carry half of the answer and values the other half."
    ),
    tags=("numbers", "statistics", "one answer"),
)

REVERSED_PAIR_SEEN = ProgramSpec(
    name="reversed_pair_seen",
    family="sets",
    build=lambda _vocabulary, _length: reversed_pair_seen(),
    vocabulary=letters,
    oracle=_reversed_pair_seen,
    sizes=Sizes((2, 4), (4, 5), (5, 8), (6, 16)),
    description=(
        "Says at each position whether the tokens of this position and the one before it have "
        "occurred side by side in the opposite order, ending before this position."
    ),
    why=(
        "A previous-token head feeds both the keys and the queries of the next head, as in "
        "induction, but with the pair swapped: the match needs both tokens in the wrong order."
    ),
    citation=INDUCTION_PAPER,
    tags=("in-context learning", "moving"),
    causal=True,
)

PROGRAMS = (
    CONTAINS_DUPLICATE,
    OCCURS_ONCE,
    MEMBERSHIP,
    DEDUPLICATE,
    PALINDROME,
    ANAGRAM_HALVES,
    HAMMING_DISTANCE,
    EDIT_OF_HALVES,
    SAME_MAJORITY,
    IN_LEFT_SIDE,
    SUBSET,
    SET_DIFFERENCE,
    JACCARD_INDEX,
    REVERSED_PAIR_SEEN,
)
