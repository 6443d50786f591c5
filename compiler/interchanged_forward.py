"""The forward pass in jax, with every contribution kept and any edges interchanged.

It computes what `executor.run` does, for any inputs at once, and can be differentiated. Each
row of a batch has its own edges that are interchanged: a number for each pair of a reader and
a writer, 1 where the reader sees what the writer contributed on the source.
"""

from collections.abc import Collection, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .component_graph import LOGITS, ROLES, ComponentGraph, head_name, mlp_name
from .weights import Weights

Arrays = Mapping[str, Array]
Stream = Float[Array, "batch position d_model"]
Edges = Float[Array, "batch reader writer"]


class InterchangedForward:
    """Runs models of one shape, whose components are those of some weights.

    Args:
        weights: says which components there are.
    """

    def __init__(self, weights: Weights) -> None:
        self.graph = ComponentGraph.of(weights)
        self._causal = weights.causal
        self._n_layers = weights.n_layers
        self._reader = {reader.name: place for place, reader in enumerate(self.graph.readers)}

    @property
    def edge_shape(self) -> tuple[int, int]:
        """The number of readers and of writers."""
        return len(self.graph.readers), len(self.graph.writers)

    def edge_mask(self, edges: Collection[str]) -> Float[np.ndarray, "reader writer"]:
        """Return 1 for each of these edges, 0 for the others: a row of `Edges`."""
        mask = np.zeros(self.edge_shape)
        for edge in self.graph.edges:
            if edge.name in edges:
                mask[self._reader[edge.reader.name], self.graph.writer_index[edge.writer.name]] = 1
        return mask

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

        def read(name: str, before: Sequence[Stream]) -> Stream:
            stream = sum(before[1:], start=before[0])
            if edges is None:
                return stream
            share = edges[:, self._reader[name], : len(before)]
            other = jnp.stack([s - b for s, b in zip(source, before, strict=False)])
            return stream + jnp.einsum("bw,wbpd->bpd", share, other)

        for layer in range(self._n_layers):
            before = tuple(written)
            for head in self.graph.writers_at(2 * layer):
                inputs = [read(f"{head_name(layer, head.head)}<{role}>", before) for role in ROLES]
                written.append(self._head(arrays, (layer, head.head), inputs))
            if self.graph.writers_at(2 * layer + 1):
                stream = read(mlp_name(layer), written)
                hidden = jax.nn.relu(stream @ arrays["W_in"][layer] + arrays["b_in"][layer])
                written.append(hidden @ arrays["W_out"][layer] + arrays["b_out"][layer])
        return written, read(LOGITS, written) @ arrays["W_U"]

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

    def _head(self, arrays: Arrays, at: tuple[int, int], inputs: Sequence[Stream]) -> Stream:
        query, key, value = (
            stream @ arrays[name][at]
            for stream, name in zip(inputs, ("W_Q", "W_K", "W_V"), strict=True)
        )
        scores = (query + arrays["b_Q"][at]) @ key.swapaxes(-1, -2)
        if self._causal:
            scores = jnp.where(jnp.tri(scores.shape[-1], dtype=bool), scores, -jnp.inf)
        return jax.nn.softmax(scores, axis=-1) @ value @ arrays["W_O"][at]
