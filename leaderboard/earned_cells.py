"""Earned cells: what a method earned on a task under a question, and the runs behind it.

The pages of methods and those of tasks show the same cells in two orders.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..evaluators.edge_outcomes import EdgeOutcomes
from .board import Board
from .circuit_view import CircuitView
from .results_folder import RawResult
from .run_index import RunIndex, known_seconds


class Cell(NamedTuple):
    """One method on one task.

    Attributes:
        method: its name.
        task: its id.
        score: the normalised primary score.
        value: of the primary metric.
        outcome: `ok`, `failed` or `missing`.
        edges: how many edges were found, missed and invented, mean over runs; empty texts where
            that is not known.
        seconds: the mean of those that are known; NaN without any.
        runs: by seed.
    """

    method: str
    task: str
    score: float
    value: float
    outcome: str
    edges: tuple[str, str, str]
    seconds: float
    runs: Sequence[RawResult]


def board_cells(board: Board, index: RunIndex, views: Mapping[str, CircuitView]) -> Iterator[Cell]:
    """Yield the cells of a board, by method and task.

    Args:
        board: the board.
        index: of all runs.
        views: what is known of circuits, by task.
    """
    names = ("method", "task", "normalised", "value", "outcome")
    columns = (board.primary[name].tolist() for name in names)
    for method, task, score, value, outcome in zip(*columns, strict=True):
        runs = index.cells.get((board.question, method, task), ())
        edges = _edges(runs, views.get(task))
        yield Cell(method, task, score, value, outcome, edges, _mean_seconds(runs), runs)


def _mean_seconds(runs: Iterable[RawResult]) -> float:
    """Return the mean of the known seconds of runs; NaN without any."""
    found = known_seconds(runs)
    return sum(found) / len(found) if found else float("nan")


def _edges(runs: Iterable[RawResult], view: CircuitView | None) -> tuple[str, str, str]:
    """Return how many edges runs found, missed and invented, in the mean."""
    if view is None:
        return "", "", ""
    return _mean_counts([view.outcomes[one.name] for one in runs if one.name in view.outcomes])


def _mean_counts(outcomes: Sequence[EdgeOutcomes]) -> tuple[str, str, str]:
    if not outcomes:
        return "", "", ""
    parts = [(len(one.found), len(one.missed), len(one.invented)) for one in outcomes]
    found, missed, invented = (f"{sum(own) / len(own):.4g}" for own in zip(*parts, strict=True))
    return found, missed, invented
