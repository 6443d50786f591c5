"""Contributions: what a reader sees of a writer, over all inputs of a domain."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from ..compiler.component_graph import Edge
from ..compiler.executor import Run, project
from .domain_runs import DomainRuns
from .wiring import ROUNDING_BOUND, reader_matrix

MOST_DISTINCT = 2048


def spreads(runs: DomainRuns, edges: Sequence[Edge]) -> dict[str, float]:
    """Return how much what the reader sees of the writer varies, for each edge.

    The spread is the largest difference between two inputs at the same position,
    in any coordinate of the reader's input; zero means that the edge carries the
    same on every input.
    """
    ranges = {edge.name: (np.inf, -np.inf) for edge in edges}
    for _, run in runs.chunks():
        for edge in edges:
            seen = _seen(runs, edge, run)
            low, high = ranges[edge.name]
            ranges[edge.name] = np.minimum(low, seen.min(0)), np.maximum(high, seen.max(0))
    return {name: float(np.max(high - low)) for name, (low, high) in ranges.items()}


def distinct_sources(
    runs: DomainRuns, edges: Sequence[Edge]
) -> dict[str, Int[np.ndarray, " distinct"] | None]:
    """Return one input for each distinct contribution that an edge can carry, for each edge.

    What differs by rounding alone is one contribution, so that their number is the same on
    every machine. `None` stands for more than `MOST_DISTINCT`.
    """
    found: dict[str, tuple[np.ndarray, np.ndarray] | None] = {
        edge.name: (np.zeros(0, dtype=np.int64), np.zeros(0)) for edge in edges
    }
    for some, run in runs.chunks():
        for edge in edges:
            known = found[edge.name]
            if known is None:
                continue
            seen = _seen(runs, edge, run)
            rows = np.append(known[0], some.start + np.arange(len(seen)))
            values = np.concatenate(
                [known[1].reshape(-1, seen[0].size), seen.reshape(len(seen), -1)]
            )
            first = _first_of_each(values)
            found[edge.name] = None if len(first) > MOST_DISTINCT else (rows[first], values[first])
    return {name: None if known is None else known[0] for name, known in found.items()}


def _first_of_each(values: np.ndarray) -> np.ndarray:
    """Return the first row of each set of rows that are equal but for rounding.

    In each column, sorted values with a gap between them are different ones.
    """
    order = values.argsort(axis=0)
    gaps = np.diff(np.take_along_axis(values, order, axis=0), axis=0) > ROUNDING_BOUND
    levels = np.zeros(values.shape, dtype=np.int64)
    np.put_along_axis(levels, order[1:], gaps.cumsum(axis=0), axis=0)
    return np.sort(np.unique(levels, axis=0, return_index=True)[1])


def _seen(runs: DomainRuns, edge: Edge, run: Run) -> np.ndarray:
    """Return one writer's contributions in the reader's coordinates."""
    writer = runs.graph.writer_index[edge.writer.name]
    return project(run.contributions[writer], reader_matrix(runs.weights, edge.reader))
