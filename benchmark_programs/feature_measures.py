"""Feature measures: what was measured of a task's features, and whether it is worth ranking on.

In few dimensions directions come near every feature without a look at the rows. A score is
normalised by that floor, so that where it is high a little luck counts as much as all that can
be had elsewhere. `measured_features.csv` holds the floors of every task that a suite of the
features track may hold; a script in `performance/` writes it, and the tests measure it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from .measures_table import Measures, kept_table

FILE = "measured_features.csv"
MOST_FLOOR = 0.75
"""The highest matched cosine of blind directions on tasks that methods are ranked on."""


@dataclass(frozen=True, kw_only=True)
class FeatureMeasures(Measures):
    """The features of a task in numbers, before the logits, with the rows of seed 0.

    Attributes:
        task: the canonical id.
        weights: the beginning of the sha256 of the weights.
        d_model: the width of the residual stream.
        classes: how many classes of features are asked for.
        directions: how many directions may be given.
        random: the mean matched cosine of directions drawn at random.
        spread: that of directions spread evenly over the sphere and turned at random.
    """

    weights: str
    d_model: int
    classes: int
    directions: int
    random: float
    spread: float

    @property
    def floor(self) -> float:
        """What can be had without a look at the rows."""
        return max(self.random, self.spread)

    @property
    def shortcomings(self) -> list[str]:
        """Why the task is not worth ranking methods on; empty where it is."""
        if self.floor <= MOST_FLOOR:
            return []
        return [
            f"blind directions have a matched cosine of {self.floor:.2f}, more than {MOST_FLOOR}"
        ]


@lru_cache(maxsize=1)
def measured_features() -> Mapping[str, FeatureMeasures]:
    """Return what was measured of features, by canonical task id."""
    return kept_table(FeatureMeasures, FILE)
