"""Interchange patching of single edges.

Each edge by itself is given what it carries on the source, everything after is
recomputed, and its score is how far the logits move. This is path patching with
one edge as the path (Wang et al. 2022, arXiv:2211.00593; Goldowsky-Dill et al.
2023, arXiv:2304.05969), over interchange interventions (Geiger et al. 2021,
arXiv:2106.02997). Scores have no sign.
"""

import numpy as np

from ...compiler.one_thread import one_thread
from ..circuit_problem import CircuitProblem
from ..edge_interchanges import EdgeInterchanges
from ..live_model import LiveModel
from .edge_scores import live_edges


@one_thread()
def interchange_patching(problem: CircuitProblem) -> dict[str, float]:
    """Return for each edge the mean distance that its interchange moves the logits."""
    model = LiveModel.of(problem.model.weights)
    real = problem.model.codec.is_real(problem.base)
    interchanges = EdgeInterchanges(model, problem.base, problem.source)
    before = interchanges.base.logits
    pair = np.repeat(np.arange(len(real)), len(model.edges))
    edge = np.tile(np.arange(len(model.edges)), len(real))
    total = np.zeros(len(model.edges))
    for moved in interchanges.logits(edge, pair, pair):
        pairs = pair[moved.rows]
        distance = np.linalg.norm(moved.logits - before[pairs], axis=-1) * real[pairs]
        np.add.at(total, edge[moved.rows], distance.sum(axis=1))
    return live_edges(problem, model.edges, total / real.sum())
