"""Controls: programs on which the right answer to some question is "none".

In some the output is constant, whatever has been computed before; in others it depends
on less than what the last MLP reads. Decoys are widths and means, which are numbers at
every position of every source: one that could be `None` would matter through that.
"""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import (
    choose,
    count_equal,
    count_value,
    earlier,
    fraction_of_all,
    fraction_so_far,
    is_token,
    same,
    somewhere,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

NOTHING = "-"
# Where nothing has an effect, no witness ends a search: many short inputs are searched fastest.
_SIZES = Sizes((2, 3), (10, 3), (10, 8), (10, 16))


def previous_token() -> rasp.SOp:
    """Return the token before this one, and `-` at the first position."""
    before = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query - key == 1)
    return rasp.Aggregate(before.named("before"), rasp.tokens, default=NOTHING).named("previous")


def first_of(value: rasp.SOp, ignored: rasp.SOp) -> rasp.SOp:
    """Return `value`, by a function of two arguments that ignores the second."""
    return rasp.SequenceMap(lambda x, _y: x, value, ignored)


def histogram_times_zero() -> rasp.SOp:
    """Return nought times the number of equal tokens."""
    return (count_equal(rasp.tokens) * 0).named("histogram_times_zero")


def excluded_middle() -> rasp.SOp:
    """Return whether there is an `a` so far, or none."""
    share = fraction_so_far(is_token("a"))
    seen, unseen = (share > 0).named("a_seen"), (share == 0).named("a_unseen")
    return (seen | unseen).named("excluded_middle")


def parity_of_double() -> rasp.SOp:
    """Return the parity of twice the number of equal tokens."""
    number = rasp.numerical(count_equal(rasp.tokens))
    twice = rasp.numerical(rasp.LinearSequenceMap(number, number, 1, 1)).named("twice")
    return rasp.Map(lambda n: n % 2, twice).named("parity_of_double")


def mean_of_ones() -> rasp.SOp:
    """Return the mean of a one for each equal token."""
    one = rasp.numerical(rasp.Map(lambda _token: 1, rasp.tokens)).named("one")
    alike = same(rasp.tokens).named("same_token")
    return rasp.numerical(rasp.Aggregate(alike, one, default=1)).named("mean_of_ones")


def count_minus_count() -> rasp.SOp:
    """Return the number of `a`, as a width, less the number of `a`, as share times length."""
    by_width = count_value(rasp.tokens, "a").named("by_width")
    share = fraction_of_all(is_token("a"))
    by_mean = rasp.SequenceMap(lambda x, n: round(x * n), share, rasp.length).named("by_mean")
    return (by_width - by_mean).named("count_minus_count")


def position_only() -> rasp.SOp:
    """Return whether the position is even, beside a count and a share that are ignored."""
    is_even = rasp.Map(lambda i: i % 2 == 0, rasp.indices).named("is_even")
    beside_count = first_of(is_even, count_equal(rasp.tokens)).named("beside_count")
    return first_of(beside_count, fraction_so_far(is_token("a"))).named("position_only")


def identity_beside_decoys() -> rasp.SOp:
    """Return the tokens, beside a count and a truth value that are ignored."""
    beside_count = first_of(rasp.tokens, count_equal(rasp.tokens)).named("beside_count")
    return first_of(beside_count, somewhere(is_token("a"))).named("identity_beside_decoys")


def gate_never_open() -> rasp.SOp:
    """Return the share of `a` so far, and one more after `b` if a count is both even and odd."""
    number = count_equal(rasp.tokens)
    even = rasp.Map(lambda n: n % 2 == 0, number).named("is_even")
    odd = rasp.Map(lambda n: n % 2 == 1, number).named("is_odd")
    gate = (even & odd).named("gate")
    b_seen = (fraction_so_far(is_token("b")).named("share_of_b") > 0).named("b_seen")
    gated = rasp.numerical(gate & b_seen).named("gated_b_seen")
    share = fraction_so_far(is_token("a")).named("share_of_a")
    return rasp.numerical(rasp.LinearSequenceMap(share, gated, 1, 1)).named("gate_never_open")


def silent_head() -> rasp.SOp:
    """Return the token before, unless a head finds a token that is `a` and `b` at once."""
    both = (is_token("a") & is_token("b")).named("is_a_and_b")
    impossible = rasp.Select(both, both, lambda key, _query: key).named("impossible")
    found = rasp.Aggregate(impossible, rasp.tokens, default=NOTHING).named("found")
    chosen = rasp.SequenceMap(lambda x, y: x if y == NOTHING else y, previous_token(), found)
    return chosen.named("silent_head")


def vacuous_choice() -> rasp.SOp:
    """Return the token before if `a` precedes this position, and else the token before."""
    share = rasp.Aggregate(earlier(), rasp.numerical(is_token("a")), default=0)
    condition = (rasp.numerical(share.named("share_of_a")) > 0).named("a_before")
    previous = previous_token()
    return choose(condition, previous, previous).named("vacuous_choice")


def _previous(xs: list[Any]) -> list[Value]:
    return [NOTHING, *xs[:-1]]


def _position_only(xs: list[Any]) -> list[Value]:
    return [i % 2 == 0 for i in range(len(xs))]


def _share_of_a(xs: list[Any]) -> list[Value]:
    return [xs[:end].count("a") / end for end in range(1, len(xs) + 1)]


HISTOGRAM_TIMES_ZERO = ProgramSpec(
    name="histogram_times_zero",
    family="controls",
    build=lambda _vocabulary, _length: histogram_times_zero(),
    vocabulary=letters,
    oracle=lambda xs: [0] * len(xs),
    sizes=_SIZES,
    description="Gives 0 at every position, as zero times the number of tokens equal to this one.",
    why=(
        "A histogram is computed in full and then multiplied away: a method that reports its head "
        "has taken activity, or attention to equal tokens, for an effect."
    ),
    tags=("constant", "counting", "attention patterns", "histograms"),
    control="The output is 0 on every input, so no edge matters.",
)

EXCLUDED_MIDDLE = ProgramSpec(
    name="excluded_middle",
    family="controls",
    build=lambda _vocabulary, _length: excluded_middle(),
    vocabulary=letters,
    oracle=lambda xs: [True] * len(xs),
    sizes=_SIZES,
    description="Says at each position that an `a` has occurred up to there or that none has.",
    why=(
        "Two variables vary with the input and are read by the last MLP, and one of them always "
        "holds: a method that finds a token to matter has looked at the parts and not at the "
        "whole, and one that finds an edge where both come from one MLP has moved a part of it."
    ),
    tags=("constant",),
    causal=True,
    control=(
        "The output is true on every input, so no token matters; where crowding puts the two "
        "halves in different MLPs, an interchange parts them and their edges are causal."
    ),
)

PARITY_OF_DOUBLE = ProgramSpec(
    name="parity_of_double",
    family="controls",
    build=lambda _vocabulary, _length: parity_of_double(),
    vocabulary=letters,
    oracle=lambda xs: [0] * len(xs),
    sizes=_SIZES,
    description="Gives the parity of twice the number of tokens equal to this one, which is 0.",
    why=(
        "The last MLP could tell odd numbers from even ones and is never given an odd one: a "
        "method that finds an edge has pushed activations to values that no input reaches, as "
        "ablation to a mean does."
    ),
    tags=("constant", "parity", "numbers"),
    control="The output is 0 on every input, so no edge matters.",
)

MEAN_OF_ONES = ProgramSpec(
    name="mean_of_ones",
    family="controls",
    build=lambda _vocabulary, _length: mean_of_ones(),
    vocabulary=letters,
    oracle=lambda xs: [1] * len(xs),
    sizes=_SIZES,
    description="Gives the mean, over the tokens so far that equal this one, of the number 1.",
    why=(
        "The pattern of the head follows the tokens and all that it moves is the same number: a "
        "method that finds an edge has read the pattern and left out the values."
    ),
    tags=("constant", "attention patterns"),
    causal=True,
    control="The output is 1 on every input, so no edge matters.",
)

COUNT_MINUS_COUNT = ProgramSpec(
    name="count_minus_count",
    family="controls",
    build=lambda _vocabulary, _length: count_minus_count(),
    vocabulary=letters,
    oracle=lambda xs: [0] * len(xs),
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 12)),
    description=(
        "Gives the number of `a` less the number of `a`, found once as a width and once as a share "
        "times the length: 0 at every position."
    ),
    why=(
        "Two routes cancel on every input, and edges are causal all the same, since an "
        "interchange changes one route alone: a method that finds features of the input to "
        "matter is wrong, one that finds the routes is right, and both look at one output."
    ),
    tags=("constant", "cancellation", "counting"),
    control=(
        "The output is 0 on every input, so no token matters; edges may be causal all the same, "
        "since an interchange of one route breaks the cancellation."
    ),
)

POSITION_ONLY = ProgramSpec(
    name="position_only",
    family="controls",
    build=lambda _vocabulary, _length: position_only(),
    vocabulary=letters,
    oracle=_position_only,
    sizes=_SIZES,
    description="Says at each position whether its number, from 0 on, is even.",
    why=(
        "Two heads bring a count and a share of tokens to MLPs that ignore them: a method that "
        "finds a token or a head to matter has taken being read for being used, or the change "
        "from position to position for an effect of the tokens there."
    ),
    tags=("positions", "decoys"),
    control="The output depends on the position only, so no token and no head matters.",
)

IDENTITY_BESIDE_DECOYS = ProgramSpec(
    name="identity_beside_decoys",
    family="controls",
    build=lambda _vocabulary, _length: identity_beside_decoys(),
    vocabulary=letters,
    oracle=lambda xs: xs,
    sizes=_SIZES,
    least_vocab=2,
    description="Gives each token as it is.",
    why=(
        "The circuit runs from the embedding through two MLPs past all heads, though both MLPs "
        "read heads too: a method that finds a head has expected attention where none is needed."
    ),
    tags=("copying", "decoys"),
    control="Each output depends on its own token only, so no head matters.",
)

GATE_NEVER_OPEN = ProgramSpec(
    name="gate_never_open",
    family="controls",
    build=lambda _vocabulary, _length: gate_never_open(),
    vocabulary=letters,
    oracle=_share_of_a,
    sizes=_SIZES,
    least_vocab=2,
    description="Gives at each position the share of tokens up to there that are `a`.",
    why=(
        "The share of `b` is computed as that of `a` is, and what is made of it stands before a "
        "gate that no input opens: a method that finds it has opened the gate by an ablation, or "
        "has been led by the likeness of two heads."
    ),
    tags=("statistics", "decoys", "conditions"),
    causal=True,
    control="The share of `b` and the gate before it have no effect, since the gate is never open.",
)

SILENT_HEAD = ProgramSpec(
    name="silent_head",
    family="controls",
    build=lambda _vocabulary, _length: silent_head(),
    vocabulary=letters,
    oracle=_previous,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description="Gives at each position the token before it, and `-` at the first.",
    why=(
        "A head looks for what cannot be and rests on BOS always, with queries, keys and values "
        "wired and a reader that would heed it: a method that finds it has gone by weights alone."
    ),
    tags=("moving", "decoys", "attention patterns"),
    causal=True,
    control="One of two heads never selects a position, so neither it nor what it reads matters.",
)

VACUOUS_CHOICE = ProgramSpec(
    name="vacuous_choice",
    family="controls",
    build=lambda _vocabulary, _length: vacuous_choice(),
    vocabulary=letters,
    oracle=_previous,
    sizes=_SIZES,
    least_vocab=2,
    description=(
        "Gives at each position the token before it, and `-` at the first, whether or not an `a` "
        "has occurred."
    ),
    why=(
        "A condition decides between two branches that hold the same: activations inside the MLP "
        "change with it and the output does not, so a method that finds the condition has stopped "
        "at the activations."
    ),
    tags=("moving", "decoys", "conditions"),
    control="The condition chooses between equal branches, so neither it nor its head matters.",
)
