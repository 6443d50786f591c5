"""Placed blocks: the heads and neurons of a compiled model, each with its place and its reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .blocks import Block, Blocks, HeadBlock, Reads
from .source_map import SourceMap


@dataclass(frozen=True)
class PlacedBlock:
    """One head, or the neurons of one variable.

    Attributes:
        outputs: the variables that it writes: one, or several that share a head.
        component: the head, such as `a0.h1`, or the MLP, such as `m0`.
        depth: its sublayer: `2 * layer` for a head, `2 * layer + 1` for neurons.
        earliest: the first sublayer it could be in, with all others where they are.
        latest: the last sublayer it could be in, likewise.
        reads: the variables that it reads by role: `q`, `k` and `v`, or `mlp`.
        inner: dimensions of the query and the key of a head; the number of neurons.
        width: directions that it writes.
    """

    outputs: tuple[str, ...]
    component: str
    depth: int
    earliest: int
    latest: int
    reads: Mapping[str, tuple[str, ...]]
    inner: int
    width: int

    @property
    def is_head(self) -> bool:
        """Whether it is a head."""
        return self.depth % 2 == 0

    @property
    def layer(self) -> int:
        """The layer it is in."""
        return self.depth // 2


def placed_blocks(blocks: Blocks, source_map: SourceMap, n_layers: int) -> tuple[PlacedBlock, ...]:
    """Return the blocks in the order of the forward pass; those that share a head are one.

    Args:
        blocks: the blocks of a program.
        source_map: where they were put.
        n_layers: the number of layers of the model.
    """
    writers = {block.output: source_map.by_name[block.output].writer for block in blocks.blocks}
    depths = {name: _depth(writer) for name, writer in writers.items()}
    last = dict.fromkeys(depths, 2 * n_layers - 1)
    for block in blocks.blocks:
        for name in block.reads() & last.keys():
            last[name] = min(last[name], depths[block.output] - 1)
    groups: dict[str, list[Block]] = {}
    for block in blocks.blocks:
        name = block.output
        groups.setdefault(writers[name] if isinstance(block, HeadBlock) else name, []).append(block)
    placed = [_placed(group, writers, depths, last, blocks) for group in groups.values()]
    return tuple(sorted(placed, key=lambda block: (block.depth, _slot(block.component))))


def _placed(
    group: Sequence[Block],
    writers: Mapping[str, str],
    depths: Mapping[str, int],
    last: Mapping[str, int],
    blocks: Blocks,
) -> PlacedBlock:
    """Return the blocks of one component as one, in a sublayer of the same kind throughout."""
    outputs = tuple(block.output for block in group)
    depth = depths[outputs[0]]
    read = frozenset().union(*(block.reads() for block in group))
    first = 1 + max((depths[name] for name in read & depths.keys()), default=-1)
    final = min(last[name] for name in outputs)
    each = [_reads(block) for block in group]
    head = group[0]
    return PlacedBlock(
        outputs,
        writers[outputs[0]],
        depth,
        first + (first - depth) % 2,
        final - (final - depth) % 2,
        {role: tuple(dict.fromkeys(n for one in each for n in one[role])) for role in each[0]},
        len(head.query_bias) if isinstance(head, HeadBlock) else len(head.bias),
        sum(blocks.variables[name].width for name in outputs),
    )


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
