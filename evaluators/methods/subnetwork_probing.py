"""Subnetwork probing: a mask over the components, learned.

Cao, Sanh and Rush 2021, arXiv:2104.03514, with one hard concrete gate for all that a component
writes, as in Conmy et al. 2023, arXiv:2304.14997: gates are trained to keep the output and to
close. An edge is in the circuit when both its ends are, so its score is the lower of the
probabilities that their gates are open in the end. Scores have no sign.
"""

from ...compiler.one_thread import one_thread
from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from .edge_scores import lower_of_ends
from .learned_masks import open_gates


@one_thread()
def subnetwork_probing(problem: CircuitProblem) -> dict[str, float]:
    """Return the lower probability that the gates of an edge's ends are open after training."""
    model = GatedModel(problem.model.weights)
    names = [writer.name for writer in model.graph.writers]
    found = open_gates(problem, model, model.places.writers, len(names))
    return lower_of_ends(problem, dict(zip(names, found.tolist(), strict=True)))
