"""Pairs: programs that do the same in different ways, and different things in the same way.

A method that looks at behaviour alone cannot tell the first kind apart, and one that looks
at the shape of the circuit alone cannot tell the second. What each pair says of itself is
held by tests: equal or different answers; equal or different operations and, as compiled
alone, states of edges. Crowding places equal circuits differently.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Pair:
    """Two programs of the library.

    Attributes:
        same: `behaviour`: they answer alike on every input, by other operations;
            `mechanism`: the same operations are wired in the same way and every edge
            has the same state, and what they compare or compute differs, and so do
            their answers.
        left: the name of the one.
        right: the name of the other.
        difference: what sets them apart.
    """

    same: Literal["behaviour", "mechanism"]
    left: str
    right: str
    difference: str


PAIRS: tuple[Pair, ...] = (
    Pair(
        "behaviour",
        "histogram",
        "histogram_by_mean",
        "a head that counts equal tokens; a head that averages a mark over them",
    ),
    Pair(
        "behaviour",
        "histogram",
        "histogram_by_complement",
        "equal tokens counted; different tokens counted and subtracted from the length",
    ),
    Pair(
        "behaviour",
        "sort",
        "sort_by_comparison",
        "one head compares keys made unique; two heads compare tokens and break ties",
    ),
    Pair(
        "behaviour",
        "sort",
        "counting_sort",
        "tokens are moved to their places; each place works out which token it holds",
    ),
    Pair(
        "behaviour",
        "sort",
        "radix_sort",
        "all keys compared at once; sorted by one digit after the other",
    ),
    Pair("mechanism", "count", "length", "the keys that are counted: those that are `a`, or all"),
    Pair(
        "mechanism",
        "run_length",
        "ascending_run",
        "where a run starts: at another token, or at a smaller one",
    ),
    Pair(
        "mechanism",
        "backup_detector",
        "xor_of_facts",
        "what the second head looks for, and how both are joined: by or, or by exclusive or",
    ),
    Pair(
        "mechanism",
        "is_sorted",
        "contains_duplicate",
        "what an earlier token must be to end it: greater than this one, or equal",
    ),
)
