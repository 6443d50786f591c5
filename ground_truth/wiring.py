"""Wiring: what can be proved about an edge from products of weight matrices.

An edge is `unwired` when the reader's matrix annihilates the subspace that the
writer writes to. It is unreachable when nothing that a change of the reader's
input can touch leads to the logits: neurons that the subspace enters, heads that
it enters, what those write, and so on through the layers. Both hold for every
input whatever, in or out of the domain.

After a LayerNorm a reader sees every change of the stream, but for one that is the
same in every coordinate: that subspace alone is then annihilated.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import EMBED, POS_EMBED, ComponentGraph, Edge, Reader, Writer
from ..compiler.executor import seen_columns
from ..compiler.weights import Weights

ROUNDING_BOUND = 1e-9


def proof_bound(compiled: CompiledModel) -> float:
    """Return the largest product that counts as zero: 0 unless the model is rotated or trained."""
    if not compiled.model.weights.is_piecewise_linear:
        return ROUNDING_BOUND
    rows = np.vstack([v.directions for v in compiled.source_map.variables])
    return 0.0 if np.isin(rows, (0.0, 1.0)).all() else ROUNDING_BOUND


def without_dead_ends(weights: Weights, bound: float) -> Weights:
    """Return a model without the heads and neurons whose writes no kept reader reads.

    The logits are kept, and so are the readers of kept heads and neurons. The logits are then
    the same on every input, and after every change of the stream: exactly if `bound` is 0, else
    but for rounding.

    Args:
        weights: the model.
        bound: no entry of what is written times what is read that counts as zero is larger.
    """
    W_O, W_out = weights.W_O.copy(), weights.W_out.copy()
    columns = seen_columns(weights, ComponentGraph.of(weights).readers[-1])
    if weights.layer_norm:  # no other reader sees more than the logits do
        W_O[np.abs(W_O @ columns).max(axis=(2, 3), initial=0.0) <= bound] = 0.0
        W_out[np.abs(W_out @ columns).max(axis=2, initial=0.0) <= bound] = 0.0
        return weights.with_arrays({"W_O": W_O, "W_out": W_out})
    for layer in reversed(range(weights.n_layers)):
        live = np.abs(W_out[layer] @ columns).max(axis=1, initial=0.0) > bound
        W_out[layer][~live] = 0.0
        columns = np.hstack([columns, weights.W_in[layer][:, live]])
        heads = np.abs(W_O[layer] @ columns).max(axis=(1, 2), initial=0.0) > bound
        W_O[layer][~heads] = 0.0
        read = [each[layer, heads] for each in (weights.W_Q, weights.W_K, weights.W_V)]
        columns = np.hstack([columns, *np.concatenate(read)])
    return weights.with_arrays({"W_O": W_O, "W_out": W_out})


def written_rows(weights: Weights, writer: Writer) -> np.ndarray:
    """Return rows `[rows, d_model]` that span what a writer can write."""
    if writer.name == EMBED:
        return weights.W_E
    if writer.name == POS_EMBED:
        return weights.W_pos
    if writer.head >= 0:
        return weights.W_O[writer.layer, writer.head]
    return np.vstack([weights.W_out[writer.layer], weights.b_out[writer.layer]])


class Wiring:
    """Structural facts about the edges of one model.

    Args:
        weights: the model.
        graph: its component graph.
        bound: what counts as zero; 0 for models in their own basis, which are then
            followed axis by axis, without rounding.
    """

    def __init__(
        self, weights: Weights, graph: ComponentGraph, bound: float = ROUNDING_BOUND
    ) -> None:
        self.bound = bound
        self._weights = weights
        self._graph = graph
        self._reach: dict[tuple[str, bytes], float] = {}

    @cached_property
    def _written(self) -> Mapping[str, np.ndarray]:
        """Rows that span what each writer can write, by its name."""
        writers = self._graph.writers
        return {writer.name: written_rows(self._weights, writer) for writer in writers}

    def product(self, edge: Edge) -> float:
        """Return the largest entry of (written subspace) x (reader's matrix)."""
        product = self._written[edge.writer.name] @ seen_columns(self._weights, edge.reader)
        return float(np.abs(product).max(initial=0.0))

    def reach(self, edge: Edge) -> float:
        """Return the largest entry of what a change of this edge can bring to the logits."""
        return self.reach_of(self._written[edge.writer.name], edge.reader)

    def reach_of(self, rows: np.ndarray, reader: Reader) -> float:
        """Return the same of a change in the span of some rows `[rows, d_model]`."""
        if reader.role == "logits":
            return float(np.abs(rows @ seen_columns(self._weights, reader)).max(initial=0.0))
        touched = self._touched(reader, rows)
        key = (reader.component, touched.tobytes())
        if key not in self._reach:
            self._reach[key] = self._propagated(reader.depth, touched)
        return self._reach[key]

    def _touched(self, reader: Reader, rows: np.ndarray) -> np.ndarray:
        """Return rows that span what the component can write differently."""
        weights = self._weights
        entering = rows @ seen_columns(weights, reader)
        match reader.role:
            case "v" if not weights.layer_norm:
                return entering @ weights.W_O[reader.layer, reader.head]
            case "mlp" if not weights.layer_norm:
                hit = np.abs(entering).max(axis=0) > self.bound
                return weights.W_out[reader.layer][hit]
        if np.abs(entering).max(initial=0.0) <= self.bound:
            return np.zeros((0, weights.d_model))
        if reader.role == "mlp":
            return weights.W_out[reader.layer]
        return weights.W_O[reader.layer, reader.head]

    def _propagated(self, depth: int, touched: np.ndarray) -> float:
        """Return the largest entry at the logits, given what changes after `depth`."""
        changed = self._basis(touched)
        for later in sorted({w.depth for w in self._graph.writers if w.depth > depth}):
            readers = [reader for reader in self._graph.readers if reader.depth == later]
            written = [self._touched(reader, changed) for reader in readers if len(changed)]
            changed = self._basis(np.vstack([changed, *written]))
        last = seen_columns(self._weights, self._graph.readers[-1])
        return float(np.abs(changed @ last).max(initial=0.0))

    def _basis(self, rows: np.ndarray) -> np.ndarray:
        """Return orthonormal rows whose span holds `rows`.

        In the model's own basis these are the axes that any row touches, so that
        zeros stay exact.
        """
        rows = rows[np.abs(rows).max(axis=1, initial=0.0) > self.bound]
        if self.bound == 0:
            return np.eye(rows.shape[1])[rows.any(axis=0)]
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
        return basis[sizes > ROUNDING_BOUND]
