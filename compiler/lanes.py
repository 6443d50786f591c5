"""Lanes and columns: a compiled model as its variables, and as who writes and reads them.

Lanes stand in the order in which they are written, columns in that of the forward pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .blocks import BOS, PAD
from .component_graph import EMBED, LOGITS, POS_EMBED
from .lower import lower
from .placed_blocks import PlacedBlock, placed_blocks
from .values import Encoding

if TYPE_CHECKING:
    from .compiled_model import CompiledModel


@dataclass(frozen=True)
class Lane:
    """A variable of the residual stream.

    Attributes:
        name: the variable.
        width: the number of its directions.
        is_number: whether it is written as a number.
    """

    name: str
    width: int
    is_number: bool

    @property
    def is_flag(self) -> bool:
        """Whether it marks BOS or padding."""
        return self.name in (BOS, PAD)


@dataclass(frozen=True)
class Column:
    """A component: the embeddings, a head, the neurons of one variable, or the logits.

    Attributes:
        kind: `embed`, `head`, `mlp` or `logits`.
        title: what stands above it.
        layer: its layer; -1 for the embeddings and for the logits.
        reads: the role in which it reads each lane, such as `qk`; empty for neurons.
        writes: the lanes that it writes.
    """

    kind: str
    title: str
    layer: int
    reads: Mapping[str, str]
    writes: tuple[str, ...]


def lanes_and_columns(compiled: "CompiledModel") -> tuple[tuple[Lane, ...], tuple[Column, ...]]:
    """Return what a picture of a model shows, in the order in which it is shown."""
    source_map = compiled.source_map
    n_layers = compiled.model.weights.n_layers
    placed = placed_blocks(lower(compiled.program), source_map, n_layers)
    order = {name: number for number, block in enumerate(placed) for name in block.outputs}
    lanes = sorted(source_map.variables, key=lambda variable: order.get(variable.name, -1))
    columns = [
        Column("embed", name, -1, {}, tuple(v.name for v in lanes if v.writer == name))
        for name in (EMBED, POS_EMBED)
    ]
    columns += [_column(block) for block in placed]
    columns.append(Column("logits", LOGITS, -1, dict.fromkeys(source_map.outputs, ""), ()))
    shown = [column for column in columns if column.reads or column.writes]
    made = [Lane(v.name, len(v.directions), v.encoding is Encoding.NUMERICAL) for v in lanes]
    return tuple(made), tuple(shown)


def _column(block: PlacedBlock) -> Column:
    reads: dict[str, str] = {}
    for role, names in block.reads.items():
        for name in names:
            reads[name] = reads.get(name, "") + (role if block.is_head else "")
    if block.is_head:
        title = block.component.partition(".")[2]
        return Column("head", title, block.layer, reads, block.outputs)
    return Column("mlp", f"{block.inner:,}", block.layer, reads, block.outputs)
