"""`glassbench leaderboard`: the results in a folder ranked, as tables, figures and a site."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .asked_tasks import Arm, Bundles, Results, asked_track, own_tasks
from .console import console, print_table, progress
from .errors import listing
from .plurals import counted
from .site_command import Circuits, RawLink, Tables, build_site
from .whole_file import check_place, writable_folder

if TYPE_CHECKING:
    import pandas as pd

    from .evaluators import Result, Track
    from .evaluators.answers_check import AnswersCheck
    from .ground_truth import Task, ToyTask
    from .leaderboard import Leaderboard
    from .leaderboard.board import Board
    from .leaderboard.entries import Entries

HOME = Path("glassbench-results")
"""Where everything goes unless told otherwise."""

SuiteOf = Annotated[
    str | None,
    typer.Option("--suite", help="Rank the results on the tasks of this suite alone."),
]
Verify = Annotated[
    bool | None,
    typer.Option(
        "--verify/--no-verify",
        help="Measure every answer again, or compare digests alone; by default those of "
        "submissions are measured. An answer that is to be measured must be there.",
        show_default=False,
    ),
]
CheckJobs = Annotated[int, typer.Option("--jobs", min=1, help="How many processes check answers.")]


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
    from .leaderboard import on_suite, read_raw_results
    from .leaderboard.board import Question
    from .leaderboard.entries import Entries
    from .leaderboard.publish import write_answers

    asked = asked_track(track or "features", arm) if track or arm else None
    check_place(output)
    tasks = list(own_tasks(task).values())
    found = read_raw_results(results)
    entries = Entries.of(on_suite(found, suite))
    check = _checked(results, entries.results, verify=verify, jobs=jobs, tasks=tasks)
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


def _checked(
    results: Path,
    found: "Sequence[Result]",
    *,
    verify: bool | None,
    jobs: int,
    tasks: "Sequence[Task | ToyTask]" = (),
) -> "AnswersCheck":
    """Check that results are those of the answers kept beside them, and say which have none.

    Args:
        results: their folder.
        found: those in it.
        verify: whether every answer is measured again, or none; by default those of submissions.
        jobs: how many processes check answers.
        tasks: those that are not of the library.

    Raises:
        BundleError: some are not; or some have none that are to be measured again.
    """
    from .evaluators.answers_check import check_answers

    with progress("Checking answers", sum(one.status == "ok" for one in found)) as advance:
        check = check_answers(
            results, found, verify=verify, tasks=tasks, jobs=jobs, advance=advance
        )
    told = f"{check.n_measured:,} measured again, {check.n_compared:,} compared by digest."
    told = f"{counted(check.n_measured + check.n_compared, 'answer')}: {told}"
    if check.without:
        told = listing(f"{told} Of these results no answer is kept:", check.without)
    console(stderr=True).print(told, soft_wrap=True)
    return check
