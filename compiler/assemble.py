"""Assemble: scheduled blocks -> weights and the source map.

Every variable gets dimensions of its own; every block is copied to its place.
"""

from collections.abc import Iterable

import numpy as np

from .blocks import BOS, INDICES, PAD, TOKENS, Block, Blocks, HeadBlock, MlpBlock, Reads, Variable
from .component_graph import EMBED, LOGITS, POS_EMBED, head_name, mlp_name
from .schedule import Schedule
from .source_map import PlacedVariable, SourceMap
from .weights import Weights


def assemble(
    blocks: Blocks, placed: Schedule, *, n_tokens: int, max_length: int, causal: bool
) -> tuple[Weights, SourceMap]:
    """Return the weights of the scheduled blocks, and the map back to the program.

    Args:
        blocks: what is computed.
        placed: in which layer.
        n_tokens: size of the vocabulary, BOS and padding not counted.
        max_length: the longest sequence, BOS not counted.
        causal: whether attention is masked to earlier positions.
    """
    used = set().union(*(block.reads() for block in blocks.blocks), {blocks.output, TOKENS})
    used |= {block.output for block in blocks.blocks}
    slices: dict[str, slice] = {}
    d_model = 0
    for variable in blocks.variables.values():
        if variable.name in used:
            slices[variable.name] = slice(d_model, d_model + variable.width)
            d_model += variable.width
    neurons = _neuron_ranges(blocks, placed)
    weights = _empty(blocks, placed, neurons, (n_tokens, max_length, d_model), causal)
    _write_embeddings(weights, slices, n_tokens)
    for index, block in enumerate(blocks.blocks):
        _write_block(weights, block, slices, placed.layers[index], placed.heads[index], neurons)
    output = slices[blocks.output]
    weights.W_U[output] = np.eye(output.stop - output.start)
    return weights, _source_map(blocks, placed, slices, neurons, d_model)


def _neuron_ranges(blocks: Blocks, placed: Schedule) -> dict[str, slice]:
    """Return the neurons of each MLP block within its layer, by the output's name."""
    filled = [0] * placed.n_layers
    ranges = {}
    for block, layer in zip(blocks.blocks, placed.layers, strict=True):
        if isinstance(block, MlpBlock):
            start, filled[layer] = filled[layer], filled[layer] + len(block.bias)
            ranges[block.output] = slice(start, filled[layer])
    return ranges


def _empty(
    blocks: Blocks,
    placed: Schedule,
    neurons: dict[str, slice],
    sizes: tuple[int, int, int],
    causal: bool,
) -> Weights:
    """Return weights of the right shapes, all zero."""
    n_tokens, max_length, d_model = sizes
    heads = [block for block in blocks.blocks if isinstance(block, HeadBlock)]
    d_head = max(
        [len(h.query_bias) for h in heads] + [blocks.variables[h.output].width for h in heads],
        default=1,
    )
    n_layers = placed.n_layers
    n_heads = max(placed.heads, default=-1) + 1 or 1
    d_mlp = max([place.stop for place in neurons.values()], default=0) or 1
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
        W_U=np.zeros((d_model, blocks.variables[blocks.output].width)),
        causal=causal,
    )


def _write_embeddings(weights: Weights, slices: dict[str, slice], n_tokens: int) -> None:
    """Write tokens, flags and positions."""
    weights.W_E[:n_tokens, slices[TOKENS]] = np.eye(n_tokens)
    for row, flag in ((n_tokens, BOS), (n_tokens + 1, PAD)):
        if flag in slices:
            weights.W_E[row, slices[flag]] = 1.0
    if INDICES in slices:
        weights.W_pos[1:, slices[INDICES]] = np.eye(weights.n_ctx - 1)


def _write_block(
    weights: Weights,
    block: Block,
    slices: dict[str, slice],
    layer: int,
    head: int,
    neurons: dict[str, slice],
) -> None:
    """Copy one block to its place."""
    output = slices[block.output]
    match block:
        case HeadBlock(query=query, query_bias=bias, key=key, value=value):
            at = (layer, head)
            for target, reads in ((weights.W_Q, query), (weights.W_K, key), (weights.W_V, value)):
                for name, matrix in reads.items():
                    target[at][slices[name], : matrix.shape[1]] += matrix
            weights.b_Q[at][: len(bias)] = bias
            width = output.stop - output.start
            weights.W_O[at][:width, output] = np.eye(width)
        case MlpBlock(inputs=inputs, bias=bias, out=out, out_bias=out_bias):
            at_neurons = neurons[block.output]
            for name, matrix in inputs.items():
                weights.W_in[layer, slices[name], at_neurons] += matrix
            weights.b_in[layer, at_neurons] = bias
            weights.W_out[layer, at_neurons, output] = out
            weights.b_out[layer, output] = out_bias


def _source_map(
    blocks: Blocks,
    placed: Schedule,
    slices: dict[str, slice],
    neurons: dict[str, slice],
    d_model: int,
) -> SourceMap:
    """Return who writes and who reads each variable."""
    writers = {TOKENS: EMBED, BOS: EMBED, PAD: EMBED, INDICES: POS_EMBED}
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
    reads.append((LOGITS, blocks.output))
    basis = np.eye(d_model)
    variables = tuple(
        _placed(blocks.variables[name], writers[name], neurons.get(name), basis[place])
        for name, place in slices.items()
    )
    return SourceMap(variables, tuple(_distinct(reads)), blocks.output)


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
