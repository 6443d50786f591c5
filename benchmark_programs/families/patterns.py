"""Programs that look for patterns of neighbouring tokens."""

from collections.abc import Sequence
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import TRACR_PAPER
from ..idioms import all_of, shifted
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

PATTERN = "abc"


def ends_pattern(sop: rasp.SOp, pattern: Sequence[Value]) -> rasp.SOp:
    """Return whether `pattern` ends at this position; `None` where there is no room for it."""
    matches = []
    for offset, value in enumerate(reversed(pattern)):
        match = (sop == value).named(f"is_{value}")
        matches.append(shifted(match, offset) if offset else match)
    return all_of(matches[::-1]).named("detect_pattern")


def _detect_pattern(xs: list[Any]) -> list[Value]:
    text = "".join(xs)
    room = len(PATTERN) - 1
    return [None if i < room else text[: i + 1].endswith(PATTERN) for i in range(len(text))]


DETECT_PATTERN = ProgramSpec(
    name="detect_pattern",
    family="patterns",
    build=lambda _vocabulary, _length: ends_pattern(rasp.tokens, PATTERN),
    vocabulary=letters,
    oracle=_detect_pattern,
    sizes=Sizes((3, 4), (3, 6), (5, 8), (8, 16)),
    least_vocab=3,
    description=(
        "Says at each position whether the last three tokens are `abc`; has no value at the "
        "first two."
    ),
    why=(
        "Heads that look back by a fixed number of positions, as previous-token heads of "
        "language models do, and a rare positive answer that random inputs seldom reach."
    ),
    citation=TRACR_PAPER,
    tags=("moving",),
    causal=True,
)

PROGRAMS = (DETECT_PATTERN,)
