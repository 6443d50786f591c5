"""Fold: maps and constants become part of what reads them.

A map of a one-hot variable is linear, so whatever reads it linearly (the query, key or
value of a head, a term of a sum, one side of a sequence map) can read its source in its
place. A map of a number is not; but two functions of values in a row are one function,
and one neuron can be opened by a value while it reads a number. So no map costs a
layer, except where two numbers meet and nothing tells their pairs apart in a sum.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from . import program as ir
from .interpreter import contributions
from .ridge import ridge

_LARGEST_FOLDED = 2**20


def folded(program: ir.Program) -> ir.Program:
    """Return the program with every operation reading as far back as it can.

    Nodes that nothing reads any more are still there.
    """
    program = _with_categorical_inputs(program)
    nodes: list[ir.Node] = []
    for node in program.nodes:
        if nodes and not node.is_selector and len(node.domain) == 1 and not node.optional:
            operation: ir.Operation = ir.Map(0, np.zeros(len(nodes[0].domain), dtype=np.int64))
        else:
            operation = _folded(node, nodes)
        nodes.append(replace(node, operation=operation))
    return replace(program, nodes=tuple(nodes))


def _with_categorical_inputs(program: ir.Program) -> ir.Program:
    """Return the program with maps of numerical inputs reading their categorical form."""
    kinds: dict[type, ir.Node] = {}
    for node in program.nodes:
        if isinstance(node.operation, ir.Tokens | ir.Indices):
            name = type(node.operation).__name__.lower()
            kinds[type(node.operation)] = ir.Node(name, node.operation, node.domain)
    first = {kind: place for place, kind in enumerate(kinds)}
    nodes, places = list(kinds.values()), dict[int, int]()
    for place, node in enumerate(program.nodes):
        kind = type(node.operation)
        if kind in first and not node.is_numerical:
            places[place] = first[kind]
            continue
        places[place] = len(nodes)
        operation = ir.with_operands(node.operation, places)
        if isinstance(operation, ir.Map):
            inner = type(nodes[operation.inner].operation)
            operation = replace(operation, inner=first.get(inner, operation.inner))
        nodes.append(replace(node, operation=operation))
    return ir.with_nodes(program, nodes, places)


def _folded(node: ir.Node, nodes: list[ir.Node]) -> ir.Operation:
    """Return the operation of a node, on operands that are folded."""
    match node.operation:
        case ir.Map(inner=inner, table=table):
            return _map(nodes, inner, table)
        case ir.SequenceMap():
            return _sequence_map(node.operation, nodes)
        case ir.LinearMap(terms=terms):
            return ir.LinearMap(_terms(nodes, terms))
        case ir.Select(conditions=conditions):
            return ir.Select(_conditions(nodes, conditions))
        case ir.Aggregate(value=value, table=table):
            source = _source(nodes, value)
            if source is None or nodes[source.inner].is_numerical:
                return node.operation
            read = _extended(table)[source.table]
            return replace(node.operation, value=source.inner, table=read)
        case _:
            return node.operation


def _extended(table: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return `table` with -1 (or false) appended on an axis, for the place -1 of `None`."""
    padding = [(0, int(own == axis)) for own in range(table.ndim)]
    return np.pad(table, padding, constant_values=False if table.dtype == bool else -1)


def _source(nodes: list[ir.Node], place: int) -> ir.Map | None:
    """Return the map that computes a node, if one does."""
    operation = nodes[place].operation
    return operation if isinstance(operation, ir.Map) else None


def _map(nodes: list[ir.Node], inner: int, table: np.ndarray) -> ir.Operation:
    """Return a function of a function as one function."""
    known = _extended(table)
    match nodes[inner].operation:
        case ir.Map(inner=source, table=first):
            return ir.Map(source, known[first])
        case ir.SequenceMap(table=first) as operation:
            return replace(operation, table=known[first])
        case ir.LinearMap(terms=terms) if not any(ir.is_stepped(nodes, one) for one in terms):
            return ir.RidgeMap(terms, nodes[inner].domain, table)
        case ir.RidgeMap(table=first) as operation:
            return replace(operation, table=known[first])
        case _:
            return ir.Map(inner, table)


def _sequence_map(operation: ir.SequenceMap, nodes: list[ir.Node]) -> ir.Operation:
    """Return a function of two functions as one function, where neurons can compute it."""
    sides, table = [operation.fst, operation.snd], operation.table
    for axis in (0, 1):
        source = _source(nodes, sides[axis])
        if source is None or nodes[source.inner].is_numerical:
            continue
        if table.size // table.shape[axis] * len(source.table) <= _LARGEST_FOLDED:
            table = np.take(_extended(table, axis), source.table, axis=axis)
            sides[axis] = source.inner
    if sides[0] != sides[1]:
        sides, table = _with_numbers(nodes, sides, table)
    fst, snd = sides
    if fst == snd:
        return _map(nodes, fst, np.diagonal(table).copy())
    for one, other, turned in ((fst, snd, table), (snd, fst, table.T)):
        if not nodes[one].optional and (turned == turned[:1]).all():
            return _map(nodes, other, turned[0])
    if nodes[fst].is_numerical and nodes[snd].is_numerical:
        found = ridge(nodes[fst].domain.numbers, nodes[snd].domain.numbers, table)
        assert found is not None
        weights, sums, images = found
        terms = tuple(ir.Term(n, np.array([w])) for n, w in zip(sides, weights, strict=True))
        return ir.RidgeMap(terms, sums, images)
    if nodes[snd].is_numerical:
        fst, snd, table = snd, fst, table.T
    return ir.SequenceMap(fst, snd, table)


def _with_numbers(
    nodes: list[ir.Node], sides: list[int], table: np.ndarray
) -> tuple[list[int], np.ndarray]:
    """Read through maps of numbers, on both sides where a sum tells their pairs apart."""
    options = list(_options(nodes, sides, table))
    return min(options, key=lambda option: sum(not nodes[n].is_numerical for n in option[0]))


def _options(
    nodes: list[ir.Node], sides: list[int], table: np.ndarray
) -> Iterator[tuple[list[int], np.ndarray]]:
    """Yield the ways in which the sides can be read that neurons can compute."""
    sources = [_source(nodes, side) for side in sides]
    for through_fst in (False, True):
        for through_snd in (False, True):
            read, made = list(sides), table
            for axis, through in enumerate((through_fst, through_snd)):
                source = sources[axis]
                if through and source is not None and nodes[source.inner].is_numerical:
                    made = np.take(_extended(made, axis), source.table, axis=axis)
                    read[axis] = source.inner
            numerical = [nodes[place].is_numerical for place in read]
            if made.size > _LARGEST_FOLDED and read != sides:
                continue
            if all(numerical) and read[0] != read[1]:
                numbers = [nodes[place].domain.numbers for place in read]
                if ridge(numbers[0], numbers[1], made) is None:
                    continue
            yield read, made


def _terms(nodes: list[ir.Node], terms: tuple[ir.Term, ...]) -> tuple[ir.Term, ...]:
    """Return a sum over what its terms are made of, each variable once."""
    weights: dict[int, np.ndarray] = {}
    for term in terms:
        for place, own in _read_through(nodes, term):
            known = weights.get(place, np.zeros_like(own))
            if len(known) != len(own):
                parts = [ir.Term(place, one) for one in (known, own)]
                known, own = (contributions(nodes[place], part) for part in parts)
            weights[place] = known + own
    made = [ir.Term(place, own) for place, own in weights.items()]
    return tuple(term for term in made if term.weights.any()) or tuple(made[:1])


def _read_through(nodes: list[ir.Node], term: ir.Term) -> list[tuple[int, np.ndarray]]:
    """Return the variables and weights that a term stands for."""
    node = nodes[term.node]
    match node.operation:
        case ir.LinearMap(terms=terms):
            return [(inner.node, term.weights[0] * inner.weights) for inner in terms]
        case ir.Map(inner=inner, table=table):
            given = contributions(node, term)[table]
            source = nodes[inner]
            if not source.is_numerical:
                return [(inner, given)]
            numbers = source.domain.numbers
            at = int(np.abs(numbers).argmax())
            factor = given[at] / numbers[at] if numbers[at] else 0.0
            is_multiple = all(map(math.isclose, factor * numbers, given))
            return [(inner, np.array([factor]) if is_multiple else given)]
    return [(term.node, term.weights)]


def _conditions(
    nodes: list[ir.Node], conditions: tuple[ir.Condition, ...]
) -> tuple[ir.Condition, ...]:
    """Return conditions on what their sides are made of; those on the same sides are one."""
    tables: dict[tuple[int | None, int | None], np.ndarray] = {}
    for condition in conditions:
        query, table = _side(nodes, condition.queries, condition.table)
        key, turned = _side(nodes, condition.keys, table.T)
        known = tables.get((key, query))
        tables[key, query] = turned.T if known is None else known & turned.T
    return tuple(
        ir.Condition(key, query, table)
        for (key, query), table in tables.items()
        if key is not None or query is not None or len(tables) == 1 or not table.all()
    )


def _side(
    nodes: list[ir.Node], place: int | None, table: np.ndarray
) -> tuple[int | None, np.ndarray]:
    """Return what the first axis of a relation can be read from, and the relation."""
    if place is None:
        return None, table
    source = _source(nodes, place)
    if source is not None and not nodes[source.inner].is_numerical:
        place, table = source.inner, _extended(table)[source.table]
    matters = nodes[place].optional or (table != table[:1]).any()
    return (place, table) if matters else (None, table[:1])
