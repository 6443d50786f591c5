"""Operations as one writes them in RASP, their tabulated functions left out."""

import numpy as np

from . import program as ir
from .values import as_argument


def operation_text(program: ir.Program, node: ir.Node) -> str:
    """Return what a node of `program` computes as a line of RASP."""

    def name(place: int | None) -> str:
        return "any" if place is None else program.nodes[place].name

    match node.operation:
        case ir.Tokens() | ir.Indices():
            return f"rasp.{type(node.operation).__name__.lower()}"
        case ir.Map(inner=inner):
            return f"Map({name(inner)})"
        case ir.SequenceMap(fst=fst, snd=snd):
            return f"SequenceMap({name(fst)}, {name(snd)})"
        case ir.LinearMap(terms=terms):
            return _sum_text(program, terms)
        case ir.RidgeMap(terms=terms):
            return f"Map({_sum_text(program, terms)})"
        case ir.Select(conditions=conditions):
            parts = [f"Select({name(c.keys)}, {name(c.queries)})" for c in conditions]
            return " & ".join(parts)
        case ir.Aggregate(selector=selector, value=value, default=default):
            given = (
                f", default={as_argument(node.domain.values[default])!r}" if default >= 0 else ""
            )
            return f"Aggregate({name(selector)}, {name(value)}{given})"
        case ir.ReciprocalWidth(selector=selector):
            return f"1 / (1 + SelectorWidth({name(selector)}))"


def _sum_text(program: ir.Program, terms: tuple[ir.Term, ...]) -> str:
    """Return a weighted sum; `f(x)` stands for a number that is no multiple of the value `x`."""
    parts = []
    for term in terms:
        node = program.nodes[term.node]
        factor = _factor(node, term)
        if factor is None:
            parts.append(f"f({node.name})")
        else:
            parts.append(node.name if factor == 1 else f"{factor:g} * {node.name}")
    return " + ".join(parts)


def _factor(node: ir.Node, term: ir.Term) -> float | None:
    """Return what a term multiplies a variable with; `None` if it does something else."""
    if node.is_numerical and len(term.weights) == 1:
        return float(term.weights[0])
    if node.is_numerical or not node.domain.is_numeric:
        return None
    numbers = node.domain.numbers
    at = int(np.abs(numbers).argmax())
    factor = float(term.weights[at] / numbers[at]) if numbers[at] else 1.0
    return factor if np.allclose(factor * numbers, term.weights) else None
