"""Aggregates: one number for the scores of many tasks.

The mean, the interquartile mean (Agarwal et al. 2021, arXiv:2108.13264) and the worst decile
are one thing: the average over a range of the tasks, put in order from worst to best. A task on
the border of a range counts for the part of it that lies inside, so that no task comes or goes at
once; where borders fall between tasks, the interquartile mean is that of `scipy.stats.trim_mean`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Aggregate:
    """The average over a range of tasks in order from worst to best.

    Attributes:
        start: the share of tasks below the range, in 0..1.
        end: the share of tasks up to its end, in 0..1.
    """

    start: float
    end: float

    def weights(self, up_to: Float[np.ndarray, "*batch task"]) -> Float[np.ndarray, "*batch task"]:
        """Return what each task counts, from worst to best; the sum is 1.

        Args:
            up_to: the share of tasks up to and with each, ending with 1: `1/n, 2/n, ...`
                where each counts once, and otherwise in a resample.
        """
        inside = np.clip(up_to, self.start, self.end)
        return np.diff(inside, axis=-1, prepend=self.start) / (self.end - self.start)

    def of(self, scores: Float[np.ndarray, "*batch task"]) -> Float[np.ndarray, "*batch"]:
        """Return the aggregate over the last axis.

        Example:
            >>> float(AGGREGATES["interquartile_mean"].of(np.array([0.0, 0.4, 0.6, 9.0])))
            0.5
        """
        tasks = scores.shape[-1]
        return np.sort(scores, axis=-1) @ self.weights(np.arange(1, tasks + 1) / tasks)


AGGREGATES: Mapping[str, Aggregate] = {
    "mean": Aggregate(0.0, 1.0),
    "interquartile_mean": Aggregate(0.25, 0.75),
    "worst_decile": Aggregate(0.0, 0.1),
}
"""The aggregates by name; methods are ordered by the first."""
