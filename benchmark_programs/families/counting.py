"""Programs that count: attention whose width is the answer."""

from collections import Counter
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER, TRACR_PAPER
from ..idioms import count_equal, count_value
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

COUNTED = "a"


def count_all() -> rasp.SOp:
    """Return the length of the input, counted by attention to every token."""
    everywhere = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.TRUE).named("everywhere")
    return rasp.SelectorWidth(everywhere).named("length")


def _histogram(xs: list[Any]) -> list[Value]:
    totals = Counter(xs)
    return [totals[x] for x in xs]


def _count(xs: list[Any]) -> list[Value]:
    return [xs.count(COUNTED)] * len(xs)


def _length(xs: list[Any]) -> list[Value]:
    return [len(xs)] * len(xs)


HISTOGRAM = ProgramSpec(
    name="histogram",
    family="counting",
    build=lambda _vocabulary, _length: count_equal(rasp.tokens),
    vocabulary=letters,
    oracle=_histogram,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at each position how often its token occurs in the whole sequence.",
    why=(
        "The smallest program in which attention and an MLP must cooperate: the head measures "
        "one over the count, by its attention to BOS, and the MLP reads the count off it."
    ),
    citation=RASP_PAPER,
    tags=("counting",),
)

COUNT = ProgramSpec(
    name="count",
    family="counting",
    build=lambda _vocabulary, _length: count_value(rasp.tokens, COUNTED),
    vocabulary=letters,
    oracle=_count,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at every position how many tokens of the sequence are `a`.",
    why=(
        "Every query attends alike, so whatever a method finds on the query side of this head "
        "is an artefact."
    ),
    citation=TRACR_PAPER,
    tags=("constant output",),
)

LENGTH = ProgramSpec(
    name="length",
    family="counting",
    build=lambda _vocabulary, _length: count_all(),
    vocabulary=letters,
    oracle=_length,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at every position the length of the sequence.",
    why=(
        "No token matters, only how many there are: swapping tokens at a fixed length shows an "
        "empty circuit, and inputs of another length show the true one."
    ),
    citation=RASP_PAPER,
    tags=("constant output",),
)

PROGRAMS = (HISTOGRAM, COUNT, LENGTH)
