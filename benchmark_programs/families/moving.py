"""Programs that move tokens to other positions."""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER
from ..idioms import reversed_order
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters


def _reverse(xs: list[Any]) -> list[Value]:
    return xs[::-1]


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
    tags=("moving",),
)

PROGRAMS = (REVERSE,)
