"""Results in, rankings out: statistics, tables and a figure.

A folder of results enters through `read_results`; `results_frame`, `task_scores`
and `standings` turn it into frames; `markdown_table`, `latex_table` and
`standings_figure` into what people read. `agreement` tells how far other measures rank methods
as their scores do. `write_leaderboard` does all of it.
pandas and matplotlib are imported only when a function needs them.
"""

from .aggregates import AGGREGATES, Aggregate
from .agreement import Agreement, agreement
from .bootstrap import seed_interval, task_intervals
from .critical_difference import CriticalDifference, critical_difference
from .difficulty import difficulty_bins, difficulty_trends, task_covariates
from .figure import standings_figure, write_figure
from .pairwise import pairwise_differences
from .profiles import performance_profiles
from .publish import Leaderboard, write_leaderboard
from .ranking import rank_ranges
from .results_folder import read_results
from .results_frame import failures, results_frame
from .run_scores import RunScores, run_scores
from .standings import standings
from .tables import cells, latex_table, markdown_table
from .task_scores import task_scores

__all__ = [
    "AGGREGATES",
    "Aggregate",
    "Agreement",
    "CriticalDifference",
    "Leaderboard",
    "RunScores",
    "agreement",
    "cells",
    "critical_difference",
    "difficulty_bins",
    "difficulty_trends",
    "failures",
    "latex_table",
    "markdown_table",
    "pairwise_differences",
    "performance_profiles",
    "rank_ranges",
    "read_results",
    "results_frame",
    "run_scores",
    "seed_interval",
    "standings",
    "standings_figure",
    "task_covariates",
    "task_intervals",
    "task_scores",
    "write_figure",
    "write_leaderboard",
]
