"""Contributions: what a reader sees of a writer, over all inputs of a domain."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

from ..compiler.component_graph import ComponentGraph, Edge
from ..compiler.executor import project, run
from ..compiler.weights import Weights
from .wiring import ROUNDING_BOUND, reader_matrix

_CHUNK = 256

TokenIds = Int[np.ndarray, "inputs position"]


def spreads(
    weights: Weights, graph: ComponentGraph, edges: Sequence[Edge], tokens: TokenIds
) -> dict[str, float]:
    """Return how much what the reader sees of the writer varies, for each edge.

    The spread is the largest difference between two inputs at the same position,
    in any coordinate of the reader's input; zero means that the edge carries the
    same on every input.
    """
    ranges = {edge.name: (np.inf, -np.inf) for edge in edges}
    for _, contributions in _chunks(weights, graph, tokens):
        for edge in edges:
            seen = _seen(weights, graph, edge, contributions)
            low, high = ranges[edge.name]
            ranges[edge.name] = np.minimum(low, seen.min(0)), np.maximum(high, seen.max(0))
    return {name: float(np.max(high - low)) for name, (low, high) in ranges.items()}


def distinct_sources(
    weights: Weights, graph: ComponentGraph, edge: Edge, tokens: TokenIds
) -> Int[np.ndarray, " distinct"]:
    """Return one input for each distinct contribution that the edge can carry."""
    first: dict[bytes, int] = {}
    for start, contributions in _chunks(weights, graph, tokens):
        seen = _seen(weights, graph, edge, contributions)
        grid = np.round(seen / ROUNDING_BOUND).astype(np.int64)
        for row, key in enumerate(grid):
            first.setdefault(key.tobytes(), start + row)
    return np.array(list(first.values()))


def _chunks(
    weights: Weights, graph: ComponentGraph, tokens: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the first row of each chunk and the contributions of all writers on it."""
    for start in range(0, len(tokens), _CHUNK):
        batch = run(weights, tokens[start : start + _CHUNK], graph=graph)
        yield start, batch.contributions


def _seen(
    weights: Weights, graph: ComponentGraph, edge: Edge, contributions: np.ndarray
) -> np.ndarray:
    """Return one writer's contributions in the reader's coordinates."""
    writer = graph.writer_index[edge.writer.name]
    return project(contributions[writer], reader_matrix(weights, edge.reader))
