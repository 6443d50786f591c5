"""Swap: one thing that can be interchanged, as weights and as program know it.

An edge, or what an edge carries in the subspace of one variable, or either of them at a
single position.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..compiler.component_graph import ComponentGraph, Edge, Reader, edge_name
from ..compiler.executor import Run, Stream, project
from ..compiler.source_map import PlacedVariable


@dataclass(frozen=True, eq=False)
class Swap:
    """Something of what one writer writes, as one reader reads it.

    Attributes:
        name: the edge's name; of a subspace, with the variable in brackets.
        writer: the writer's place among the writers of the component graph.
        reader: who reads it.
        carried: the variables that are interchanged together.
        projector: onto the subspace that is interchanged; `None` for all of the stream.
        position: the one position at which it is interchanged; `None` for all.
    """

    name: str
    writer: int
    reader: Reader
    carried: tuple[str, ...]
    projector: Float[np.ndarray, "d_model d_model"] | None = None
    position: int | None = None

    @classmethod
    def of_edge(cls, graph: ComponentGraph, edge: Edge, carried: tuple[str, ...]) -> "Swap":
        """Return the swap of an edge."""
        return cls(edge.name, graph.writer_index[edge.writer.name], edge.reader, carried)

    @classmethod
    def of_variable(cls, graph: ComponentGraph, variable: PlacedVariable, reader: Reader) -> "Swap":
        """Return the swap of one variable on the way to a reader."""
        return cls(
            variable_edge_name(variable, reader.name),
            graph.writer_index[variable.writer],
            reader,
            (variable.name,),
            np.linalg.pinv(variable.directions) @ variable.directions,
        )

    def contribution(self, run: Run) -> Stream:
        """Return what would be interchanged, as it is in a run, at the positions of the swap."""
        written = run.contributions[self.writer]
        if self.position is not None:
            written = written[:, self.position : self.position + 1]
        return written if self.projector is None else project(written, self.projector)

    def delta(self, base: Run, source: Run) -> Stream:
        """Return what the interchange adds to the reader's input."""
        delta = self.contribution(source) - self.contribution(base)
        if self.position is None:
            return delta
        whole = np.zeros_like(base.contributions[self.writer])
        whole[:, self.position : self.position + 1] = delta
        return whole


def variable_edge_name(variable: PlacedVariable, reader: str) -> str:
    """Return the name of what a variable brings to a reader, such as `m0[counts]->a1.h0<k>`."""
    return edge_name(f"{variable.writer}[{variable.name}]", reader)
