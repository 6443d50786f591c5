"""Owed runs: how often each method must have been run on a task, and which runs count.

A method owes a task as many runs as most methods have there: at least half of those that were run
on it have that many. If the most runs that any has were owed, whoever sends a hundred would make
all others miss them; if the fewest, whoever sends the best of five would miss none.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def owed_runs(frame: "pd.DataFrame") -> "pd.Series":
    """Return how many runs a method owes on each task: the upper median of what methods have.

    Args:
        frame: from `results_frame`.
    """
    counts = frame.groupby(["task", "method"])["file"].nunique().sort_values(kind="stable")
    of_task = counts.groupby("task")
    place, size = of_task.cumcount(), of_task.transform("size")
    return counts[place == size // 2].droplevel("method").sort_index()


def runs_that_count(frame: "pd.DataFrame", owed: "pd.Series") -> "pd.DataFrame":
    """Return the rows of runs that are owed: of a method with more on a task, those of low seeds.

    Args:
        frame: from `results_frame`.
        owed: from `owed_runs`.
    """
    runs = frame.drop_duplicates("file").sort_values(["seed", "file"])
    place = runs.groupby(["method", "task"]).cumcount()
    surplus = runs["file"][place >= runs["task"].map(owed)]
    return frame[~frame["file"].isin(surplus)] if len(surplus) else frame
