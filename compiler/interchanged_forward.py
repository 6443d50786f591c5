"""The forward pass in jax, with every contribution kept and any edges interchanged.

It computes what `executor.run` does, for any inputs at once, and can be differentiated. Each
row of a batch has its own edges that are interchanged: a number for each pair of a reader and
a writer, 1 where the reader sees what the writer contributed on the source.
"""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .component_graph import ROLES, ComponentGraph
from .weights import LAYER_NORM_EPSILON, Weights

Arrays = Mapping[str, Array]
Stream = Float[Array, "batch position d_model"]
Inputs = Float[Array, "reader batch position d_model"]
Edges = Float[Array, "batch reader writer"]


class InterchangedForward:
    """Runs models of one shape, whose components are those of some weights.

    Args:
        weights: says which components there are, and which functions stand between them.
    """

    def __init__(self, weights: Weights) -> None:
        self.graph = ComponentGraph.of(weights)
        self._causal = weights.causal
        self._layer_norm = weights.layer_norm
        self._activation = weights.activation
        self._n_layers = weights.n_layers

    @property
    def edge_shape(self) -> tuple[int, int]:
        """The number of readers and of writers."""
        return len(self.graph.readers), len(self.graph.writers)

    def __call__(
        self,
        arrays: Arrays,
        tokens: Int[Array, "batch position"],
        edges: Edges | None = None,
        source: Sequence[Stream] = (),
        places: Int[Array, "batch position"] | None = None,
    ) -> tuple[list[Stream], Float[Array, "batch position d_out"]]:
        """Return what every writer contributes, and the logits.

        Args:
            arrays: the weights, by name.
            tokens: the bases.
            places: the row of `W_pos` at each position, if not its own.
            edges: which edges are interchanged; none, if there are none.
            source: what every writer contributes on the sources.
        """
        places = jnp.arange(tokens.shape[1]) if places is None else places
        embed = arrays["W_E"][tokens]
        written = [embed, jnp.broadcast_to(arrays["W_pos"][places], embed.shape)]
        first = 0

        def read(n: int) -> Inputs:
            """Return what the next `n` readers get, which read at the same depth."""
            nonlocal first
            stream = sum(written[1:], start=written[0])
            readers, first = slice(first, first + n), first + n
            if edges is None:
                return self._normalised(jnp.broadcast_to(stream, (n, *stream.shape)))
            share = edges[:, readers, : len(written)]
            other = jnp.stack([s - b for s, b in zip(source, written, strict=False)], axis=1)
            change = share @ other.reshape(*other.shape[:2], -1)
            return self._normalised(
                stream + change.reshape(len(stream), n, *stream.shape[1:]).swapaxes(0, 1)
            )

        for layer in range(self._n_layers):
            heads = [writer.head for writer in self.graph.writers_at(2 * layer)]
            if heads:
                written += self._heads(arrays, (layer, np.array(heads)), read(3 * len(heads)))
            if self.graph.writers_at(2 * layer + 1):
                hidden = _times(read(1), arrays["W_in"][layer][None]) + arrays["b_in"][layer]
                out = _times(self._activated(hidden), arrays["W_out"][layer][None])
                written.append(out[0] + arrays["b_out"][layer])
        return written, _times(read(1), arrays["W_U"][None])[0]

    def interchange(
        self, arrays: Arrays, base: Array, source: Array, places: Array, edges: Edges
    ) -> tuple[list[Stream], Float[Array, "batch position d_out"]]:
        """Return contributions and logits of the bases with edges interchanged.

        Args:
            arrays: the weights, by name.
            base: token ids.
            source: token ids of the sources.
            places: the row of `W_pos` at each position of a source.
            edges: which edges see the source.
        """
        contributions, _ = self(arrays, source, places=places)
        return self(arrays, base, edges, contributions)

    def _heads(self, arrays: Arrays, at: tuple[int, np.ndarray], inputs: Inputs) -> list[Stream]:
        """Return what each of some heads of a layer writes; of each, query, key and value read."""
        query, key, value = (
            _times(inputs[place :: len(ROLES)], arrays[name][at])
            for place, name in enumerate(("W_Q", "W_K", "W_V"))
        )
        query += arrays["b_Q"][at][:, None, None]
        scores = query @ key.swapaxes(-1, -2)
        if self._causal:
            scores = jnp.where(jnp.tri(scores.shape[-1], dtype=bool), scores, -jnp.inf)
        return list(_times(jax.nn.softmax(scores, axis=-1) @ value, arrays["W_O"][at]))

    def _activated(self, hidden: Array) -> Array:
        """Return the activations of neurons."""
        if self._activation == "gelu":
            return jax.nn.gelu(hidden, approximate=True)
        return jax.nn.relu(hidden)

    def _normalised(self, inputs: Inputs) -> Inputs:
        """Return what readers get of their inputs: these, or their LayerNorm."""
        if not self._layer_norm:
            return inputs
        centred = inputs - inputs.mean(axis=-1, keepdims=True)
        variance = jnp.square(centred).mean(axis=-1, keepdims=True)
        return centred / jnp.sqrt(variance + LAYER_NORM_EPSILON)


def _times(rows: Inputs, matrices: Float[Array, "reader d_model d_out"]) -> Array:
    """Return `rows` times a matrix for each reader, as one product of two matrices each.

    A product over several axes at once, as the gradient of `einsum` has it, is far slower.
    """
    n, batch, position, width = rows.shape
    return (rows.reshape(n, -1, width) @ matrices).reshape(n, batch, position, -1)
