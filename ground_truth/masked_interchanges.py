"""Masked interchanges: any edges of a model at once, others in every row, on the executor.

It computes what `InterchangedForward` does in jax, in float64, and without a program that has
to be compiled first.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ..compiler import Weights
from ..compiler.component_graph import ComponentGraph, Reader
from ..compiler.executor import run

_BATCH = 256


def interchanged_logits(
    weights: Weights,
    base: np.ndarray,
    source: np.ndarray,
    positions: np.ndarray,
    edges: Float[np.ndarray, "rows reader writer"],
) -> Float[np.ndarray, "rows position d_out"]:
    """Return the logits on bases of which each has edges that see a source.

    Args:
        weights: the model.
        base: token ids `[rows, position]`.
        source: token ids of the sources.
        positions: the row of `W_pos` at each position of a source.
        edges: 1 where a reader sees what a writer contributes on the source, in the order of the
            component graph.
    """
    parts = []
    for start in range(0, len(base), _BATCH):
        some = slice(start, start + _BATCH)
        moved = weights.W_pos[positions[some]]
        seen = run(weights, source[some], pos_embed=moved).contributions
        reads = _Reads(ComponentGraph.of(weights), seen, edges[some])
        parts.append(run(weights, base[some], read=reads).logits)
    return np.concatenate(parts)


class _Reads:
    """What readers get in one batch; readers at one depth see the same differences."""

    def __init__(
        self, graph: ComponentGraph, source: Sequence[np.ndarray], edges: np.ndarray
    ) -> None:
        self._reader = {reader.name: place for place, reader in enumerate(graph.readers)}
        self._source = source
        self._edges = edges
        self._depth, self._differences = -1, np.zeros(0)

    def __call__(
        self, reader: Reader, stream: np.ndarray, contributions: Sequence[np.ndarray]
    ) -> np.ndarray:
        n = len(contributions)
        share = self._edges[:, None, self._reader[reader.name], :n]
        if not share.any():
            return stream
        if self._depth != reader.depth:
            pairs = zip(self._source, contributions, strict=False)
            found = np.stack([given - own for given, own in pairs], axis=1)
            self._depth, self._differences = reader.depth, found.reshape(*found.shape[:2], -1)
        return stream + (share @ self._differences).reshape(stream.shape)
