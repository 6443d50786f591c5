"""Gated model: a model whose edges have gates, run for many circuits at once, with gradients.

A reader sees of every writer of which anything passes to it

    gate * (what the writer contributes) + (1 - gate) * (what it contributes in another run)

so that a gate of 0 interchanges the edge (or ablates it, where the other contributions are
zeros or means) and a gate of 1 leaves it alone. A circuit is a set of gates. The gradient at a
reader, times what its gates weigh, is the gradient with respect to the gates: at gates of 1
that is edge attribution patching, and learned masks follow it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..compiler.executor import embeddings
from ..compiler.weights import Weights
from .block_gradients import Block, blocks_of
from .live_model import LiveModel

Gates = Float[np.ndarray, "circuit reader writer"]
Contributions = Float[np.ndarray, "writer pair position d_model"]


@dataclass(frozen=True, eq=False)
class GatedRun:
    """One forward pass of some circuits.

    Attributes:
        gates: those of each circuit.
        contrasts: what each writer contributes less what it does in the other run,
            `[circuit, writer, pair, position, d_model]`.
        logits: the output before decoding, `[circuit, pair, position, d_out]`.
        kept: what each block needs for the way back; `None` for those that did not run.
    """

    gates: np.ndarray
    contrasts: np.ndarray
    logits: np.ndarray
    kept: Sequence[Any]


class GatedModel:
    """The live part of a model, with a gate on each edge.

    Args:
        weights: the whole model.

    Attributes:
        graph: the live components; gates are in the order of its readers and writers.
        edges: the edges over which something can pass.
        places: the places of `edges` in an array of gates.
    """

    def __init__(self, weights: Weights) -> None:
        live = LiveModel.of(weights)
        self.graph = live.graph
        self.edges = live.edges
        self.places = live.places
        self._weights = live.weights
        self._blocks = blocks_of(live.weights, live.graph)
        self._seen = [self._seen_by(block) for block in self._blocks]

    def _seen_by(self, block: Block) -> np.ndarray:
        """Return the writers of which anything passes to the readers of a block."""
        readers, writers = self.places
        return np.unique(writers[(readers >= block.readers.start) & (readers < block.readers.stop)])

    def gates(self, values: Float[np.ndarray, "circuit edge"]) -> Gates:
        """Return the gates with these values at `edges`, and 1 where nothing can pass."""
        shape = (len(values), len(self.graph.readers), len(self.graph.writers))
        gates = np.ones(shape)
        gates[:, *self.places] = values
        return gates

    def embeddings(self, tokens: np.ndarray) -> Contributions:
        """Return what `embed` and `pos_embed` contribute."""
        return np.stack(embeddings(self._weights, tokens))

    def plain_run(self, tokens: Int[np.ndarray, "pair position"]) -> GatedRun:
        """Run inputs with nothing interchanged; the contrasts are what writers contribute."""
        first = self.embeddings(tokens)
        others = np.zeros((len(self.graph.writers), *first.shape[1:]))
        return self.run(self.gates(np.ones((1, len(self.edges)))), first[None], others)

    def run(
        self,
        gates: Gates,
        first: Float[np.ndarray, "own known pair position d_model"],
        others: Contributions,
    ) -> GatedRun:
        """Run circuits.

        Args:
            gates: those of each circuit; readers of the known writers have none of their own.
            first: what the first writers contribute, the embeddings at least, for each circuit
                or for all. Where more of them are known the run begins there.
            others: what every writer contributes in the other run.
        """
        known = first.shape[1]
        n_writers, *shape = others.shape
        contrasts = np.empty((len(gates), n_writers, *shape))
        contrasts[:, :known] = first - others[:known]
        rows = contrasts.reshape(len(gates), n_writers, -1)
        kept: list[Any] = []
        for block, seen in zip(self._blocks, self._seen, strict=True):
            if block.writers.start < min(known, block.writers.stop):
                kept.append(None)
                continue
            read = gates[:, block.readers][..., seen] @ rows[:, seen]
            read = read.reshape(*read.shape[:2], *shape) + others[seen].sum(axis=0)
            written, needed = block.forward(read)
            kept.append(needed)
            if not block.is_last:
                contrasts[:, block.writers] = written - others[block.writers]
        return GatedRun(gates, contrasts, written[:, 0], kept)

    def reader_gradients(
        self, run: GatedRun, gradient: Float[np.ndarray, "circuit pair position d_out"]
    ) -> Float[np.ndarray, "circuit reader pair position d_model"]:
        """Return the gradient at what every reader reads, zero where the run did not come.

        Args:
            run: the circuits.
            gradient: that at the logits.
        """
        circuits, _, *shape = run.contrasts.shape
        found = np.zeros((circuits, len(self.graph.readers), *shape))
        for block, _, read in self._backward(run, gradient):
            found[:, block.readers] = read
        return found

    def gate_gradients(
        self, run: GatedRun, gradient: Float[np.ndarray, "circuit pair position d_out"]
    ) -> Float[np.ndarray, "circuit edge"]:
        """Return the gradient with respect to the gates at `edges`, summed over pairs."""
        circuits, n_writers = run.contrasts.shape[:2]
        rows = run.contrasts.reshape(circuits, n_writers, -1)
        table = np.zeros_like(run.gates)
        for block, seen, read in self._backward(run, gradient):
            flat = read.reshape(*read.shape[:2], -1)
            table[:, block.readers, seen] = flat @ rows[:, seen].swapaxes(-1, -2)
        return table[:, *self.places]

    def _backward(
        self, run: GatedRun, gradient: np.ndarray
    ) -> Iterator[tuple[Block, np.ndarray, np.ndarray]]:
        """Yield each block, the writers it sees, and the gradient at what it reads."""
        circuits, n_writers, *shape = run.contrasts.shape
        at_writers = np.zeros((circuits, n_writers, int(np.prod(shape))))
        on_the_way = list(zip(self._blocks, self._seen, run.kept, strict=True))
        for block, seen, kept in reversed(on_the_way):
            if block.is_last:
                above = gradient[:, None]
            elif kept is None:
                continue
            else:
                above = at_writers[:, block.writers].reshape(circuits, -1, *shape)
            read = block.backward(kept, above)
            yield block, seen, read
            gates = run.gates[:, block.readers][..., seen].swapaxes(-1, -2)
            at_writers[:, seen] += gates @ read.reshape(*read.shape[:2], -1)
