"""`glassbench rescore`: the answers in a folder of results, measured again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .asked_tasks import Bundles, Results, own_tasks
from .console import console, print_table, progress
from .errors import GlassbenchError, listing
from .plurals import counted

if TYPE_CHECKING:
    from .evaluators import Result
    from .evaluators.track import Priors
    from .ground_truth import Task, ToyTask

_SAME, _OTHER = "same", "differs"

PriorsOf = Annotated[
    str | None,
    typer.Option(
        "--priors-of",
        metavar="SUITE",
        help="Learn prior floors over this suite anew, and write results with them.",
    ),
]


def rescore(results: Results, task: Bundles = None, suite: PriorsOf = None) -> None:
    """Measure the answers that are kept with results again, and compare every number.

    Tasks are made here from their ids. Prior floors, which are learned over a suite, are not
    compared; with --priors-of they are learned anew, and results on its tasks that are what their
    answers earn are written with them.
    """
    from .benchmark_programs import get_suite
    from .leaderboard import read_results

    found = read_results(results)
    answered = [one for one in found if one.status == "ok"]
    again = _Again(results, own_tasks(task), tuple(map(str, get_suite(suite))) if suite else ())
    rows, problems = [], []
    with progress("Measuring again", len(answered)) as advance:
        for one in answered:
            problem = again.measure(one)
            problems += [problem] if problem else []
            rows.append([one.tool, one.task, one.track, _score(one), _OTHER if problem else _SAME])
            advance()
    print_table(["Method", "Task", "Track", "Score", "Again"], rows)
    if suite:
        written = counted(again.n_written, "result")
        console().print(f"\nWritten: {written} with the priors of {suite}.")
    _tell(answered, len(found) - len(answered), problems)


@dataclass
class _Again:
    """Measures answers again, and writes their results with the priors of a suite, if of any."""

    folder: Path
    tasks: "dict[str, Task | ToyTask]"
    suite: tuple[str, ...]
    n_written: int = 0
    priors: "dict[str, Priors]" = field(default_factory=dict)

    def measure(self, one: "Result") -> str:
        """Measure the answer of a result, and write the result if its priors are others now.

        Returns:
            In what the result is not what its answer earns, and then is left as it is; empty if it
            is that.
        """
        from .evaluators import KeptAnswer, rescored

        try:
            answer = KeptAnswer.read(self.folder, one)
            priors = self._priors(one)
            measures = rescored(one, answer, self._task(one.task), priors)
            if priors and measures.metrics != one.metrics:
                one.model_copy(update={"metrics": measures.metrics}).write(self.folder)
                self.n_written += 1
        except GlassbenchError as error:
            return str(error).replace("\n", "\n    ")
        return ""

    def _task(self, name: str) -> "Task | ToyTask":
        from .ground_truth import load

        if name not in self.tasks:
            self.tasks[name] = load(name)
        return self.tasks[name]

    def _priors(self, one: "Result") -> "Priors":
        """Return the priors that a result is written with; none where none are learned."""
        from .evaluators.sweep_work import posed, priors_for
        from .evaluators.tracks import find_track

        track = find_track(one.track)
        if one.task not in self.suite or not track.has_priors:
            return {}
        if one.track not in self.priors:
            each = [posed(self._task(task), [track], {0}, keep=False) for task in self.suite]
            asked = {task.id: task.evidence[0] for task in each if task.evidence}
            self.priors[one.track] = track.learned(asked)
        return priors_for(one.task, self.priors[one.track])


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
