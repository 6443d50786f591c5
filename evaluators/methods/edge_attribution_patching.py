"""Edge attribution patching (EAP): a first-order estimate of interchange patching.

Syed, Rager and Conmy 2023, arXiv:2310.10348: the gradient at the reader, taken on
the base, times the change of the writer's contribution from base to source.
Effects have a sign; the score of an edge is their mean magnitude over pairs.
"""

import numpy as np

from ...compiler.one_thread import one_thread
from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from ..pair_runs import PairRuns
from .edge_gradients import Effects, edge_effects, edge_scores, nearness_gradient


@one_thread()
def edge_attribution_patching(problem: CircuitProblem) -> dict[str, float]:
    """Return the EAP score of every edge."""
    model = GatedModel(problem.model.weights)
    return edge_scores(problem, model, first_order_effects(problem, model))


def first_order_effects(problem: CircuitProblem, model: GatedModel) -> Effects:
    """Return the signed effect of each of `model.edges` on each pair, gradients on the base."""
    effects = []
    for runs in PairRuns.of(model, problem):
        gradient = nearness_gradient(runs.base.logits, runs)
        at_readers = model.reader_gradients(runs.base, gradient)[0]
        effects.append(edge_effects(model, at_readers, runs.change))
    return np.concatenate(effects)
