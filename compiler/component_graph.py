"""The component graph: who writes to the residual stream, and who reads from it.

Writers are `embed`, `pos_embed`, heads `a{layer}.h{head}` and MLPs `m{layer}`.
Readers are `a{layer}.h{head}<q>`, `<k>`, `<v>`, `m{layer}` and `logits`. An edge
`writer->reader` exists when the writer comes before the reader in the forward
pass. The names are those of EAP-IG and MIB. A head or MLP whose weights are all
zero is not a component: it neither reads nor writes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from jaxtyping import Float

from .weights import Weights

EMBED = "embed"
POS_EMBED = "pos_embed"
LOGITS = "logits"
ROLES = ("q", "k", "v")


def head_name(layer: int, head: int) -> str:
    """Return the name of a head, such as `a0.h1`."""
    return f"a{layer}.h{head}"


def mlp_name(layer: int) -> str:
    """Return the name of an MLP, such as `m0`."""
    return f"m{layer}"


def edge_name(writer: str, reader: str) -> str:
    """Return the name of an edge, such as `a0.h1->m0`."""
    return f"{writer}->{reader}"


@dataclass(frozen=True)
class Writer:
    """A component that adds to the residual stream.

    `depth` orders the forward pass: -1 for embeddings, `2 * layer` for heads,
    `2 * layer + 1` for MLPs. `layer` and `head` are -1 where they do not apply.
    """

    name: str
    depth: int
    layer: int = -1
    head: int = -1


@dataclass(frozen=True)
class Reader:
    """An input of a component; `role` is `q`, `k`, `v`, `mlp` or `logits`."""

    name: str
    depth: int
    role: str
    layer: int = -1
    head: int = -1

    @property
    def component(self) -> str:
        """The name of the component that reads."""
        return self.name.split("<")[0]


@dataclass(frozen=True)
class Edge:
    """A pair (writer, reader) with the writer earlier in the forward pass."""

    writer: Writer
    reader: Reader

    @property
    def name(self) -> str:
        """The edge's name, `writer->reader`."""
        return edge_name(self.writer.name, self.reader.name)


@dataclass(frozen=True)
class ComponentGraph:
    """The writers and readers of a model, in the order of the forward pass."""

    writers: tuple[Writer, ...]
    readers: tuple[Reader, ...]

    @classmethod
    def of(cls, weights: Weights) -> "ComponentGraph":
        """Return the graph of the components of `weights` that are not all zero."""
        writers = [Writer(EMBED, -1), Writer(POS_EMBED, -1)]
        readers: list[Reader] = []
        for layer in range(weights.n_layers):
            for head in range(weights.n_heads):
                if weights.W_O[layer, head].any():
                    name = head_name(layer, head)
                    writers.append(Writer(name, 2 * layer, layer, head))
                    readers += [Reader(f"{name}<{r}>", 2 * layer, r, layer, head) for r in ROLES]
            if weights.W_out[layer].any() or weights.b_out[layer].any():
                writers.append(Writer(mlp_name(layer), 2 * layer + 1, layer))
                readers.append(Reader(mlp_name(layer), 2 * layer + 1, "mlp", layer))
        readers.append(Reader(LOGITS, 2 * weights.n_layers, "logits"))
        return cls(tuple(writers), tuple(readers))

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every edge of the universe, by reader and then by writer."""
        return tuple(
            Edge(writer, reader)
            for reader in self.readers
            for writer in self.writers
            if writer.depth < reader.depth
        )

    @cached_property
    def edge_names(self) -> tuple[str, ...]:
        """The names of `edges`, in the same order."""
        return tuple(edge.name for edge in self.edges)

    def edge_mask(self, edges: Collection[str]) -> Float[np.ndarray, "reader writer"]:
        """Return 1 for each of these edges, by name, and 0 for the others.

        It is a row of the edges that `InterchangedForward` interchanges.
        """
        mask = np.zeros((len(self.readers), len(self.writers)))
        places = {reader.name: place for place, reader in enumerate(self.readers)}
        for edge in self.edges:
            if edge.name in edges:
                mask[places[edge.reader.name], self.writer_index[edge.writer.name]] = 1
        return mask

    def writers_at(self, depth: int) -> tuple[Writer, ...]:
        """Return the writers of one depth."""
        return self._by_depth.get(depth, ())

    @cached_property
    def _by_depth(self) -> dict[int, tuple[Writer, ...]]:
        beside = groupby(self.writers, key=lambda writer: writer.depth)
        return {depth: tuple(writers) for depth, writers in beside}

    @cached_property
    def writer_index(self) -> dict[str, int]:
        """The position of each writer's name in `writers`."""
        return {writer.name: index for index, writer in enumerate(self.writers)}
