"""Edge scores: answers of the circuit track, from what is known of some edges, or of nodes."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from ...compiler.component_graph import LOGITS, Edge
from ..circuit_problem import CircuitProblem


def every_edge(problem: CircuitProblem, scores: Mapping[str, float]) -> dict[str, float]:
    """Return the scores of all edges of a problem: 0 for those that have none."""
    return {edge: float(scores.get(edge, 0.0)) for edge in problem.edges}


def live_edges(
    problem: CircuitProblem, edges: Sequence[Edge], values: Float[np.ndarray, " edge"]
) -> dict[str, float]:
    """Return the scores of all edges from those of `edges`: 0 where nothing can pass."""
    names = (edge.name for edge in edges)
    return every_edge(problem, dict(zip(names, values.tolist(), strict=True)))


def lower_of_ends(problem: CircuitProblem, nodes: Mapping[str, float]) -> dict[str, float]:
    """Return the score of every edge from those of the nodes at its two ends: the lower one.

    An edge is in a circuit of nodes when both its ends are. Nodes without a score have 0, and the
    logits are in every circuit.
    """
    return {
        edge.name: min(
            nodes.get(edge.writer.name, 0.0),
            np.inf if edge.reader.name == LOGITS else nodes.get(edge.reader.component, 0.0),
        )
        for edge in problem.graph.edges
    }
