"""Programs that route by conditions: what an MLP finds decides which head is listened to."""

from functools import partial
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import EQ, choose, count_value, first_value, is_token, last_value, so_far, value_at
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters
from .truth_values import has, looked_back

FLIP_FLOP_PAPER = (
    "Bingbin Liu, Jordan T. Ash, Surbhi Goel, Akshay Krishnamurthy, Cyril Zhang. Exposing "
    "Attention Glitches with Flip-Flop Language Modeling. NeurIPS 2023. arXiv:2306.00946"
)
NOTHING = "-"


def count_multiplexer() -> rasp.SOp:
    """Return the number of `a` if the first token is `a`, and else the number of `b`."""
    selects_a = (first_value(rasp.tokens) == "a").named("selects_a")
    count_a = count_value(rasp.tokens, "a").named("count_a")
    count_b = count_value(rasp.tokens, "b").named("count_b")
    return choose(selects_a, count_a, count_b).named("count_multiplexer")


def copy_or_reverse() -> rasp.SOp:
    """Return the tokens as they are if the first is `a`, and else in reverse order."""
    forward = (first_value(rasp.tokens) == "a").named("forward")
    opposite = ((rasp.length - rasp.indices) - 1).named("opposite")
    place = choose(forward, rasp.indices, opposite).named("place")
    return value_at(rasp.tokens, place).named("copy_or_reverse")


def gated_lookback() -> rasp.SOp:
    """Return the token before at each `a`, and the one before that at other tokens."""
    near, far = looked_back(1, NOTHING), looked_back(2, NOTHING)
    return choose(is_token("a"), near, far).named("gated_lookback")


def _if_there(token: str, is_there: bool, otherwise: Value) -> Value:
    return token if is_there else otherwise


def priority_encoder() -> rasp.SOp:
    """Return the first of `a`, `b` and `c` that occurs in the sequence, else the last token."""
    answer = last_value(rasp.tokens)
    for token in "cba":
        first = partial(_if_there, token)
        answer = rasp.SequenceMap(first, has(token), answer).named(f"{token}_first")
    return answer.named("priority_encoder")


def flip_flop() -> rasp.SOp:
    """Return whether the latest write was `a` rather than `b`; `None` before the first write.

    The number of writes so far is the same at a write and at what follows it up to the next,
    so it serves as the address of the write that counts.
    """
    is_write = ((rasp.tokens == "a") | (rasp.tokens == "b")).named("is_write")
    written = rasp.Select(is_write, is_write, lambda key, _query: key).named("written")
    writes = rasp.SelectorWidth((written & so_far()).named("writes_so_far")).named("writes")
    latest = (rasp.Select(writes, writes, EQ) & written).named("latest_write")
    return rasp.Aggregate(latest, is_token("a")).named("flip_flop")


def _count_multiplexer(xs: list[Any]) -> list[Value]:
    return [xs.count("a" if xs[0] == "a" else "b")] * len(xs)


def _copy_or_reverse(xs: list[Any]) -> list[Value]:
    return xs if xs[0] == "a" else xs[::-1]


def _gated_lookback(xs: list[Any]) -> list[Value]:
    padded = [NOTHING, NOTHING, *xs]
    return [padded[i + 1] if x == "a" else padded[i] for i, x in enumerate(xs)]


def _priority_encoder(xs: list[Any]) -> list[Value]:
    return [next((token for token in "abc" if token in xs), xs[-1])] * len(xs)


def _flip_flop(xs: list[Any]) -> list[Value]:
    states: list[Value] = []
    state = None
    for x in xs:
        state = {"a": True, "b": False}.get(x, state)
        states.append(state)
    return states


COUNT_MULTIPLEXER = ProgramSpec(
    name="count_multiplexer",
    family="logic",
    build=lambda _vocabulary, _length: count_multiplexer(),
    vocabulary=letters,
    oracle=_count_multiplexer,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 12)),
    least_vocab=2,
    description=(
        "Gives at every position the number of `a` if the first token is `a`, and else the number "
        "of `b`."
    ),
    why=(
        "Both counts are always computed and one is thrown away: on inputs that begin alike a "
        "method sees half of the circuit, and the switch only on pairs that begin differently."
    ),
    tags=("conditions", "routing", "counting", "one answer"),
)

COPY_OR_REVERSE = ProgramSpec(
    name="copy_or_reverse",
    family="logic",
    build=lambda _vocabulary, _length: copy_or_reverse(),
    vocabulary=letters,
    oracle=_copy_or_reverse,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives the tokens as they are if the first token is `a`, and else in reverse order."
    ),
    why=(
        "The condition acts on the query of one head, not on its value: the head's pattern is "
        "diagonal on some inputs and anti-diagonal on others, and neither picture tells its role."
    ),
    tags=("conditions", "routing", "moving", "reversal"),
)

GATED_LOOKBACK = ProgramSpec(
    name="gated_lookback",
    family="logic",
    build=lambda _vocabulary, _length: gated_lookback(),
    vocabulary=letters,
    oracle=_gated_lookback,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives at each `a` the token before it, at other tokens the token two before; `-` where "
        "there is none."
    ),
    why=(
        "Two heads run at every position and the token decides after them which one is used, so "
        "that half of what is attended to is discarded and attention overstates what matters."
    ),
    tags=("conditions", "routing", "moving"),
    causal=True,
)

PRIORITY_ENCODER = ProgramSpec(
    name="priority_encoder",
    family="logic",
    build=lambda _vocabulary, _length: priority_encoder(),
    vocabulary=letters,
    oracle=_priority_encoder,
    sizes=Sizes((4, 3), (5, 5), (6, 8), (8, 16)),
    least_vocab=4,  # of `a`, `b` and `c` alone, the last token is `c` wherever it counts
    description=(
        "Gives at every position the first of `a`, `b` and `c` that occurs anywhere in the "
        "sequence, and the last token if none does."
    ),
    why=(
        "A chain of rules in which each hides all that follow: the head that fetches the last "
        "token runs on every input and counts on the few that hold none of three letters."
    ),
    tags=("conditions", "rare positives", "masking", "one answer"),
)

FLIP_FLOP = ProgramSpec(
    name="flip_flop",
    family="logic",
    build=lambda _vocabulary, _length: flip_flop(),
    vocabulary=letters,
    oracle=_flip_flop,
    sizes=Sizes((2, 4), (3, 7), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Says at each position whether the latest `a` or `b` up to there is an `a`; has no value "
        "before the first of them."
    ),
    why=(
        "One bit of memory without recurrence: a head counts writes, and another finds the latest "
        "by its number; all earlier writes are read as keys and none of them matters."
    ),
    citation=FLIP_FLOP_PAPER,
    tags=("conditions", "state"),
    causal=True,
)
