"""`glassbench rescore`: the answers in a folder of results, measured again."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import console, counted, print_table, progress
from .errors import GlassbenchError, listing

if TYPE_CHECKING:
    from .evaluators import Result
    from .ground_truth import Task, ToyTask

_SAME, _OTHER = "same", "differs"

Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder of results.")]
Bundles = Annotated[
    list[Path] | None,
    typer.Option(
        "--task",
        metavar="BUNDLE",
        help="The bundle of a task that is not of the library; may be given again.",
    ),
]

Verify = Annotated[
    bool, typer.Option("--verify", help="Measure every answer again; each result must have one.")
]
CheckJobs = Annotated[int, typer.Option("--jobs", min=1, help="How many processes check answers.")]


def rescore(results: Results, task: Bundles = None) -> None:
    """Measure the answers that are kept with results again, and compare every number.

    Tasks are made here from their ids. Prior floors, which are learned over a suite, are left
    out.
    """
    from .ground_truth import load_bundle
    from .leaderboard import read_results

    found = read_results(results)
    answered = [one for one in found if one.status == "ok"]
    tasks: dict[str, Task | ToyTask] = {
        str(one.id): one for one in (load_bundle(place) for place in task or ())
    }
    rows, problems = [], []
    with progress("Measuring again", len(answered)) as advance:
        for one in answered:
            problem = _difference(one, results, tasks)
            problems += [problem] if problem else []
            rows.append([one.tool, one.task, one.track, _score(one), _OTHER if problem else _SAME])
            advance()
    print_table(["Method", "Task", "Track", "Score", "Again"], rows)
    _tell(answered, len(found) - len(answered), problems)


def _difference(one: "Result", folder: Path, tasks: "dict[str, Task | ToyTask]") -> str:
    """Return in what a result is not what its answer earns; empty if it is."""
    from .evaluators import KeptAnswer, rescored
    from .ground_truth import load

    try:
        answer = KeptAnswer.read(folder, one)
        if one.task not in tasks:
            tasks[one.task] = load(one.task)
        rescored(one, answer, tasks[one.task])
    except GlassbenchError as error:
        return str(error).replace("\n", "\n    ")
    return ""


def _score(one: "Result") -> str:
    """Return the primary metric of a result."""
    value = one.metrics[one.primary].value
    return "" if value is None else f"{value:.3f}"


def _tell(answered: "Sequence[Result]", n_failed: int, problems: Sequence[str]) -> None:
    """Say how many answers were measured, and raise if some number is another."""
    say = console().print
    if n_failed:
        say(f"\n{counted(n_failed, 'run')} gave no answer.", soft_wrap=True)
    if problems:
        raise GlassbenchError(listing("These results are not what their answers earn:", problems))
    say(f"\n{counted(len(answered), 'answer')}: every number is that of the result.")


def check_kept(
    results: Path, *, verify: bool, jobs: int, tasks: "Sequence[Task | ToyTask]" = ()
) -> None:
    """Check that results are those of the answers kept beside them, and say which have none.

    Args:
        results: their folder.
        verify: whether every answer is measured again.
        jobs: how many processes check answers.
        tasks: those that are not of the library.

    Raises:
        BundleError: some are not; or some have none, where all are to be measured again.
    """
    from .evaluators.answers_check import check_answers
    from .leaderboard import read_results

    found = read_results(results)
    title = "Measuring again" if verify else "Checking answers"
    with progress(title, sum(one.status == "ok" for one in found)) as advance:
        check = check_answers(
            results, found, verify=verify, tasks=tasks, jobs=jobs, advance=advance
        )
    how = "measured again" if verify else "compared with their digests"
    lines = [f"{counted(check.n_checked, 'answer')} {how}."]
    if check.without:
        lines = [listing(f"{lines[0]} Of these results no answer is kept:", check.without)]
    console(stderr=True).print("\n".join(lines), soft_wrap=True)
