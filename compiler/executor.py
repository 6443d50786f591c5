"""The reference executor: batched NumPy float64, every contribution in reach.

`run` keeps what each component adds to the residual stream. `interchange`
changes the input of one reader of a finished run and recomputes all that comes
after. `run(..., read=...)` lets the caller replace the input of every reader on
the way, from the contributions so far.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from jaxtyping import Float, Int

from .component_graph import ComponentGraph, Reader
from .weights import LAYER_NORM_EPSILON, Weights

GELU_SCALE = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715
_BLOCK = 32_768
"""So many numbers stay in the cache between passes over them."""

Stream = Float[np.ndarray, "batch position d_model"]
Logits = Float[np.ndarray, "batch position d_out"]
TokenIds = Int[np.ndarray, "batch position"]
ReadHook = Callable[[Reader, np.ndarray, Sequence[np.ndarray]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Run:
    """One forward pass: what every writer contributed, and the logits.

    Attributes:
        contributions: what each writer adds, in the order of `ComponentGraph.writers`.
        streams: the residual stream as read at each depth (see `Reader.depth`).
        logits: the output before decoding.
    """

    contributions: Sequence[Stream]
    streams: Sequence[Stream]
    logits: Logits

    def take(self, rows: Int[np.ndarray, " taken"]) -> "Run":
        """Return the run of some of the inputs; arrays are copied when they are asked for."""
        contributions = _Taken.of(self.contributions, rows)
        return Run(contributions, _Taken.of(self.streams, rows), self.logits[rows])


class _Taken(Sequence[np.ndarray]):
    """Some rows of each of many arrays."""

    def __init__(self, arrays: Sequence[np.ndarray], rows: np.ndarray) -> None:
        self._arrays = arrays
        self._rows = rows

    @classmethod
    def of(cls, arrays: Sequence[np.ndarray], rows: np.ndarray) -> "_Taken":
        """Take rows, of rows that are taken already too."""
        if isinstance(arrays, _Taken):
            return cls(arrays._arrays, arrays._rows[rows])
        return cls(arrays, rows)

    def __len__(self) -> int:
        return len(self._arrays)

    @overload
    def __getitem__(self, place: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[np.ndarray]: ...
    def __getitem__(self, place: int | slice) -> np.ndarray | Sequence[np.ndarray]:
        if isinstance(place, slice):
            return _Taken(self._arrays[place], self._rows)
        return self._arrays[place][self._rows]


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis."""
    shares = scores - scores.max(axis=-1, keepdims=True)
    np.exp(shares, out=shares)
    shares /= shares.sum(axis=-1, keepdims=True)
    return shares


def project(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return `rows @ matrix` for `rows` `[..., d]`, as one product of two matrices.

    `numpy.matmul` would take one small product for every element of the batch.
    """
    flat = rows.reshape(math.prod(rows.shape[:-1]), rows.shape[-1]) @ matrix
    return flat.reshape(*rows.shape[:-1], matrix.shape[1])


def normalised(weights: Weights, stream: np.ndarray) -> np.ndarray:
    """Return what readers get of a stream `[..., d_model]`: itself, or its LayerNorm."""
    if not weights.layer_norm:
        return stream
    centred = stream - stream.mean(axis=-1, keepdims=True)
    variance = np.einsum("...d,...d->...", centred, centred)[..., None] / stream.shape[-1]
    centred /= np.sqrt(variance + LAYER_NORM_EPSILON)
    return centred


def activated(weights: Weights, hidden: np.ndarray) -> np.ndarray:
    """Return the activations of neurons; `hidden` may be overwritten."""
    if weights.activation == "relu":
        return np.maximum(hidden, 0.0, out=hidden)
    flat = hidden.reshape(-1)
    for start in range(0, len(flat), _BLOCK):
        _gelu(flat[start : start + _BLOCK])
    return flat.reshape(hidden.shape)


def _gelu(hidden: np.ndarray) -> None:
    """Replace numbers by their GELU, as a multiple of the logistic function: `tanh` is slower."""
    inner = hidden * hidden
    inner *= -2 * GELU_SCALE * GELU_CUBIC
    inner -= 2 * GELU_SCALE
    inner *= hidden
    with np.errstate(over="ignore"):
        np.exp(inner, out=inner)
    inner += 1.0
    hidden /= inner


def reader_matrix(weights: Weights, reader: Reader) -> np.ndarray:
    """Return the matrix `[d_model, inner]` through which a reader reads the stream."""
    at = (reader.layer, reader.head)
    match reader.role:
        case "q":
            return weights.W_Q[at]
        case "k":
            return weights.W_K[at]
        case "v":
            return weights.W_V[at]
        case "mlp":
            return weights.W_in[reader.layer]
    return weights.W_U


def seen_columns(weights: Weights, reader: Reader) -> np.ndarray:
    """Return a matrix `[d_model, inner]` that annihilates what a reader cannot see of a change.

    It is the matrix through which it reads. After a LayerNorm a reader sees more: a change along
    any direction changes the variance, but for one that is the same in every coordinate.
    """
    if not weights.layer_norm:
        return reader_matrix(weights, reader)
    return np.eye(weights.d_model) - 1.0 / weights.d_model


def attention_patterns(
    weights: Weights, layer: int, heads: Sequence[int], query: Stream, key: Stream
) -> Float[np.ndarray, "batch head query_position key_position"]:
    """Return how much some heads of a layer take from where; each row sums to one."""
    return _patterns(weights, layer, heads, *_normalised_each(weights, query, key))


def _normalised_each(weights: Weights, *streams: Stream) -> list[Stream]:
    """Return what readers get of several streams, of the same one once."""
    distinct = {id(stream): stream for stream in streams}
    read = {place: normalised(weights, stream) for place, stream in distinct.items()}
    return [read[id(stream)] for stream in streams]


def _patterns(
    weights: Weights, layer: int, heads: Sequence[int], query: Stream, key: Stream
) -> Float[np.ndarray, "batch head query_position key_position"]:
    """Return attention patterns from what readers get."""
    queries = _read_by_heads(weights.W_Q[layer], heads, query)
    keys = _read_by_heads(weights.W_K[layer], heads, key)
    scores = (queries + weights.b_Q[layer, list(heads)][:, None]) @ keys.swapaxes(-1, -2)
    if weights.causal:
        scores = np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)
    return softmax(scores)


def attention_mix(
    weights: Weights, layer: int, heads: Sequence[int], query: Stream, key: Stream, value: Stream
) -> Float[np.ndarray, "batch head position d_head"]:
    """Return the values that some heads of a layer mix when all read the three given inputs."""
    query, key, value = _normalised_each(weights, query, key, value)
    patterns = _patterns(weights, layer, heads, query, key)
    return patterns @ _read_by_heads(weights.W_V[layer], heads, value)


def _read_by_heads(
    matrices: np.ndarray, heads: Sequence[int], stream: Stream
) -> Float[np.ndarray, "batch head position d_head"]:
    """Return what some heads read through one matrix each, of `[head, d_model, d_head]`."""
    side_by_side = np.concatenate([matrices[head] for head in heads], axis=1)
    rows = project(stream, side_by_side)
    return rows.reshape(*rows.shape[:2], len(heads), matrices.shape[-1]).transpose(0, 2, 1, 3)


def attention_output(
    weights: Weights, layer: int, heads: Sequence[int], query: Stream, key: Stream, value: Stream
) -> Stream:
    """Return what some heads of a layer write together when all read the three given inputs."""
    mixed = attention_mix(weights, layer, heads, query, key, value).swapaxes(1, 2)
    writes = np.concatenate([weights.W_O[layer, head] for head in heads])
    return project(mixed.reshape(*mixed.shape[:2], len(writes)), writes)


def mlp_output(weights: Weights, layer: int, stream: Stream) -> Stream:
    """Return what an MLP writes when it reads `stream`.

    Neurons that write nothing are left out: every layer is as wide as the widest.
    """
    writes = weights.W_out[layer].any(axis=1)
    W_in, W_out = weights.W_in[layer][:, writes], weights.W_out[layer][writes]
    hidden = project(normalised(weights, stream), W_in)
    hidden += weights.b_in[layer][writes]
    return project(activated(weights, hidden), W_out) + weights.b_out[layer]


def unembedded(weights: Weights, stream: Stream) -> Logits:
    """Return the logits of the last stream."""
    return project(normalised(weights, stream), weights.W_U)


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
    contributions = [embed, positions if pos_embed is None else pos_embed]
    stream = contributions[0] + contributions[1]
    streams = [stream]
    readers = iter(graph.readers)

    def input_of(reader: Reader) -> np.ndarray:
        return stream if read is None else read(reader, stream, before)

    for depth in range(2 * weights.n_layers):
        layer, is_mlp = divmod(depth, 2)
        before = tuple(contributions)
        for writer in graph.writers_at(depth):
            if is_mlp:
                written = mlp_output(weights, layer, input_of(next(readers)))
            else:
                inputs = [input_of(next(readers)) for _ in range(3)]
                written = attention_output(weights, layer, [writer.head], *inputs)
            contributions.append(written)
        if len(contributions) > len(before):
            stream = stream + sum(contributions[len(before) :])
        streams.append(stream)
    before = tuple(contributions)
    return Run(before, streams, unembedded(weights, input_of(next(readers))))


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
    depth, change = change_of_stream(weights, graph, base, reader, delta)
    return resume(weights, graph, base.streams[depth] + change, depth)


def change_of_stream(
    weights: Weights,
    graph: ComponentGraph,
    base: Run,
    reader: Reader,
    delta: Stream,
) -> tuple[int, Stream]:
    """Return at which depth the stream first differs after an interchange, and by how much.

    It is by what the reading component writes otherwise; where the logits read, by `delta`.
    The arguments are those of `interchange`.
    """
    if reader.role == "logits":
        return reader.depth, delta
    stream = base.streams[reader.depth]
    patched = stream + delta
    if reader.role == "mlp":
        new = mlp_output(weights, reader.layer, patched)
    else:
        inputs = [patched if reader.role == role else stream for role in "qkv"]
        new = attention_output(weights, reader.layer, [reader.head], *inputs)
    return reader.depth + 1, new - base.contributions[graph.writer_index[reader.component]]


def resume(
    weights: Weights,
    graph: ComponentGraph,
    stream: Stream,
    depth: int,
    patch: Callable[[int, Stream], Stream] = lambda _, stream: stream,
) -> Logits:
    """Return the logits from the residual stream as read at `depth`.

    Args:
        weights: the model.
        graph: its component graph.
        stream: the residual stream.
        depth: see `Reader.depth`.
        patch: called as `patch(depth, stream)` at this and every later depth; returns the
            stream that is read there instead.
    """
    stream = patch(depth, stream)
    for later in range(depth, 2 * weights.n_layers):
        layer, is_mlp = divmod(later, 2)
        beside = graph.writers_at(later)
        if beside and is_mlp:
            stream = stream + mlp_output(weights, layer, stream)
        elif beside:
            heads = [writer.head for writer in beside]
            stream = stream + attention_output(weights, layer, heads, stream, stream, stream)
        stream = patch(later + 1, stream)
    return unembedded(weights, stream)
