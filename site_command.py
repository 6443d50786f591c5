"""The site of `glassbench leaderboard`: circuits are drawn here, for pages that know no models."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import console, progress
from .errors import GlassbenchError
from .plurals import counted

if TYPE_CHECKING:
    from .evaluators import Result
    from .evaluators.answers_check import AnswersCheck
    from .ground_truth import Task, ToyTask
    from .leaderboard.board import Board
    from .leaderboard.circuit_view import CircuitView
    from .leaderboard.entries import Entries
    from .leaderboard.results_folder import RawResult
    from .leaderboard.site import Site

Circuits = Annotated[
    bool,
    typer.Option(
        help="Draw the circuits of tasks, and tell which edges kept answers found; every task is "
        "made for that."
    ),
]
Tables = Annotated[
    bool,
    typer.Option(help="Write the tables and figures of every track into the site, too."),
]
RawLink = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Where the results are published; they are copied into the site otherwise.",
    ),
]


def build_site(
    entries: "Entries",
    results: Path,
    output: Path,
    *,
    made: "Iterable[Board]" = (),
    check: "AnswersCheck",
    circuits: bool,
    raw: str | None,
    tables: bool = True,
    tasks: "Sequence[Task | ToyTask]" = (),
) -> "Site":
    """Write the site of entries of a folder whose answers were checked.

    Boards that are made are not made again.
    """
    from .leaderboard.site import write_site_of

    views = circuit_views(entries.found, results, tasks) if circuits else {}
    return write_site_of(
        entries,
        results,
        output,
        made=made,
        states=check.states,
        views=views,
        raw=raw,
        tables=tables,
    )


def circuit_views(
    found: "Sequence[RawResult]", results: Path, tasks: "Sequence[Task | ToyTask]" = ()
) -> "dict[str, CircuitView]":
    """Return what is known of the circuits of tasks, for those that can be made here.

    A task that this version does not make as it was, and an answer that is not kept or not that of
    its result, are told of and left out.

    Args:
        found: results of any track.
        results: their folder.
        tasks: those that are not of the library.
    """
    from .ground_truth import Task

    asked: dict[str, list[Result]] = {}
    for one in found:
        if one.result.track == "circuit":
            asked.setdefault(one.result.task, []).append(one.result)
    known = {str(one.id): one for one in tasks if isinstance(one, Task)}
    views: dict[str, CircuitView] = {}
    problems: list[str] = []
    with progress("Drawing circuits", len(asked)) as advance:
        for task, runs in sorted(asked.items()):
            try:
                views[task], of_runs = _view(known.get(task), task, runs, results)
                problems += of_runs
            except GlassbenchError as error:
                problems.append(f"{task}: {error}")
            advance()
    if problems:
        say = console(stderr=True).print
        say(f"Left out of circuits for {counted(len(problems), 'problem')}; the first:")
        say(f"  {problems[0]}", soft_wrap=True)
    return views


def _view(
    task: "Task | None", name: str, runs: "Sequence[Result]", folder: Path
) -> "tuple[CircuitView, list[str]]":
    """Return what is known of the circuit of one task, and which runs are left out of it."""
    from .compiler.picture_file import picture
    from .evaluators.edge_outcomes import edge_outcomes
    from .evaluators.rescoring import check_task_of, kept_scores
    from .ground_truth import load
    from .ground_truth.circuit_picture import draw_circuit
    from .leaderboard.circuit_view import CircuitView

    made = load(name) if task is None else task
    outcomes, problems = {}, []
    for result in runs:
        check_task_of(result, made)
        if result.status == "ok":
            try:
                outcomes[result.file_name] = edge_outcomes(
                    kept_scores(result, folder), made.labels.states
                )
            except GlassbenchError as error:
                problems.append(str(error))
    states = {edge: str(state) for edge, state in made.labels.states.items()}
    drawn = picture(lambda: draw_circuit(made, inert=len(states) <= _MOST_INERT))
    return CircuitView(drawn, states, outcomes), problems


_MOST_INERT = 200
"""In larger models a picture with inert edges is a tangle; they are left out of it."""
