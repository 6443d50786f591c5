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


def at_most_one(nodes: Sequence[ir.Node], selector: int, *, causal: bool) -> bool:
    """Whether every position is sure to select one at most.

    It does where no two positions can have the same key, and each query matches a single
    value of it.
    """
    return any(
        condition.keys is not None
        and np.count_nonzero(condition.table, axis=1).max(initial=0) <= 1
        and _differs_everywhere(nodes, condition.keys, causal)
        for condition in conditions_of(nodes, selector)
    )


def always_agree(nodes: Sequence[ir.Node], aggregate: ir.Aggregate) -> bool:
    """Whether all that a position selects is sure to have the same value.

    It is where the value follows from the key, and each query matches keys of one value.
    """
    source = nodes[aggregate.value].operation
    images = np.append(aggregate.table, -1)
    for condition in conditions_of(nodes, aggregate.selector):
        if condition.keys == aggregate.value:
            value_of = images[: condition.table.shape[1]]
        elif isinstance(source, ir.Map) and condition.keys == source.inner:
            value_of = images[source.table]
        else:
            continue
        greatest = np.where(condition.table, value_of, -2).max(axis=1, initial=-2)
        least = np.where(condition.table, value_of, len(images)).min(axis=1, initial=len(images))
        if (greatest <= least).all():
            return True
    return False


def _differs_everywhere(nodes: Sequence[ir.Node], place: int, causal: bool) -> bool:
    """Whether a variable is sure to have different values at different positions.

    Positions do, and what tells their values apart; and so do ranks: the number of
    positions that come before, in a strict order of all of them.
    """
    node = nodes[place]
    if node.optional:
        return False
    match node.operation:
        case ir.Indices():
            return True
        case ir.Map(inner=inner, table=table):
            return _tells_apart(table[:, None]) and _differs_everywhere(nodes, inner, causal)
        case ir.SequenceMap(fst=fst, snd=snd, table=table):
            return any(
                _tells_apart(entries) and _differs_everywhere(nodes, side, causal)
                for side, entries in ((fst, table), (snd, table.T))
            )
        case ir.ReciprocalWidth(selector=selector):
            return not causal and _orders_positions(nodes, selector)
    return False


def _tells_apart(table: np.ndarray) -> bool:
    """Whether no value stands in two rows of a table of values."""
    rows = np.broadcast_to(np.arange(len(table))[:, None], table.shape)
    row_of = np.zeros(table.max(initial=0) + 1, dtype=np.intp)
    row_of[table] = rows
    return bool((row_of[table] == rows).all())


def _orders_positions(nodes: Sequence[ir.Node], selector: int) -> bool:
    """Whether a bidirectional selector is a strict order of all positions.

    All of them may select themselves too.
    """
    if len(conditions_of(nodes, selector)) != 1:
        return False
    (condition,) = conditions_of(nodes, selector)
    table, diagonal = condition.table, np.diagonal(condition.table)
    if condition.keys is None or condition.keys != condition.queries or len(set(diagonal)) > 1:
        return False
    rank = np.count_nonzero(table, axis=1)
    ordered = rank[:, None] > rank[None, :]
    np.fill_diagonal(ordered, diagonal[0])
    return (
        len(np.unique(rank)) == len(rank)
        and np.array_equal(table, ordered)
        and _differs_everywhere(nodes, condition.keys, False)
    )
