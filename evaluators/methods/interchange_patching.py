"""Interchange patching of single edges.

Each edge by itself is given what it carries on the source, everything after is
recomputed, and its score is how far the logits move. This is path patching with
one edge as the path (Wang et al. 2022, arXiv:2211.00593; Goldowsky-Dill et al.
2023, arXiv:2304.05969), over interchange interventions (Geiger et al. 2021,
arXiv:2106.02997). Scores have no sign.
"""

import numpy as np
from threadpoolctl import threadpool_limits

from ...compiler.executor import interchange, run
from ..circuit_problem import CircuitProblem


def interchange_patching(problem: CircuitProblem) -> dict[str, float]:
    """Return for each edge the mean distance that its interchange moves the logits."""
    with threadpool_limits(limits=1):  # many small products: more threads are slower
        return _scores(problem)


def _scores(problem: CircuitProblem) -> dict[str, float]:
    weights, graph = problem.model.weights, problem.graph
    base = run(weights, problem.base, graph=graph)
    source = run(weights, problem.source, graph=graph)
    real = problem.model.codec.is_real(problem.base)
    scores = {}
    for edge in graph.edges:
        writer = graph.writer_index[edge.writer.name]
        delta = source.contributions[writer] - base.contributions[writer]
        patched = interchange(weights, graph, base, edge.reader, delta)
        moved = np.linalg.norm(patched - base.logits, axis=-1)
        scores[edge.name] = float(moved[real].mean())
    return scores
