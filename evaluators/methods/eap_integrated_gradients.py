"""EAP with integrated gradients (EAP-IG, inputs).

Hanna, Pezzelle and Belinkov 2024, arXiv:2403.17806: as edge attribution patching,
with the gradient averaged over runs whose embeddings lie between those of the
base and those of the source, so that flat spots of the base do not hide an edge.
Points are about as many as the five of the paper; where attention is saturated, more
of them find more. Effects have a sign; the score of an edge is their mean magnitude
over pairs.
"""

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from ..pair_runs import PairRuns
from .edge_gradients import Path, edge_effects, edge_scores, nearness_gradient

POINTS = 6


def eap_integrated_gradients(problem: CircuitProblem) -> dict[str, float]:
    """Return the EAP-IG score of every edge, over `POINTS` points of the path."""
    with threadpool_limits(limits=1):  # many small products: more threads are slower
        model = GatedModel(problem.model.weights)
        effects = [
            edge_effects(model, path_gradient(model, runs, Path.of(POINTS)), runs.change)
            for runs in PairRuns.of(model, problem, circuits=POINTS)
        ]
        return edge_scores(problem, model, np.concatenate(effects))


def path_gradient(
    model: GatedModel, runs: PairRuns, path: Path
) -> Float[np.ndarray, "reader pair position d_model"]:
    """Return the gradient at every reader, averaged over the way to the source."""
    base, source = (one[:2] for one in (runs.contributions, runs.source))
    between = base + path.shares[:, None, None, None, None] * (source - base)
    gates = model.gates(np.ones((len(between), len(model.edges))))
    done = model.run(gates, between, np.zeros_like(runs.source))
    return path.mean(model.reader_gradients(done, nearness_gradient(done.logits, runs)))
