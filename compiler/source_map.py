"""SourceMap: what debug symbols are to a binary, for the weights of a compiled model.

For every variable of the program: which component writes it, in which neurons,
along which directions of the residual stream, what each direction means, and who
reads it. All ground truth is derived from here and then checked on the weights.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from .values import Encoding, Value


@dataclass(frozen=True, eq=False)
class PlacedVariable:
    """A variable and its place in the weights.

    Attributes:
        name: the variable's name.
        node: the position of its program node, or -1 for the flags of BOS and padding.
        encoding: one direction per value, or one for the number.
        values: the meaning of each direction (categorical), or the numbers that
            the coefficient takes (numerical).
        writer: the component that writes it.
        neurons: the MLP neurons that compute it, if an MLP does.
        directions: one row per direction.
    """

    name: str
    node: int
    encoding: Encoding
    values: tuple[Value, ...]
    writer: str
    neurons: tuple[int, ...]
    directions: Float[np.ndarray, "width d_model"]


@dataclass(frozen=True, eq=False)
class SourceMap:
    """Every variable with its place, and who reads it.

    Attributes:
        variables: in the order of the residual layout.
        reads: pairs (reader, variable name).
        outputs: the names of the variables that are read out, in the order of the logits.
    """

    variables: tuple[PlacedVariable, ...]
    reads: tuple[tuple[str, str], ...]
    outputs: tuple[str, ...]

    @cached_property
    def by_name(self) -> Mapping[str, PlacedVariable]:
        """The variables by name."""
        return {variable.name: variable for variable in self.variables}

    @cached_property
    def carried(self) -> Mapping[str, tuple[str, ...]]:
        """The variables that each wired edge carries, by the edge's name."""
        edges: dict[str, list[str]] = defaultdict(list)
        for reader, name in self.reads:
            edges[f"{self.by_name[name].writer}->{reader}"].append(name)
        return {edge: tuple(names) for edge, names in edges.items()}
