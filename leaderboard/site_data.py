"""Site data: all that pages are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .board import Board, boards
from .circuit_view import CircuitView
from .page_names import distinct_names
from .results_folder import RawResult
from .results_frame import method_names
from .run_index import RunIndex
from .submitters import Submitter
from .task_facts import TaskFacts, task_facts


@dataclass(frozen=True, eq=False)
class SiteData:
    """All that pages are made from.

    Attributes:
        boards: one for each question.
        runs: behind every number.
        facts: of every task.
        names: what each task is called.
        views: what is known of circuits, by task.
        submitters: who answers for methods, by the method's own name.
    """

    boards: tuple[Board, ...]
    runs: RunIndex
    facts: Mapping[str, TaskFacts]
    names: Mapping[str, str]
    views: Mapping[str, CircuitView]
    submitters: Mapping[str, Sequence[Submitter]]

    @classmethod
    def of(
        cls,
        found: Sequence[RawResult],
        views: Mapping[str, CircuitView],
        submitters: Mapping[str, Sequence[Submitter]],
    ) -> "SiteData":
        """Return the data of results.

        Args:
            found: the results.
            views: what is known of circuits, by task.
            submitters: from `read_submitters`.

        Raises:
            BundleError: results of one question cannot be ranked together.
        """
        results = [one.result for one in found]
        told = method_names(results)
        shown = distinct_names(told.values())
        methods = {file: shown[name] for file, name in told.items()}
        tasks = sorted({one.task for one in results})
        facts = task_facts(tasks)
        return cls(
            boards=boards(results, methods, facts),
            runs=RunIndex.of(found, methods),
            facts=facts,
            names=distinct_names(tasks),
            views=views,
            submitters=submitters,
        )
