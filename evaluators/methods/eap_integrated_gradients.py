"""EAP with integrated gradients (EAP-IG, inputs).

Hanna, Pezzelle and Belinkov 2024, arXiv:2403.17806: as edge attribution patching,
with the gradient averaged over runs whose embeddings lie between those of the
base and those of the source, so that flat spots of the base do not hide an edge.
Effects have a sign; the score of an edge is their mean magnitude over pairs.
"""

import numpy as np

from ..circuit_problem import CircuitProblem

STEPS = 8


def eap_integrated_gradients(problem: CircuitProblem) -> dict[str, float]:
    """Return the EAP-IG score of every edge, over `STEPS` midpoints of the path."""
    import jax

    from .edge_gradients import EdgeGradients

    gradients = EdgeGradients(problem)
    shares = [(step + 0.5) / STEPS for step in range(STEPS)]
    taken = [
        gradients.at(gradients.base + share * (gradients.source - gradients.base))
        for share in shares
    ]
    mean = jax.tree.map(lambda *steps: np.mean(steps, axis=0), *taken)
    return gradients.edge_scores(mean)
