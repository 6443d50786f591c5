"""Path norm: how much weight lies on the paths that go over an edge, data unseen.

Neyshabur, Tomioka and Srebro 2015, arXiv:1503.00036: the norm of a network over paths is the root
of the sum, over all paths from an input to an output, of the product of the squared weights on
the way. The score of an edge is the root of the part of that sum that goes over it. Units are
tokens and positions, neurons, the values of a head, and its pattern, which reads through the
matrices of queries and keys and weighs all values alike. From unit to unit the matrices of writer
and reader are multiplied out, so that the basis of the stream does not count. Scores have no sign.

What stands between the matrices is not looked at: neurons count alike, whatever their activation,
and of a LayerNorm only the part that is linear (see `centred_reads`).
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from ...compiler.component_graph import EMBED, LOGITS, POS_EMBED, Reader, Writer, edge_name
from ...compiler.executor import reader_matrix
from ...compiler.one_thread import one_thread
from ...compiler.weights import Weights
from ..circuit_problem import CircuitProblem
from .centred_reads import with_centred_reads


@one_thread()
def path_norm(problem: CircuitProblem) -> dict[str, float]:
    """Return the norm over the paths that go over every edge."""
    found = _Paths(problem).over_edges()
    return {edge: float(np.sqrt(found[edge])) for edge in problem.edges}


class _Paths:
    """Sums over paths of products of squared weights, to and from every unit."""

    def __init__(self, problem: CircuitProblem) -> None:
        graph, weights = problem.graph, with_centred_reads(problem.model.weights)
        self._graph = graph
        self._weights = weights
        written = [_written(weights, writer) for writer in graph.writers]
        self._rows = np.concatenate(written)
        self._starts = np.cumsum([0, *map(len, written)])
        spans = pairwise(self._starts.tolist())
        self._units = {w.name: slice(*span) for w, span in zip(graph.writers, spans, strict=True)}

    def over_edges(self) -> dict[str, float]:
        """Return the sum over the paths that go over each edge, by its name."""
        squares = {reader.name: self._squares(reader) for reader in self._graph.readers}
        to = self._to_units(squares)
        leaving = np.zeros(len(self._rows))
        found = {}
        for reader in reversed(self._graph.readers):
            if reader.name == LOGITS:
                ahead = np.ones(self._weights.d_out)
            else:
                ahead = leaving[self._units[reader.component]]
            square = squares[reader.name]
            onward = square @ (ahead.sum(keepdims=True) if reader.role in "qk" else ahead)
            leaving[: len(square)] += onward
            before = self._graph.writers[: int(np.searchsorted(self._starts, len(square)))]
            over = np.add.reduceat(to[: len(square)] * onward, self._starts[: len(before)])
            for writer, total in zip(before, over.tolist(), strict=True):
                found[edge_name(writer.name, reader.name)] = total
        return found

    def _to_units(self, squares: dict[str, np.ndarray]) -> Float[np.ndarray, " unit"]:
        """Return the sum over the paths from the embeddings to every unit that writes."""
        to = np.zeros(len(self._rows))
        for name in (EMBED, POS_EMBED):
            to[self._units[name]] = 1.0
        for reader in self._graph.readers[:-1]:
            square = squares[reader.name]
            to[self._units[reader.component]] += to[: len(square)] @ square
        return to

    def _squares(self, reader: Reader) -> Float[np.ndarray, "unit inner"]:
        """Return the squared weights from all units before a reader to those that read."""
        before = sum(writer.depth < reader.depth for writer in self._graph.writers)
        rows = self._rows[: self._starts[before]]
        squares = np.square(rows @ reader_matrix(self._weights, reader))
        return squares.sum(axis=1, keepdims=True) if reader.role in "qk" else squares


def _written(weights: Weights, writer: Writer) -> Float[np.ndarray, "unit d_model"]:
    """Return what each unit of a writer writes."""
    if writer.name == EMBED:
        return weights.W_E
    if writer.name == POS_EMBED:
        return weights.W_pos
    if writer.head >= 0:
        return weights.W_O[writer.layer, writer.head]
    return weights.W_out[writer.layer]
