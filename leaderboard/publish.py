"""From a folder of results to a folder of tables and figures."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..whole_file import write_whole
from .critical_difference_figure import critical_difference_figure
from .difficulty_figure import difficulty_figure
from .figure_style import write_figure
from .profile_figure import profile_figure
from .results_folder import read_results
from .results_frame import failures, results_frame
from .standings_figure import standings_figure
from .statistics import Statistics
from .table_formats import html_page, latex_table, markdown_table
from .tables import Table, pairwise_table, standings_table, trends_table

if TYPE_CHECKING:
    import pandas as pd

MOST_PAIRS = 1_000
"""More pairs are written as CSV and Parquet alone."""


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """A leaderboard and its files.

    Attributes:
        statistics: all its frames.
        markdown: the standings.
        latex: the same for a paper.
        html: the same as a page.
        svg: the standings as a figure.
        pdf: the same for a paper.
        files: all of them, and those of the other tables and figures.
    """

    statistics: Statistics
    markdown: Path
    latex: Path
    html: Path
    svg: Path
    pdf: Path
    files: tuple[Path, ...]


def write_leaderboard(
    results: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    track: str = "circuit",
    question: Mapping[str, Any] | None = None,
) -> Leaderboard:
    """Rank the results in one folder and write tables and figures into another.

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
    found = Statistics.of(results_frame(read_results(results), track, question))
    words = _suffixes(track, question)
    stem = Path(folder) / "-".join(["leaderboard", *words])
    title = " ".join(["Leaderboard", *words])
    return write_statistics(found, stem, title)


def write_statistics(found: Statistics, stem: Path, title: str) -> Leaderboard:
    """Write tables and figures of statistics that are there.

    Args:
        found: from `Statistics.of`.
        stem: the path that all files begin with.
        title: of pages.
    """
    standing = standings_table(found.standings)
    texts = _write_table(standing, stem, title, failures(found.results))
    figure = write_figure(standings_figure(found.standings, found.scores), stem)
    files = [*texts, *_write_frame(found.standings, stem), *figure]
    files += _write_frame(found.scores, _part(stem, "tasks"))
    files += _write_frame(found.profiles, _part(stem, "profiles"))
    files += write_figure(profile_figure(found.profiles, found.standings), _part(stem, "profiles"))
    if len(found.pairwise):
        place = _part(stem, "pairwise")
        if len(found.pairwise) <= MOST_PAIRS:
            files += _write_table(pairwise_table(found.pairwise), place, f"{title}: differences")
        files += _write_frame(found.pairwise, place)
        files += _write_frame(found.critical.ranks, _part(stem, "ranks"))
        files += write_figure(critical_difference_figure(found.critical), _part(stem, "ranks"))
    files += _write_frame(found.covariates, _part(stem, "covariates"))
    if len(found.trends):
        place = _part(stem, "trends")
        files += _write_table(trends_table(found.trends), place, f"{title}: difficulty")
        files += _write_frame(found.trends, place)
    if len(found.bins):
        place = _part(stem, "difficulty")
        files += _write_frame(found.bins, place)
        files += write_figure(difficulty_figure(found.bins, found.standings), place)
    return Leaderboard(found, *texts, *figure, tuple(files))


def _part(stem: Path, name: str) -> Path:
    return stem.with_name(f"{stem.name}-{name}")


def _write_table(
    table: Table, stem: Path, title: str, failed: "pd.DataFrame | None" = None
) -> tuple[Path, Path, Path]:
    """Write a table as Markdown, LaTeX and HTML."""
    return (
        write_whole(markdown_table(table, failed).encode(), stem.with_name(f"{stem.name}.md")),
        write_whole(latex_table(table).encode(), stem.with_name(f"{stem.name}.tex")),
        write_whole(html_page(table, title).encode(), stem.with_name(f"{stem.name}.html")),
    )


def _write_frame(frame: "pd.DataFrame", stem: Path) -> tuple[Path, ...]:
    """Write a frame as CSV, every digit of it, and as Parquet."""
    parquet = BytesIO()
    frame.to_parquet(parquet, engine="pyarrow", index=False)
    texts = {
        "csv": frame.to_csv(index=False, lineterminator="\n").encode(),
        "parquet": parquet.getvalue(),
    }
    return tuple(
        write_whole(content, stem.with_name(f"{stem.name}.{suffix}"))
        for suffix, content in texts.items()
    )


def _suffixes(track: str, question: Mapping[str, Any]) -> list[str]:
    """Return what tells the files of one question from those of others."""
    values = [value for _, value in sorted(question.items())]
    words = [word for value in values for word in (value if isinstance(value, list) else [value])]
    return [*([track] if track != "circuit" or words else []), *map(str, words)]
