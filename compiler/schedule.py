"""Schedule: blocks -> layers, as few as the data flow allows.

The number of layers is that of the longest path, or some more. Within the slack
that this leaves, each block goes where its kind is scarcest, those with least slack
first, so that the widest layer has few heads and few neurons; or, when a seed is
given, anywhere at random, blocks in random order, so that a chain is spread evenly.
Blocks of one layer that attend alike can share a head.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .blocks import Block, Blocks, HeadBlock, MlpBlock


@dataclass(frozen=True)
class Schedule:
    """Which layer each block is in.

    Attributes:
        layers: the layer of each block, in the order of `Blocks.blocks`.
        heads: the head slot of each block within its layer, -1 for MLP blocks.
        n_layers: the number of layers.
    """

    layers: tuple[int, ...]
    heads: tuple[int, ...]
    n_layers: int


def schedule(
    blocks: Blocks, *, seed: int | None = None, spare_layers: int = 0, share_heads: bool = False
) -> Schedule:
    """Return the layer of each block.

    Args:
        blocks: what is to be placed.
        seed: draws the layer (within its slack) and the order of heads at random.
        spare_layers: how many layers there are beyond those of the longest path.
        share_heads: whether blocks with the same pattern are one head; they go to the same
            layer where their slack allows it.
    """
    items = blocks.blocks
    writers = {block.output: index for index, block in enumerate(items)}
    before = [[writers[name] for name in sorted(b.reads()) if name in writers] for b in items]
    earliest = _earliest(items, before, {})
    n_layers = max(earliest, default=0) + 1 + spare_layers
    latest = _latest(items, before, {}, n_layers)
    rng = None if seed is None else np.random.default_rng(seed)
    load = {HeadBlock: np.zeros(n_layers), MlpBlock: np.zeros(n_layers)}
    placed: dict[int, int] = {}
    attending: set[tuple[int, tuple[int, float]]] = set()
    order = sorted(range(len(items)), key=lambda i: (latest[i] - earliest[i], i))
    for index in order if rng is None else rng.permutation(order).tolist():
        block = items[index]
        window = np.arange(earliest[index], latest[index] + 1)
        loads = load[type(block)]
        pick = int(window[loads[window].argmin()] if rng is None else rng.choice(window))
        if isinstance(block, MlpBlock):
            loads[pick] += len(block.bias)
        else:
            known = [layer for layer in window.tolist() if (layer, block.attends) in attending]
            pick = known[0] if share_heads and known else pick
            loads[pick] += not (share_heads and known)
            attending.add((pick, block.attends))
        placed[index] = pick
        if len(window) > 1:
            earliest = _earliest(items, before, placed)
            latest = _latest(items, before, placed, n_layers)
    layers = [placed[index] for index in range(len(items))]
    return Schedule(tuple(layers), _head_slots(items, layers, rng, share_heads), n_layers)


def _after(writer: Block, layer: int, reader: Block) -> int:
    """Return the first layer in which `reader` sees what `writer` wrote in `layer`."""
    same = isinstance(writer, HeadBlock) and isinstance(reader, MlpBlock)
    return layer if same else layer + 1


def _earliest(
    items: tuple[Block, ...], before: list[list[int]], placed: Mapping[int, int]
) -> list[int]:
    """Return the first layer each block can be in, given where some are placed."""
    layers: list[int] = []
    for index, (block, sources) in enumerate(zip(items, before, strict=True)):
        first = max([_after(items[s], layers[s], block) for s in sources], default=0)
        layers.append(placed.get(index, first))
    return layers


def _latest(
    items: tuple[Block, ...], before: list[list[int]], placed: Mapping[int, int], n_layers: int
) -> list[int]:
    """Return the last layer each block can be in, given where some are placed."""
    layers = [placed.get(index, n_layers - 1) for index in range(len(items))]
    for index in range(len(items) - 1, -1, -1):
        for source in before[index]:
            gap = _after(items[source], 0, items[index])
            layers[source] = min(layers[source], layers[index] - gap)
    return layers


def _head_slots(
    items: tuple[Block, ...],
    layers: list[int],
    rng: np.random.Generator | None,
    share: bool,
) -> tuple[int, ...]:
    """Return the head slot of each block within its layer."""
    slots = [-1] * len(items)
    for layer in set(layers):
        heads: dict[object, list[int]] = {}
        for index, block in enumerate(items):
            if layers[index] == layer and isinstance(block, HeadBlock):
                heads.setdefault(block.attends if share else index, []).append(index)
        order = np.arange(len(heads)) if rng is None else rng.permutation(len(heads))
        for members, slot in zip(heads.values(), order.tolist(), strict=True):
            for index in members:
                slots[index] = slot
    return tuple(slots)
