"""Pairwise differences: which methods the tasks tell apart.

Two methods are compared on the same tasks, seeds averaged, by two tests: Wilcoxon's
signed-rank test, as Demsar (2006) and Benavoli et al. (2016, JMLR 17:5) advise, and Student's
paired t-test. The p-value is the larger of the two, or 1 where they point different ways. The
first is right for few tasks, whatever the scores, if the two methods could be exchanged; the second
for many tasks and for the means that the leaderboard shows, even if one method's scores are spread
and the other's are not. A difference is told only where both tell it, which is right where
either is. Holm's correction (1979) holds the chance of any false difference among all pairs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int, Shaped

from .task_scores import score_matrix

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
"""The chance of any false difference that is allowed for."""
MOST_SIGNED = 13
"""On so many tasks all signs are tried. The normal law of ten may tell more than signs can, which
`fewest_tasks` counts on; that of more cannot."""
MOST_EXACT = 50
DECIMALS = 9
"""Differences are rounded, so that sizes that are the same are not parted by rounding."""
_ELEMENTS_AT_ONCE = 2**18  # fits in the cache: larger arrays are mapped and unmapped each time


def pairwise_differences(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per pair of methods, in alphabetical order.

    Columns: `first, second, difference` (mean over tasks of the first's normalised score less
    the second's), `low, high` (its 95% interval by Student's t, for this pair alone), `wins, ties,
    losses` (tasks on which the first is better, as good, worse), `p_wilcoxon, p_t, p` (the larger),
    `p_holm` (corrected for all pairs), `better` (the method that is better at `ALPHA`, or empty).

    Args:
        scores: from `task_scores`; references are left out.
    """
    pairs = _Pairs.of(scores)
    frame = pairs.named(slice(None)).assign(**pairs.measured(paired_tests, _MEASURED))
    frame = frame.astype(dict.fromkeys(("wins", "ties", "losses"), "int64"))
    frame["p_holm"] = holm(frame["p"].to_numpy())
    frame["better"] = _ahead(frame).where(frame["p_holm"] <= ALPHA, "")
    return frame


def told_apart(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of `pairwise_differences` where one is better, in less time.

    Columns: `first, second, better`. Few tasks tell nothing apart. Otherwise Wilcoxon's test is
    made only of the pairs that Student's alone would tell apart: others have the larger of two
    p-values, at least Student's, and if p-values are larger Holm's correction tells no more pairs.

    Args:
        scores: from `task_scores`; references are left out.
    """
    pairs = _Pairs.of(scores)
    tasks, methods = pairs.values.shape
    p = np.ones(len(pairs.first))
    if tasks >= fewest_tasks(methods):
        p = pairs.measured(lambda own: {"p": student_p(own)}, ("p",))["p"]
    some = np.flatnonzero(holm(p) <= ALPHA)
    found = pairs.measured(paired_tests, ("difference", "p"), some)
    p[some] = found["p"]
    told = holm(p)[some] <= ALPHA
    frame = pairs.named(some[told]).assign(difference=found["difference"][told])
    return frame.assign(better=_ahead(frame)).drop(columns="difference")


_MEASURED = ("difference", "low", "high", "wins", "ties", "losses", "p_wilcoxon", "p_t", "p")


@dataclass(frozen=True, eq=False)
class _Pairs:
    """All pairs of methods.

    Attributes:
        methods: their names, in alphabetical order.
        values: their scores.
        first: the place of the first method of each pair.
        second: that of the second.
    """

    methods: Shaped[np.ndarray, " method"]
    values: Float[np.ndarray, "task method"]
    first: Int[np.ndarray, " pair"]
    second: Int[np.ndarray, " pair"]

    @classmethod
    def of(cls, scores: "pd.DataFrame") -> "_Pairs":
        matrix = score_matrix(scores)
        names = np.array(list(matrix.columns), dtype=object)
        return cls(names, matrix.to_numpy().round(DECIMALS), *np.triu_indices(len(names), 1))

    def named(self, some: "slice | np.ndarray") -> "pd.DataFrame":
        """Return the names of some pairs: columns `first` and `second`."""
        import pandas as pd

        first, second = self.methods[self.first[some]], self.methods[self.second[some]]
        return pd.DataFrame({"first": first, "second": second}).astype("str")

    def measured(
        self,
        measure: Callable[[np.ndarray], Mapping[str, np.ndarray]],
        names: Iterable[str],
        some: "slice | np.ndarray" = slice(None),
    ) -> dict[str, Shaped[np.ndarray, " pair"]]:
        """Return what is measured of the differences of some pairs, not too many at once."""
        first, second = self.first[some], self.second[some]
        at_once = max(1, _ELEMENTS_AT_ONCE // len(self.values))
        found: dict[str, list[np.ndarray]] = {name: [np.empty(0)] for name in names}
        for start in range(0, len(first), at_once):
            own = slice(start, start + at_once)
            differences = self.values[:, first[own]] - self.values[:, second[own]]
            measured = measure(differences.round(DECIMALS))
            for name, parts in found.items():
                parts.append(measured[name])
        return {name: np.concatenate(parts) for name, parts in found.items()}


def _ahead(pairs: "pd.DataFrame") -> "pd.Series":
    """Return which method of each pair has the greater mean."""
    return pairs["first"].where(pairs["difference"] > 0, pairs["second"])


def paired_tests(
    differences: Float[np.ndarray, "task pair"],
) -> dict[str, Shaped[np.ndarray, " pair"]]:
    """Return what is measured of each column of differences over tasks.

    Args:
        differences: rounded to `DECIMALS`.

    Returns:
        Arrays by name: all columns of `pairwise_differences` from `difference` to `p`.
    """
    from scipy import stats

    tasks = len(differences)
    mean = differences.mean(axis=0)
    ranks = signed_ranks(differences)
    p_wilcoxon, p_t = wilcoxon_p(ranks), student_p(differences)
    p = np.where(ranks.sum(axis=0) * mean > 0, np.maximum(p_wilcoxon, p_t), 1.0)
    half = np.full(mean.shape, np.nan)
    if tasks > 1:
        quantile = stats.t.ppf(0.975, tasks - 1)
        half = quantile * differences.std(axis=0, ddof=1) / np.sqrt(tasks)
    wins, losses = (differences > 0).sum(axis=0), (differences < 0).sum(axis=0)
    found = (mean, mean - half, mean + half, wins, tasks - wins - losses, losses)
    return dict(zip(_MEASURED, (*found, p_wilcoxon, p_t, p), strict=True))


def signed_ranks(differences: Float[np.ndarray, "task pair"]) -> Float[np.ndarray, "task pair"]:
    """Return the rank of each size in its column, with the sign of the difference.

    Zeros are left out: their rank is 0, and others are ranked without them.
    """
    from scipy import stats

    zeros = (differences == 0).sum(axis=0)
    return np.sign(differences) * (stats.rankdata(np.abs(differences), axis=0) - zeros)


def wilcoxon_p(ranks: Float[np.ndarray, "task pair"]) -> Float[np.ndarray, " pair"]:
    """Return the two-sided p-value of Wilcoxon's signed-rank test of each column.

    Up to 50 tasks the exact law is taken where no two sizes are equal and none is zero; elsewhere
    all signs are tried up to 13 tasks. Otherwise the normal law is taken, corrected for continuity:
    if signs are tossed, the sum of signed ranks has the sum of their squares for its variance,
    ties or none.

    Args:
        ranks: from `signed_ranks`.
    """
    from scipy import stats

    tasks = len(ranks)
    lean, variance = np.abs(ranks.sum(axis=0)), (ranks**2).sum(axis=0)
    p = np.ones(ranks.shape[1])
    # Equal sizes, and zeros, take from the squares of the ranks 1 to n.
    is_exact = (variance == tasks * (tasks + 1) * (2 * tasks + 1) / 6) & (tasks <= MOST_EXACT)
    exact, other = np.flatnonzero(is_exact), np.flatnonzero(~is_exact & (variance > 0))
    if len(exact):
        # Columns with the same sum have the same p-value.
        _, chosen, place = np.unique(lean[exact], return_index=True, return_inverse=True)
        p[exact] = stats.wilcoxon(ranks[:, exact[chosen]], axis=0, method="exact").pvalue[place]
    if tasks <= MOST_SIGNED and len(other):
        p[other] = _every_sign(ranks[:, other])
    else:
        far = (lean[other] - 1) / np.sqrt(variance[other])
        p[other] = np.minimum(2 * stats.norm.sf(far), 1.0)
    return p


def _every_sign(ranks: Float[np.ndarray, "task pair"]) -> Float[np.ndarray, " pair"]:
    """Return the p-value of signed ranks against all signs that they could have.

    scipy has it as a permutation test, which takes some hundred times as long.
    """
    tasks = len(ranks)
    lean = np.abs(ranks.sum(axis=0))
    signs = 2.0 * (np.arange(2**tasks)[:, None] >> np.arange(tasks) & 1) - 1
    at_once = max(1, _ELEMENTS_AT_ONCE // len(signs))
    parts = [
        (np.abs(signs @ ranks[:, start : start + at_once]) > lean[start : start + at_once] - 0.25)
        for start in range(0, len(lean), at_once)
    ]
    return np.concatenate([part.mean(axis=0) for part in parts])


def student_p(differences: Float[np.ndarray, "task pair"]) -> Float[np.ndarray, " pair"]:
    """Return the two-sided p-value of Student's paired t-test of each column.

    A column that is the same on every task has no spread to test with: its p-value is 0, or 1 where
    it is zero or there is a single task.
    """
    from scipy import stats

    if len(differences) < 2:
        return np.ones(differences.shape[1])
    varied = np.ptp(differences, axis=0) > 0
    p = np.where(differences[0] == 0, 1.0, 0.0)
    if varied.any():
        p[varied] = stats.ttest_1samp(differences[:, varied], 0.0, axis=0).pvalue
    return p


def holm(p: Float[np.ndarray, "*batch test"]) -> Float[np.ndarray, "*batch test"]:
    """Return p-values corrected so that the chance of any false rejection is held (Holm 1979).

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, axis=-1, kind="stable")
    left = np.arange(p.shape[-1], 0, -1)
    stepped = np.maximum.accumulate(np.take_along_axis(p, order, axis=-1) * left, axis=-1)
    corrected = np.empty_like(stepped)
    np.put_along_axis(corrected, order, np.minimum(stepped, 1.0), axis=-1)
    return corrected


def fewest_tasks(methods: int) -> int:
    """Return on how few tasks any two of so many methods can be told apart.

    If one method is better on each of `n` tasks, signs alone have a p-value of `2**(1 - n)`;
    Holm's correction multiplies the smallest by the number of pairs.

    Example:
        >>> fewest_tasks(2), fewest_tasks(4), fewest_tasks(20)
        (6, 8, 13)
    """
    pairs = methods * (methods - 1) // 2
    return int(np.ceil(1 + np.log2(max(1, pairs) / ALPHA)))
