"""SourceMapRecord: where every variable of a program lives in the weights, as JSON.

On disk this is `labels/source_map.json`.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import JsonValue

from ..compiler import Program
from ..compiler.source_map import PlacedVariable, SourceMap
from ..compiler.values import Encoding
from ..errors import BundleError, listing
from .json_values import plain, values_from
from .record import Record

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

    def problem(self, program: Program, d_model: int, directed: bool) -> str:
        """Return why it cannot be a variable of a program; empty if it can."""
        if not -1 <= self.node < len(program.nodes):
            return f"node must be one of the program, got {self.node}"
        if self.node >= 0:
            node = program.nodes[self.node]
            if (node.name, node.is_selector) != (self.name, False):
                return f"node must be {self.name}, got {node.name}"
            if (node.encoding.value, plain(node.domain.values)) != (self.encoding, self.values):
                return "encoding and values must be those of the node"
        width = 1 if self.encoding == "numerical" else len(self.values)
        if len(self.directions) != width * directed:
            return f"must have {width * directed} directions, got {len(self.directions)}"
        if not all(0 <= axis < d_model for row in self.directions for axis, _ in row):
            return f"directions must lie in {d_model} dimensions"
        return ""

    def placed(self, program: Program, d_model: int) -> PlacedVariable:
        """Return the variable."""
        rows = np.zeros((len(self.directions), d_model))
        for row, entries in zip(rows, self.directions, strict=True):
            for axis, coefficient in entries:
                row[axis] = coefficient
        if self.node < 0:
            values = values_from(self.values).values
        else:
            values = program.nodes[self.node].domain.values
        return PlacedVariable(
            self.name, self.node, Encoding(self.encoding), values, self.writer, self.neurons, rows
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

    def source_map(
        self, program: Program, d_model: int, where: str, *, directed: bool = True
    ) -> SourceMap:
        """Return the source map of a model.

        Args:
            program: whose variables it places.
            d_model: the width of the residual stream.
            where: the file, for messages.
            directed: whether directions of variables are known; none are of a trained model.

        Raises:
            BundleError: it does not fit the program or the model.
        """
        problems = [
            f"variables.{place}: {problem}"
            for place, one in enumerate(self.variables)
            if (problem := one.problem(program, d_model, directed))
        ]
        names = [one.name for one in self.variables]
        problems += [f"{name}: must have one place" for name in _repeated(names)]
        pairs = [f"{read.reader} reads {read.variable}" for read in self.reads]
        problems += [f"{pair}: must be said once" for pair in _repeated(pairs)]
        known = set(names)
        named = {*(read.variable for read in self.reads), *self.outputs}
        problems += [f"{name}: is no variable" for name in sorted(named - known)]
        if problems:
            raise BundleError(listing(f"{where} does not fit the program:", problems))
        return SourceMap(
            tuple(one.placed(program, d_model) for one in self.variables),
            tuple((read.reader, read.variable) for read in self.reads),
            self.outputs,
        )


def _repeated(names: Sequence[str]) -> list[str]:
    """Return the names that occur more than once."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
