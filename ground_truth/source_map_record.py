"""SourceMapRecord: where every variable of a program lives in the weights, as JSON.

On disk this is `labels/source_map.json`.
"""

from typing import Literal

from pydantic import JsonValue

from ..compiler.source_map import PlacedVariable, SourceMap
from .record import Record, canonical_json, plain

FORMAT_VERSION: Literal["1.0"] = "1.0"


class VariableRecord(Record):
    """A variable and its place.

    Attributes:
        name: of the variable.
        node: its place among the nodes of `program.json`; -1 for the flags that mark
            `<bos>` and padding.
        encoding: `categorical`, one direction per value, or `numerical`, one for the number.
        values: the meaning of each direction, or the numbers that the one takes.
        writer: the component that writes it.
        neurons: the neurons that compute it, if an MLP does.
        directions: for each direction of the residual stream its entries that are not
            zero, as pairs of axis and coefficient.
    """

    name: str
    node: int
    encoding: Literal["categorical", "numerical"]
    values: tuple[JsonValue, ...]
    writer: str
    neurons: tuple[int, ...]
    directions: tuple[tuple[tuple[int, float], ...], ...]

    @classmethod
    def of(cls, variable: PlacedVariable) -> "VariableRecord":
        """Return the record of a variable."""
        return cls(
            name=variable.name,
            node=variable.node,
            encoding=variable.encoding.value,
            values=plain(variable.values),
            writer=variable.writer,
            neurons=tuple(int(neuron) for neuron in variable.neurons),
            directions=tuple(
                tuple((int(axis), float(row[axis])) for axis in row.nonzero()[0])
                for row in variable.directions
            ),
        )


class ReadRecord(Record):
    """That a component reads a variable.

    Attributes:
        reader: the component; of a head, with the input that reads.
        variable: the variable.
    """

    reader: str
    variable: str


class SourceMapRecord(Record):
    """Every variable with its place, and who reads it.

    Attributes:
        variables: in the order of the residual layout.
        reads: who reads what.
        outputs: the variables that are read out, in the order of the logits.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    variables: tuple[VariableRecord, ...]
    reads: tuple[ReadRecord, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, source_map: SourceMap) -> "SourceMapRecord":
        """Return the record of a source map."""
        return cls(
            variables=tuple(VariableRecord.of(one) for one in source_map.variables),
            reads=tuple(
                ReadRecord(reader=reader, variable=name) for reader, name in source_map.reads
            ),
            outputs=source_map.outputs,
        )

    def to_json(self) -> str:
        """Return the source map as canonical JSON."""
        return canonical_json(self)
