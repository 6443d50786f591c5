"""Run index: the runs behind every number, by board, method and task."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .board import Question
from .results_folder import RawResult


@dataclass(frozen=True, eq=False)
class RunIndex:
    """Runs, found by what a page is about.

    Attributes:
        cells: the runs of a method on a task under a question, by seed.
        of_board: all runs of a method under a question.
        of_method: all runs of a method.
    """

    cells: Mapping[tuple[Question, str, str], Sequence[RawResult]]
    of_board: Mapping[tuple[Question, str], Sequence[RawResult]]
    of_method: Mapping[str, Sequence[RawResult]]

    @classmethod
    def of(cls, raw: Iterable[RawResult], names: Mapping[str, str]) -> "RunIndex":
        """Return the index of runs.

        Args:
            raw: the runs.
            names: what the method of each is called, by file name.
        """
        cells: dict[tuple[Question, str, str], list[RawResult]] = {}
        of_board: dict[tuple[Question, str], list[RawResult]] = {}
        of_method: dict[str, list[RawResult]] = {}
        for one in sorted(raw, key=lambda run: (run.result.task, run.result.seed, run.name)):
            method = names[one.name]
            question = Question.of(one.result)
            cells.setdefault((question, method, one.result.task), []).append(one)
            of_board.setdefault((question, method), []).append(one)
            of_method.setdefault(method, []).append(one)
        return cls(cells, of_board, of_method)


def known_seconds(runs: Iterable[RawResult]) -> list[float]:
    """Return the seconds that runs took, those that are known."""
    found = (one.result.wall_seconds for one in runs)
    return [seconds for seconds in found if seconds is not None]
