"""Site data: all that pages are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from ..evaluators.answers_check import AnswerState
from .answer_counts import AnswerCounts
from .board import Board, Question
from .circuit_view import CircuitView
from .earned_cells import Cell, board_cells
from .entries import Entries
from .page_names import distinct_names
from .run_index import RunIndex
from .submitters import Submitter
from .task_facts import TaskFacts


@dataclass(frozen=True, eq=False)
class SiteData:
    """All that pages are made from.

    Attributes:
        boards: one for each question.
        runs: behind every number.
        cells: of each question, by method and task.
        facts: of every task.
        names: what each task is called.
        views: what is known of circuits, by task.
        submitters: who answers for methods, by the method's own name.
        states: what was checked of the answer of each run that gave one, by file name.
    """

    boards: tuple[Board, ...]
    runs: RunIndex
    cells: Mapping[Question, Sequence[Cell]]
    facts: Mapping[str, TaskFacts]
    names: Mapping[str, str]
    views: Mapping[str, CircuitView]
    submitters: Mapping[str, Sequence[Submitter]]
    states: Mapping[str, AnswerState]

    @classmethod
    def of(
        cls,
        entries: Entries,
        boards: tuple[Board, ...],
        views: Mapping[str, CircuitView],
        submitters: Mapping[str, Sequence[Submitter]],
        states: Mapping[str, AnswerState],
    ) -> "SiteData":
        """Return the data of entries.

        Args:
            entries: what is ranked.
            boards: one for each question.
            views: what is known of circuits, by task.
            submitters: from `read_submitters`.
            states: from `check_answers`.
        """
        runs = RunIndex.of(entries.found, entries.methods)
        return cls(
            boards=boards,
            runs=runs,
            cells={one.question: list(board_cells(one, runs, views)) for one in boards},
            facts=entries.facts,
            names=distinct_names(entries.facts),
            views=views,
            submitters=submitters,
            states=states,
        )

    def answers(self, question: Question) -> AnswerCounts:
        """Return what was checked of all answers to a question."""
        own = (runs for (asked, _), runs in self.runs.of_board.items() if asked == question)
        return AnswerCounts.of(chain.from_iterable(own), self.states)
