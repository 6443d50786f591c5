"""Gradients with respect to what every reader reads, by jax.

A zero perturbation is added to the input of every reader; the gradient with
respect to it is the gradient at that reader alone. Its product with the change of
a writer's contribution is the first-order effect of interchanging the edge.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ...compiler.component_graph import ROLES, ComponentGraph
from ..circuit_problem import CircuitProblem


class Perturbations(NamedTuple):
    """One array for the input of every reader.

    Attributes:
        heads: `[role, layer, head, batch, position, d_model]`, roles q, k, v.
        mlps: `[layer, batch, position, d_model]`.
        logits: `[batch, position, d_model]`.
    """

    heads: jax.Array | np.ndarray
    mlps: jax.Array | np.ndarray
    logits: jax.Array | np.ndarray


class Written(NamedTuple):
    """What every writer contributes, and the logits.

    Attributes:
        embeddings: `[2, batch, position, d_model]`, `embed` and `pos_embed`.
        heads: `[layer, head, batch, position, d_model]`.
        mlps: `[layer, batch, position, d_model]`.
        logits: `[batch, position, d_out]`.
    """

    embeddings: jax.Array | np.ndarray
    heads: jax.Array | np.ndarray
    mlps: jax.Array | np.ndarray
    logits: jax.Array | np.ndarray


Arrays = dict[str, np.ndarray]

_PER_LAYER = ("W_Q", "b_Q", "W_K", "W_V", "W_O", "W_in", "b_in", "W_out", "b_out")


def forward(
    arrays: Arrays, embeddings: jax.Array, perturbed: Perturbations, *, causal: bool
) -> Written:
    """Run the model from its embeddings, with every reader's input perturbed."""
    positions = embeddings.shape[2]
    mask = jnp.tri(positions, dtype=bool) if causal else jnp.ones((positions, positions), bool)

    def layer(stream: jax.Array, inputs: tuple) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        weights, of_heads, of_mlp = inputs
        query, key, value = stream + of_heads
        queries = jnp.einsum("hbpd,hde->hbpe", query, weights["W_Q"])
        queries += weights["b_Q"][:, None, None, :]
        keys = jnp.einsum("hbpd,hde->hbpe", key, weights["W_K"])
        scores = jnp.where(mask, jnp.einsum("hbqe,hbke->hbqk", queries, keys), -jnp.inf)
        values = jnp.einsum("hbpd,hde->hbpe", value, weights["W_V"])
        mixed = jnp.einsum("hbqk,hbke->hbqe", jax.nn.softmax(scores), values)
        heads = jnp.einsum("hbpe,hed->hbpd", mixed, weights["W_O"])
        stream = stream + heads.sum(axis=0)
        hidden = jax.nn.relu((stream + of_mlp) @ weights["W_in"] + weights["b_in"])
        mlp = hidden @ weights["W_out"] + weights["b_out"]
        return stream + mlp, (heads, mlp)

    stacked = {name: arrays[name] for name in _PER_LAYER}
    inputs = (stacked, jnp.moveaxis(perturbed.heads, 0, 1), perturbed.mlps)
    stream, (heads, mlps) = jax.lax.scan(layer, embeddings.sum(axis=0), inputs)
    return Written(embeddings, heads, mlps, (stream + perturbed.logits) @ arrays["W_U"])


@partial(jax.jit, static_argnames="causal")
def run_with_gradients(
    arrays: Arrays, embeddings: jax.Array, target: jax.Array, real: jax.Array, *, causal: bool
) -> tuple[Perturbations, Written]:
    """Return the gradient at every reader of how near the logits are to `target`, and the run.

    What is differentiated is minus half the squared distance between the logits
    and `target` (those of the source), summed over the real positions of the base:
    a measure that works for categorical and numerical outputs alike.
    """
    layers, heads, d_model, _ = arrays["W_Q"].shape
    batch = embeddings.shape[1:3]
    zeros = Perturbations(
        jnp.zeros((3, layers, heads, *batch, d_model)),
        jnp.zeros((layers, *batch, d_model)),
        jnp.zeros((*batch, d_model)),
    )

    def nearness(perturbed: Perturbations) -> tuple[jax.Array, Written]:
        run = forward(arrays, embeddings, perturbed, causal=causal)
        distance = jnp.where(real[..., None], run.logits - target, 0.0)
        return -0.5 * jnp.sum(distance**2), run

    with jax.default_matmul_precision("highest"):
        return jax.grad(nearness, has_aux=True)(zeros)


class EdgeGradients:
    """The quantities that gradient methods need, for one problem.

    Args:
        problem: the problem to be answered.

    Attributes:
        base: what the embeddings contribute on the bases `[2, pairs, position, d_model]`.
        source: the same on the sources.
        at_base: the gradient at every reader on the bases.
    """

    def __init__(self, problem: CircuitProblem) -> None:
        weights = problem.model.weights
        self._graph = problem.graph
        self._causal = weights.causal
        self._arrays = {name: array.astype(np.float32) for name, array in weights.arrays()}
        self._real = problem.model.codec.is_real(problem.base)
        self.base = self._embedded(problem.base)
        self.source = self._embedded(problem.source)
        nothing = np.zeros((*problem.base.shape, weights.d_out), np.float32)
        _, self._source_written = self._run(self.source, nothing)
        self.at_base, self._base_written = self._run(self.base, self._source_written.logits)

    def _embedded(self, tokens: np.ndarray) -> np.ndarray:
        embed = self._arrays["W_E"][tokens]
        return np.stack([embed, np.broadcast_to(self._arrays["W_pos"], embed.shape)])

    def _run(self, embeddings: np.ndarray, target: Any) -> tuple[Perturbations, Written]:
        """Return the gradients and the run, as NumPy arrays."""
        found = run_with_gradients(
            self._arrays, embeddings, target, self._real, causal=self._causal
        )
        return jax.tree.map(np.asarray, found)

    def at(self, embeddings: np.ndarray) -> Perturbations:
        """Return the gradient at every reader when the model runs on `embeddings`."""
        return self._run(embeddings, self._source_written.logits)[0]

    def edge_scores(self, gradients: Perturbations) -> dict[str, float]:
        """Return for each edge the mean magnitude of its first-order effect.

        The effect on one pair is the inner product, over positions and dimensions,
        of the reader's gradient with the change of the writer's contribution.
        Magnitudes are taken pair by pair, since effects of opposite sign would
        cancel in a mean.
        """
        change = jax.tree.map(np.subtract, self._source_written, self._base_written)
        written = _by_writer(self._graph, change)
        read = _by_reader(self._graph, gradients)
        effects = np.einsum("wbi,rbi->wrb", written, read, optimize=True)
        table = np.abs(effects).mean(axis=-1, dtype=np.float64)
        columns = {reader.name: column for column, reader in enumerate(self._graph.readers)}
        return {
            edge.name: float(
                table[self._graph.writer_index[edge.writer.name], columns[edge.reader.name]]
            )
            for edge in self._graph.edges
        }


def _by_writer(graph: ComponentGraph, change: Written) -> np.ndarray:
    """Return the change of each writer's contribution `[writer, batch, position * d_model]`."""
    rows = [
        change.embeddings[place]
        if writer.layer < 0
        else change.heads[writer.layer, writer.head]
        if writer.head >= 0
        else change.mlps[writer.layer]
        for place, writer in enumerate(graph.writers)
    ]
    return np.stack(rows).reshape(len(rows), rows[0].shape[0], -1)


def _by_reader(graph: ComponentGraph, gradients: Perturbations) -> np.ndarray:
    """Return the gradient at each reader `[reader, batch, position * d_model]`."""
    rows = [
        gradients.logits
        if reader.role == "logits"
        else gradients.mlps[reader.layer]
        if reader.role == "mlp"
        else gradients.heads[ROLES.index(reader.role), reader.layer, reader.head]
        for reader in graph.readers
    ]
    return np.stack(rows).reshape(len(rows), rows[0].shape[0], -1)
