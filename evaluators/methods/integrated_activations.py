"""EAP with integrated gradients of activations (EAP-IG-activations).

Mueller et al. 2025 (MIB), arXiv:2504.13151, after Marks et al. 2024, arXiv:2403.19647: as
edge attribution patching, with the gradient averaged over runs in which the writer of the edge
contributes something between what it does on the base and what it does on the source. All that
comes before it is as on the base, and all that comes after is computed. The effects of the edges
that leave a writer add up to the effect of patching that writer, as steps grow many.
Effects have a sign; the score of an edge is their mean magnitude over pairs.
"""

import numpy as np
from jaxtyping import Float

from ...compiler.one_thread import one_thread
from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from ..pair_runs import PairRuns
from .edge_gradients import Effects, edge_scores, midpoints, nearness_gradient

STEPS = 8


@one_thread()
def integrated_activations(problem: CircuitProblem) -> dict[str, float]:
    """Return the score of every edge, over `STEPS` midpoints of each writer's path."""
    model = GatedModel(problem.model.weights)
    effects = [
        activation_effects(model, runs, midpoints(STEPS))
        for runs in PairRuns.of(model, problem, circuits=STEPS)
    ]
    return edge_scores(problem, model, np.concatenate(effects))


def activation_effects(
    model: GatedModel, runs: PairRuns, shares: Float[np.ndarray, " step"]
) -> Effects:
    """Return the signed effect of each of `model.edges` on each pair, averaged over shares."""
    effects = np.zeros((len(runs.real), len(model.edges)))
    gates = model.gates(np.ones((len(shares), len(model.edges))))
    change, nothing = runs.change, np.zeros_like(runs.source)
    readers, writers = model.places
    for place in np.unique(writers).tolist():
        depth = model.graph.writers[place].depth
        known = sum(writer.depth <= depth for writer in model.graph.writers)
        first = np.repeat(runs.contributions[None, :known], len(shares), axis=0)
        first[:, place] += shares[:, None, None, None] * change[place]
        done = model.run(gates, first, nothing)
        at_readers = model.reader_gradients(done, nearness_gradient(done.logits, runs))
        leaving = np.flatnonzero(writers == place)
        mean = at_readers[:, readers[leaving]].mean(axis=0)
        effects[:, leaving] = np.einsum("rnpd,npd->nr", mean, change[place])
    return effects
