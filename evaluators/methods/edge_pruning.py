"""Edge pruning: a mask over the edges, learned.

Bhaskar et al. 2024, arXiv:2406.16778, and Cao, Sanh and Rush 2021, arXiv:2104.03514, whose masks
are over weights: hard concrete gates on the edges are trained to keep the output and to close.
The score of an edge is the probability that its gate is open in the end. Scores have no sign.
"""

import numpy as np

from ...compiler.one_thread import one_thread
from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from .edge_scores import live_edges
from .learned_masks import open_gates


@one_thread()
def edge_pruning(problem: CircuitProblem) -> dict[str, float]:
    """Return the probability that the gate of each edge is open after training."""
    model = GatedModel(problem.model.weights)
    n_edges = len(model.edges)
    found = open_gates(problem, model, np.arange(n_edges), n_edges)
    return live_edges(problem, model.edges, found)
