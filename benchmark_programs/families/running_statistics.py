"""Programs whose answer at a position is a statistic of the sequence so far."""

from fractions import Fraction
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import RASP_PAPER
from ..idioms import fraction_so_far
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

COUNTED = "a"


def _frac_prevs(xs: list[Any]) -> list[Value]:
    shares: list[Value] = []
    seen = 0
    for position, token in enumerate(xs, start=1):
        seen += token == COUNTED
        shares.append(float(Fraction(seen, position)))
    return shares


FRAC_PREVS = ProgramSpec(
    name="frac_prevs",
    family="running statistics",
    build=lambda _vocabulary, _length: fraction_so_far((rasp.tokens == COUNTED).named("is_a")),
    vocabulary=letters,
    oracle=_frac_prevs,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description="Gives at each position the share of tokens up to there that are `a`.",
    why=(
        "One number in one direction is the whole answer, so methods that compare token "
        "probabilities see nothing; attention spreads evenly and the mean carries the meaning."
    ),
    citation=RASP_PAPER,
    tags=("statistics",),
)

PROGRAMS = (FRAC_PREVS,)
