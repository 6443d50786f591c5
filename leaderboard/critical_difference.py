"""Critical-difference diagram: mean ranks over tasks, and groups of methods not told apart.

The diagram is Demsar's (2006, JMLR 7:1). Its groups are not those of Nemenyi's test, under which
whether two methods differ hangs on which others are there (Benavoli et al. 2016, JMLR 17:5), but
of the corrected pairwise tests that also make the ranks of the table, so that the two agree.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .ranking import differs
from .task_scores import score_matrix

if TYPE_CHECKING:
    import pandas as pd

_DECIMALS = 9
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class CriticalDifference:
    """What a critical-difference diagram shows.

    Attributes:
        ranks: one row per method, best first: `method`, `mean_rank` (over tasks, 1 is best; equal
            scores share their mean rank), `groups` (the numbers of the groups it is in, as
            `1,2`; empty for a method that is told apart from its neighbours).
        groups: ranges of rows of `ranks`, first and last, in which no two methods are told apart.
        statistic: Friedman's chi-squared; NaN for fewer than three methods or two tasks.
        p: its p-value, of the hypothesis that methods do not differ at all.
    """

    ranks: "pd.DataFrame"
    groups: tuple[tuple[int, int], ...]
    statistic: float
    p: float


def critical_difference(scores: "pd.DataFrame", pairwise: "pd.DataFrame") -> CriticalDifference:
    """Return mean ranks, groups and Friedman's test.

    Args:
        scores: from `task_scores`; references are left out.
        pairwise: from `pairwise_differences`, of the same scores.
    """
    import pandas as pd
    from scipy import stats

    matrix = score_matrix(scores)
    values = matrix.to_numpy().round(_DECIMALS)
    mean_rank = stats.rankdata(-values, axis=1).mean(axis=0)
    order = np.lexsort((matrix.columns, mean_rank.round(_DECIMALS)))
    methods = matrix.columns[order]
    groups = tied_groups(differs(pairwise, list(methods)))
    member = [
        ",".join(str(n) for n, (a, b) in enumerate(groups, start=1) if a <= place <= b)
        for place in range(len(methods))
    ]
    ranks = pd.DataFrame({"method": methods, "mean_rank": mean_rank[order], "groups": member})
    varied = bool((np.ptp(values, axis=1) > 0).any())
    if len(methods) < _FEWEST or len(values) < 2 or not varied:
        return CriticalDifference(ranks, groups, np.nan, np.nan)
    found = stats.friedmanchisquare(*values.T)
    return CriticalDifference(ranks, groups, float(found.statistic), float(found.pvalue))


def tied_groups(different: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Return the longest ranges, first and last, in which no two differ.

    Args:
        different: a symmetric matrix of booleans, in the order of the diagram.

    Example:
        >>> tied_groups(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], dtype=bool))
        ((0, 1), (1, 2))
    """
    n = len(different)
    above = np.triu(different, 1)
    nearest = np.where(above.any(axis=1), above.argmax(axis=1), n)
    end = np.minimum.accumulate(nearest[::-1])[::-1] - 1
    starts = np.flatnonzero(np.diff(end, prepend=-1) > 0)
    return tuple((int(first), int(end[first])) for first in starts if end[first] > first)
