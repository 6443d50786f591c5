"""Automatic circuit discovery (ACDC), over a sweep of thresholds.

Conmy et al. 2023, arXiv:2304.14997: from the output back to the input, each edge is interchanged
for good if that moves the output of what is left of the model away from the whole model's by
less than a threshold. Outputs are compared by the squared distance of their logits, since a KL
divergence says nothing about numerical outputs, and thresholds are shares of what interchanging
every edge does. The score of an edge is the largest threshold at which it survives, 0 if none.

Edges over which nothing can pass never survive and are left out. The thresholds go through the
model side by side, circuits that are equal once, and each run begins at the reader: all before
it is still as in the whole model. Scores have no sign.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ...compiler.one_thread import one_thread
from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from ..pair_runs import PairRuns
from .edge_scores import live_edges

THRESHOLDS = tuple(np.logspace(-6, 0, 25).tolist())
"""From a millionth of the distance to the logits of the sources up to all of it."""


@one_thread()
def acdc(problem: CircuitProblem) -> dict[str, float]:
    """Return for each edge the largest of `THRESHOLDS` at which it survives."""
    model = GatedModel(problem.model.weights)
    runs = list(PairRuns.of(model, problem, circuits=len(THRESHOLDS)))
    survives = surviving(model, runs, np.array(THRESHOLDS))
    scores = (survives * np.array(THRESHOLDS)[:, None]).max(axis=0)
    return live_edges(problem, model.edges, scores)


def surviving(
    model: GatedModel, runs: Sequence[PairRuns], thresholds: Float[np.ndarray, " threshold"]
) -> Float[np.ndarray, "threshold edge"]:
    """Return 1 for each of `model.edges` that survives at each threshold, else 0."""
    gates = np.ones((len(thresholds), len(model.edges)))
    distance = np.zeros(len(thresholds))
    full = sum(one.distance(one.source_logits[None]) for one in runs)
    limits = thresholds * np.where(full > 0, full, 1.0)
    for place in reversed(range(len(model.edges))):
        trial = gates.copy()
        trial[:, place] = 0.0
        circuits, which = np.unique(trial, axis=0, return_inverse=True)
        depth = model.edges[place].reader.depth
        known = sum(writer.depth < depth for writer in model.graph.writers)
        found = sum(one.distance(_logits(model, one, circuits, known)) for one in runs)
        after = np.asarray(found)[which.reshape(-1)]
        goes = after - distance < limits
        gates[goes, place] = 0.0
        distance = np.where(goes, after, distance)
    return gates


def _logits(model: GatedModel, runs: PairRuns, circuits: np.ndarray, known: int) -> np.ndarray:
    """Return the logits of circuits of which the first writers are as in the whole model."""
    first = runs.contributions[None, :known]
    return model.run(model.gates(circuits), first, runs.source).logits
