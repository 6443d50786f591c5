"""The prior floor of the `attribution` track: what positions tell, without opening the model.

Two answers are learned from the other tasks of a suite. One is how often the token at an input
position mattered to the answer at an output position, in inputs of that length; the other is
the same by the distance between the two alone, whatever the length. For Spearman's correlation
the means are those of the Shapley values. As for circuits, the answer with the higher mean over
the suite is the floor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from jaxtyping import Float

from ..ground_truth import Relevance
from .attribution_metrics import SPEARMAN, means
from .floors import PriorFloor

LEVELS = ("positions", "distance")
"""What tells two answers, the finer and the coarser."""


@dataclass(frozen=True, eq=False)
class PlaceTotals:
    """Sums of a label over pairs of positions, and how many pairs there were.

    Attributes:
        sums: by length less one, output position and input position.
        counts: likewise.
    """

    sums: Float[np.ndarray, "n n n"]
    counts: Float[np.ndarray, "n n n"]

    @classmethod
    def of(cls, labels: np.ndarray, lengths: np.ndarray, n: int) -> "PlaceTotals":
        """Return the totals of labels `[rows, m, m]`, for lengths up to `n`, at least `m`."""
        sums, counts = np.zeros((2, n, n, n))
        for length in np.unique(lengths).tolist():
            rows = lengths == length
            sums[length - 1, :length, :length] = labels[rows, :length, :length].sum(axis=0)
            counts[length - 1, :length, :length] = rows.sum()
        return cls(sums, counts)

    def __add__(self, other: "PlaceTotals") -> "PlaceTotals":
        """Return the totals of both."""
        return PlaceTotals(self.sums + other.sums, self.counts + other.counts)

    def __sub__(self, part: "PlaceTotals") -> "PlaceTotals":
        """Return these totals without a part that is in them."""
        return PlaceTotals(self.sums - part.sums, self.counts - part.counts)

    def means_by_distance(self) -> Float[np.ndarray, "n n"]:
        """Return the mean by output and input position, over all pairs that are as far apart.

        Where there are none, it is the mean of all pairs.
        """
        n = len(self.sums)
        distance = np.arange(n) - np.arange(n)[:, None] + n - 1
        sums, counts = np.zeros((2, 2 * n - 1))
        np.add.at(sums, distance, self.sums.sum(axis=0))
        np.add.at(counts, distance, self.counts.sum(axis=0))
        of_all = _ratio(sums.sum(keepdims=True), counts.sum(keepdims=True), np.zeros(1))
        return _ratio(sums, counts, of_all)[distance]

    def means_by_place(self) -> Float[np.ndarray, "n n n"]:
        """Return the mean by length, output and input position; else by distance."""
        return _ratio(self.sums, self.counts, self.means_by_distance())


def _ratio(sums: np.ndarray, counts: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Return means, and something else where there is nothing to take a mean of."""
    return np.where(counts > 0, sums / np.maximum(counts, 1.0), otherwise)


def prior_floors(suite: Mapping[str, Relevance]) -> dict[str, PriorFloor]:
    """Return the prior floor of every metric, each task learned from the others.

    One answer is by length and both positions, the other by distance. In a suite of one task
    both are constant.

    Args:
        suite: the labels of every task, by task id.
    """
    of_sensitivity = _floors(suite, {task: one.sensitivity for task, one in suite.items()})
    shapley = {task: one.shapley for task, one in suite.items() if one.shapley is not None}
    of_shapley = _floors(suite, shapley)
    found = {name: floor for name, floor in of_sensitivity.items() if name != SPEARMAN}
    return found | {name: floor for name, floor in of_shapley.items() if name == SPEARMAN}


def _floors(
    suite: Mapping[str, Relevance], labels: Mapping[str, np.ndarray]
) -> dict[str, PriorFloor]:
    """Return what the means of a label over the other tasks earn, by metric."""
    n = max((one.shape[1] for one in labels.values()), default=0)
    totals = {task: PlaceTotals.of(one, suite[task].lengths, n) for task, one in labels.items()}
    whole = reduce(PlaceTotals.__add__, totals.values()) if totals else None
    earned: dict[str, dict[str, dict[str, float]]] = {}
    for task, own in totals.items():
        assert whole is not None
        others, relevance = whole - own, suite[task]
        m = relevance.sensitivity.shape[1]
        by_place = others.means_by_place()[relevance.lengths - 1, :m, :m]
        by_distance = np.broadcast_to(others.means_by_distance()[:m, :m], by_place.shape)
        for level, answer in zip(LEVELS, (by_place, by_distance), strict=True):
            rounded = answer.astype(np.float32)  # as every answer is; so that ties stay ties
            for name, value in means(relevance, rounded).items():
                earned.setdefault(name, {level: {} for level in LEVELS})[level][task] = value
    return {name: PriorFloor(answers) for name, answers in earned.items()}
