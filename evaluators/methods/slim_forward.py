"""The forward pass from any hook on, by jax, without what does nothing.

Heads are as wide as the rank of what they compute, and heads and neurons whose writes nothing
reads are left out. What comes out is that of the model to rounding, whatever is done to the stream.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ...compiler.component_graph import ComponentGraph
from ...compiler.weights import LAYER_NORM_EPSILON, Activation, Weights
from ...ground_truth.wiring import ROUNDING_BOUND, without_dead_ends

_ROUNDING = 1e-10


class SlimHead(NamedTuple):
    """A head, as two products of narrow matrices.

    Attributes:
        query: `[d_model, r]`.
        query_bias: `[r]`.
        key: `[d_model, r]`.
        value: `[d_model, s]`.
        output: `[s, d_model]`.
    """

    query: np.ndarray
    query_bias: np.ndarray
    key: np.ndarray
    value: np.ndarray
    output: np.ndarray


class SlimMLP(NamedTuple):
    """An MLP with the neurons that write.

    Attributes:
        W_in: `[d_model, neurons]`.
        b_in: `[neurons]`.
        W_out: `[neurons, d_model]`.
        b_out: `[d_model]`.
    """

    W_in: np.ndarray
    b_in: np.ndarray
    W_out: np.ndarray
    b_out: np.ndarray


class SlimModel(NamedTuple):
    """What a model does at each depth, in float32.

    Attributes:
        blocks: for each depth its heads, or its MLP; nothing where nothing writes.
        W_U: `[d_model, d_out]`.
    """

    blocks: tuple[tuple[SlimHead, ...] | SlimMLP, ...]
    W_U: np.ndarray

    @classmethod
    def of(cls, weights: Weights) -> "SlimModel":
        """Return the parts of a model that can bear on its logits."""
        weights = without_dead_ends(weights, ROUNDING_BOUND)
        graph = ComponentGraph.of(weights)
        blocks: list[tuple[SlimHead, ...] | SlimMLP] = []
        for depth in range(2 * weights.n_layers):
            layer, is_mlp = divmod(depth, 2)
            beside = graph.writers_at(depth)
            if is_mlp and beside:
                blocks.append(_mlp(weights, layer))
            else:
                blocks.append(tuple(_head(weights, layer, writer.head) for writer in beside))
        return cls(tuple(blocks), weights.W_U.astype(np.float32))


def _head(weights: Weights, layer: int, head: int) -> SlimHead:
    at = layer, head
    asked = np.vstack([weights.W_Q[at], weights.b_Q[at]]) @ weights.W_K[at].T
    query, key = _narrow(asked)
    value, output = _narrow(weights.W_V[at] @ weights.W_O[at])
    parts = query[:-1], query[-1], key.T, value, output
    return SlimHead(*(part.astype(np.float32) for part in parts))


def _mlp(weights: Weights, layer: int) -> SlimMLP:
    writes = weights.W_out[layer].any(axis=1)
    parts = (
        weights.W_in[layer][:, writes],
        weights.b_in[layer][writes],
        weights.W_out[layer][writes],
        weights.b_out[layer],
    )
    return SlimMLP(*(part.astype(np.float32) for part in parts))


def _narrow(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two matrices whose product is a matrix, joined at its rank, of equal size."""
    left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    rank = int((sizes > _ROUNDING * sizes[0]).sum())
    roots = np.sqrt(sizes[:rank])
    return left[:, :rank] * roots, roots[:, None] * right[:rank]


class Between(NamedTuple):
    """What stands between the matrices of a model, and is known when jax compiles it.

    Attributes:
        causal: whether attention looks back only.
        activation: of neurons.
        layer_norm: whether there is one before whatever reads the stream.
    """

    causal: bool
    activation: Activation = "relu"
    layer_norm: bool = False

    @classmethod
    def of(cls, weights: Weights) -> "Between":
        """Return what weights say of it."""
        return cls(weights.causal, weights.activation, weights.layer_norm)


def logits_from(
    model: SlimModel, stream: jax.Array, depth: jax.Array, between: Between
) -> jax.Array:
    """Return the logits `[batch, position, d_out]` from the stream as it is read at a depth.

    Args:
        model: what is run.
        stream: `[batch, position, d_model]`.
        depth: a scalar; blocks before it are left out.
        between: the rest of the model.
    """
    for place, block in enumerate(model.blocks):
        if block:
            stream = jax.lax.cond(
                place >= depth,
                lambda x, block=block: x + _written(block, _read(x, between), between),
                lambda x: x,
                stream,
            )
    return _read(stream, between) @ model.W_U


def _read(stream: jax.Array, between: Between) -> jax.Array:
    """Return what readers get of a stream."""
    if not between.layer_norm:
        return stream
    centred = stream - stream.mean(axis=-1, keepdims=True)
    variance = jnp.square(centred).mean(axis=-1, keepdims=True)
    return centred / jnp.sqrt(variance + LAYER_NORM_EPSILON)


def _written(block: Sequence[SlimHead] | SlimMLP, stream: jax.Array, between: Between) -> jax.Array:
    """Return what a block writes when its readers get this."""
    if isinstance(block, SlimMLP):
        activated = jax.nn.gelu if between.activation == "gelu" else jax.nn.relu
        return activated(stream @ block.W_in + block.b_in) @ block.W_out + block.b_out
    positions = stream.shape[-2]
    mask = jnp.ones((positions, positions), bool)
    if between.causal:
        mask = jnp.tri(positions, dtype=bool)
    written = jnp.zeros_like(stream)
    for head in block:
        query, key = stream @ head.query + head.query_bias, stream @ head.key
        scores = jnp.where(mask, query @ jnp.swapaxes(key, -1, -2), -jnp.inf)
        written += jax.nn.softmax(scores) @ (stream @ head.value) @ head.output
    return written
