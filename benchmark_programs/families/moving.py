"""Programs that move tokens to other positions: by place, by content, or by what was counted.

A head gathers (each query names the position it wants) or scatters (each key names the
position it goes to); what differs between the programs is how the name is computed.
"""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import INDUCTION_PAPER, RASP_PAPER
from ..idioms import (
    EQ,
    LEQ,
    count,
    count_value,
    earlier,
    first_value,
    fraction_so_far,
    last_value,
    later,
    reversed_order,
    same,
    shifted,
    so_far,
    value_at,
    where,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import characters, digits, letters

LETTER = "a"
GAP = "_"
ROTATION = 2
NTM_PAPER = "Alex Graves, Greg Wayne, Ivo Danihelka. Neural Turing Machines. 2014. arXiv:1410.5401"
_ELSEWHERE = ""


def shift() -> rasp.SOp:
    """Return the tokens one position later, the first one at its own place too."""
    before = shifted(rasp.tokens, 1, _ELSEWHERE).named("previous")
    return rasp.SequenceMap(lambda last, own: last or own, before, rasp.tokens).named("shift")


def rotate_by_constant() -> rasp.SOp:
    """Return the tokens rotated to the left by two positions."""
    source = rasp.SequenceMap(
        lambda place, length: (place + ROTATION) % length, rasp.indices, rasp.length
    )
    return value_at(rasp.tokens, source.named("source")).named("rotate_by_constant")


def rotate_by_count() -> rasp.SOp:
    """Return the tokens rotated to the left, by one position for each letter."""
    ahead = (rasp.indices + count_value(rasp.tokens, LETTER)).named("ahead")
    source = rasp.SequenceMap(lambda place, length: place % length, ahead, rasp.length)
    return value_at(rasp.tokens, source.named("source")).named("rotate_by_count")


def swap_neighbours() -> rasp.SOp:
    """Return the tokens with those at positions 0 and 1 swapped, 2 and 3, and so on."""
    partner = rasp.Map(lambda place: place ^ 1, rasp.indices).named("partner")
    across = value_at(rasp.tokens, partner, default=_ELSEWHERE).named("across")
    either = rasp.SequenceMap(lambda other, own: other or own, across, rasp.tokens)
    return either.named("swap_neighbours")


def interleave_halves() -> rasp.SOp:
    """Return the tokens of the first half and of the second by turns."""
    source = rasp.SequenceMap(
        lambda place, length: place // 2 + place % 2 * ((length + 1) // 2),
        rasp.indices,
        rasp.length,
    )
    return value_at(rasp.tokens, source.named("source")).named("interleave_halves")


def swap_ends() -> rasp.SOp:
    """Return the tokens with the first and the last swapped."""
    from_last = rasp.SequenceMap(
        lambda place, last: last if place == 0 else _ELSEWHERE,
        rasp.indices,
        last_value(rasp.tokens),
    ).named("from_last")
    is_last = (rasp.indices == (rasp.length - 1).named("last_place")).named("is_last")
    from_first = rasp.SequenceMap(
        lambda here, first: first if here else _ELSEWHERE, is_last, first_value(rasp.tokens)
    ).named("from_first")
    ends = rasp.SequenceMap(lambda x, y: x or y, from_last, from_first).named("from_ends")
    return rasp.SequenceMap(lambda x, own: x or own, ends, rasp.tokens).named("swap_ends")


def induction() -> rasp.SOp:
    """Return the token after the last earlier occurrence of this token (causal).

    Occurrences are numbered, so that the head can ask for the one before this one.
    """
    occurrence = count(same(rasp.tokens)).named("occurrence")
    wanted = (occurrence - 1).named("last_occurrence")
    follows_token = rasp.Select(shifted(rasp.tokens, 1).named("token_before"), rasp.tokens, EQ)
    follows_last = rasp.Select(shifted(occurrence, 1).named("occurrence_before"), wanted, EQ)
    follows = (follows_token & follows_last).named("follows")
    return rasp.Aggregate(follows, rasp.tokens).named("induction")


def previous_run() -> rasp.SOp:
    """Return the last earlier token that differs from this one (causal)."""
    starts = (rasp.tokens != shifted(rasp.tokens, 1)).named("starts_run")
    run = count(where(starts, True).named("starts_so_far")).named("run_number")
    run_before = rasp.Select(run, (run - 1).named("number_before"), EQ).named("run_before")
    return rasp.Aggregate(run_before, rasp.tokens).named("previous_run")


def repeat_digits(greatest: int) -> rasp.SOp:
    """Return each digit repeated as often as it says, as far as the length reaches.

    The digits up to a position sum to where its copies end. The digit to copy is the
    first that ends later than here, so its position is the number of those that do not.
    """
    end = None
    for least in range(1, greatest + 1):
        reaches = (rasp.tokens >= least).named(f"at_least_{least}")
        number = count(where(reaches, True) & so_far()).named(f"number_at_least_{least}")
        end = number if end is None else (end + number).named(f"sum_up_to_{least}")
    assert end is not None
    used = count(rasp.Select(end, rasp.indices, LEQ).named("ended")).named("used_up")
    return value_at(rasp.tokens, used).named("repeat_digits")


def duplicate_letter() -> rasp.SOp:
    """Return the tokens with the letter doubled wherever it stands (causal)."""
    holds = (rasp.tokens == LETTER).named(f"is_{LETTER}")
    before = count(where(holds, True) & earlier()).named("letters_before")
    first = (rasp.indices + before).named("first_copy")
    second = rasp.SequenceMap(lambda twice, place: place + twice, holds, first).named("second_copy")
    goes_first = rasp.Select(first, rasp.indices, EQ)
    goes_second = rasp.Select(second, rasp.indices, EQ)
    copies = (goes_first | goes_second).named("copies")
    return rasp.Aggregate(copies, rasp.tokens).named("duplicate_letter")


def forward_fill() -> rasp.SOp:
    """Return the tokens with each gap filled by the last letter before it (causal)."""
    is_letter = (rasp.tokens != GAP).named("is_letter")
    letters_so_far = count(where(is_letter, True)).named("letters_so_far")
    last_letter = (same(letters_so_far) & where(is_letter, True)).named("last_letter")
    return rasp.Aggregate(last_letter, rasp.tokens).named("forward_fill")


def reverse_words() -> rasp.SOp:
    """Return the tokens with each word, a stretch of letters between gaps, reversed in place.

    A gap is taken for a word of its own, which stays where it is.
    """
    is_gap = (rasp.tokens == GAP).named("is_gap")
    gaps = count(where(is_gap, True) & so_far()).named("gaps_so_far")
    word = rasp.SequenceMap(lambda number, gap: 2 * number - gap, gaps, is_gap).named("word")
    from_start = count((same(word) & earlier()).named("before_in_word")).named("from_start")
    from_end = count((same(word) & later()).named("after_in_word")).named("from_end")
    opposite = same(word) & rasp.Select(from_start, from_end, EQ)
    return rasp.Aggregate(opposite.named("opposite"), rasp.tokens).named("reverse_words")


def copy_after_gap() -> rasp.SOp:
    """Return, after the first gap, the tokens before it in their order (causal)."""
    share = fraction_so_far((rasp.tokens == GAP).named("is_gap")).named("share_of_gaps")
    is_head = (share == 0).named("is_head")
    head = count(where(is_head, True).named("in_head")).named("head_length")
    past = (rasp.indices - head).named("places_past")
    source = rasp.SequenceMap(
        lambda past, head: past - 1 if 0 < past <= head else None, past, head
    ).named("source")
    return value_at(rasp.tokens, source).named("copy_after_gap")


def queue() -> rasp.SOp:
    """Return at the k-th gap the k-th letter, if it came before (causal)."""
    is_gap = (rasp.tokens == GAP).named("is_gap")
    gaps = count(where(is_gap, True).named("gap_so_far")).named("gaps_so_far")
    letters_so_far = ((rasp.indices + 1).named("tokens_so_far") - gaps).named("letters_so_far")
    wanted = rasp.SequenceMap(lambda gap, number: number if gap else None, is_gap, gaps)
    number = rasp.SequenceMap(
        lambda gap, number: None if gap else number, is_gap, letters_so_far
    ).named("letter_number")
    served = rasp.Select(number, wanted.named("wanted"), EQ).named("served")
    return rasp.Aggregate(served, rasp.tokens).named("queue")


def _reverse(xs: list[Any]) -> list[Value]:
    return xs[::-1]


def _rotate_by_constant(xs: list[Any]) -> list[Value]:
    shift = ROTATION % len(xs)
    return xs[shift:] + xs[:shift]


def _rotate_by_count(xs: list[Any]) -> list[Value]:
    shift = xs.count(LETTER)
    return xs[shift:] + xs[:shift]


def _swap_neighbours(xs: list[Any]) -> list[Value]:
    swapped: list[Value] = []
    for i in range(0, len(xs), 2):
        swapped += xs[i : i + 2][::-1]
    return swapped


def _interleave_halves(xs: list[Any]) -> list[Value]:
    half = (len(xs) + 1) // 2
    mixed = xs.copy()
    mixed[::2], mixed[1::2] = xs[:half], xs[half:]
    return mixed


def _swap_ends(xs: list[Any]) -> list[Value]:
    return xs if len(xs) == 1 else [xs[-1], *xs[1:-1], xs[0]]


def _induction(xs: list[Any]) -> list[Value]:
    follower: dict[Any, Value] = {}
    answers: list[Value] = []
    for i, x in enumerate(xs):
        if i:
            follower[xs[i - 1]] = x
        answers.append(follower.get(x))
    return answers


def _previous_run(xs: list[Any]) -> list[Value]:
    return [next((y for y in xs[i::-1] if y != x), None) for i, x in enumerate(xs)]


def _repeat_digits(xs: list[Any]) -> list[Value]:
    copies = [x for x in xs for _ in range(x)]
    return (copies + [None] * len(xs))[: len(xs)]


def _duplicate_letter(xs: list[Any]) -> list[Value]:
    return [x for x in xs for _ in range(2 if x == LETTER else 1)][: len(xs)]


def _forward_fill(xs: list[Any]) -> list[Value]:
    last: Value = None
    return [last := x if x != GAP else last for x in xs]


def _reverse_words(xs: list[Any]) -> list[Value]:
    return list(GAP.join(word[::-1] for word in "".join(xs).split(GAP)))


def _copy_after_gap(xs: list[Any]) -> list[Value]:
    head = xs.index(GAP) if GAP in xs else len(xs)
    return ([None] * (head + 1) + xs[:head] + [None] * len(xs))[: len(xs)]


def _queue(xs: list[Any]) -> list[Value]:
    waiting: list[Value] = [x for x in xs if x != GAP]
    answers: list[Value] = []
    for i, x in enumerate(xs):
        k = xs[: i + 1].count(GAP)
        came = i + 1 - k
        answers.append(waiting[k - 1] if x == GAP and came >= k else None)
    return answers


REVERSE = ProgramSpec(
    name="reverse",
    family="moving",
    build=lambda _vocabulary, _length: reversed_order(rasp.tokens),
    vocabulary=letters,
    oracle=_reverse,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives the tokens in reverse order.",
    why=(
        "Half of the circuit computes the length, which is invisible to any method that "
        "compares inputs of one length only."
    ),
    citation=RASP_PAPER,
    tags=("reversal", "positions"),
)

SHIFT = ProgramSpec(
    name="shift",
    family="moving",
    build=lambda _vocabulary, _length: shift(),
    vocabulary=letters,
    oracle=lambda xs: [xs[0], *xs[:-1]],
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at each position the token before it, and at the first its own.",
    why=(
        "A previous-token head: its pattern is fixed by position and what it moves by content. "
        "Only at the first position, where it finds nothing, does the path past it count."
    ),
    tags=("copying", "positions"),
    causal=True,
)

ROTATE_BY_CONSTANT = ProgramSpec(
    name="rotate_by_constant",
    family="moving",
    build=lambda _vocabulary, _length: rotate_by_constant(),
    vocabulary=letters,
    oracle=_rotate_by_constant,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives the tokens rotated to the left by two positions.",
    why=(
        "At all but the last two positions the source is two ahead whatever the length is: the "
        "head that finds the length matters only where the rotation wraps around."
    ),
    tags=("copying", "positions"),
)

ROTATE_BY_COUNT = ProgramSpec(
    name="rotate_by_count",
    family="moving",
    build=lambda _vocabulary, _length: rotate_by_count(),
    vocabulary=letters,
    oracle=_rotate_by_count,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives the tokens rotated to the left by as many positions as there are tokens `a`."
    ),
    why=(
        "Two heads count side by side, and the head that moves tokens needs both numbers: of a "
        "token's two ways to the output, one is as content and one is as amount."
    ),
    tags=("counting", "positions"),
)

SWAP_NEIGHBOURS = ProgramSpec(
    name="swap_neighbours",
    family="moving",
    build=lambda _vocabulary, _length: swap_neighbours(),
    vocabulary=letters,
    oracle=_swap_neighbours,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives the tokens with each one at an even position swapped with the next, if there is one."
    ),
    why=(
        "One head moves every token but a last one without a partner, which the MLP takes from the "
        "residual stream: the direct path matters on inputs of odd length only."
    ),
    tags=("positions",),
)

INTERLEAVE_HALVES = ProgramSpec(
    name="interleave_halves",
    family="moving",
    build=lambda _vocabulary, _length: interleave_halves(),
    vocabulary=letters,
    oracle=_interleave_halves,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives the tokens of the first half and of the second by turns; an odd one belongs to the "
        "first."
    ),
    why=(
        "The perfect shuffle of cards: half of the sources do not depend on the length, so that "
        "patching the length head changes odd positions only."
    ),
    tags=("positions",),
)

SWAP_ENDS = ProgramSpec(
    name="swap_ends",
    family="moving",
    build=lambda _vocabulary, _length: swap_ends(),
    vocabulary=letters,
    oracle=_swap_ends,
    sizes=Sizes((2, 4), (3, 5), (6, 8), (8, 16)),
    description="Gives the tokens with the first and the last swapped.",
    why=(
        "Two heads fetch the same values for every position, and MLPs decide where they count: "
        "attention says nothing of where the output depends on a head."
    ),
    tags=("positions", "routing"),
)

INDUCTION = ProgramSpec(
    name="induction",
    family="moving",
    build=lambda _vocabulary, _length: induction(),
    vocabulary=letters,
    oracle=_induction,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives at each position the token that followed the last earlier occurrence of its token, "
        "if any."
    ),
    why=(
        "Induction as found in language models, here with the latest match alone: previous-token "
        "heads write keys, and a count of occurrences breaks the tie between matches."
    ),
    citation=INDUCTION_PAPER,
    tags=("copying", "in-context learning", "counting"),
    causal=True,
)

PREVIOUS_RUN = ProgramSpec(
    name="previous_run",
    family="moving",
    build=lambda _vocabulary, _length: previous_run(),
    vocabulary=letters,
    oracle=_previous_run,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Gives at each position the last token before it that differs from its own, if any."
    ),
    why=(
        "The last head reads a whole run of equal tokens at once: where the run is long, losing "
        "one of its keys leaves the answer as it is."
    ),
    tags=("runs", "copying"),
    causal=True,
)

REPEAT_DIGITS = ProgramSpec(
    name="repeat_digits",
    family="moving",
    build=lambda vocabulary, _length: repeat_digits(len(vocabulary) - 1),
    vocabulary=digits,
    oracle=_repeat_digits,
    sizes=Sizes((2, 4), (4, 5), (4, 8), (4, 12)),
    least_vocab=2,
    description=(
        "Gives each digit in turn, as often as it says, cut at the length of the input; the rest "
        "has no value."
    ),
    why=(
        "Heads side by side count one level of the digits each, and only their sum tells where a "
        "copy ends; another head then searches the sums by counting those that are passed."
    ),
    tags=("numbers", "counting"),
)

DUPLICATE_LETTER = ProgramSpec(
    name="duplicate_letter",
    family="moving",
    build=lambda _vocabulary, _length: duplicate_letter(),
    vocabulary=letters,
    oracle=_duplicate_letter,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives the tokens with each `a` written twice, cut at the length of the input.",
    why=(
        "A head whose pattern is a union: keys offer two places, which differ for one letter only, "
        "and one early `a` moves all that follow."
    ),
    tags=("counting", "positions"),
    causal=True,
)

FORWARD_FILL = ProgramSpec(
    name="forward_fill",
    family="moving",
    build=lambda _vocabulary, _length: forward_fill(),
    vocabulary=characters(GAP),
    oracle=_forward_fill,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description="Gives the tokens with each gap `_` replaced by the last letter before it, if any.",
    why=(
        "At a letter the answer is in the residual stream, yet the head brings it from there by "
        "attending to itself; only gaps show that it looks back."
    ),
    tags=("copying", "counting"),
    causal=True,
)

REVERSE_WORDS = ProgramSpec(
    name="reverse_words",
    family="moving",
    build=lambda _vocabulary, _length: reverse_words(),
    vocabulary=characters(GAP),
    oracle=_reverse_words,
    sizes=Sizes((2, 4), (3, 6), (5, 8), (8, 16)),
    least_vocab=2,
    description="Gives the tokens with each stretch of letters between gaps `_` reversed in place.",
    why=(
        "Two counting heads, one to each side, restricted by the same word number that the last "
        "head uses: a value with three readers, in queries and in keys."
    ),
    tags=("counting", "positions", "words", "reversal"),
)

COPY_AFTER_GAP = ProgramSpec(
    name="copy_after_gap",
    family="moving",
    build=lambda _vocabulary, _length: copy_after_gap(),
    vocabulary=characters(GAP),
    oracle=_copy_after_gap,
    sizes=Sizes((2, 4), (3, 6), (5, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives after the first gap `_` the tokens that stood before it, in order; the rest "
        "has no value."
    ),
    why=(
        "The copying task of sequence models: the place to copy from is a difference of a position "
        "and a count that stops growing at the gap."
    ),
    citation=NTM_PAPER,
    tags=("copying", "positions"),
    causal=True,
)

QUEUE = ProgramSpec(
    name="queue",
    family="moving",
    build=lambda _vocabulary, _length: queue(),
    vocabulary=characters(GAP),
    oracle=_queue,
    sizes=Sizes((2, 4), (3, 6), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives at the k-th gap `_` the k-th letter, if it stood before; has no value elsewhere."
    ),
    why=(
        "First come, first served without a memory: letters and gaps are numbered by one head, and "
        "another matches the two numberings, which meet at distances that vary."
    ),
    tags=("counting", "copying"),
    causal=True,
)

PROGRAMS = (
    REVERSE,
    SHIFT,
    ROTATE_BY_CONSTANT,
    ROTATE_BY_COUNT,
    SWAP_NEIGHBOURS,
    INTERLEAVE_HALVES,
    SWAP_ENDS,
    INDUCTION,
    PREVIOUS_RUN,
    REPEAT_DIGITS,
    DUPLICATE_LETTER,
    QUEUE,
    FORWARD_FILL,
    REVERSE_WORDS,
    COPY_AFTER_GAP,
)
