"""From a folder of results to a folder of tables and a figure."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..whole_file import write_whole
from .figure import standings_figure, write_figure
from .results_folder import read_results
from .results_frame import failures, results_frame
from .standings import standings
from .tables import latex_table, markdown_table
from .task_scores import task_scores


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
    question: Mapping[str, Any] | None = None,
) -> Leaderboard:
    """Rank the results in one folder and write tables and figure into another.

    The files depend on the results alone: the same results give the same bytes.

    Args:
        results: a folder of results.
        folder: where the files go; made if it is not there.
        track: the track that is ranked. Files of another one than `circuit` bear its name.
        question: how the question differs from the track's default, such as
            `{"arm": "independent"}`; files bear its values.

    Raises:
        BundleError: there are no results, or they cannot be ranked together.
    """
    question = dict(question or {})
    frame = results_frame(read_results(results), track, question)
    table = standings(frame)
    folder = Path(folder)
    stem = "-".join(["leaderboard", *_suffixes(track, question)])
    markdown, latex = folder / f"{stem}.md", folder / f"{stem}.tex"
    write_whole(markdown_table(table, failures(frame)).encode(), markdown)
    write_whole(latex_table(table).encode(), latex)
    figure = standings_figure(table, task_scores(frame))
    return Leaderboard(markdown, latex, *write_figure(figure, folder / stem))


def _suffixes(track: str, question: Mapping[str, Any]) -> list[str]:
    """Return what tells the files of one question from those of others."""
    values = [value for _, value in sorted(question.items())]
    words = [word for value in values for word in (value if isinstance(value, list) else [value])]
    return [*([track] if track != "circuit" or words else []), *map(str, words)]
