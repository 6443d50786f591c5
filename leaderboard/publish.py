"""From a folder of results to a folder of tables and figures."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluators.answers_check import check_answers
from ..evaluators.track import AnyTask
from ..whole_file import write_whole
from .board import Question
from .critical_difference_figure import critical_difference_figure
from .difficulty_figure import difficulty_figure
from .entries import Entries
from .figure_style import figure_files
from .paper_table import paper_table
from .profile_figure import profile_figure
from .results_folder import read_raw_results
from .results_frame import failures
from .standings_figure import standings_figure
from .statistics import Statistics
from .suite_choice import on_suite
from .table_formats import html_page, latex_table, markdown_table
from .tables import Table, pairwise_table, standings_table, trends_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_PAIRS = 1_000
"""More pairs are written as CSV and Parquet alone."""


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """A leaderboard and its files.

    Attributes:
        statistics: all its frames.
        markdown: the standings.
        latex: the same for a paper, in fewer columns.
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
    track: str | None = None,
    question: Mapping[str, Any] | None = None,
    suite: str | None = None,
    verify: bool | None = None,
    tasks: Iterable[AnyTask] = (),
    jobs: int = 1,
) -> Leaderboard:
    """Rank the results in one folder and write tables and figures into another.

    Answers of what is ranked are checked first. The files depend on the results alone: the same
    results give the same bytes.

    Args:
        results: a folder of results.
        folder: where the files go; made if it is not there.
        track: the track that is ranked; if none, the first question that results answer. Files
            of another one than `circuit` bear its name.
        question: how the question differs from the track's default, such as
            `{"arm": "independent"}`; files bear its values.
        suite: the results on its tasks alone are ranked.
        verify: which answers are measured again: see `check_answers`.
        tasks: those that cannot be made from their ids, for that.
        jobs: how many processes do so.

    Raises:
        TaskError: there is no such suite.
        BundleError: there are no results, or they cannot be ranked together or are not those of
            their answers.
    """
    found = read_raw_results(results)
    entries = Entries.of(on_suite(found, suite))
    asked = entries.questions[0] if track is None else Question.differing(track, question or {})
    ranked = [one for one in entries.results if Question.of(one) == asked]
    check_answers(results, ranked, verify=verify, tasks=tasks, jobs=jobs)
    return write_answers(Statistics.of(entries.frame(asked)), asked, folder)


def write_answers(
    found: Statistics, question: Question, folder: str | os.PathLike[str]
) -> Leaderboard:
    """Write tables and figures of the answers to a question; as `write_leaderboard` otherwise.

    Args:
        found: from `Statistics.of`.
        question: what was asked; files bear its name.
        folder: where the files go; made if it is not there.
    """
    words = _suffixes(question.track, question.differences)
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
    files = tuple(
        write_whole(content, stem.with_name(f"{stem.name}{ending}"))
        for ending, content in statistics_files(found, title)
    )
    md, tex, html, svg, pdf = (
        stem.with_name(f"{stem.name}.{suffix}") for suffix in ("md", "tex", "html", "svg", "pdf")
    )
    return Leaderboard(found, md, tex, html, svg, pdf, files)


def statistics_files(found: Statistics, title: str) -> Iterator[tuple[str, bytes]]:
    """Yield tables and figures of statistics: (how the file's name ends, its content).

    A name ends in its suffix for the standings, as in `.csv`, and otherwise in what the
    file holds too, as in `-pairwise.csv`.

    Args:
        found: from `Statistics.of`.
        title: of pages.
    """
    standing = standings_table(found.standings)
    (primary,) = found.scores.loc[found.scores["primary"].astype(bool), "metric"].unique()
    paper = paper_table(found.standings, primary)
    yield from _table_files("", standing, title, failed=failures(found.results), paper=paper)
    yield from _frame_files("", found.standings)
    yield from _figure_files("", standings_figure(found.standings, found.scores))
    yield from _frame_files("-tasks", found.scores)
    yield from _frame_files("-profiles", found.profiles)
    yield from _figure_files("-profiles", profile_figure(found.profiles, found.standings))
    if len(found.pairwise):
        if len(found.pairwise) <= MOST_PAIRS:
            pairs = pairwise_table(found.pairwise)
            yield from _table_files("-pairwise", pairs, f"{title}: differences")
        yield from _frame_files("-pairwise", found.pairwise)
        yield from _frame_files("-ranks", found.critical.ranks)
        yield from _figure_files("-ranks", critical_difference_figure(found.critical))
    yield from _frame_files("-covariates", found.covariates)
    if len(found.trends):
        yield from _table_files("-trends", trends_table(found.trends), f"{title}: difficulty")
        yield from _frame_files("-trends", found.trends)
    if len(found.bins):
        yield from _frame_files("-difficulty", found.bins)
        yield from _figure_files("-difficulty", difficulty_figure(found.bins, found.standings))


def _table_files(
    part: str,
    table: Table,
    title: str,
    *,
    failed: "pd.DataFrame | None" = None,
    paper: Table | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield a table as Markdown, LaTeX and HTML; for LaTeX another may be given."""
    yield f"{part}.md", markdown_table(table, failed).encode()
    yield f"{part}.tex", latex_table(paper or table).encode()
    yield f"{part}.html", html_page(table, title).encode()


def _frame_files(part: str, frame: "pd.DataFrame") -> Iterator[tuple[str, bytes]]:
    """Yield a frame as CSV, every digit of it, and as Parquet."""
    parquet = BytesIO()
    frame.to_parquet(parquet, engine="pyarrow", index=False)
    yield f"{part}.csv", frame.to_csv(index=False, lineterminator="\n").encode()
    yield f"{part}.parquet", parquet.getvalue()


def _figure_files(part: str, figure: "Figure") -> Iterator[tuple[str, bytes]]:
    """Yield a figure as SVG and PDF."""
    for suffix, content in figure_files(figure).items():
        yield f"{part}.{suffix}", content


def _suffixes(track: str, differences: Mapping[str, Any]) -> list[str]:
    """Return what tells the files of one question from those of others, fit for their names."""
    values = [value for _, value in sorted(differences.items())]
    words = [word for value in values for word in (value if isinstance(value, list) else [value])]
    named = (re.sub(r"[^\w.-]+", "-", str(word)) for word in words)
    return [*([track] if track != "circuit" or words else []), *named]
