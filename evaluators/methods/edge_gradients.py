"""Edge gradients: the first-order effect of interchanging each edge.

The gradient at a reader, times the change of a writer's contribution from base to source, is
how much the interchange of that edge moves what is differentiated, to first order.
"""

import numpy as np
from jaxtyping import Float

from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from ..pair_runs import PairRuns
from .edge_scores import live_edges

Effects = Float[np.ndarray, "pair edge"]

ROUNDING = 1e-9
"""Effects below this share of the largest are rounding."""


def midpoints(steps: int) -> Float[np.ndarray, " step"]:
    """Return the middles of so many equal parts of the way from base (0) to source (1)."""
    return (np.arange(steps) + 0.5) / steps


def nearness_gradient(
    logits: Float[np.ndarray, "*circuits pair position d_out"], runs: PairRuns
) -> Float[np.ndarray, "*circuits pair position d_out"]:
    """Return the gradient, at the logits, of how near they are to those of the source.

    What is differentiated is minus half the squared distance between the two, summed over the
    real positions of the base: a measure that works for categorical and numerical outputs alike.
    """
    return np.where(runs.real[..., None], runs.source_logits - logits, 0.0)


def edge_effects(
    model: GatedModel,
    at_readers: Float[np.ndarray, "reader pair position d_model"],
    change: Float[np.ndarray, "writer pair position d_model"],
) -> Effects:
    """Return for each pair and each of `model.edges` the gradient times the change."""

    def by_pair(arrays: np.ndarray) -> np.ndarray:
        return arrays.swapaxes(0, 1).reshape(arrays.shape[1], arrays.shape[0], -1)

    table = by_pair(at_readers) @ by_pair(change).swapaxes(-1, -2)
    return table[:, *model.places]


def mean_magnitudes(effects: Float[np.ndarray, "pair item"]) -> Float[np.ndarray, " item"]:
    """Return the mean magnitude of each effect over pairs.

    Magnitudes are taken pair by pair, since effects of opposite sign would cancel in a mean.
    Those that are lost in rounding, next to the largest, count as none: through a saturated
    softmax a gradient is some 1e-17 or 1e-40 of it, and which of such numbers is larger tells
    of the order of sums and of where products are exact zeros, not of effects.
    """
    magnitudes = np.abs(effects).mean(axis=0)
    return np.where(magnitudes > ROUNDING * magnitudes.max(initial=0.0), magnitudes, 0.0)


def edge_scores(problem: CircuitProblem, model: GatedModel, effects: Effects) -> dict[str, float]:
    """Return the score of every edge: the mean magnitude of its effect over pairs."""
    return live_edges(problem, model.edges, mean_magnitudes(effects))
