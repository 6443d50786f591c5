"""Bootstrap intervals: of a metric on one task, and of a mean over tasks or over groups.

All are percentile intervals of `scipy.stats.bootstrap`, the same for the same
seed. The percentile method is used, since the bias-corrected one is undefined
where all resamples agree, which a perfect answer brings about.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Real

from ..errors import AnswerError

RankingMetric = Callable[[np.ndarray, np.ndarray], np.ndarray | np.float64]
CONFIDENCE = 0.95
"""The coverage that intervals aim at."""
RESAMPLES_OF_MEANS = 10_000
"""How often values are drawn anew for the interval of a mean."""
_ELEMENTS_AT_ONCE = 2**20


@dataclass(frozen=True)
class Interval:
    """An interval with its two ends, in the units of the metric."""

    low: float
    high: float

    def __str__(self) -> str:
        """Return the interval as `[0.79, 0.86]`."""
        return f"[{self.low:.2f}, {self.high:.2f}]"


def metric_interval(
    scores: Real[np.ndarray, " item"],
    positive: Bool[np.ndarray, " item"],
    metric: RankingMetric,
    *,
    seed: int,
    resamples: int = 1000,
) -> Interval:
    """Return the interval of a ranking metric on one task, by resampling items.

    Positives and negatives are drawn apart, so that each resample has as many
    of either as the task. A class of one item is kept as it is. It says how
    much the metric hangs on single items; it does not speak of other tasks. On
    normal scores, 95% intervals of average precision held its mean 89% of the
    time with 8 positives, and 94% with 20.

    Args:
        scores: one number per item.
        positive: which items are positive.
        metric: a function of `ranking_metrics`, which takes scores `[..., item]`.
        seed: the same seed gives the same interval.
        resamples: how many resamples are drawn.

    Raises:
        AnswerError: the metric cannot be computed on these scores.
    """
    metric(scores, positive)  # raises where the metric is not defined
    classes = (np.asarray(scores)[positive], np.asarray(scores)[~positive])
    key = np.repeat([True, False], [len(classes[0]), len(classes[1])])
    drawn = [index for index, items in enumerate(classes) if len(items) > 1]
    if not drawn:
        value = float(metric(scores, positive))
        return Interval(value, value)

    def statistic(*resampled: np.ndarray, axis: int) -> np.ndarray | np.float64:
        assert axis in (-1, resampled[0].ndim - 1)
        batch = resampled[0].shape[:-1]
        parts = [np.broadcast_to(items, (*batch, len(items))) for items in classes]
        for index, part in zip(drawn, resampled, strict=True):
            parts[index] = part
        return metric(np.concatenate(parts, axis=-1), key)

    resampled = [classes[index] for index in drawn]
    batch = max(1, _ELEMENTS_AT_ONCE // len(key))
    return _percentiles(resampled, statistic, seed, resamples, batch=batch)


def mean_interval(
    values: Sequence[float] | Float[np.ndarray, " task"],
    *,
    seed: int,
) -> Interval | None:
    """Return the interval of a mean of values, by resampling them.

    It speaks of values like these. A percentile interval from few is too
    narrow: of 95% intervals from six values of a normal law about 86% hold the
    mean, from twenty about 92%.

    Returns:
        The interval, or `None` for a single value, of whose spread nothing is known.

    Raises:
        AnswerError: there are no values, or one is not finite.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise AnswerError(
            f"A mean over tasks needs one finite value per task, got {values.tolist()!r:.200}."
        )
    if len(values) == 1:
        return None
    return _percentiles((values,), np.mean, seed, RESAMPLES_OF_MEANS)


def grouped_mean_interval(
    values: Float[np.ndarray, " value"],
    group: Int[np.ndarray, " value"],
    *,
    seed: int,
) -> Interval | None:
    """Return the interval of a mean over values that come in groups, by resampling groups.

    Values of one group, such as those of the positions of one input, go together: resampled
    one by one they would promise too much.

    Args:
        values: one number each.
        group: which group each belongs to.
        seed: the same seed gives the same interval.

    Returns:
        The interval, or `None` for a single group, of whose spread nothing is known.
    """
    _, place = np.unique(group, return_inverse=True)
    sums, sizes = np.bincount(place, values), np.bincount(place)
    if len(sums) == 1:
        return None

    def mean(sums: np.ndarray, sizes: np.ndarray, axis: int) -> np.ndarray:
        return sums.sum(axis=axis) / sizes.sum(axis=axis)

    return _percentiles((sums, sizes), mean, seed, RESAMPLES_OF_MEANS, paired=True)


def _percentiles(
    data: Sequence[np.ndarray],
    statistic: Callable[..., np.ndarray | np.float64],
    seed: int,
    resamples: int,
    **how: int,
) -> Interval:
    """Return the percentile interval of a statistic that works along the last axis."""
    from scipy import stats

    found = stats.bootstrap(
        data,
        statistic,
        vectorized=True,
        axis=-1,
        n_resamples=resamples,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
        **how,
    ).confidence_interval
    return Interval(float(found.low), float(found.high))
