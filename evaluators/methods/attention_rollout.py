"""Attention rollout: where attention leads, through all layers.

Abnar and Zuidema 2020, arXiv:2005.00928: in each layer the attention of the heads is averaged,
the residual connection is counted as attention to oneself with the same weight, and the layers
are multiplied. MLPs and values are not looked at, nor what the output is. A layer has as many
heads as write something. Scores have no sign.
"""

import numpy as np
from jaxtyping import Float

from ...compiler.component_graph import ComponentGraph
from ...compiler.executor import attention_patterns, run
from ...compiler.one_thread import one_thread
from ...compiler.weights import Weights
from ..attribution_problem import AttributionProblem
from .distinct_runs import rows_at_once


@one_thread()
def attention_rollout(
    problem: AttributionProblem,
) -> Float[np.ndarray, "rows output_position input_position"]:
    """Return how much of the attention of each position comes from each other."""
    scores = np.zeros(problem.answer_shape)
    graph = ComponentGraph.of(problem.model.weights)
    n_rows, n_positions = problem.tokens.shape
    step = max(1, rows_at_once(problem.model, n_positions) // len(graph.writers))
    for start in range(0, n_rows, step):
        some = slice(start, start + step)
        scores[some] = _rollout(problem.model.weights, graph, problem.tokens[some])
    return scores


def _rollout(weights: Weights, graph: ComponentGraph, tokens: np.ndarray) -> np.ndarray:
    """Return the rollout of some inputs, `[rows, output position, input position]`."""
    done = run(weights, tokens, graph=graph)
    rolled = np.broadcast_to(np.eye(tokens.shape[1]), (len(tokens), *[tokens.shape[1]] * 2))
    for layer in range(weights.n_layers):
        heads = [writer.head for writer in graph.writers_at(2 * layer)]
        if heads:
            stream = done.streams[2 * layer]
            patterns = attention_patterns(weights, layer, heads, stream, stream)
            rolled = (rolled + patterns.mean(axis=1) @ rolled) / 2
    return rolled
