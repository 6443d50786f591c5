"""Bootstrap over tasks, then seeds: intervals of every aggregate of many methods at once.

A resample draws tasks with replacement and then, for each task drawn, runs with replacement. The
interval speaks of tasks like these, not of these tasks alone.

Percentiles of a resampled mean are too narrow for few tasks, by `sqrt((n - 1) / n)` and for want
of Student's tails. The percentiles taken are expanded by just that (Hesterberg 2015,
arXiv:1411.5279, section 4.3), whatever the aggregate; an interval never leaves the range of
what was seen. `docs/leaderboard.md` says how often such intervals hold what they should.
"""

import numpy as np
from jaxtyping import Float

from .aggregates import AGGREGATES, Aggregate

RESAMPLES = 10_000
LEAST_RESAMPLES = 2_000
_ELEMENTS_AT_ONCE = 2**22
_ELEMENTS = 10_000_000


def resamples_for(tasks: int) -> int:
    """Return how many resamples are drawn: 10,000 up to 1,000 tasks, and 2,000 at least."""
    return max(LEAST_RESAMPLES, min(RESAMPLES, _ELEMENTS // tasks))


def expanded_levels(tasks: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the two levels whose percentiles are taken of the resamples of `tasks` tasks.

    Example:
        >>> [round(level, 4) for level in expanded_levels(6)]
        [0.0024, 0.9976]
    """
    from scipy import stats

    quantile = stats.t.ppf((1 + confidence) / 2, tasks - 1) * np.sqrt(tasks / (tasks - 1))
    return float(stats.norm.cdf(-quantile)), float(stats.norm.cdf(quantile))


def bootstrap_intervals(
    runs: Float[np.ndarray, "method task run"],
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int | None = None,
) -> dict[str, Float[np.ndarray, "method 2"]]:
    """Return the interval of each aggregate of each method, low and high.

    The resamples are the same for every method, so that an interval does not depend on which
    other methods there are.

    Args:
        runs: a score for each run of each task; NaN stands after the last run of a task that has
            fewer than others.
        seed: the same seed gives the same intervals.
        confidence: coverage aimed at, in 0..1.
        resamples: how many are drawn; from `resamples_for` unless given.

    Returns:
        Arrays by the name of the aggregate; NaN for a single task, of whose spread nothing is
        known.
    """
    methods, tasks, most_runs = runs.shape
    if tasks < 2:
        return {name: np.full((methods, 2), np.nan) for name in AGGREGATES}
    drawn = resamples or resamples_for(tasks)
    generator = np.random.default_rng(seed)
    if most_runs == 1:
        found = _resampled_tasks(runs[..., 0], drawn, generator)
    else:
        found = _resampled_runs(runs, drawn, generator)
    levels = expanded_levels(tasks, confidence)
    return {name: np.quantile(values, levels, axis=1).T for name, values in found.items()}


def resample_weights(
    aggregate: Aggregate, tasks: int, resamples: int, generator: np.random.Generator
) -> Float[np.ndarray, "resample task"]:
    """Return what each task counts in each resample, from worst to best.

    How often the worst task is drawn, and the second worst, has one law whichever tasks they
    are. So the weights are the same for all methods, and all their resamples are one product
    of matrices.
    """
    counts = generator.multinomial(tasks, np.full(tasks, 1 / tasks), size=resamples)
    return aggregate.weights(counts.cumsum(axis=1) / tasks)


def _resampled_tasks(
    scores: Float[np.ndarray, "method task"], resamples: int, generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return every aggregate of every resample, `[method, resample]`, of one run a task."""
    in_order = np.sort(scores, axis=1)
    return {
        name: in_order @ resample_weights(one, scores.shape[1], resamples, generator).T
        for name, one in AGGREGATES.items()
    }


def _resampled_runs(
    runs: Float[np.ndarray, "method task run"], resamples: int, generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return every aggregate of every resample, `[method, resample]`, of several runs a task."""
    methods, tasks, most_runs = runs.shape
    has_run = ~np.isnan(runs).all(axis=0)
    n_runs = has_run.sum(axis=1)
    chance = has_run / n_runs[:, None]
    scores = np.nan_to_num(runs)
    whole = np.arange(1, tasks + 1) / tasks
    weights = np.stack([one.weights(whole) for one in AGGREGATES.values()], axis=1)
    found = np.empty((len(AGGREGATES), methods, resamples))
    rows = max(1, _ELEMENTS_AT_ONCE // (tasks * most_runs))
    for start in range(0, resamples, rows):
        some = slice(start, min(start + rows, resamples))
        drawn = generator.integers(tasks, size=(some.stop - start, tasks))
        counts = generator.multinomial(n_runs[drawn], chance[drawn])
        shares = counts / n_runs[drawn][..., None]
        for method in range(methods):
            values = np.einsum("btr,btr->bt", scores[method][drawn], shares)
            values.sort(axis=1)
            found[:, method, some] = (values @ weights).T
    return dict(zip(AGGREGATES, found, strict=True))
