"""Programs that move or copy tokens to where other tokens say."""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import INDUCTION_PAPER
from ..idioms import (
    EQ,
    LEQ,
    count,
    earlier,
    fraction_so_far,
    later,
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
NTM_PAPER = "Alex Graves, Greg Wayne, Ivo Danihelka. Neural Turing Machines. 2014. arXiv:1410.5401"


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
