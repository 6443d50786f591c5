"""Placed blocks: the heads and neurons of a compiled model, each with its place and its reads."""

from collections.abc import Mapping
from dataclasses import dataclass

from .blocks import Block, Blocks, HeadBlock, Reads
from .source_map import SourceMap


@dataclass(frozen=True)
class PlacedBlock:
    """One head, or the neurons of one variable.

    Attributes:
        output: the variable that it writes.
        component: the head, such as `a0.h1`, or the MLP, such as `m0`.
        depth: its sublayer: `2 * layer` for a head, `2 * layer + 1` for neurons.
        earliest: the first sublayer it could be in, with all others where they are.
        latest: the last sublayer it could be in, likewise.
        reads: the variables that it reads by role: `q`, `k` and `v`, or `mlp`.
        inner: dimensions of the query and the key of a head; the number of neurons.
    """

    output: str
    component: str
    depth: int
    earliest: int
    latest: int
    reads: Mapping[str, tuple[str, ...]]
    inner: int

    @property
    def is_head(self) -> bool:
        """Whether it is a head."""
        return self.depth % 2 == 0

    @property
    def layer(self) -> int:
        """The layer it is in."""
        return self.depth // 2


def placed_blocks(blocks: Blocks, source_map: SourceMap, n_layers: int) -> tuple[PlacedBlock, ...]:
    """Return the blocks in the order of the forward pass.

    Args:
        blocks: the blocks of a program.
        source_map: where they were put.
        n_layers: the number of layers of the model.
    """
    depths = {
        block.output: _depth(source_map.by_name[block.output].writer) for block in blocks.blocks
    }
    last = dict.fromkeys(depths, 2 * n_layers - 1)
    for block in blocks.blocks:
        for name in block.reads() & last.keys():
            last[name] = min(last[name], depths[block.output] - 1)
    made = []
    for block in blocks.blocks:
        own, first = (
            depths[block.output],
            max([depths.get(n, -1) for n in block.reads()], default=-1),
        )
        parity = own % 2
        made.append(
            PlacedBlock(
                block.output,
                source_map.by_name[block.output].writer,
                own,
                first + 1 + (first + 1 + parity) % 2,
                last[block.output] - (last[block.output] + parity) % 2,
                _reads(block),
                len(block.query_bias) if isinstance(block, HeadBlock) else len(block.bias),
            )
        )
    slots = {variable.name: _slot(variable.writer) for variable in source_map.variables}
    return tuple(sorted(made, key=lambda block: (block.depth, slots[block.output])))


def _depth(component: str) -> int:
    """Return the sublayer of a component.

    Example:
        >>> _depth("a1.h0"), _depth("m1")
        (2, 3)
    """
    layer = int(component[1:].split(".")[0])
    return 2 * layer + int(component.startswith("m"))


def _slot(component: str) -> int:
    """Return the number of a head within its layer; 0 for anything else."""
    return int(component.partition(".h")[2] or 0)


def _reads(block: Block) -> Mapping[str, tuple[str, ...]]:
    """Return the variables that a block reads with a weight other than zero, by role."""
    if isinstance(block, HeadBlock):
        return {"q": _names(block.query), "k": _names(block.key), "v": _names(block.value)}
    return {"mlp": _names(block.inputs)}


def _names(reads: Reads) -> tuple[str, ...]:
    return tuple(name for name, matrix in reads.items() if matrix.any())
