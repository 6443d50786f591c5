"""Gradients with respect to the token embeddings: gradient x input, and integrated gradients.

Simonyan, Vedaldi and Zisserman 2013, arXiv:1312.6034, and Shrikumar et al. 2016,
arXiv:1605.01713; Sundararajan, Taly and Yan 2017, arXiv:1703.01365.

The baseline has the mean of all token embeddings in the place of every token. BOS, padding and
the positional embeddings stay: a baseline of blanks would change the length that models compute.
What is differentiated is the logits at an output position, projected on the way that they moved
there from the baseline,

    s_t(x') = <logits_t(x'), logits_t(x) - logits_t(baseline)>,

a number for classes and for numerical outputs alike. The score of a token is the derivative of
`s_t` along the way of its embedding from the baseline. Positive scores helped to bring the
answer about; with integrated gradients they sum to the squared distance of the logits.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ...compiler.component_graph import ComponentGraph
from ...compiler.derivatives import LayerNormed, activation_slope
from ...compiler.executor import activated, embeddings, project, resume, softmax
from ...compiler.one_thread import one_thread
from ...compiler.weights import Weights
from ..attribution_problem import AttributionProblem
from .distinct_runs import rows_at_once

STEPS = 16
"""At how many points between the baseline and the input gradients are taken."""

Stream = Float[np.ndarray, "rows position d_model"]
Tangents = Float[np.ndarray, "tangent rows position d_model"]
Scores = Float[np.ndarray, "rows output_position input_position"]


def gradient_x_input(problem: AttributionProblem) -> Scores:
    """Return the derivative at the input, along the way of each embedding from the baseline."""
    return mean_derivatives(problem, (1.0,))


def integrated_gradients(problem: AttributionProblem) -> Scores:
    """Return the mean derivative over `STEPS` midpoints between the baseline and the input."""
    return mean_derivatives(problem, [(step + 0.5) / STEPS for step in range(STEPS)])


def mean_derivatives(problem: AttributionProblem, shares: Sequence[float]) -> Scores:
    """Return the mean derivative over points that lie so far from the baseline to the input.

    Args:
        problem: the problem to be answered.
        shares: 0 is the baseline, 1 the input.
    """
    scores = np.zeros(problem.answer_shape)
    n_rows, n_positions = problem.tokens.shape
    step = max(1, rows_at_once(problem.model, n_positions) // n_positions)
    with one_thread():
        for start in range(0, n_rows, step):
            some = slice(start, start + step)
            scores[some] = _derivatives(problem, problem.tokens[some], shares)
    return scores


def _derivatives(
    problem: AttributionProblem, tokens: np.ndarray, shares: Sequence[float]
) -> np.ndarray:
    """Return the mean derivatives of some inputs, `[rows, output position, input position]`."""
    weights, codec = problem.model.weights, problem.model.codec
    graph = ComponentGraph.of(weights)
    embed, positions = embeddings(weights, tokens)
    mean = weights.W_E[: len(codec.tokens)].mean(axis=0)
    way = np.where(codec.is_real(tokens)[..., None], embed - mean, 0.0)
    stream = embed + positions
    target = resume(weights, graph, stream, 0) - resume(weights, graph, stream - way, 0)
    tangents = np.eye(tokens.shape[1])[:, None, :, None] * way
    total = np.zeros((len(tokens), *[tokens.shape[1]] * 2))
    for share in shares:
        moved = derivative_of_logits(weights, graph, stream - (1 - share) * way, tangents)
        total += np.einsum("ibto,bto->bti", moved, target)
    return total / len(shares)


def derivative_of_logits(
    weights: Weights, graph: ComponentGraph, stream: Stream, tangents: Tangents
) -> Float[np.ndarray, "tangent rows position d_out"]:
    """Return the derivative of the logits along some changes of the embedded input.

    It is taken forwards, one change for each input position, so that all output positions come
    at once; and in float64, since saturated attention leaves gradients far below what float32
    tells from zero.

    Args:
        weights: the model.
        graph: its component graph.
        stream: the residual stream before the first layer.
        tangents: the changes.
    """
    for layer in range(weights.n_layers):
        heads = [writer.head for writer in graph.writers_at(2 * layer)]
        if heads:
            stream, tangents = _through_attention(weights, (layer, heads), stream, tangents)
        if graph.writers_at(2 * layer + 1):
            stream, tangents = _through_mlp(weights, layer, stream, tangents)
    return project(_read(weights, stream, tangents)[1], weights.W_U)


def _read(
    weights: Weights, stream: np.ndarray, tangents: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what readers get of the stream, and its derivatives."""
    if not weights.layer_norm:
        return stream, tangents
    normed = LayerNormed.of(stream)
    return normed.normal, normed.derivative(tangents)


def _through_attention(
    weights: Weights, at: tuple[int, list[int]], stream: np.ndarray, tangents: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the stream after some heads, and its derivatives.

    With `p = softmax(s)` the derivative of `p` is `p * (ds - sum(p * ds))`.
    """

    def each(rows: np.ndarray, matrices: np.ndarray) -> np.ndarray:
        side_by_side = np.concatenate(list(matrices[at]), axis=1)
        parts = project(rows, side_by_side).reshape(*rows.shape[:-1], -1, matrices.shape[-1])
        return parts.swapaxes(-2, -3)

    def written(mixed: np.ndarray) -> np.ndarray:
        flat = mixed.swapaxes(-2, -3).reshape(*mixed.shape[:-3], mixed.shape[-2], -1)
        return project(flat, np.concatenate(list(weights.W_O[at])))

    read, d_read = _read(weights, stream, tangents)
    query = each(read, weights.W_Q) + weights.b_Q[at][:, None]
    key, value = each(read, weights.W_K), each(read, weights.W_V)
    d_query, d_key, d_value = (
        each(d_read, matrices) for matrices in (weights.W_Q, weights.W_K, weights.W_V)
    )
    scores = query @ key.swapaxes(-1, -2)
    if weights.causal:
        scores = np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)
    pattern = softmax(scores)
    d_scores = d_query @ key.swapaxes(-1, -2) + query @ d_key.swapaxes(-1, -2)
    d_pattern = pattern * (d_scores - (pattern * d_scores).sum(axis=-1, keepdims=True))
    moved = written(d_pattern @ value + pattern @ d_value)
    return stream + written(pattern @ value), tangents + moved


def _through_mlp(
    weights: Weights, layer: int, stream: np.ndarray, tangents: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the stream after an MLP, and its derivatives."""
    writes = weights.W_out[layer].any(axis=1)
    W_in, W_out = weights.W_in[layer][:, writes], weights.W_out[layer][writes]
    read, d_read = _read(weights, stream, tangents)
    hidden = project(read, W_in) + weights.b_in[layer][writes]
    slope = activation_slope(weights, hidden)
    stream = stream + project(activated(weights, hidden), W_out) + weights.b_out[layer]
    return stream, tangents + project(project(d_read, W_in) * slope, W_out)
