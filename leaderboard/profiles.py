"""Performance profiles: the share of runs that score at least so much, for every such score.

They are Agarwal et al.'s score distributions (2021, arXiv:2108.13264, section 4.2), in the line of
Dolan and More's (2002) profiles: one curve lies above another where its method is better whatever
is asked for, and its height at a score is read without any choice of an aggregate. Each task counts
the same, whatever the number of its runs.
"""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from .bootstrap import CONFIDENCE
from .run_scores import run_scores

if TYPE_CHECKING:
    import pandas as pd

THRESHOLDS = np.linspace(0.0, 1.0, 101)
_TOLERANCE = 1e-9
_DECIMALS = 9


def performance_profiles(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per method and threshold.

    Columns: `method, threshold` (a normalised score, 0 to 1 in steps of 0.01), `share` (of runs
    that score at least that, tasks counting the same), `low, high` (a 95% interval of the share
    over tasks, for this threshold alone).

    Args:
        frame: from `results_frame`.
    """
    import pandas as pd

    runs = run_scores(frame)
    known = ~np.isnan(runs.values)
    shares = np.empty((len(runs.methods), len(THRESHOLDS)))
    for place, (values, mask) in enumerate(zip(runs.values, known, strict=True)):
        at_least = (values[..., None] >= THRESHOLDS - _TOLERANCE) & mask[..., None]
        shares[place] = (at_least.sum(axis=1) / mask.sum(axis=1)[:, None]).mean(axis=0)
    low, high = share_interval(shares, len(runs.tasks))
    return pd.DataFrame(
        {
            "method": np.repeat(np.array(runs.methods, dtype=object), len(THRESHOLDS)),
            "threshold": np.tile(THRESHOLDS, len(shares)),
            "share": shares.ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
        }
    ).astype({"method": "str"})


def share_interval(
    shares: Float[np.ndarray, "*batch"], tasks: int
) -> tuple[Float[np.ndarray, "*batch"], Float[np.ndarray, "*batch"]]:
    """Return the low and the high end of the 95% intervals of shares of tasks.

    They are Clopper and Pearson's (1934), which hold at least what they should for any number
    of tasks, and have width where all tasks agree, of which no resample could tell. A task with
    several runs counts in part; shares then vary less than the law supposes.

    Args:
        shares: means over tasks of numbers in 0..1.
        tasks: how many.

    Example:
        >>> [round(float(end), 3) for end in share_interval(np.array(1.0), 6)]
        [0.541, 1.0]
    """
    from scipy import stats

    tail = (1 - CONFIDENCE) / 2
    count = (shares * tasks).round(_DECIMALS)  # a mean of ones is one but for rounding
    low = np.where(count > 0, stats.beta.ppf(tail, count, tasks - count + 1), 0.0)
    high = np.where(count < tasks, stats.beta.isf(tail, count + 1, tasks - count), 1.0)
    return low, high
