"""Attribution patching of nodes, as scores of edges.

Nanda 2023, "Attribution Patching: Activation Patching At Industrial Scale", and Syed, Rager and
Conmy 2023, arXiv:2310.10348: the gradient of the output with respect to all that a component
writes, times its change from base to source. An edge is in a circuit of nodes when both its ends
are, so its score is the lower of theirs; the logits are in every circuit.
"""

import numpy as np

from ...compiler.one_thread import one_thread
from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from .edge_attribution_patching import first_order_effects
from .edge_gradients import mean_magnitudes
from .edge_scores import lower_of_ends


@one_thread()
def node_attribution_patching(problem: CircuitProblem) -> dict[str, float]:
    """Return the lower of the scores of the two ends of every edge."""
    model = GatedModel(problem.model.weights)
    return lower_of_ends(problem, node_scores(problem, model))


def node_scores(problem: CircuitProblem, model: GatedModel) -> dict[str, float]:
    """Return the mean magnitude, over pairs, of the first-order effect of each writer.

    What a writer does is the sum over its edges: the gradient at each reader counts all that
    comes after it.
    """
    effects = first_order_effects(problem, model)
    leaving = model.places.writers[:, None] == np.arange(len(model.graph.writers))
    names = (writer.name for writer in model.graph.writers)
    return dict(zip(names, mean_magnitudes(effects @ leaving).tolist(), strict=True))
