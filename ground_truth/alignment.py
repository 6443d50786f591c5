"""Alignment: which component of an ordinary transformer stands for which of a compiled model.

Layers are the compiled model's, placed by seed where its program leaves slack; in each layer a seed
draws which heads of the ordinary model stand for the compiled ones. All other heads, and MLPs
that the compiled model does not have, stand for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..compiler import CompiledModel, Margins, Weights
from ..compiler.component_graph import ComponentGraph, edge_name, head_name
from ..compiler.model import Model
from ..compiler.source_map import SourceMap
from .circuit_labels import EdgeState


@dataclass(frozen=True, eq=False)
class Alignment:
    """A map from the components of a compiled model to those of an ordinary one.

    Attributes:
        compiled: the components of the compiled model.
        ordinary: those of the ordinary one.
        heads: the ordinary head that stands for each compiled one, by name.
    """

    compiled: ComponentGraph
    ordinary: ComponentGraph
    heads: Mapping[str, str]

    @classmethod
    def drawn(
        cls, compiled: ComponentGraph, ordinary: ComponentGraph, n_heads: int, seed: int
    ) -> "Alignment":
        """Return an alignment whose heads are drawn.

        Args:
            compiled: the components of the compiled model.
            ordinary: those of the ordinary one, which has as many layers.
            n_heads: of every layer of the ordinary model, at least those of the compiled one.
            seed: draws the heads.
        """
        rng = np.random.default_rng([seed, 11])
        heads = {}
        for depth in range(0, max(reader.depth for reader in compiled.readers), 2):
            beside = compiled.writers_at(depth)
            places = rng.permutation(n_heads)[: len(beside)].tolist()
            for writer, place in zip(beside, places, strict=True):
                heads[writer.name] = head_name(writer.layer, place)
        return cls(compiled, ordinary, heads)

    def edge(self, name: str) -> str:
        """Return the edge of the ordinary model that stands for one of the compiled model."""
        writer, _, reader = name.partition("->")
        return edge_name(self.name(writer), self.name(reader))

    def name(self, component: str) -> str:
        """Return the component, or the reader, that stands for one of the compiled model."""
        own, bracket, role = component.partition("<")
        return self.heads.get(own, own) + bracket + role

    def trained(self, compiled: CompiledModel, weights: Weights) -> CompiledModel:
        """Return an ordinary model with the program whose variables its components carry.

        Its source map says who writes a variable and who reads it. Directions it has none, and
        margins of zero, since nothing is known of either.

        Args:
            compiled: the model whose components are aligned.
            weights: of the ordinary model.
        """
        source_map = compiled.source_map
        none = np.zeros((0, weights.d_model))
        variables = tuple(
            replace(one, writer=self.name(one.writer), neurons=(), directions=none)
            for one in source_map.variables
        )
        reads = tuple((self.name(reader), name) for reader, name in source_map.reads)
        return replace(
            compiled,
            model=Model(weights, compiled.model.codec),
            source_map=SourceMap(variables, reads, source_map.outputs),
            margins=Margins(0.0, 0.0, ""),
        )

    def states(self, states: Mapping[str, EdgeState]) -> dict[str, EdgeState]:
        """Return the state that every edge of the ordinary model must have.

        Args:
            states: of the edges of the compiled model. What has no effect there is `inert` in
                the ordinary one, whose matrices annihilate nothing.
        """
        known = {self.edge(name): state for name, state in states.items() if state.has_effect}
        return {name: known.get(name, EdgeState.INERT) for name in self.ordinary.edge_names}

    def sets(self, states: Mapping[str, EdgeState]) -> dict[str, tuple[str, ...]]:
        """Return which edges of the compiled model are interchanged together, by a name.

        They are every edge with an effect, and of every component that has several of them all.
        """
        found: dict[str, tuple[str, ...]] = {
            name: (name,) for name, state in states.items() if state.has_effect
        }
        leaving: dict[str, list[str]] = {}
        for name in list(found):
            leaving.setdefault(name.partition("->")[0], []).append(name)
        found |= {writer: tuple(edges) for writer, edges in leaving.items() if len(edges) > 1}
        return found
