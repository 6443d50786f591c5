"""Assemble: scheduled blocks -> weights and the source map.

Every variable gets dimensions of its own; every block is copied to its place.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ..errors import ProgramError
from .blocks import Block, Blocks, HeadBlock, MlpBlock, Reads, Variable
from .component_graph import EMBED, LOGITS, POS_EMBED, head_name, mlp_name
from .schedule import Schedule
from .source_map import PlacedVariable, SourceMap
from .weights import Weights

MOST_PARAMETERS = 10**9


def assemble(
    blocks: Blocks, placed: Schedule, *, n_tokens: int, max_length: int, causal: bool
) -> tuple[Weights, SourceMap]:
    """Return the weights of the scheduled blocks, and the map back to the program.

    Args:
        blocks: what is computed.
        placed: in which layer.
        n_tokens: size of the vocabulary, BOS and padding not counted.
        max_length: the longest sequence, BOS not counted.
        causal: whether attention sees no later positions.

    Raises:
        ProgramError: there would be more than `MOST_PARAMETERS` weights.
    """
    read = frozenset().union(*(block.reads() for block in blocks.blocks))
    slices: dict[str, slice] = {}
    d_model = 0
    for variable in blocks.variables.values():
        if variable.node >= 0 or variable.name in read:
            slices[variable.name] = slice(d_model, d_model + variable.width)
            d_model += variable.width
    ranges = _inner_ranges(blocks, placed)
    weights = _empty(blocks, placed, ranges, (n_tokens, max_length, d_model), causal)
    for embedding in blocks.embeddings:
        if embedding.output in slices:
            table = weights.W_pos if embedding.by_position else weights.W_E
            table[:, slices[embedding.output]] = embedding.rows
    for index, block in enumerate(blocks.blocks):
        at = (placed.layers[index], placed.heads[index])
        _write_block(weights, block, slices, at, ranges[block.output])
    column = 0
    for name in blocks.outputs:
        width = blocks.variables[name].width
        weights.W_U[slices[name], column : column + width] = np.eye(width)
        column += width
    return weights, _source_map(blocks, placed, slices, ranges, d_model)


def _inner_ranges(blocks: Blocks, placed: Schedule) -> dict[str, slice]:
    """Return the neurons of each MLP block, and the value dimensions of each head block.

    They are counted within the layer or the head, and listed by the output's name.
    """
    filled: Counter[tuple[int, int]] = Counter()
    ranges = {}
    for block, at in zip(blocks.blocks, zip(placed.layers, placed.heads, strict=True), strict=True):
        if isinstance(block, MlpBlock):
            size = len(block.bias)
        else:
            size = blocks.variables[block.output].width
        ranges[block.output] = slice(filled[at], filled[at] + size)
        filled[at] += size
    return ranges


def _empty(
    blocks: Blocks,
    placed: Schedule,
    ranges: dict[str, slice],
    sizes: tuple[int, int, int],
    causal: bool,
) -> Weights:
    """Return weights of the right shapes, all zero."""
    n_tokens, max_length, d_model = sizes
    heads = [block for block in blocks.blocks if isinstance(block, HeadBlock)]
    inner = [len(head.query_bias) for head in heads]
    d_head = max([*inner, *(ranges[head.output].stop for head in heads)], default=1)
    n_layers = placed.n_layers
    n_heads = max(placed.heads, default=-1) + 1 or 1
    mlps = [block for block in blocks.blocks if isinstance(block, MlpBlock)]
    d_mlp = max([ranges[mlp.output].stop for mlp in mlps], default=0) or 1
    per_layer = d_model * (4 * n_heads * d_head + 2 * d_mlp)
    if n_layers * per_layer > MOST_PARAMETERS:
        raise ProgramError(
            f"the model would have {n_layers} layers of {n_heads} heads of width {d_head} and "
            f"{d_mlp} neurons over {d_model} directions, more than {MOST_PARAMETERS:.0e} "
            "parameters; write sums as numbers (rasp.numerical), compile with level=1, or use "
            "fewer tokens or shorter sequences"
        )
    return Weights(
        W_E=np.zeros((n_tokens + 2, d_model)),
        W_pos=np.zeros((max_length + 1, d_model)),
        W_Q=np.zeros((n_layers, n_heads, d_model, d_head)),
        b_Q=np.zeros((n_layers, n_heads, d_head)),
        W_K=np.zeros((n_layers, n_heads, d_model, d_head)),
        W_V=np.zeros((n_layers, n_heads, d_model, d_head)),
        W_O=np.zeros((n_layers, n_heads, d_head, d_model)),
        W_in=np.zeros((n_layers, d_model, d_mlp)),
        b_in=np.zeros((n_layers, d_mlp)),
        W_out=np.zeros((n_layers, d_mlp, d_model)),
        b_out=np.zeros((n_layers, d_model)),
        W_U=np.zeros((d_model, sum(blocks.variables[name].width for name in blocks.outputs))),
        causal=causal,
    )


def _write_block(
    weights: Weights,
    block: Block,
    slices: dict[str, slice],
    at: tuple[int, int],
    inner: slice,
) -> None:
    """Copy one block to its layer and head, and within these to its neurons or dimensions."""
    output = slices[block.output]
    match block:
        case HeadBlock(query=query, query_bias=bias, key=key, value=value):
            width = len(bias)
            for target, reads in ((weights.W_Q, query), (weights.W_K, key)):
                for name, matrix in reads.items():
                    target[at][slices[name], :width] = matrix
            weights.b_Q[at][:width] = bias
            for name, matrix in value.items():
                weights.W_V[at][slices[name], inner] = matrix
            np.fill_diagonal(weights.W_O[at][inner, output], 1.0)
        case MlpBlock(inputs=inputs, bias=bias, out=out, out_bias=out_bias):
            layer, _ = at
            for name, matrix in inputs.items():
                weights.W_in[layer, slices[name], inner] = matrix
            weights.b_in[layer, inner] = bias
            weights.W_out[layer, inner, output] = out
            weights.b_out[layer, output] = out_bias


def _source_map(
    blocks: Blocks,
    placed: Schedule,
    slices: dict[str, slice],
    ranges: dict[str, slice],
    d_model: int,
) -> SourceMap:
    """Return who writes and who reads each variable."""
    writers = {e.output: POS_EMBED if e.by_position else EMBED for e in blocks.embeddings}
    reads: list[tuple[str, str]] = []
    for block, layer, head in zip(blocks.blocks, placed.layers, placed.heads, strict=True):
        if isinstance(block, HeadBlock):
            name = head_name(layer, head)
            for role, taken in (("q", block.query), ("k", block.key), ("v", block.value)):
                reads += [(f"{name}<{role}>", variable) for variable in _nonzero(taken)]
        else:
            name = mlp_name(layer)
            reads += [(name, variable) for variable in _nonzero(block.inputs)]
        writers[block.output] = name
    reads += [(LOGITS, name) for name in blocks.outputs]
    neurons = {b.output: ranges[b.output] for b in blocks.blocks if isinstance(b, MlpBlock)}
    basis = np.eye(d_model)
    variables = tuple(
        _placed(blocks.variables[name], writers[name], neurons.get(name), basis[place])
        for name, place in slices.items()
    )
    return SourceMap(variables, tuple(_distinct(reads)), blocks.outputs)


def _placed(
    variable: Variable, writer: str, neurons: slice | None, directions: np.ndarray
) -> PlacedVariable:
    """Return a variable with its place."""
    place = () if neurons is None else tuple(range(neurons.start, neurons.stop))
    return PlacedVariable(
        variable.name,
        variable.node,
        variable.encoding,
        variable.domain.values,
        writer,
        place,
        directions,
    )


def _nonzero(reads: Reads) -> list[str]:
    """Return the variables that are read with a weight other than zero."""
    return [name for name, matrix in reads.items() if matrix.any()]


def _distinct(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Return the pairs without repetition, in order of first appearance."""
    return dict.fromkeys(pairs)
