"""Rank correlations over tasks, tested by permutation.

A covariate that hardly differs between tasks and a method that fails once are easily ranked alike:
of six tasks, the one that is longer is the one that is failed with a chance of one in six, and
Spearman's correlation is then 1. The usual law of the correlation, Student's t, knows nothing of
ties and calls that certain. So the values are put in other orders, all of them where they are few,
and what is seen is set against what these give.
"""

from functools import lru_cache
from itertools import permutations
from math import factorial

import numpy as np
from jaxtyping import Float

MOST_ORDERS = 50_000
"""So many orders of the tasks, at most, are all tried."""
_ELEMENTS_AT_ONCE = 2**22
_TOLERANCE = 1e-9


def rank_correlations(
    values: Float[np.ndarray, "task covariate"],
    scores: Float[np.ndarray, "task method"],
    *,
    orders: int,
    seed: int = 0,
) -> tuple[Float[np.ndarray, "covariate method"], Float[np.ndarray, "covariate method"]]:
    """Return Spearman's correlation of each method's scores with each covariate, and its p-value.

    The p-value is two-sided: the share of orders of the tasks that give as great a correlation. It
    is exact up to eight tasks. Otherwise orders are drawn, the same for all covariates, the one
    seen counts as one of them, and no p-value is below `1 / (orders + 1)`.

    Args:
        values: of the covariates; those of one are not all the same.
        scores: those of a method are not all the same.
        orders: how many are drawn.
        seed: the same seed gives the same p-values.
    """
    own, theirs = _standardised(values), _standardised(scores)
    seen = own.T @ theirs
    tasks, methods = theirs.shape
    hits = np.zeros(seen.shape)
    if factorial(min(tasks, 20)) <= MOST_ORDERS:
        places = _every_order(tasks)
        for covariate, column in enumerate(own.T):
            hits[covariate] += _hits(column[places], theirs, seen[covariate])
        return seen, hits / factorial(tasks)
    generator = np.random.default_rng(seed)
    at_once = max(1, _ELEMENTS_AT_ONCE // max(tasks, methods))
    for start in range(0, orders, at_once):
        rows = min(at_once, orders - start)
        places = generator.permuted(np.broadcast_to(np.arange(tasks), (rows, tasks)), axis=1)
        for covariate, column in enumerate(own.T):
            hits[covariate] += _hits(column[places], theirs, seen[covariate])
    return seen, (hits + 1) / (orders + 1)


def _hits(orders: np.ndarray, theirs: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return how many orders give a correlation that is as far from zero as that seen."""
    return (np.abs(orders @ theirs) >= np.abs(seen) - _TOLERANCE).sum(axis=0)


def _standardised(columns: np.ndarray) -> np.ndarray:
    """Return the ranks of each column, shifted and scaled so that products are correlations."""
    from scipy import stats

    ranks = stats.rankdata(columns, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    return ranks / np.linalg.norm(ranks, axis=0)


@lru_cache(maxsize=1)
def _every_order(tasks: int) -> np.ndarray:
    return np.array(list(permutations(range(tasks))))
