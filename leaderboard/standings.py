"""Standings: one row per method, with its aggregates, intervals and rank, and the references."""

from typing import TYPE_CHECKING

import numpy as np

from .aggregates import AGGREGATES
from .bootstrap import seed_interval, task_intervals
from .pairwise import pairwise_differences
from .ranking import rank_ranges
from .results_frame import reported_names
from .run_scores import RunScores, run_scores
from .task_scores import task_scores

if TYPE_CHECKING:
    import pandas as pd

FEWEST_FOR_TAIL = 100
"""On fewer tasks the worst decile is less than ten of them, and no interval is told."""
_DECIMALS = 9


def standings(
    frame: "pd.DataFrame",
    *,
    scores: "pd.DataFrame | None" = None,
    pairwise: "pd.DataFrame | None" = None,
    seed: int = 0,
) -> "pd.DataFrame":
    """Return one row per method, best first, with the floors and the ceiling among them.

    Rows are in the order of the mean over tasks of the normalised primary metric. Ranks say what
    the tasks tell apart: `2`, or `1-3` for a method that is tied. The references have no rank.

    Columns: `rank, rank_low, rank_high, role, method, normalised, low, high` (the
    mean over tasks and its 95% interval over tasks like these), `seed_low, seed_high` (its 95%
    interval over other seeds on these tasks; empty unless every task was run with several),
    `interquartile_mean, worst_decile`, each with `_low` and `_high`, the mean of each metric and
    of each reported number under its own name, `tasks`, `seconds` (mean per run), `answered` (tasks
    with every run answered), `runs` (those owed), `failed` (runs without an answer), `missing`
    (runs owed that are not there), `surplus` (runs beyond those owed, which do not count).
    Intervals over tasks are empty for fewer than six; that of the worst decile for fewer than 100.

    Args:
        frame: from `results_frame`.
        scores: from `task_scores` of that frame; made here unless they are given.
        pairwise: from `pairwise_differences`; made here unless it is given.
        seed: of the bootstrap over tasks and seeds.
    """
    scores = task_scores(frame) if scores is None else scores
    pairwise = pairwise_differences(scores) if pairwise is None else pairwise
    runs = run_scores(frame)
    by = ["role", "method"]
    metrics = scores.pivot_table(index=by, columns="metric", values="value", sort=True)
    table = _aggregated(scores, runs, seed).merge(metrics.reset_index(), on=by, how="left")
    table["tasks"] = len(runs.tasks)
    for own in (_costs(frame), _counted(runs), rank_ranges(pairwise, list(runs.methods))):
        table = table.merge(own.assign(role="method"), on=by, how="left")
    first, counts = (
        ["rank", "rank_low", "rank_high"],
        ["answered", "runs", "failed", "missing", "surplus"],
    )
    table = table[[*first, *(name for name in table.columns if name not in first)]]
    table = table.fillna({"rank": ""} | dict.fromkeys(counts, 0))
    table = table.astype(dict.fromkeys(first[1:], "Int64") | dict.fromkeys(counts, "int64"))
    return in_order(table)


def in_order(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of a table with the best score first; of equal ones methods, by name."""
    order = np.lexsort(
        (table["method"], table["role"] != "method", -table["normalised"].round(_DECIMALS))
    )
    return table.iloc[order].reset_index(drop=True)


def _aggregated(scores: "pd.DataFrame", runs: RunScores, seed: int) -> "pd.DataFrame":
    """Return the aggregates of methods and references with their intervals."""
    import pandas as pd

    primary = scores[scores["primary"].astype(bool)]
    matrix = primary.pivot(index=["role", "method"], columns="task", values="normalised")
    table = matrix.index.to_frame(index=False)
    values = matrix.to_numpy()
    intervals = task_intervals(values, seed=seed)
    if values.shape[1] < FEWEST_FOR_TAIL:
        intervals["worst_decile"][:] = np.nan
    columns = {}
    for name, aggregate in AGGREGATES.items():
        column, low, high = _COLUMN_NAMES.get(name, (name, f"{name}_low", f"{name}_high"))
        columns[column] = aggregate.of(values)
        columns[low], columns[high] = intervals[name].T
        if name == "mean":
            over_seeds = np.full((len(table), 2), np.nan)
            # Methods are in alphabetical order in both.
            over_seeds[table["role"] == "method"] = seed_interval(runs.values, seed=seed)
            columns["seed_low"], columns["seed_high"] = over_seeds.T
    return pd.concat([table, pd.DataFrame(columns)], axis=1)


_COLUMN_NAMES = {"mean": ("normalised", "low", "high")}


def _costs(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return the means over runs of what results report, and of the seconds that they took."""
    runs = frame.drop_duplicates("file").rename(columns={"wall_seconds": "seconds"})
    wanted = [*reported_names(frame), "seconds"]
    return runs.groupby("method")[wanted].mean().reset_index()


def _counted(runs: RunScores) -> "pd.DataFrame":
    """Return how many tasks a method answered, and its runs: owed, failed, missing, surplus."""
    import pandas as pd

    whole = (runs.failed == 0) & (runs.missing == 0)
    owed = int((~np.isnan(runs.values[0])).sum())
    return pd.DataFrame(
        {
            "method": runs.methods,
            "answered": whole.sum(axis=1),
            "runs": owed,
            "failed": runs.failed.sum(axis=1),
            "missing": runs.missing.sum(axis=1),
            "surplus": runs.surplus,
        }
    )
