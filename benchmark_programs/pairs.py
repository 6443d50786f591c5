"""Pairs: programs that do the same in different ways, and different things in the same way.

A method that looks at behaviour alone cannot tell the first kind apart, and one that looks
at the shape of the circuit alone cannot tell the second. What each pair says of itself is
held by tests: equal or different answers, and equal or different circuits as compiled.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Pair:
    """Two programs of the library.

    Attributes:
        same: `behaviour`: they answer alike on every input, and their circuits
            differ; `mechanism`: the same edges are causal, and their answers differ.
        left: the name of the one.
        right: the name of the other.
        difference: what sets them apart.
    """

    same: Literal["behaviour", "mechanism"]
    left: str
    right: str
    difference: str


PAIRS: tuple[Pair, ...] = ()
