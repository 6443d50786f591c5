"""Edge interchanges: many single edges of a model interchanged on many pairs, all at once.

Every row is one edge on one pair of runs. A row joins where its reader reads, so that nothing
before is computed again, and from there all rows go through the model as one batch. A row whose
reader cannot tell source from base, or whose component writes the same, is dropped: its logits
are those of the base.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..compiler.executor import (
    attention_output,
    change_of_stream,
    mlp_output,
    project,
    run,
    seen_columns,
    unembedded,
)
from ..ground_truth.wiring import ROUNDING_BOUND
from .live_model import LiveModel

MOST_BYTES = 2**24
"""What the streams of the rows that are run at once may hold."""

Rows = Int[np.ndarray, " row"]


@dataclass(frozen=True, eq=False)
class Moved:
    """Interchanges after which the logits can differ from those of the base.

    Attributes:
        rows: which rows of those that were asked for.
        logits: what they give instead, `[row, position, d_out]`.
    """

    rows: np.ndarray
    logits: np.ndarray


class EdgeInterchanges:
    """Interchanges single edges of one model between inputs that have been run.

    Args:
        model: the live part of the model.
        base: token ids of inputs that are bases.
        source: token ids of inputs that are sources; those of the bases if there are none.
    """

    def __init__(
        self,
        model: LiveModel,
        base: Int[np.ndarray, "base position"],
        source: Int[np.ndarray, "source position"] | None = None,
    ) -> None:
        self._weights, self._graph = model.weights, model.graph
        self._reader, self._writer = model.places
        self._readers_at: dict[int, list[int]] = {}
        for place in np.unique(self._reader).tolist():
            self._readers_at.setdefault(model.graph.readers[place].depth, []).append(place)
        self.base = run(self._weights, base, graph=self._graph)
        self._written = np.stack(self.base.contributions)
        self._given = self._written
        if source is not None:
            done = run(self._weights, source, graph=self._graph)
            self._given = np.stack(done.contributions)

    def logits(self, edge: Rows, base: Rows, source: Rows) -> Iterator[Moved]:
        """Yield the interchanges that can move the logits, some rows at a time.

        Args:
            edge: which of the model's edges is interchanged in each row.
            base: which input is the base of each row.
            source: which input is its source.
        """
        step = max(1, MOST_BYTES // self._written[0, 0].nbytes)
        for start in range(0, len(edge), step):
            some = slice(start, start + step)
            moved = self._moved(edge[some], base[some], source[some])
            yield Moved(start + moved.rows, moved.logits)

    def _moved(self, edge: Rows, base: Rows, source: Rows) -> Moved:
        """Run all rows, each from where its reader reads, to the logits."""
        joined = np.zeros(0, dtype=np.int64)
        stream = np.zeros((0, *self._written.shape[2:]))
        for depth in range(2 * self._weights.n_layers + 1):
            stream = self._after(stream, depth)
            for place in self._readers_at.get(depth, ()):
                rows = np.flatnonzero(self._reader[edge] == place)
                changed, after = self._change(place, edge[rows], base[rows], source[rows])
                joined = np.concatenate([joined, rows[changed]])
                stream = np.concatenate([stream, after])
        return Moved(joined, unembedded(self._weights, stream))

    def _change(
        self, place: int, edge: Rows, base: Rows, source: Rows
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which rows differ after a reader's component, and the stream there."""
        reader = self._graph.readers[place]
        writer = self._writer[edge]
        delta = self._given[writer, source] - self._written[writer, base]
        seen = _differing(project(delta, seen_columns(self._weights, reader)))
        some = self.base.take(base[seen])
        depth, change = change_of_stream(self._weights, self._graph, some, reader, delta[seen])
        other = _differing(change)
        return seen[other], some.streams[depth][other] + change[other]

    def _after(self, stream: np.ndarray, depth: int) -> np.ndarray:
        """Return the stream after the components of one depth."""
        layer, is_mlp = divmod(depth, 2)
        beside = self._graph.writers_at(depth)
        if not len(stream) or not beside:
            return stream
        if is_mlp:
            return stream + mlp_output(self._weights, layer, stream)
        heads = [writer.head for writer in beside]
        return stream + attention_output(self._weights, layer, heads, stream, stream, stream)


def _differing(
    changes: Float[np.ndarray, "row position width"],
) -> Int[np.ndarray, " differing"]:
    """Return the rows that hold more than rounding."""
    return np.flatnonzero(np.abs(changes).max(axis=(1, 2), initial=0.0) > ROUNDING_BOUND)
