"""Relevance measures: what was measured of a task's tokens, and whether it is worth ranking on.

An answer that depends on every token so far is known from the positions alone, and one that
depends on every token, or on none, ranks nothing. `measured_relevance.csv` holds how much is left
on every task that a suite of the attribution track may hold; a script in `performance/` writes
it, and the tests measure it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from .measures_table import Measures, kept_table

FILE = "measured_relevance.csv"
MOST_PRIOR_OF_TASK = 0.5
"""The most that positions may earn on a task that methods are ranked on."""
LEAST_INPUTS = 32
"""In how many inputs there must be an answer whose tokens can be ranked: a quarter of them."""


@dataclass(frozen=True, kw_only=True)
class RelevanceMeasures(Measures):
    """The relevance of a task's tokens in numbers, with the inputs of seed 0.

    Attributes:
        task: the canonical id.
        weights: the beginning of the sha256 of the weights.
        answers: how many answers of the model there are, one at each position of each input.
        ranked: how many of them depend on some tokens and not on others.
        inputs: in how many inputs some answer does.
        random: the mean average precision of random orders; 0 where nothing is ranked.
        prior: what positions earn, learned from all other tasks of the table, on the scale from
            random (0) to oracle (1): by length and both positions or by distance, whichever
            earns more; 0 where nothing is ranked.
        labels: a digest of the sensitivities.
    """

    weights: str
    answers: int
    ranked: int
    inputs: int
    random: float
    prior: float
    labels: str

    @property
    def shortcomings(self) -> list[str]:
        """Why the task is not worth ranking methods on; empty where it is."""
        found = []
        if self.inputs < LEAST_INPUTS:
            found.append(
                f"{self.inputs} inputs have an answer whose tokens can be ranked, fewer than "
                f"{LEAST_INPUTS}"
            )
        if self.prior > MOST_PRIOR_OF_TASK:
            found.append(
                f"positions alone earn {self.prior:.2f} without looking, more than "
                f"{MOST_PRIOR_OF_TASK}"
            )
        return found


@lru_cache(maxsize=1)
def measured_relevance() -> Mapping[str, RelevanceMeasures]:
    """Return what was measured of the relevance of tokens, by canonical task id."""
    return kept_table(RelevanceMeasures, FILE)
