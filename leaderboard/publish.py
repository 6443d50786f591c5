"""From a folder of results to a folder of tables and a figure."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..whole_file import write_whole
from .figure import standings_figure, write_figure
from .results_folder import read_results
from .standings import failures, results_frame, standings, task_scores
from .tables import latex_table, markdown_table


@dataclass(frozen=True)
class Leaderboard:
    """The files of a leaderboard."""

    markdown: Path
    latex: Path
    svg: Path
    png: Path


def write_leaderboard(
    results: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    track: str = "circuit",
) -> Leaderboard:
    """Rank the results in one folder and write tables and figure into another.

    The files depend on the results alone: the same results give the same bytes.

    Args:
        results: a folder of results.
        folder: where the files go; made if it is not there.
        track: the track that is ranked.

    Raises:
        BundleError: there are no results, or they cannot be ranked together.
    """
    frame = results_frame(read_results(results), track)
    table = standings(frame)
    folder = Path(folder)
    markdown, latex = folder / "leaderboard.md", folder / "leaderboard.tex"
    write_whole(markdown_table(table, failures(frame)).encode(), markdown)
    write_whole(latex_table(table).encode(), latex)
    figure = standings_figure(table, task_scores(frame))
    return Leaderboard(markdown, latex, *write_figure(figure, folder / "leaderboard"))
