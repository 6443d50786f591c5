"""Run scores: the normalised primary score of every run that a method owes, with no hole.

A leaderboard asks the same of every method: each task, as many times as `owed_runs` says. A run
that failed, and one that is owed and is not there, count as a random answer, so that nothing is
gained by not answering, nor by leaving out the seeds that went badly.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from .normalising import LEAST, random_normalised
from .owed_runs import owed_runs, runs_that_count

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class RunScores:
    """Normalised primary scores as an array.

    Attributes:
        methods: in alphabetical order.
        tasks: in alphabetical order.
        values: a score for each run; NaN after the last run of a task that is owed fewer than
            others.
        failed: how many runs of a method on a task gave no answer.
        missing: how many of those owed are not there.
        surplus: how many are there beyond those owed, and do not count.
    """

    methods: tuple[str, ...]
    tasks: tuple[str, ...]
    values: Float[np.ndarray, "method task run"]
    failed: Int[np.ndarray, "method task"]
    missing: Int[np.ndarray, "method task"]
    surplus: Int[np.ndarray, " method"]


def run_scores(frame: "pd.DataFrame") -> RunScores:
    """Return the scores of all runs owed.

    Args:
        frame: from `results_frame`.
    """
    import pandas as pd

    every = frame[frame["primary"]].drop_duplicates("file")
    own = owed_runs(every)
    runs = runs_that_count(every, own)
    method, methods = pd.factorize(runs["method"], sort=True)
    task, tasks = pd.factorize(runs["task"], sort=True)
    shape = len(methods), len(tasks)
    run = runs.groupby(["method", "task"]).cumcount().to_numpy()
    there = np.zeros(shape, dtype=np.int64)
    np.add.at(there, (method, task), 1)
    owed = own.to_numpy()  # tasks are in alphabetical order in both
    # The floor of a task is that of any run that knows it; 0 where none does.
    floor = pd.Series(random_normalised(runs)).groupby(task).max().fillna(0.0).to_numpy()
    values = np.full((*shape, int(owed.max())), np.nan)
    values[:] = np.where(np.arange(values.shape[2]) < owed[:, None], floor[:, None], np.nan)
    answered = runs["normalised"].notna().to_numpy()
    places = tuple(each[answered] for each in (method, task, run))
    values[places] = np.maximum(runs["normalised"].to_numpy()[answered], LEAST)
    failed = np.zeros(shape, dtype=np.int64)
    lost = (runs["status"] != "ok").to_numpy()
    np.add.at(failed, (method[lost], task[lost]), 1)
    surplus = every.groupby("method").size().to_numpy() - there.sum(axis=1)
    return RunScores(tuple(methods), tuple(tasks), values, failed, owed - there, surplus)
