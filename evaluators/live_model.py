"""Live model: the part of a model that can bear on its logits, by its weights alone.

Heads and neurons whose writes nothing reads are left out, then the directions of the stream that
none of what is left reads, and edges over which nothing passes. The logits are the same on every
input, and after every interchange, but for rounding: whatever is measured of the whole model can
be measured on its live part, which in a crowded model is a small one. What is left out has no
effect, no gradient and no score.

A LayerNorm is over all dimensions that there are, and sees all directions but one, so that the
stream stays as it is.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ..compiler.component_graph import ComponentGraph, Edge, Reader
from ..compiler.executor import seen_columns
from ..compiler.weights import READS, WRITES, Weights
from ..ground_truth.wiring import ROUNDING_BOUND, without_dead_ends, written_rows


class EdgePlaces(NamedTuple):
    """Places of edges in the graph of a model, by which an array `[..., reader, writer]` is read.

    Attributes:
        readers: that of the reader of each.
        writers: that of the writer.
    """

    readers: Int[np.ndarray, " edge"]
    writers: Int[np.ndarray, " edge"]


@dataclass(frozen=True, eq=False)
class LiveModel:
    """The live part of a model.

    Attributes:
        weights: heads and neurons that are not live are zero; the stream has as many dimensions
            as are read, or all of its own after a LayerNorm.
        graph: the components that are left; a part of the graph of the whole model.
        edges: the edges of `graph` over which something can pass.
    """

    weights: Weights
    graph: ComponentGraph
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, weights: Weights) -> "LiveModel":
        """Return the live part of a model; products up to 1e-9 count as zero."""
        live = without_dead_ends(weights, ROUNDING_BOUND)
        graph = ComponentGraph.of(live)
        read = {reader.name: _columns(live, reader) for reader in graph.readers}
        passing = _passing(live, graph, read)
        if live.layer_norm:
            return cls(live, graph, passing)
        basis = _span(np.concatenate(list(read.values()), axis=1))
        narrow = {name: getattr(live, name) @ basis for name in WRITES}
        narrow |= {name: basis.T @ getattr(live, name) for name in READS}
        return cls(live.with_arrays(narrow), graph, passing)

    @cached_property
    def places(self) -> EdgePlaces:
        """Where each of `edges` is in an array of readers and writers."""
        rows = {reader.name: row for row, reader in enumerate(self.graph.readers)}
        writers = [self.graph.writer_index[edge.writer.name] for edge in self.edges]
        readers = [rows[edge.reader.name] for edge in self.edges]
        return EdgePlaces(np.array(readers, dtype=np.int64), np.array(writers, dtype=np.int64))


def _span(columns: Float[np.ndarray, "d_model column"]) -> Float[np.ndarray, "d_model dimension"]:
    """Return an orthonormal basis of the span of some columns."""
    basis, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return basis[:, sizes > ROUNDING_BOUND]


def _passing(
    weights: Weights, graph: ComponentGraph, read: dict[str, np.ndarray]
) -> tuple[Edge, ...]:
    """Return the edges whose writer can write what their reader can read."""
    written = [written_rows(weights, writer) for writer in graph.writers]
    starts = np.cumsum([0, *map(len, written)])
    rows = np.concatenate(written)
    largest = {}
    for reader in graph.readers:
        before = sum(writer.depth < reader.depth for writer in graph.writers)
        entering = np.abs(rows[: starts[before]] @ read[reader.name])
        most = entering.max(axis=1, initial=0.0)
        largest[reader.name] = np.maximum.reduceat(most, starts[:before])
    return tuple(
        edge
        for edge in graph.edges
        if largest[edge.reader.name][graph.writer_index[edge.writer.name]] > ROUNDING_BOUND
    )


def _columns(weights: Weights, reader: Reader) -> np.ndarray:
    """Return what tells what a reader sees, without neurons that write nothing."""
    matrix = seen_columns(weights, reader)
    if reader.role == "mlp" and not weights.layer_norm:
        return matrix[:, weights.W_out[reader.layer].any(axis=1)]
    return matrix
