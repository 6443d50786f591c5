"""Optimise: programs -> smaller programs with the same outputs.

Level 0 keeps every expression as a variable of its own, which is what ground
truth wants. Level 1 merges expressions that compute the same thing, folds maps and
constants into what reads them (`fold`), and drops what nothing needs.
"""

from dataclasses import fields, replace
from typing import Any

import numpy as np

from . import program as ir
from .fold import folded
from .program import Program


def optimise(program: Program, level: int) -> Program:
    """Return an equivalent program.

    Args:
        program: the program to improve.
        level: 0 to keep it as it is, 1 to merge, fold and drop.
    """
    if level == 0:
        return program
    return without_dead_code(merged(folded(merged(program))))


def merged(program: Program) -> Program:
    """Merge nodes that compute the same thing."""
    places: dict[int, int] = {}
    first: dict[Any, int] = {}
    nodes: list[ir.Node] = []
    for place, node in enumerate(program.nodes):
        operation = ir.with_operands(node.operation, places)
        key = (_content(operation), node.domain, node.encoding)
        if key not in first:
            first[key] = len(nodes)
            nodes.append(replace(node, operation=operation))
        places[place] = first[key]
    return ir.with_nodes(program, nodes, places)


def _content(value: Any) -> Any:
    """Return what makes two operations the same: kind, operands, tables, factors."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    if isinstance(value, tuple):
        return tuple(_content(item) for item in value)
    if isinstance(value, ir.Operation | ir.Term | ir.Condition):
        return type(value), tuple(_content(getattr(value, f.name)) for f in fields(value))
    return value


def without_dead_code(program: Program) -> Program:
    """Drop nodes that no output depends on."""
    alive = sorted(ir.ancestors(program, *program.roots))
    places = {old: new for new, old in enumerate(alive)}
    nodes = [program.nodes[old] for old in alive]
    moved = [replace(n, operation=ir.with_operands(n.operation, places)) for n in nodes]
    return ir.with_nodes(program, moved, places)
