"""The interpreter: what a `Program` means, on a batch of inputs, without a transformer.

Variables are integer arrays of positions in their domains, -1 for `None` and at
padding. This is the meaning that compiled weights must reproduce.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Int

from . import program as ir
from .values import Domain


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The values of nodes on a batch.

    Attributes:
        values: node position to int64 `[batch, position]`, BOS left out; for a
            selector bool `[batch, query, key]`.
        conflicts: aggregates that have no meaning somewhere, since they select
            different values that are no numbers, or `None` among numbers to be
            averaged, with bool `[batch, position]`.
    """

    values: Mapping[int, np.ndarray]
    conflicts: Mapping[int, Bool[np.ndarray, "batch position"]]


@dataclass(frozen=True, eq=False)
class Override:
    """What a variable is set to, whatever it is computed from.

    Attributes:
        values: positions in its domain, -1 for `None`.
        where: at which positions of the inputs, BOS left out.
    """

    values: Int[np.ndarray, "batch position"]
    where: Bool[np.ndarray, "batch position"]


def interpret(
    program: ir.Program,
    tokens: Int[np.ndarray, "batch position"],
    places: Sequence[int] | None = None,
    overrides: Mapping[int, Override] = MappingProxyType({}),
) -> Evaluation:
    """Evaluate nodes of `program` on token ids (BOS first, then padding).

    Args:
        program: the program.
        tokens: `[batch, position]`.
        places: the nodes to evaluate, with all that they depend on; `None` for all.
        overrides: variables that are set to other values, which all that is computed from them
            reads. Values that no input brings together can come together then: a sum that is
            no value of its domain is taken for the nearest.
    """
    ids = tokens[:, 1:]
    real = ids < len(program.vocabulary)
    visible = real[:, :, None] & real[:, None, :]
    if program.causal:
        visible &= np.tri(ids.shape[1], dtype=bool)
    wanted = range(len(program.nodes)) if places is None else sorted(ir.ancestors(program, *places))
    values: dict[int, np.ndarray] = {}
    conflicts: dict[int, np.ndarray] = {}
    for place in wanted:
        node = program.nodes[place]
        match node.operation:
            case ir.Tokens():
                result = ids
            case ir.Indices():
                result = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
            case ir.Map() | ir.SequenceMap() | ir.LinearMap() | ir.RidgeMap():
                result = position_by_position(program, place, values)
            case ir.Select(conditions=conditions):
                values[place] = visible
                for condition in conditions:
                    values[place] = values[place] & _holds(condition, values)
                continue
            case ir.ReciprocalWidth(selector=selector):
                largest = round(1 / node.domain.numbers[0]) - 1
                result = largest - values[selector].sum(axis=-1)
            case ir.Aggregate(selector=selector, value=value):
                combine = _mean if node.is_numerical else _common_value
                result, conflict = combine(node, node.operation, values[selector], values[value])
                if conflict.any():
                    conflicts[place] = conflict
        if place in overrides:
            result = np.where(overrides[place].where, overrides[place].values, result)
        values[place] = np.where(real, result, -1)
    return Evaluation(values, conflicts)


def position_by_position(
    program: ir.Program, place: int, values: Mapping[int, np.ndarray]
) -> np.ndarray:
    """Return a node that is a function of variables at the same position.

    Args:
        program: the program.
        place: of a map, a map of two variables, a sum, or a function of a sum.
        values: by node, arrays of one shape of positions in domains, -1 for `None`; a sum of
            what is `None` has no meaning.
    """
    node = program.nodes[place]
    match node.operation:
        case ir.Map(inner=inner, table=table):
            return _extended(table)[values[inner]]
        case ir.SequenceMap(fst=fst, snd=snd, table=table):
            return _extended(table)[values[fst], values[snd]]
        case ir.LinearMap(terms=terms):
            return nearest(node.domain, sum_of(program, terms, values))
        case ir.RidgeMap(terms=terms, sums=sums, table=table):
            return table[nearest(sums, sum_of(program, terms, values))]
    raise AssertionError(node.operation)


def _extended(table: np.ndarray) -> np.ndarray:
    """Return `table` with -1 appended on every axis, so that index -1 gives -1."""
    # For small tables, which are many, np.pad takes several times as long.
    wider = np.full([size + 1 for size in table.shape], -1, dtype=table.dtype)
    wider[tuple(map(slice, table.shape))] = table
    return wider


def nearest(domain: Domain, numbers: np.ndarray) -> np.ndarray:
    """Return the position of each of `numbers` in a domain of numbers."""
    known = domain.numbers
    return np.searchsorted((known[1:] + known[:-1]) / 2, numbers)


def contributions(node: ir.Node, term: ir.Term) -> np.ndarray:
    """Return what a term adds to its sum for each value of its variable."""
    if node.is_numerical and len(term.weights) == 1:
        return term.weights[0] * node.domain.numbers
    return term.weights


def sum_of(
    program: ir.Program, terms: Sequence[ir.Term], values: Mapping[int, np.ndarray]
) -> np.ndarray:
    """Return the sum of terms; of no meaning where a variable has no value."""
    given = [
        np.append(contributions(program.nodes[term.node], term), 0.0)[values[term.node]]
        for term in terms
    ]
    return np.sum(given, axis=0)


def _holds(condition: ir.Condition, values: Mapping[int, np.ndarray]) -> np.ndarray:
    """Return where a condition holds, as an array that broadcasts to `[batch, query, key]`."""
    if condition.table.size == 0:  # A side that is always None.
        return np.zeros((1, 1, 1), dtype=bool)
    nothing = np.zeros((1, 1), dtype=np.intp)
    queries = nothing if condition.queries is None else values[condition.queries]
    keys = nothing if condition.keys is None else values[condition.keys]
    rows = np.maximum(queries, 0).astype(np.int32) * np.int32(condition.table.shape[1])
    columns = np.maximum(keys, 0).astype(np.int32)
    holds = condition.table.ravel().take(rows[:, :, None] + columns[:, None, :])
    holds &= (queries >= 0)[:, :, None]
    holds &= (keys >= 0)[:, None, :]
    return holds


def _mean(
    node: ir.Node, operation: ir.Aggregate, chosen: np.ndarray, given: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the means over the chosen keys, and where a chosen key has no value."""
    given = np.append(operation.table, -1)[given]
    absent = np.asarray((chosen & (given < 0)[:, None, :]).any(axis=-1))
    own = node.domain.numbers
    count = chosen.sum(axis=-1)
    total = np.einsum("bqk,bk->bq", chosen, np.append(own, 0.0)[given])
    means = np.where(count > 0, total / np.maximum(count, 1), own[operation.default])
    return nearest(node.domain, means), absent


def _common_value(
    _node: ir.Node, operation: ir.Aggregate, chosen: np.ndarray, given: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the value that all chosen keys share, and where they do not."""
    given = np.append(operation.table, -1)[given]
    first = np.take_along_axis(given, chosen.argmax(axis=-1), axis=1)
    differs = (chosen & (given[:, None, :] != first[:, :, None])).any(axis=-1)
    return np.where(chosen.any(axis=-1), first, operation.default), differs
