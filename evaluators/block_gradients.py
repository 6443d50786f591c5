"""Block gradients: the heads of a layer, its MLP and the logits, forward and backward.

A block maps what its readers read to what its writers write, for many circuits at once, and
carries a gradient back the other way. In NumPy and float64: models are small and each has a
shape of its own, so that compiling a function for it would take longer than running it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..compiler.component_graph import LOGITS, ROLES, ComponentGraph
from ..compiler.derivatives import LayerNormed, activation_slope
from ..compiler.executor import activated, softmax
from ..compiler.weights import Weights

_KINK = 1e-8
"""Neurons up to here are taken to be at their kink, on which side of it is rounding."""

Read = Float[np.ndarray, "circuit reader pair position d_model"]
Written = Float[np.ndarray, "circuit writer pair position d_out"]


@dataclass(frozen=True)
class Block(ABC):
    """The components of one depth.

    Attributes:
        readers: their places among the readers of the graph.
        writers: their places among the writers; none for the logits.
    """

    readers: slice
    writers: slice

    @property
    def is_last(self) -> bool:
        """Whether it is the logits, which write nothing that is read."""
        return self.writers.start == self.writers.stop

    @abstractmethod
    def forward(self, read: Read) -> tuple[Written, Any]:
        """Return what is written, and what `backward` needs."""

    @abstractmethod
    def backward(self, kept: Any, gradient: Written) -> Read:
        """Return the gradient at what is read, given that at what is written."""


@dataclass(frozen=True)
class Heads(Block):
    """The heads of a layer.

    Attributes:
        W_Q: `[head, d_model, d_head]`; `b_Q`, `W_K`, `W_V` and `W_O` likewise.
        mask: which positions each position sees, `[position, position]`.
    """

    W_Q: np.ndarray
    b_Q: np.ndarray
    W_K: np.ndarray
    W_V: np.ndarray
    W_O: np.ndarray
    mask: np.ndarray

    def forward(self, read: Read) -> tuple[Written, Any]:
        """Return what each head writes."""
        query, key, value = (read[:, role :: len(ROLES)] for role in range(len(ROLES)))
        queries = _times(query, self.W_Q) + self.b_Q[:, None, None]
        keys, values = _times(key, self.W_K), _times(value, self.W_V)
        pattern = softmax(np.where(self.mask, queries @ keys.swapaxes(-1, -2), -np.inf))
        return _times(pattern @ values, self.W_O), (queries, keys, values, pattern)

    def backward(self, kept: Any, gradient: Written) -> Read:
        """Return the gradient at the queries', keys' and values' inputs of each head."""
        queries, keys, values, pattern = kept
        mixed = _times(gradient, self.W_O.swapaxes(-1, -2))
        by_pattern = mixed @ values.swapaxes(-1, -2)
        scores = pattern * (by_pattern - (by_pattern * pattern).sum(axis=-1, keepdims=True))
        each = (
            (scores @ keys, self.W_Q),
            (scores.swapaxes(-1, -2) @ queries, self.W_K),
            (pattern.swapaxes(-1, -2) @ mixed, self.W_V),
        )
        found = [_times(one, matrix.swapaxes(-1, -2)) for one, matrix in each]
        return np.stack(found, axis=2).reshape(len(gradient), -1, *gradient.shape[2:])


@dataclass(frozen=True)
class Mlp(Block):
    """The MLP of a layer.

    Attributes:
        W_in: `[1, d_model, neurons]`; neurons that write nothing are left out.
        b_in: `[neurons]`.
        W_out: `[1, neurons, d_model]`.
        b_out: `[d_model]`.
        weights: those of the whole model, which say what the neurons do.
    """

    W_in: np.ndarray
    b_in: np.ndarray
    W_out: np.ndarray
    b_out: np.ndarray
    weights: Weights

    def forward(self, read: Read) -> tuple[Written, Any]:
        """Return what the MLP writes."""
        hidden = _times(read, self.W_in) + self.b_in
        slope = activation_slope(self.weights, hidden, _KINK)
        return _times(activated(self.weights, hidden), self.W_out) + self.b_out, slope

    def backward(self, kept: Any, gradient: Written) -> Read:
        """Return the gradient at the MLP's input; at a kink it is that of the flat side."""
        hidden = _times(gradient, self.W_out.swapaxes(-1, -2)) * kept
        return _times(hidden, self.W_in.swapaxes(-1, -2))


@dataclass(frozen=True)
class Logits(Block):
    """The logits, which nothing reads.

    Attributes:
        W_U: `[1, d_model, d_out]`.
    """

    W_U: np.ndarray

    def forward(self, read: Read) -> tuple[Written, Any]:
        """Return the logits."""
        return _times(read, self.W_U), None

    def backward(self, kept: Any, gradient: Written) -> Read:  # noqa: ARG002 - linear
        """Return the gradient at what the logits read."""
        return _times(gradient, self.W_U.swapaxes(-1, -2))


@dataclass(frozen=True)
class Normalised(Block):
    """A block whose readers get the LayerNorm of what they read.

    Attributes:
        inner: what they do with it.
    """

    inner: Block

    def forward(self, read: Read) -> tuple[Written, Any]:
        """Return what the block writes."""
        normed = LayerNormed.of(read)
        written, kept = self.inner.forward(normed.normal)
        return written, (normed, kept)

    def backward(self, kept: Any, gradient: Written) -> Read:
        """Return the gradient at what is read, before the LayerNorm."""
        normed, needed = kept
        return np.asarray(normed.derivative(self.inner.backward(needed, gradient)))


def blocks_of(weights: Weights, graph: ComponentGraph) -> tuple[Block, ...]:
    """Return the blocks of a model, in the order of the forward pass, the logits last."""
    positions = (weights.n_ctx, weights.n_ctx)
    mask = np.tri(*positions, dtype=bool) if weights.causal else np.ones(positions, dtype=bool)
    blocks: list[Block] = []
    n_readers, n_writers = 0, len(graph.writers_at(-1))
    for depth in range(2 * weights.n_layers):
        beside = graph.writers_at(depth)
        if not beside:
            continue
        layer, is_mlp = divmod(depth, 2)
        read = slice(n_readers, n_readers + (1 if is_mlp else len(ROLES) * len(beside)))
        place = (read, slice(n_writers, n_writers + len(beside)))
        if is_mlp:
            used = weights.W_out[layer].any(axis=1)
            W_in, W_out = weights.W_in[layer, None][..., used], weights.W_out[layer, None][:, used]
            biases = weights.b_in[layer, used], weights.b_out[layer]
            blocks.append(Mlp(*place, W_in, biases[0], W_out, biases[1], weights))
        else:
            at = (layer, [writer.head for writer in beside])
            W_Q, b_Q, W_K = weights.W_Q[at], weights.b_Q[at], weights.W_K[at]
            blocks.append(Heads(*place, W_Q, b_Q, W_K, weights.W_V[at], weights.W_O[at], mask))
        n_readers, n_writers = read.stop, place[1].stop
    assert graph.readers[n_readers].name == LOGITS
    last = slice(n_readers, n_readers + 1)
    blocks.append(Logits(last, slice(n_writers, n_writers), weights.W_U[None]))
    if weights.layer_norm:
        return tuple(Normalised(block.readers, block.writers, block) for block in blocks)
    return tuple(blocks)


def _times(rows: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Return rows `[circuit, component, pair, position, d]` times a matrix for each component."""
    circuits, components, pairs, positions, width = rows.shape
    flat = rows.reshape(circuits, components, pairs * positions, width) @ matrices
    return flat.reshape(circuits, components, pairs, positions, matrices.shape[-1])
