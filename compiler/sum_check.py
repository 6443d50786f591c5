"""Sum check: whether every sum that a program reaches is one that its neurons can tell.

The domain of a sum is what its readers tell apart. `trace` makes it from what the terms
can be, so that it holds every sum; a program that comes from a file could leave some
out, and its weights would then not do what the interpreter says. That is seen by running
it, over the whole input space or a sample of it, as in `check`.
"""

from collections.abc import Mapping

import numpy as np

from . import program as ir
from .check import CHECK_LIMIT, SAMPLE, Reason
from .input_space import InputSpace
from .interpreter import interpret, nearest, sum_of
from .values import as_argument

_SAME = 1e-9
_PLATEAU = 0.25
_BATCH_ENTRIES = 2**19


def missed_sums(program: ir.Program, *, limit: int = CHECK_LIMIT) -> tuple[Reason, ...]:
    """Return every sum of a program that takes a value for which it has no place."""
    places = [
        place
        for place, node in enumerate(program.nodes)
        if isinstance(node.operation, ir.LinearMap | ir.RidgeMap)
    ]
    if not places:
        return ()
    space = InputSpace(len(program.vocabulary), program.max_length)
    tokens = space.everything() if space.size <= limit else space.sample(SAMPLE, seed=0)
    first: dict[int, Reason] = {}
    step = max(1, _BATCH_ENTRIES // tokens.shape[1] ** 2)
    for start in range(0, len(tokens), step):
        batch = tokens[start : start + step]
        values = interpret(program, batch, places).values
        for place in places:
            reason = None if place in first else _reason(program, place, batch, values)
            if reason is not None:
                first[place] = reason
    return tuple(first[place] for place in sorted(first))


def _reason(
    program: ir.Program, place: int, tokens: np.ndarray, values: Mapping[int, np.ndarray]
) -> Reason | None:
    """Return the first sum of a node that is none of those it should be."""
    node = program.nodes[place]
    assert isinstance(node.operation, ir.LinearMap | ir.RidgeMap)
    sums = sum_of(program, node.operation.terms, values)
    real = tokens[:, 1:] < len(program.vocabulary)
    wrong = np.argwhere(real & ~_has_place(node, sums))
    if not len(wrong):
        return None
    row, position = wrong[0].tolist()
    ids = tokens[row, 1:][real[row]].tolist()
    sequence = [as_argument(program.vocabulary.values[i]) for i in ids]
    return Reason(
        place,
        node.name,
        f"its numbers must hold every sum of its terms, and on input {sequence} that is "
        f"{sums[row, position]:.6g} at position {position}",
        "compile the program from its source again",
    )


def _has_place(node: ir.Node, sums: np.ndarray) -> np.ndarray:
    """Return which sums a node can be told by: its numbers, or the plateaus of its steps."""
    assert isinstance(node.operation, ir.LinearMap | ir.RidgeMap)
    if isinstance(node.operation, ir.LinearMap):
        numbers = node.domain.numbers
        closest = numbers[nearest(node.domain, sums)]
        return np.abs(closest - sums) <= _SAME * max(1.0, float(np.abs(numbers).max()))
    numbers, table = node.operation.sums.numbers, node.operation.table
    if len(numbers) < 2:
        return np.ones(sums.shape, dtype=bool)
    after = np.clip(np.searchsorted(numbers, sums), 1, len(numbers) - 1)
    low, high = numbers[after - 1], numbers[after]
    slack = _PLATEAU * (high - low)
    return (sums <= low + slack) | (sums >= high - slack) | (table[after - 1] == table[after])
