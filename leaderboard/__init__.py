"""Results in, rankings out: statistics, tables and a figure.

A folder of results enters through `read_results`; `results_frame`, `task_scores`
and `standings` turn it into frames; `markdown_table`, `latex_table` and
`standings_figure` into what people read. `write_leaderboard` does all of it.
pandas and matplotlib are imported only when a function needs them.
"""

from .figure import standings_figure, write_figure
from .publish import Leaderboard, write_leaderboard
from .results_folder import read_results
from .standings import failures, results_frame, standings, task_scores
from .tables import cells, latex_table, markdown_table

__all__ = [
    "Leaderboard",
    "cells",
    "failures",
    "latex_table",
    "markdown_table",
    "read_results",
    "results_frame",
    "standings",
    "standings_figure",
    "task_scores",
    "write_figure",
    "write_leaderboard",
]
