"""EAP with integrated gradients (EAP-IG, inputs).

Hanna, Pezzelle and Belinkov 2024, arXiv:2403.17806: as edge attribution patching,
with the gradient averaged over runs whose embeddings lie between those of the
base and those of the source, so that flat spots of the base do not hide an edge.
The paper takes five steps; where attention is saturated, more find more. Effects have a
sign; the score of an edge is their mean magnitude over pairs.
"""

import numpy as np
from jaxtyping import Float

from ...compiler.one_thread import one_thread
from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from ..pair_runs import PairRuns
from .edge_gradients import edge_effects, edge_scores, midpoints, nearness_gradient

STEPS = 8


@one_thread()
def eap_integrated_gradients(problem: CircuitProblem) -> dict[str, float]:
    """Return the EAP-IG score of every edge, over `STEPS` midpoints of the path."""
    model = GatedModel(problem.model.weights)
    effects = [
        edge_effects(model, path_gradient(model, runs, midpoints(STEPS)), runs.change)
        for runs in PairRuns.of(model, problem, circuits=STEPS)
    ]
    return edge_scores(problem, model, np.concatenate(effects))


def path_gradient(
    model: GatedModel, runs: PairRuns, shares: Float[np.ndarray, " step"]
) -> Float[np.ndarray, "reader pair position d_model"]:
    """Return the gradient at every reader, averaged over shares of the way to the source."""
    base, source = (one[:2] for one in (runs.contributions, runs.source))
    between = base + shares[:, None, None, None, None] * (source - base)
    gates = model.gates(np.ones((len(shares), len(model.edges))))
    done = model.run(gates, between, np.zeros_like(runs.source))
    return model.reader_gradients(done, nearness_gradient(done.logits, runs)).mean(axis=0)
