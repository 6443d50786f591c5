"""Gradients with respect to what every reader reads, by jax.

A zero perturbation is added to the input of every reader; the gradient with
respect to it is the gradient at that reader alone. Its product with the change of
a writer's contribution is the first-order effect of interchanging the edge.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ...compiler.component_graph import LOGITS, ComponentGraph, head_name, mlp_name
from ...compiler.weights import Weights
from ..circuit_problem import CircuitProblem


class Perturbations(NamedTuple):
    """One array for the input of every reader.

    Attributes:
        heads: `[role, layer, head, batch, position, d_model]`, roles q, k, v.
        mlps: `[layer, batch, position, d_model]`.
        logits: `[batch, position, d_model]`.
    """

    heads: jax.Array
    mlps: jax.Array
    logits: jax.Array


class Written(NamedTuple):
    """What every writer contributes, and the logits.

    Attributes:
        embeddings: `[2, batch, position, d_model]`, `embed` and `pos_embed`.
        heads: `[layer, head, batch, position, d_model]`.
        mlps: `[layer, batch, position, d_model]`.
        logits: `[batch, position, d_out]`.
    """

    embeddings: jax.Array
    heads: jax.Array
    mlps: jax.Array
    logits: jax.Array


Arrays = dict[str, jax.Array]


def float32_arrays(weights: Weights) -> Arrays:
    """Return the weights as jax arrays, float32."""
    return {name: jnp.asarray(array, dtype=jnp.float32) for name, array in weights.arrays()}


def no_perturbation(arrays: Arrays, batch: int, positions: int) -> Perturbations:
    """Return zeros in the right shapes."""
    layers, heads, d_model, _ = arrays["W_Q"].shape
    return Perturbations(
        jnp.zeros((3, layers, heads, batch, positions, d_model)),
        jnp.zeros((layers, batch, positions, d_model)),
        jnp.zeros((batch, positions, d_model)),
    )


def forward(
    arrays: Arrays, embeddings: jax.Array, perturbed: Perturbations, *, causal: bool
) -> Written:
    """Run the model from its embeddings, with every reader's input perturbed."""
    stream = embeddings.sum(axis=0)
    positions = stream.shape[1]
    mask = jnp.tri(positions, dtype=bool) if causal else jnp.ones((positions, positions), bool)
    heads, mlps = [], []
    for layer in range(arrays["W_Q"].shape[0]):
        query, key, value = (stream[None] + perturbed.heads[role, layer] for role in range(3))
        queries = jnp.einsum("hbpd,hde->hbpe", query, arrays["W_Q"][layer])
        queries += arrays["b_Q"][layer][:, None, None, :]
        keys = jnp.einsum("hbpd,hde->hbpe", key, arrays["W_K"][layer])
        scores = jnp.where(mask, jnp.einsum("hbqe,hbke->hbqk", queries, keys), -jnp.inf)
        values = jnp.einsum("hbpd,hde->hbpe", value, arrays["W_V"][layer])
        mixed = jnp.einsum("hbqk,hbke->hbqe", jax.nn.softmax(scores), values)
        heads.append(jnp.einsum("hbpe,hed->hbpd", mixed, arrays["W_O"][layer]))
        stream = stream + heads[-1].sum(axis=0)
        hidden = (stream + perturbed.mlps[layer]) @ arrays["W_in"][layer] + arrays["b_in"][layer]
        mlps.append(jax.nn.relu(hidden) @ arrays["W_out"][layer] + arrays["b_out"][layer])
        stream = stream + mlps[-1]
    logits = (stream + perturbed.logits) @ arrays["W_U"]
    return Written(embeddings, jnp.stack(heads), jnp.stack(mlps), logits)


@partial(jax.jit, static_argnames="causal")
def written(arrays: Arrays, embeddings: jax.Array, *, causal: bool) -> Written:
    """Return what every writer contributes on a batch."""
    zeros = no_perturbation(arrays, *embeddings.shape[1:3])
    return forward(arrays, embeddings, zeros, causal=causal)


@partial(jax.jit, static_argnames="causal")
def reader_gradients(
    arrays: Arrays, embeddings: jax.Array, target: jax.Array, real: jax.Array, *, causal: bool
) -> Perturbations:
    """Return the gradient at every reader of how near the logits are to `target`.

    What is differentiated is minus half the squared distance between the logits
    and `target` (those of the source), summed over the real positions of the base:
    a measure that works for categorical and numerical outputs alike.
    """

    def nearness(perturbed: Perturbations) -> jax.Array:
        logits = forward(arrays, embeddings, perturbed, causal=causal).logits
        return -0.5 * jnp.sum(jnp.where(real[..., None], logits - target, 0.0) ** 2)

    return jax.grad(nearness)(no_perturbation(arrays, *embeddings.shape[1:3]))


class EdgeGradients:
    """The quantities that gradient methods need, for one problem.

    Args:
        problem: the problem to be answered.
    """

    def __init__(self, problem: CircuitProblem) -> None:
        weights = problem.model.weights
        self._graph = problem.graph
        self._causal = weights.causal
        self._arrays = float32_arrays(weights)
        self._real = jnp.asarray(problem.model.codec.is_real(problem.base))
        self.base = self._embedded(problem.base)
        self.source = self._embedded(problem.source)
        self._base_written = written(self._arrays, self.base, causal=self._causal)
        self._source_written = written(self._arrays, self.source, causal=self._causal)

    def _embedded(self, tokens: np.ndarray) -> jax.Array:
        embed = self._arrays["W_E"][tokens]
        return jnp.stack([embed, jnp.broadcast_to(self._arrays["W_pos"], embed.shape)])

    def at(self, embeddings: jax.Array) -> Perturbations:
        """Return the gradient at every reader when the model runs on `embeddings`."""
        target = self._source_written.logits
        return reader_gradients(
            self._arrays, embeddings, target, self._real, causal=self._causal
        )

    def edge_scores(self, gradients: Perturbations) -> dict[str, float]:
        """Return for each edge the mean magnitude of its first-order effect.

        The effect on one pair is the inner product, over positions and dimensions,
        of the reader's gradient with the change of the writer's contribution.
        Magnitudes are taken pair by pair, since effects of opposite sign would
        cancel in a mean.
        """
        change = jax.tree.map(jnp.subtract, self._source_written, self._base_written)
        writers = _by_name(self._graph, change)
        readers = {
            LOGITS: gradients.logits,
            **{mlp_name(layer): grad for layer, grad in enumerate(gradients.mlps)},
        }
        for role, letter in enumerate("qkv"):
            for layer, row in enumerate(gradients.heads[role]):
                for head, grad in enumerate(row):
                    readers[f"{head_name(layer, head)}<{letter}>"] = grad
        stacked = jnp.stack([writers[writer.name] for writer in self._graph.writers])
        effects = jnp.einsum(
            "wbpd,rbpd->wrb",
            stacked,
            jnp.stack([readers[reader.name] for reader in self._graph.readers]),
        )
        table = np.asarray(jnp.abs(effects).mean(axis=-1), dtype=np.float64)
        columns = {reader.name: column for column, reader in enumerate(self._graph.readers)}
        return {
            edge.name: float(
                table[self._graph.writer_index[edge.writer.name], columns[edge.reader.name]]
            )
            for edge in self._graph.edges
        }


def _by_name(graph: ComponentGraph, change: Written) -> dict[str, jax.Array]:
    """Return the change of each writer's contribution by its name."""
    named = {"embed": change.embeddings[0], "pos_embed": change.embeddings[1]}
    for writer in graph.writers[2:]:
        named[writer.name] = (
            change.heads[writer.layer, writer.head]
            if writer.head >= 0
            else change.mlps[writer.layer]
        )
    return named
