"""Signed ranks: Wilcoxon's signed-rank test of many columns at once.

The numbers are those of `scipy.stats.wilcoxon`, which tests one column in the same way. Here
columns are sorted once, with the sign of each difference as the last bit of what is sorted, and all
else are sums: thousands of columns take a quarter of the time.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

MOST_SIGNED = 13
MOST_EXACT = 50
ELEMENTS_AT_ONCE = 2**18
"""So many fit in the cache: larger arrays are mapped and unmapped each time."""


@dataclass(frozen=True, eq=False)
class SignedRanks:
    """What the ranks of the sizes of differences say, for each column of them.

    Equal sizes share their mean rank. All but `lean` leave zeros out.

    Attributes:
        differences: over tasks.
        positive: how many are positive.
        negative: how many are negative.
        plus: the sum of the ranks of positive ones.
        tied: the sum of `t**3 - t` over groups of `t` equal sizes.
        lean: the sum of ranks of positive ones less that of negative ones, zeros having ranks too.
    """

    differences: Float[np.ndarray, "task pair"]
    positive: Int[np.ndarray, " pair"]
    negative: Int[np.ndarray, " pair"]
    plus: Float[np.ndarray, " pair"]
    tied: Float[np.ndarray, " pair"]
    lean: Float[np.ndarray, " pair"]

    @classmethod
    def of(cls, differences: Float[np.ndarray, "task pair"]) -> "SignedRanks":
        """Return the ranks of each column."""
        tasks, pairs = differences.shape
        rows = np.ascontiguousarray(differences.T)
        # The bits of floats that are not negative are in the order of the floats.
        bits = np.sort((np.abs(rows).view(np.uint64) << 1) | (rows > 0), axis=1)
        sizes, signs = bits >> 1, (bits & 1).astype(np.float64)
        positive, negative = signs.sum(axis=1), (rows < 0).sum(axis=1)
        zeros = tasks - positive - negative
        pair, above, below = _tied_groups(sizes, signs)
        ranks = np.arange(1.0, tasks + 1)
        # Of a group of equal sizes the positive ones come last, and each is that much too high.
        plus = signs @ ranks - np.bincount(pair, above * below / 2, minlength=pairs)
        both = ranks.sum() - zeros * (zeros + 1) / 2
        group = above + below
        return cls(
            differences,
            positive.astype(np.int64),
            negative,
            plus - zeros * positive,
            np.bincount(pair, group**3 - group, minlength=pairs).astype(np.float64),
            2 * plus - both,
        )

    def p(self) -> Float[np.ndarray, " pair"]:
        """Return the two-sided p-value of Wilcoxon's signed-rank test of each column.

        Zeros are left out. Up to 50 tasks the exact law is taken where no two sizes are equal;
        where some are, all signs are tried up to 13 tasks. Otherwise the normal law is taken, with
        its correction for ties.
        """
        tasks = len(self.differences)
        count = self.positive + self.negative
        exact = (count == tasks) & (self.tied == 0) & (tasks <= MOST_EXACT)
        others = ~exact & (count > 0)
        p = np.ones(len(count))
        if exact.any():
            p[exact] = _exact_p(tasks)[self.plus[exact].astype(np.int64)]
        if tasks <= MOST_SIGNED:
            p[others] = _every_sign(self.differences[:, others])
        else:
            p[others] = _normal_p(count[others], self.plus[others], self.tied[others])
        return p


def _tied_groups(sizes: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return of each group of equal sizes, but for zeros, its pair, and how many are of each sign.

    Args:
        sizes: in order, a row for each pair.
        signs: 1 where a difference is positive, else 0; in the same places.
    """
    pairs, tasks = sizes.shape
    is_new = np.ones((pairs, tasks), dtype=bool)
    is_new[:, 1:] = sizes[:, 1:] != sizes[:, :-1]
    first = np.flatnonzero(is_new)
    last = np.append(first[1:], sizes.size)
    chosen = (last - first > 1) & (sizes.ravel()[first] > 0)
    first, last = first[chosen], last[chosen]
    up_to = np.append(0.0, np.cumsum(signs))
    above = up_to[last] - up_to[first]
    return first // tasks, above, last - first - above


@lru_cache
def _exact_p(tasks: int) -> Float[np.ndarray, " sum"]:
    """Return the p-value of each sum of ranks from 0 on, by the law of sums under random signs."""
    law = np.ones(1)
    for rank in range(1, tasks + 1):
        law = (np.pad(law, (0, rank)) + np.pad(law, (rank, 0))) / 2
    # Chances are multiples of 2**-tasks, so that their sums are exact, as the law is symmetric.
    up_to = np.cumsum(law)
    return np.minimum(1.0, 2 * np.minimum(up_to, up_to[::-1]))


def _normal_p(count: np.ndarray, plus: np.ndarray, tied: np.ndarray) -> np.ndarray:
    """Return the p-value by the normal law, corrected for ties and for continuity."""
    from scipy.special import ndtr

    count = count.astype(np.float64)
    spread = np.sqrt((count * (count + 1) * (2 * count + 1) - tied / 2) / 24)
    z = (plus - count * (count + 1) / 4) / spread
    return 2 * ndtr(-np.abs(z - np.sign(z) * 0.5 / spread))


def _every_sign(differences: Float[np.ndarray, "task pair"]) -> Float[np.ndarray, " pair"]:
    """Return the p-value of the signed-rank test against all signs that differences could have.

    scipy has it as a permutation test, which takes some hundred times as long.
    """
    from scipy import stats

    tasks = len(differences)
    sizes = np.where(differences == 0, np.nan, np.abs(differences))
    ranks = np.nan_to_num(stats.rankdata(sizes, axis=0, nan_policy="omit"))
    lean = np.abs((np.sign(differences) * ranks).sum(axis=0))
    signs = 2.0 * (np.arange(2**tasks)[:, None] >> np.arange(tasks) & 1) - 1
    at_once = max(1, ELEMENTS_AT_ONCE // len(signs))
    parts = [
        (np.abs(signs @ ranks[:, start : start + at_once]) > lean[start : start + at_once] - 0.25)
        for start in range(0, len(lean), at_once)
    ]
    return np.concatenate([np.empty(0), *(part.mean(axis=0) for part in parts)])
