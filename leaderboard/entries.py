"""Entries: the results that are ranked, and what is known of them before any are compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..evaluators.result import Result
from .alongside import processes_for
from .board import Board, Question
from .page_names import distinct_names
from .results_folder import RawResult
from .results_frame import names_in_order, results_frame
from .task_facts import TaskFacts, task_facts

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Entries:
    """Results of any tracks and questions: a method is called the same under each question.

    Attributes:
        found: the results.
        methods: what the method of each is called, by the result's file name.
        facts: of every task.
    """

    found: Sequence[RawResult]
    methods: Mapping[str, str]
    facts: Mapping[str, TaskFacts]

    @classmethod
    def of(cls, found: Sequence[RawResult]) -> "Entries":
        """Return the entries of results, such as those of `read_raw_results`."""
        results = [one.result for one in found]
        told = names_in_order(results)
        names = distinct_names(told)
        methods = {one.name: names[name] for one, name in zip(found, told, strict=True)}
        return cls(found, methods, task_facts({one.task for one in results}))

    @property
    def results(self) -> tuple[Result, ...]:
        """What the files hold."""
        return tuple(one.result for one in self.found)

    @property
    def questions(self) -> tuple[Question, ...]:
        """What the results answer, in the order of tracks."""
        asked = {Question.of(result) for result in self.results}
        return tuple(sorted(asked, key=lambda one: one.order))

    def frame(self, question: Question) -> "pd.DataFrame":
        """Return the frame of the results that answer a question; as `results_frame`.

        Raises:
            BundleError: there are none, or they cannot be ranked together.
        """
        return results_frame(
            self.results, question.track, question.differences, methods=self.methods
        )

    def board(self, question: Question) -> Board:
        """Return the board of a question.

        Raises:
            BundleError: no result answers it, or those that do cannot be ranked together.
        """
        processes = processes_for(len(self.found))
        return Board.of(question, self.frame(question), self.facts, processes=processes)

    def boards(self, made: Iterable[Board] = ()) -> tuple[Board, ...]:
        """Return a board for each question that results answer.

        Args:
            made: boards of these entries, which are not made again.

        Raises:
            BundleError: results of one question cannot be ranked together.
        """
        there = {board.question: board for board in made}
        return tuple(there[one] if one in there else self.board(one) for one in self.questions)
