"""Performance profiles: the share of runs that score at least so much, for every such score.

They are Agarwal et al.'s score distributions (2021, arXiv:2108.13264, section 4.2), in the line of
Dolan and More's (2002) profiles: one curve lies above another where its method is better whatever
is asked for, and its height at a score is read without any choice of an aggregate. Each task counts
the same, whatever the number of its runs.
"""

from typing import TYPE_CHECKING

import numpy as np

from .aggregates import AGGREGATES
from .bootstrap import expanded_levels, resampled_shares
from .run_scores import run_scores

if TYPE_CHECKING:
    import pandas as pd

THRESHOLDS = np.linspace(0.0, 1.0, 101)
_TOLERANCE = 1e-9
_RESAMPLES = 2_000


def performance_profiles(frame: "pd.DataFrame", *, seed: int = 0) -> "pd.DataFrame":
    """Return one row per method and threshold.

    Columns: `method, threshold` (a normalised score, 0 to 1 in steps of 0.01), `share` (of runs
    that score at least that, tasks counting the same), `low, high` (a 95% interval of the share
    over tasks, for this threshold alone; empty for a single task).

    Args:
        frame: from `results_frame`.
        seed: of the bootstrap over tasks.
    """
    import pandas as pd

    runs = run_scores(frame)
    tasks, reached = len(runs.tasks), len(THRESHOLDS)
    weights = None
    if tasks > 1:
        shares_drawn = resampled_shares(tasks, _RESAMPLES, np.random.default_rng(seed))
        weights = AGGREGATES["mean"].weights(shares_drawn)
        levels = expanded_levels(tasks)
    known = ~np.isnan(runs.values)
    parts = []
    for method, values, mask in zip(runs.methods, runs.values, known, strict=True):
        at_least = (values[..., None] >= THRESHOLDS - _TOLERANCE) & mask[..., None]
        shares = at_least.sum(axis=1) / mask.sum(axis=1)[:, None]
        ends = np.full((2, reached), np.nan)
        if weights is not None:
            ends = np.quantile(weights @ shares, levels, axis=0)
        parts.append((method, shares.mean(axis=0), *ends))
    methods, shares, low, high = zip(*parts, strict=True)
    return pd.DataFrame(
        {
            "method": np.repeat(np.array(methods, dtype=object), reached),
            "threshold": np.tile(THRESHOLDS, len(parts)),
            "share": np.concatenate(shares),
            "low": np.concatenate(low),
            "high": np.concatenate(high),
        }
    ).astype({"method": "str"})
