"""Edge attribution patching (EAP): a first-order estimate of interchange patching.

Syed, Rager and Conmy 2023, arXiv:2310.10348: the gradient at the reader, taken on
the base, times the change of the writer's contribution from base to source.
Effects have a sign; the score of an edge is their mean magnitude over pairs.
"""

from ..circuit_problem import CircuitProblem


def edge_attribution_patching(problem: CircuitProblem) -> dict[str, float]:
    """Return the EAP score of every edge."""
    from .edge_gradients import EdgeGradients

    gradients = EdgeGradients(problem)
    return gradients.edge_scores(gradients.at_base)
