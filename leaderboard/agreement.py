"""Agreement: how far measures that do not know the truth rank methods as the truth does.

On each task the methods are ranked by a measure and by their true score, and the two are compared
by Spearman's rank correlation; what is told is the mean over tasks, since methods are compared on
a task, and tasks differ in how hard they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ..errors import BundleError
from ..evaluators.intervals import Interval
from ..evaluators.result import Direction
from .bootstrap import task_intervals

if TYPE_CHECKING:
    import pandas as pd

FEWEST_METHODS = 3
"""Two methods are ranked rightly or the wrong way round, and nothing between."""
_DECIMALS = 9


@dataclass(frozen=True)
class Agreement:
    """How far one measure agrees with the truth.

    Attributes:
        measure: its name.
        tasks: on how many tasks.
        correlation: Spearman's, mean over tasks; 1 where the better method always scores higher.
        interval: of that mean, over tasks like these; `None` for fewer than six.
        lost: how much of the true score is lost, on average, by taking on each task the method
            that the measure holds for the best.
    """

    measure: str
    tasks: int
    correlation: float
    interval: Interval | None
    lost: float


def agreement(
    scores: "pd.DataFrame", truth: str, measures: Mapping[str, Direction]
) -> list[Agreement]:
    """Return how far each measure agrees with the truth, of those that can be compared with it.

    Tasks on which every method has the same true score rank nothing and are left out, and so are
    those on which fewer than three methods have a measure. A measure that is the same for every
    method tells nothing there: its correlation is 0, as of methods in random order.

    Args:
        scores: a row for each method and task, with columns `method`, `task`, that of the truth
            and those of the measures, which may hold NaN.
        truth: the column of the true score, better when higher.
        measures: the columns of measures, each with the direction in which it is better.

    Raises:
        BundleError: a method has two rows for a task.
    """
    twice = scores[scores.duplicated(["method", "task"])]
    if len(twice):
        row = twice.iloc[0]
        raise BundleError(
            f"Agreement needs one score of a method on a task, got several of {row.method} on "
            f"{row.task}; take those of one seed"
        )
    found = []
    for name, direction in measures.items():
        sign = 1.0 if direction == "higher" else -1.0
        known = scores[["task", truth, name]].dropna()
        tasks = [
            (rows[truth].to_numpy(float), sign * rows[name].to_numpy(float))
            for _, rows in known.groupby("task")
        ]
        ranked = [
            (true.round(_DECIMALS), measured.round(_DECIMALS))
            for true, measured in tasks
            if len(true) >= FEWEST_METHODS and np.ptp(true.round(_DECIMALS)) > 0
        ]
        if ranked:
            found.append(_over_tasks(name, ranked))
    return found


def _over_tasks(name: str, ranked: Iterable[tuple[np.ndarray, np.ndarray]]) -> Agreement:
    correlations, lost = zip(
        *((rank_correlation(true, own), _lost(true, own)) for true, own in ranked), strict=True
    )
    return Agreement(
        name,
        len(correlations),
        float(np.mean(correlations)),
        _interval(correlations),
        float(np.mean(lost)),
    )


def _interval(values: Sequence[float]) -> Interval | None:
    """Return the interval of a mean over tasks; `None` where there are too few."""
    low, high = task_intervals(np.array([values]), seed=0, only=("mean",))["mean"][0]
    return None if np.isnan(low) else Interval(float(low), float(high))


def rank_correlation(
    true: Float[np.ndarray, " method"], measured: Float[np.ndarray, " method"]
) -> float:
    """Return Spearman's rank correlation; 0 where either is the same for every method."""
    from scipy.stats import spearmanr

    if not (np.ptp(true) and np.ptp(measured)):
        return 0.0
    return float(spearmanr(true, measured).statistic)


def _lost(true: np.ndarray, measured: np.ndarray) -> float:
    """Return by how much the methods that a measure holds for the best are worse than the best."""
    return float(true.max() - true[measured == measured.max()].mean())
