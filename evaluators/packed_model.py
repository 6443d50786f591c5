"""Packed model: a model in as few heads and neurons as bear on its logits.

The stream keeps its dimensions, so that directions in it mean what they mean in the whole model.
The logits are the same on every input, and after every change of the stream, but for rounding. In
a crowded model most heads and neurons are left out.
"""

import numpy as np
from jaxtyping import Bool, Int

from ..compiler.weights import Weights
from ..ground_truth.wiring import ROUNDING_BOUND, without_dead_ends


def packed(weights: Weights) -> Weights:
    """Return a model with as many heads and neurons in each layer as the fullest one needs.

    Heads and neurons whose writes nothing reads are left out; products up to 1e-9 count as zero.
    """
    live = without_dead_ends(weights, ROUNDING_BOUND)
    heads = _first(np.any(live.W_O, axis=(2, 3)))
    neurons = _first(np.any(live.W_out, axis=2))
    taken = {
        name: np.take_along_axis(getattr(live, name), heads[:, :, None, None], axis=1)
        for name in ("W_Q", "W_K", "W_V", "W_O")
    }
    taken["b_Q"] = np.take_along_axis(live.b_Q, heads[:, :, None], axis=1)
    taken["W_in"] = np.take_along_axis(live.W_in, neurons[:, None, :], axis=2)
    taken["b_in"] = np.take_along_axis(live.b_in, neurons, axis=1)
    taken["W_out"] = np.take_along_axis(live.W_out, neurons[:, :, None], axis=1)
    return live.with_arrays(taken)


def _first(is_live: Bool[np.ndarray, "layer part"]) -> Int[np.ndarray, "layer kept"]:
    """Return the live parts of each layer, as many as the fullest layer has; others fill up."""
    most = max(1, int(is_live.sum(axis=1).max(initial=0)))
    return np.argsort(~is_live, axis=1, kind="stable")[:, :most]
