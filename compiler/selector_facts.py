"""What can be seen of a selector without running it."""

from collections.abc import Sequence

import numpy as np

from . import program as ir


def conditions_of(nodes: Sequence[ir.Node], selector: int) -> tuple[ir.Condition, ...]:
    """Return the conditions of the selector at a place."""
    operation = nodes[selector].operation
    assert isinstance(operation, ir.Select)
    return operation.conditions


def never_empty(nodes: Sequence[ir.Node], selector: int) -> bool:
    """Whether every position is sure to select at least itself."""
    for condition in conditions_of(nodes, selector):
        sides = [side for side in (condition.keys, condition.queries) if side is not None]
        if any(nodes[side].optional for side in sides):
            return False
        same = condition.keys == condition.queries and np.diagonal(condition.table).all()
        if not (same or condition.table.all()):
            return False
    return True


def at_most_one(nodes: Sequence[ir.Node], selector: int) -> bool:
    """Whether every position is sure to select one at most.

    It does where the keys are the positions, and each query matches a single one.
    """
    return any(
        condition.keys is not None
        and isinstance(nodes[condition.keys].operation, ir.Indices)
        and bool((condition.table.sum(axis=1) <= 1).all())
        for condition in conditions_of(nodes, selector)
    )
