"""Edge outcomes: which edges of a circuit an answer found, missed and invented.

An answer ranks edges; to say which it takes, it is read at the size of the true circuit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import AnswerError, listing
from ..ground_truth import EdgeState, edge_positives


@dataclass(frozen=True)
class EdgeOutcomes:
    """What an answer made of the edges, each in the order of the model.

    Attributes:
        found: causal edges among those taken.
        missed: causal edges that are not taken.
        invented: edges that are taken and not causal.
    """

    found: tuple[str, ...]
    missed: tuple[str, ...]
    invented: tuple[str, ...]


def edge_outcomes(scores: Mapping[str, float], states: Mapping[str, EdgeState]) -> EdgeOutcomes:
    """Return what an answer of the circuit track found.

    Of the edges that are scored, as many as are causal are taken, those with the greatest
    magnitudes. Edges of equal magnitude are taken together or not at all, and none of
    magnitude 0 is, so that an answer that tells nothing finds nothing.

    Args:
        scores: a number for each edge.
        states: the state of each edge; `positional` ones are left out, as in scores.

    Raises:
        AnswerError: an edge has no number; all of them are named.

    Example:
        >>> states = {"a->b": EdgeState.CAUSAL, "a->c": EdgeState.INERT, "b->c": EdgeState.CAUSAL}
        >>> edge_outcomes({"a->b": -3.0, "a->c": 2.0, "b->c": 1.0}, states)
        EdgeOutcomes(found=('a->b',), missed=('b->c',), invented=('a->c',))
    """
    causal = edge_positives(states)
    absent = [edge for edge in causal if edge not in scores]
    if absent:
        raise AnswerError(
            listing("An answer must have a number for every edge, and has none for:", absent)
        )
    sizes = {edge: abs(scores[edge]) for edge in causal}
    size = sum(causal.values())
    # The greatest magnitude that there is no room for bounds what is taken.
    bound = max([0.0, *sorted(sizes.values(), reverse=True)[size:]])
    taken = {edge for edge, magnitude in sizes.items() if magnitude > bound}
    return EdgeOutcomes(
        tuple(edge for edge, positive in causal.items() if positive and edge in taken),
        tuple(edge for edge, positive in causal.items() if positive and edge not in taken),
        tuple(edge for edge, positive in causal.items() if not positive and edge in taken),
    )
