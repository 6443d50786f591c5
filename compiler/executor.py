"""The reference executor: batched NumPy float64, every contribution in reach.

`run` keeps what each component adds to the residual stream. `interchange`
changes the input of one reader of a finished run and recomputes all that comes
after. `run(..., read=...)` lets the caller replace the input of every reader on
the way, from the contributions so far.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from .component_graph import ComponentGraph, Reader
from .weights import Weights

Contributions = Float[np.ndarray, "writer batch position d_model"]
Stream = Float[np.ndarray, "batch position d_model"]
Logits = Float[np.ndarray, "batch position d_out"]
TokenIds = Int[np.ndarray, "batch position"]
ReadHook = Callable[[Reader, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Run:
    """One forward pass: what every writer contributed, and the logits.

    Attributes:
        contributions: in the order of `ComponentGraph.writers`.
        logits: the output before decoding.
    """

    contributions: Contributions
    logits: Logits

    @cached_property
    def _running(self) -> Contributions:
        """The residual stream after each writer."""
        return self.contributions.cumsum(axis=0)

    def stream(self, graph: ComponentGraph, depth: int) -> Stream:
        """Return the residual stream as read at `depth` (see `Reader.depth`)."""
        before = sum(writer.depth < depth for writer in graph.writers)
        return self._running[before - 1]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def project(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return `rows @ matrix` for `rows` `[..., d]`, as one product of two matrices.

    `numpy.matmul` would take one small product for every element of the batch.
    """
    flat = rows.reshape(math.prod(rows.shape[:-1]), rows.shape[-1]) @ matrix
    return flat.reshape(*rows.shape[:-1], matrix.shape[1])


def head_output(
    weights: Weights, layer: int, head: int, query: Stream, key: Stream, value: Stream
) -> Stream:
    """Return what a head writes when it reads the three given inputs."""
    queries = project(query, weights.W_Q[layer, head]) + weights.b_Q[layer, head]
    scores = queries @ project(key, weights.W_K[layer, head]).swapaxes(-1, -2)
    if weights.causal:
        length = scores.shape[-1]
        scores = np.where(np.tri(length, dtype=bool), scores, -np.inf)
    mixed = softmax(scores) @ project(value, weights.W_V[layer, head])
    return project(mixed, weights.W_O[layer, head])


def mlp_output(weights: Weights, layer: int, stream: Stream) -> Stream:
    """Return what an MLP writes when it reads `stream`.

    Neurons that write nothing are left out: every layer is as wide as the widest.
    """
    writes = weights.W_out[layer].any(axis=1)
    W_in, W_out = weights.W_in[layer][:, writes], weights.W_out[layer][writes]
    hidden = np.maximum(project(stream, W_in) + weights.b_in[layer][writes], 0.0)
    return project(hidden, W_out) + weights.b_out[layer]


def embeddings(weights: Weights, tokens: TokenIds) -> tuple[Stream, Stream]:
    """Return the contributions of `embed` and `pos_embed`."""
    positions = weights.W_pos[: tokens.shape[1]]
    return weights.W_E[tokens], np.broadcast_to(positions, (len(tokens), *positions.shape))


def run(
    weights: Weights,
    tokens: TokenIds,
    *,
    pos_embed: Stream | None = None,
    read: ReadHook | None = None,
    graph: ComponentGraph | None = None,
) -> Run:
    """Run the model on token ids.

    Args:
        weights: the model.
        tokens: BOS first, then tokens, then padding.
        pos_embed: what `pos_embed` contributes, instead of the rows of `W_pos`.
        read: called as `read(reader, stream, contributions)` before every read,
            with the stream at that point and the contributions of all writers so
            far; returns the input that the reader gets instead.
        graph: the component graph of `weights`, if it is at hand already.
    """
    graph = graph or ComponentGraph.of(weights)
    embed, positions = embeddings(weights, tokens)
    contributions = np.empty((len(graph.writers), *embed.shape))
    contributions[0] = embed
    contributions[1] = positions if pos_embed is None else pos_embed
    stream = contributions[0] + contributions[1]

    def input_of(reader: Reader) -> np.ndarray:
        return stream if read is None else read(reader, stream, contributions[:written])

    written = 2
    readers = iter(graph.readers)
    for depth in sorted({writer.depth for writer in graph.writers[2:]}):
        layer, is_mlp = divmod(depth, 2)
        beside = [writer for writer in graph.writers if writer.depth == depth]
        for place, writer in enumerate(beside, start=written):
            if is_mlp:
                contributions[place] = mlp_output(weights, layer, input_of(next(readers)))
            else:
                inputs = [input_of(next(readers)) for _ in range(3)]
                contributions[place] = head_output(weights, layer, writer.head, *inputs)
        stream = stream + contributions[written : written + len(beside)].sum(axis=0)
        written += len(beside)
    return Run(contributions, project(input_of(next(readers)), weights.W_U))


def interchange(
    weights: Weights,
    graph: ComponentGraph,
    base: Run,
    reader: Reader,
    delta: Stream,
) -> Logits:
    """Add `delta` to the input of one reader and recompute everything after.

    To interchange the edge `w->r`, `delta` is what `w` contributed on the source
    less what it contributed on the base.

    Returns:
        The logits of the patched run.
    """
    stream = base.stream(graph, reader.depth)
    patched = stream + delta
    if reader.role == "logits":
        return project(patched, weights.W_U)
    after = base.stream(graph, reader.depth + 1)
    if reader.role == "mlp":
        new = mlp_output(weights, reader.layer, patched)
    else:
        inputs = [patched if reader.role == role else stream for role in "qkv"]
        new = head_output(weights, reader.layer, reader.head, *inputs)
    old = base.contributions[graph.writer_index[reader.component]]
    return _resume(weights, graph, after + (new - old), reader.depth)


def _resume(weights: Weights, graph: ComponentGraph, stream: Stream, depth: int) -> Logits:
    """Return the logits from the stream after all writers of `depth` have written."""
    for later in sorted({writer.depth for writer in graph.writers if writer.depth > depth}):
        layer, is_mlp = divmod(later, 2)
        if is_mlp:
            stream = stream + mlp_output(weights, layer, stream)
        else:
            heads = [writer.head for writer in graph.writers if writer.depth == later]
            outputs = [head_output(weights, layer, h, stream, stream, stream) for h in heads]
            stream = stream + sum(outputs)
    return project(stream, weights.W_U)
