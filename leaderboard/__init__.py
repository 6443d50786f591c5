"""Results in, rankings out: statistics, tables and figures.

A folder of results enters through `read_results`, and `results_frame` makes a frame of it.
`Statistics.of` makes all frames from that: scores, standings, differences, profiles, what goes
with difficulty; each has a function of its own, frames in, frames out. `standings_table` and its
like choose what people read of a frame; `markdown_table`, `latex_table` and `html_table` write it,
`standings_figure` and its like draw. `write_leaderboard` does all of it, from folder to folder.
`write_site` makes static pages of all tracks.
`agreement` tells how far other measures rank methods as their scores do.
pandas, scipy and matplotlib are imported only when a function needs them.
"""

from .aggregates import AGGREGATES, Aggregate
from .agreement import Agreement, agreement
from .bootstrap import seed_interval, task_intervals
from .circuit_view import CircuitView
from .critical_difference import CriticalDifference, critical_difference
from .critical_difference_figure import critical_difference_figure
from .difficulty import difficulty_bins, difficulty_trends, task_covariates
from .difficulty_figure import difficulty_figure
from .figure_style import write_figure
from .pairwise import pairwise_differences
from .paper_table import paper_table
from .profile_figure import profile_figure
from .profiles import performance_profiles
from .publish import Leaderboard, write_leaderboard
from .ranking import rank_ranges
from .results_folder import RawResult, read_raw_results, read_results
from .results_frame import failures, results_frame
from .run_scores import RunScores, run_scores
from .site import Site, write_site
from .standings import standings
from .standings_figure import standings_figure
from .statistics import Statistics
from .suite_choice import on_suite
from .table_formats import html_page, html_table, latex_table, markdown_table
from .tables import Table, cells, pairwise_table, standings_table, trends_table
from .task_scores import task_scores

__all__ = [
    "AGGREGATES",
    "Aggregate",
    "Agreement",
    "CircuitView",
    "CriticalDifference",
    "Leaderboard",
    "RawResult",
    "RunScores",
    "Site",
    "Statistics",
    "Table",
    "agreement",
    "cells",
    "critical_difference",
    "critical_difference_figure",
    "difficulty_bins",
    "difficulty_figure",
    "difficulty_trends",
    "failures",
    "html_page",
    "html_table",
    "latex_table",
    "markdown_table",
    "on_suite",
    "pairwise_differences",
    "pairwise_table",
    "paper_table",
    "performance_profiles",
    "profile_figure",
    "rank_ranges",
    "read_raw_results",
    "read_results",
    "results_frame",
    "run_scores",
    "seed_interval",
    "standings",
    "standings_figure",
    "standings_table",
    "task_covariates",
    "task_intervals",
    "task_scores",
    "trends_table",
    "write_figure",
    "write_leaderboard",
    "write_site",
]
