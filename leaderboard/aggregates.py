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

    @property
    def is_trimmed(self) -> bool:
        """Whether both the worst and the best tasks are left out, so that none can move it far."""
        return self.start > 0 and self.end < 1

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
        weights = self.weights(np.arange(1, tasks + 1) / tasks)
        return np.asarray(np.sort(scores, axis=-1) @ weights)

    def with_error(
        self,
        in_order: Float[np.ndarray, "method task"],
        up_to: Float[np.ndarray, "resample task"],
    ) -> tuple[Float[np.ndarray, "method resample"], Float[np.ndarray, "method resample"]]:
        """Return the aggregate of every method in every resample, and its standard error.

        The error is that of Tukey and McLaughlin (1963): the standard deviation of the scores with
        those outside the range moved to its borders, over `end - start` and the square root of
        the number of tasks.

        Args:
            in_order: scores, from worst to best.
            up_to: as for `weights`, for each resample; the methods share the resamples.
        """
        tasks, width = in_order.shape[1], self.end - self.start
        weights = self.weights(up_to).T
        value, square = in_order @ weights, in_order**2 @ weights
        mean, square = width * value, width * square
        for share, border in ((self.start, self.start), (1 - self.end, self.end)):
            if share:  # the score at the border is the first that reaches it
                at = in_order[:, (up_to < border - _TOLERANCE).sum(axis=1)]
                mean += share * at
                square += share * at**2
        spread = square - mean**2
        # Rounding leaves a spread where all scores are one.
        spread[spread < _TOLERANCE * (1 + mean**2)] = 0.0
        return value, np.sqrt(spread / (tasks - 1)) / width


_TOLERANCE = 1e-12

AGGREGATES: Mapping[str, Aggregate] = {
    "mean": Aggregate(0.0, 1.0),
    "interquartile_mean": Aggregate(0.25, 0.75),
    "worst_decile": Aggregate(0.0, 0.1),
}
"""The aggregates by name; methods are ordered by the first."""
