"""`glassbench leaderboard`: the results in a folder ranked, as tables, figures and a site."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .asked_tasks import Arm, Bundles, Results, asked_track
from .console import console, print_table
from .plurals import counted
from .rescore_command import CheckJobs, Verify, check_kept
from .site_command import Circuits, RawLink, Tables, build_site
from .whole_file import writable_folder

if TYPE_CHECKING:
    import pandas as pd

    from .evaluators import Result, Track
    from .leaderboard import Leaderboard
    from .leaderboard.board import Board
    from .leaderboard.entries import Entries

HOME = Path("glassbench-results")
"""Where everything goes unless told otherwise."""

SuiteOf = Annotated[
    str | None,
    typer.Option("--suite", help="Rank the results on the tasks of this suite alone."),
]


def leaderboard(
    results: Results = HOME / "results",
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where tables and figures go.")
    ] = HOME,
    track: Annotated[
        str | None, typer.Option("--track", help="Of tables and figures; else the first there is.")
    ] = None,
    arm: Arm = None,
    suite: SuiteOf = None,
    verify: Verify = None,
    jobs: CheckJobs = 1,
    circuits: Circuits = True,
    tables: Tables = True,
    raw_link: RawLink = None,
    task: Bundles = None,
) -> None:
    """Rank the results of a folder; write a site of them all, and tables and figures of a track."""
    from .ground_truth import load_bundle
    from .leaderboard import on_suite, read_raw_results
    from .leaderboard.board import Question
    from .leaderboard.entries import Entries
    from .leaderboard.publish import write_answers

    asked = asked_track(track or "features", arm) if track or arm else None
    tasks = [load_bundle(place) for place in task or ()]
    found = read_raw_results(results)
    entries = Entries.of(on_suite(found, suite))
    check = check_kept(results, entries.results, verify=verify, jobs=jobs, tasks=tasks)
    folder = writable_folder(output)
    question = Question.differing(asked.name, asked.question) if asked else entries.questions[0]
    board = entries.board(question)
    written = write_answers(board.statistics, question, folder)
    print_ranking(board.statistics.standings)
    if told := _of_suites(entries, board, suite, len(found)):
        console().print(f"\n{told}", soft_wrap=True)
    console().print("\nWritten:")
    print_files(written)
    site = build_site(
        entries,
        results,
        output,
        made=[board],
        check=check,
        circuits=circuits,
        raw=raw_link,
        tables=tables,
        tasks=tasks,
    )
    console().print(f"  {site.index}  (a site of {counted(site.pages, 'page')})", soft_wrap=True)


def _of_suites(entries: "Entries", board: "Board", suite: str | None, n_found: int) -> str:
    """Return what was left out for a suite, or that the tasks of a board are of several."""
    from .leaderboard.suite_choice import several_suites

    if suite is None:
        several = several_suites(entries.facts, board.statistics.scores["task"].unique())
        return f"{several} --suite NAME ranks those of one." if several else ""
    left = n_found - len(entries.found)
    return f"Left out: {counted(left, 'result')} on tasks that are not of {suite}." if left else ""


def print_standings(results: "Sequence[Result]", track: "Track") -> None:
    """Rank results and print the ranking."""
    from .leaderboard import results_frame, standings

    print_ranking(standings(results_frame(results, track.name, track.question)))


def print_ranking(standings: "pd.DataFrame") -> None:
    """Print the ranking; runs that failed or are missing have a column where there are any."""
    from .leaderboard.tables import NOTE, standings_table, ties_note

    table = standings_table(standings)
    shown = [
        place
        for place, title in enumerate(table.heading)
        if title not in ("Failed", "Missing") or any(row[place].strip("0") for row in table.rows)
    ]
    heading, *rows = [[row[place] for place in shown] for row in (table.heading, *table.rows)]
    print_table(heading, rows)
    console().print(f"\n{NOTE}", style="dim")
    if ties := ties_note(standings):
        console().print(f"\n{ties}")


def print_files(board: "Leaderboard") -> None:
    """Print where the tables and figures of a leaderboard are."""
    shown = (board.markdown, board.latex, board.html, board.svg, board.pdf)
    for path in shown:
        console().print(f"  {path}", soft_wrap=True)
    more = counted(len(board.files) - len(shown), "table") + " and figures more beside them"
    console().print(f"  {more}: differences, ranks, profiles, difficulty; CSV and Parquet of all")
