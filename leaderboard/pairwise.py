"""Pairwise differences: which methods the tasks tell apart.

Two methods are compared on the same tasks, seeds averaged, by two tests of scipy: Wilcoxon's
signed-rank test, as Demsar (2006) and Benavoli et al. (2016, JMLR 17:5) advise, and Student's
paired t-test. The p-value is the larger of the two, or 1 where they point different ways. The
first is right for few tasks, whatever the scores, if the two methods could be exchanged; the second
for many tasks and for the means that the leaderboard shows, even if one method's scores are spread
and the other's are not. A difference is told only where both tell it, which is right where
either is. Holm's correction (1979) holds the chance of any false difference among all pairs.
"""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Shaped

from .task_scores import score_matrix

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
"""The chance of any false difference that is allowed for."""
MOST_SIGNED = 13
MOST_EXACT = 50
_DECIMALS = 9
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
    import pandas as pd

    matrix = score_matrix(scores)
    methods, values = list(matrix.columns), matrix.to_numpy().round(_DECIMALS)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in _MEASURED}
    first, second = np.triu_indices(len(methods), 1)
    at_once = max(1, _ELEMENTS_AT_ONCE // len(values))
    for start in range(0, len(first), at_once):
        some = slice(start, start + at_once)
        for name, found in paired_tests(values[:, first[some]] - values[:, second[some]]).items():
            columns[name].append(found)
    names = np.array(methods, dtype=object)
    frame = pd.DataFrame({"first": names[first], "second": names[second]}).astype("str")
    for name, parts in columns.items():
        frame[name] = np.concatenate([np.empty(0), *parts])
    frame = frame.astype(dict.fromkeys(("wins", "ties", "losses"), "int64"))
    frame["p_holm"] = holm(frame["p"].to_numpy())
    told = frame["p_holm"] <= ALPHA
    ahead = frame["first"].where(frame["difference"] > 0, frame["second"])
    frame["better"] = ahead.where(told, "")
    return frame


_MEASURED = ("difference", "low", "high", "wins", "ties", "losses", "p_wilcoxon", "p_t", "p")


def paired_tests(
    differences: Float[np.ndarray, "task pair"],
) -> dict[str, Shaped[np.ndarray, " pair"]]:
    """Return what is measured of each column of differences over tasks.

    Returns:
        Arrays by name: all columns of `pairwise_differences` from `difference` to `p`.
    """
    from scipy import stats

    differences = differences.round(_DECIMALS)
    tasks = len(differences)
    mean = differences.mean(axis=0)
    ranks = stats.rankdata(np.abs(differences), axis=0)
    lean = (np.sign(differences) * ranks).sum(axis=0)
    p_wilcoxon, p_t = wilcoxon_p(differences), student_p(differences)
    p = np.where(lean * mean > 0, np.maximum(p_wilcoxon, p_t), 1.0)
    half = np.full(mean.shape, np.nan)
    if tasks > 1:
        quantile = stats.t.ppf(0.975, tasks - 1)
        half = quantile * differences.std(axis=0, ddof=1) / np.sqrt(tasks)
    wins, losses = (differences > 0).sum(axis=0), (differences < 0).sum(axis=0)
    found = (mean, mean - half, mean + half, wins, tasks - wins - losses, losses)
    return dict(zip(_MEASURED, (*found, p_wilcoxon, p_t, p), strict=True))


def wilcoxon_p(differences: Float[np.ndarray, "task pair"]) -> Float[np.ndarray, " pair"]:
    """Return the two-sided p-value of Wilcoxon's signed-rank test of each column.

    Zeros are left out. Up to 50 tasks the exact law is taken where no two sizes are equal; where
    some are, all signs are tried up to 13 tasks. Otherwise the normal law is taken, with its
    correction for ties.
    """
    from scipy import stats

    p = np.ones(differences.shape[1])
    some = np.flatnonzero(differences.any(axis=0))
    chosen, tasks = differences[:, some], len(differences)
    exact: np.ndarray = np.zeros(len(some), dtype=bool)
    if tasks <= MOST_EXACT:
        sizes = np.sort(np.abs(chosen), axis=0)
        exact = np.asarray((sizes[:1] > 0).all(axis=0) & (np.diff(sizes, axis=0) > 0).all(axis=0))
    if exact.any():
        p[some[exact]] = stats.wilcoxon(chosen[:, exact], axis=0, method="exact").pvalue
    if exact.all():
        return p
    if tasks <= MOST_SIGNED:
        p[some[~exact]] = _every_sign(chosen[:, ~exact])
    else:
        found = stats.wilcoxon(chosen[:, ~exact], axis=0, method="asymptotic", correction=True)
        p[some[~exact]] = found.pvalue
    return p


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
