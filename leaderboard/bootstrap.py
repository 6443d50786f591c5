"""Stratified bootstrap: intervals of aggregates over other tasks, and over other seeds.

A score varies with the tasks and with the seeds, and one interval speaks of each. Over tasks,
whole tasks are drawn with all their runs, so that the spread of seeds is in it, and once. Over
seeds, every task is a stratum and runs are drawn within it.

Over tasks the interval of what single tasks can move, the mean and the worst decile, is the
studentised one (Davison and Hinkley 1997, section 5.2.1): percentiles of the distance of a resample
from what was seen, each measured by its own standard error. Plain percentiles are too narrow for
few tasks, and for the worst of many. For the interquartile mean, and where scores have no spread to
measure by, percentiles are taken, expanded for the number of tasks (Hesterberg 2015,
arXiv:1411.5279). `docs/leaderboard.md` tells how often such intervals hold what they should.
"""

from collections.abc import Collection

import numpy as np
from jaxtyping import Float

from .aggregates import AGGREGATES, Aggregate

CONFIDENCE = 0.95
"""Coverage that intervals aim at."""
FEWEST_FOR_INTERVAL = 6
"""Of fewer, even the whole range holds the middle of their law less often than 95%: the chance that
all of `n` tasks lie on one side of it is `2**(1 - n)`."""
RESAMPLES = 10_000
SEED_RESAMPLES = 2_000
_LOW, _HIGH = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
_ELEMENTS_AT_ONCE = 2**22
_ROUNDING = 1e-12


def expanded_levels(tasks: int) -> tuple[float, float]:
    """Return the two levels whose percentiles are taken of the resamples of `tasks` tasks.

    Example:
        >>> [round(level, 4) for level in expanded_levels(6)]
        [0.0024, 0.9976]
    """
    from scipy import stats

    quantile = stats.t.ppf(_HIGH, tasks - 1) * np.sqrt(tasks / (tasks - 1))
    return float(stats.norm.cdf(-quantile)), float(stats.norm.cdf(quantile))


def resampled_shares(
    tasks: int, resamples: int, generator: np.random.Generator
) -> Float[np.ndarray, "resample task"]:
    """Return the share of each resample that is drawn up to and with each task, from worst to best.

    How often the worst task is drawn, and the second worst, has one law whichever tasks they
    are. So all methods, whatever the order of their scores, share these numbers, and their
    resamples are products of matrices.
    """
    counts = generator.multinomial(tasks, np.full(tasks, 1 / tasks), size=resamples)
    return counts.cumsum(axis=1) / tasks


def task_intervals(
    scores: Float[np.ndarray, "method task"],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    only: Collection[str] = tuple(AGGREGATES),
) -> dict[str, Float[np.ndarray, "method 2"]]:
    """Return the interval of each aggregate of each method over tasks like these, low and high.

    Those of the mean and of the interquartile mean stay within the range of the scores. The
    interval of a method does not depend on which others there are.

    Args:
        scores: of each task, seeds averaged.
        seed: the same seed gives the same intervals.
        resamples: how many are drawn.
        only: the names of the aggregates that are wanted.

    Returns:
        Arrays by the name of the aggregate; NaN for fewer than six tasks, which cannot have such
        an interval.
    """
    methods, tasks = scores.shape
    found = {name: np.full((methods, 2), np.nan) for name in only}
    if tasks < FEWEST_FOR_INTERVAL:
        return found
    in_order = np.sort(scores, axis=1)
    up_to = resampled_shares(tasks, resamples, np.random.default_rng(seed))
    at_once = max(1, _ELEMENTS_AT_ONCE // resamples)
    for name in only:
        for start in range(0, methods, at_once):
            some = slice(start, start + at_once)
            found[name][some] = _ends(AGGREGATES[name], in_order[some], up_to)
    return found


def _ends(
    aggregate: Aggregate, in_order: np.ndarray, up_to: np.ndarray
) -> Float[np.ndarray, "method 2"]:
    """Return the interval of one aggregate of some methods."""
    tasks, lowest, highest = in_order.shape[1], in_order[:, :1], in_order[:, -1:]
    whole = np.arange(1, tasks + 1)[None] / tasks
    if aggregate.is_trimmed:
        values = in_order @ aggregate.weights(up_to).T
        percentiles = np.quantile(values, expanded_levels(tasks), axis=1).T
        return np.clip(percentiles, lowest, highest)  # by which rounding may miss
    value, error = (one[:, 0] for one in aggregate.with_error(in_order, whole))
    values, errors = aggregate.with_error(in_order, up_to)
    percentiles = np.quantile(values, expanded_levels(tasks), axis=1).T
    distance = values - value[:, None]
    distance[np.abs(distance) < _ROUNDING] = 0.0
    studentised = np.divide(distance, errors, out=np.zeros_like(distance), where=errors > 0)
    studentised[(errors == 0) & (distance > 0)] = np.inf
    studentised[(errors == 0) & (distance < 0)] = -np.inf
    far = np.quantile(studentised, (_HIGH, _LOW), axis=1, method="inverted_cdf").T
    has_error = error > 0
    ends = value[:, None] - far * np.where(has_error, error, 1.0)[:, None]
    percentiles = np.clip(percentiles, lowest, highest)
    is_measured = has_error[:, None] & np.isfinite(ends)
    if aggregate.end == 1:  # a mean lies among its scores; a tail may go on below those seen
        ends = np.clip(ends, lowest, highest)
    return np.where(is_measured, ends, percentiles)


def seed_interval(
    runs: Float[np.ndarray, "method task run"], *, seed: int
) -> Float[np.ndarray, "method 2"]:
    """Return the interval of the mean of each method over other seeds on these very tasks.

    Runs are drawn within tasks, one fewer than there are, without which the resamples would
    vary too little (McCarthy and Snowden 1985). Percentiles are expanded as over tasks, for as many
    degrees of freedom as the spread of runs is known with (Satterthwaite 1946).

    Args:
        runs: a score for each run of each task; NaN stands after the last run of a task that has
            fewer than others.
        seed: the same seed gives the same intervals.

    Returns:
        Low and high; NaN where some task has a single run, whose spread is not known.
    """
    methods, tasks, most_runs = runs.shape
    there = ~np.isnan(runs).all(axis=0)
    n_runs = there.sum(axis=1)
    if n_runs.min() < 2:
        return np.full((methods, 2), np.nan)
    chance = there / n_runs[:, None]
    scores = np.nan_to_num(runs).reshape(methods, -1)
    generator = np.random.default_rng(seed)
    at_once = max(1, _ELEMENTS_AT_ONCE // (tasks * most_runs))
    parts = []
    for start in range(0, SEED_RESAMPLES, at_once):
        rows = min(at_once, SEED_RESAMPLES - start)
        counts = generator.multinomial(n_runs - 1, chance, size=(rows, tasks))
        weights = counts / ((n_runs - 1)[:, None] * tasks)
        parts.append(scores @ weights.reshape(rows, -1).T)
    levels = _satterthwaite_levels(runs, n_runs)
    values = np.sort(np.concatenate(parts, axis=1), axis=1)
    places = np.rint(levels * (SEED_RESAMPLES - 1)).astype(np.int64)
    return np.take_along_axis(values, places, axis=1)


def _satterthwaite_levels(runs: np.ndarray, n_runs: np.ndarray) -> Float[np.ndarray, "method 2"]:
    """Return the two levels of each method for the freedom of the variance of its mean."""
    from scipy import stats

    variance = np.nanvar(runs, axis=2, ddof=1) / n_runs
    square = (variance**2 / (n_runs - 1)).sum(axis=1)
    total = variance.sum(axis=1)
    freedom = np.divide(total**2, square, out=np.full(len(runs), np.inf), where=square > 0)
    quantile = stats.t.ppf(_HIGH, freedom)
    return stats.norm.cdf(np.stack([-quantile, quantile], axis=1))
