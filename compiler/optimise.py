"""Optimise: programs -> smaller programs with the same outputs.

Level 0 keeps every expression as a variable of its own, which is what ground
truth wants. Level 1 merges expressions that compute the same thing and drops
those that nothing needs.
"""

from dataclasses import replace

from . import program as ir
from .program import Program


def optimise(program: Program, level: int) -> Program:
    """Return an equivalent program.

    Args:
        program: the program to improve.
        level: 0 to keep it as it is, 1 to merge and drop.
    """
    return program if level == 0 else _without_dead_code(_merged(program))


def _key(node: ir.Node, moved: tuple[int, ...]) -> tuple:
    """Return what makes two nodes the same: operation, operands, tables, values, encoding."""
    operation = ir.with_operands(node.operation, moved)
    tables = tuple(
        value.tobytes() if hasattr(value, "tobytes") else value
        for value in vars(operation).values()
    )
    return (type(operation).__name__, tables, node.domain, node.encoding)


def _merged(program: Program) -> Program:
    """Merge nodes that compute the same thing."""
    places: list[int] = []
    first: dict[tuple, int] = {}
    nodes: list[ir.Node] = []
    for node in program.nodes:
        moved = tuple(places[o] for o in ir.operands(node.operation))
        key = _key(node, moved)
        if key not in first:
            first[key] = len(nodes)
            nodes.append(replace(node, operation=ir.with_operands(node.operation, moved)))
        places.append(first[key])
    outputs = tuple(places[output] for output in program.outputs)
    return replace(program, nodes=tuple(nodes), outputs=outputs)


def _without_dead_code(program: Program) -> Program:
    """Drop nodes that no output depends on."""
    alive = sorted(set().union(*(ir.ancestors(program, output) for output in program.outputs)))
    places = {old: new for new, old in enumerate(alive)}
    nodes = tuple(
        replace(node, operation=ir.with_operands(node.operation, moved))
        for node in (program.nodes[old] for old in alive)
        for moved in [tuple(places[o] for o in ir.operands(node.operation))]
    )
    outputs = tuple(places[output] for output in program.outputs)
    return replace(program, nodes=nodes, outputs=outputs)
