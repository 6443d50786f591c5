"""Seen aggregates: what the aggregates of a program do on inputs, whatever they are said to do.

Whether an aggregate is a mean, and whether its default matters, is not said by how it is written:
a mean over one position is a copy, and a default that is never needed is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from ..compiler import program as ir
from ..compiler.interpreter import interpret
from ..ground_truth.bounded_interpretation import slices_that_fit


@dataclass(frozen=True)
class SeenAggregate:
    """What an aggregate was seen to do on some input.

    Attributes:
        averages: whether it selected different numbers.
        empty: whether it selected nothing.
    """

    averages: bool
    empty: bool


def seen_aggregates(
    program: ir.Program, inputs: Int[np.ndarray, "inputs position"], places: Sequence[int]
) -> dict[int, SeenAggregate]:
    """Return what every aggregate among some nodes does on inputs, given as token ids."""
    aggregates = [
        place for place in places if isinstance(program.nodes[place].operation, ir.Aggregate)
    ]
    averaging: set[int] = set()
    emptied: set[int] = set()
    for some in slices_that_fit(program, len(inputs), inputs.shape[1] - 1, aggregates):
        values = interpret(program, inputs[some], aggregates).values
        real = inputs[some][:, 1:] < len(program.vocabulary)
        for place in aggregates:
            several, nothing = selects(program, place, values)
            if several.any():
                averaging.add(place)
            if (nothing & real).any():
                emptied.add(place)
    return {place: SeenAggregate(place in averaging, place in emptied) for place in aggregates}


def selects(
    program: ir.Program, place: int, values: Mapping[int, np.ndarray]
) -> tuple[Bool[np.ndarray, "inputs place"], Bool[np.ndarray, "inputs place"]]:
    """Return where an aggregate selects different numbers, and where it selects nothing.

    Args:
        program: the program.
        place: of the aggregate.
        values: by node, of all that it reads.
    """
    operation = program.nodes[place].operation
    assert isinstance(operation, ir.Aggregate)
    chosen = values[operation.selector]
    given = np.append(operation.table, -1)[values[operation.value]][:, None, :]
    most = np.where(chosen, given, -2).max(axis=-1)
    least = np.where(chosen, given, len(program.nodes[place].domain)).min(axis=-1)
    return np.asarray(most > least), np.asarray(~chosen.any(axis=-1))
