"""Distinct runs: the logits of many inputs, of which each distinct one is run once.

Methods that replace tokens ask for the same few inputs again and again.
"""

import numpy as np
from jaxtyping import Float, Int

from ...compiler.component_graph import ComponentGraph
from ...compiler.executor import embeddings, resume
from ...compiler.model import Model
from ...compiler.one_thread import one_thread

_ELEMENTS_AT_ONCE = 2**21

TokenIds = Int[np.ndarray, "inputs position"]
Logits = Float[np.ndarray, "inputs position d_out"]


def logits_of(model: Model, tokens: TokenIds) -> Logits:
    """Return the logits of token ids, in the order in which they are given."""
    weights = model.weights
    graph = ComponentGraph.of(weights)
    inputs, place = np.unique(tokens, axis=0, return_inverse=True)
    step = rows_at_once(model, tokens.shape[1])
    logits = np.empty((*inputs.shape, weights.d_out))
    with one_thread():
        for start in range(0, len(inputs), step):
            embed, positions = embeddings(weights, inputs[start : start + step])
            logits[start : start + step] = resume(weights, graph, embed + positions, 0)
    return logits[place.reshape(-1)]


def rows_at_once(model: Model, n_positions: int) -> int:
    """Return how many inputs are run together, so that what each layer holds stays small."""
    weights = model.weights
    widest = max(weights.d_model, weights.d_mlp, weights.n_heads * (weights.d_head + n_positions))
    return max(1, _ELEMENTS_AT_ONCE // (n_positions * widest))
