"""Programs that move tokens to other positions."""

from typing import Any

from ..compiler import rasp
from ..compiler.values import Value
from .citations import RASP_PAPER
from .program_spec import ProgramSpec
from .vocabularies import letters


def reversed_order(sop: rasp.SOp) -> rasp.SOp:
    """Return the values of `sop` from the last position to the first."""
    opposite = ((rasp.length - rasp.indices) - 1).named("opposite")
    at_opposite = rasp.Select(rasp.indices, opposite, rasp.Comparison.EQ).named("at_opposite")
    return rasp.Aggregate(at_opposite, sop).named("reverse")


def _reverse(xs: list[Any]) -> list[Value]:
    return xs[::-1]


REVERSE = ProgramSpec(
    name="reverse",
    build=lambda _vocabulary, _length: reversed_order(rasp.tokens),
    vocabulary=letters,
    oracle=_reverse,
    vocab=4,
    length=5,
    description="Gives the tokens in reverse order.",
    why=(
        "Half of the circuit computes the length, which is invisible to any method that "
        "compares inputs of one length only."
    ),
    citation=RASP_PAPER,
    tags=("moving", "selector width"),
)

PROGRAMS = (REVERSE,)
