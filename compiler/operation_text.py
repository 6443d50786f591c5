"""Operations as one writes them in RASP, their tabulated functions left out."""

import numpy as np

from . import program as ir
from .rasp_selectors import Comparison
from .tabulate import predicate_table
from .values import Domain, as_argument

_LARGEST_SHOWN = 2**16


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
            return " & ".join(
                f"Select({name(one.keys)}, {name(one.queries)}{_relation(program, one)})"
                for one in conditions
            )
        case ir.Aggregate(selector=selector, value=value, default=default):
            given = (
                f", default={as_argument(node.domain.values[default])!r}" if default >= 0 else ""
            )
            return f"Aggregate({name(selector)}, {name(value)}{given})"
        case ir.ReciprocalWidth(selector=selector):
            return f"1 / (1 + SelectorWidth({name(selector)}))"


def _relation(program: ir.Program, condition: ir.Condition) -> str:
    """Return the comparison that a condition makes, after a comma, where it makes one."""
    comparison = comparison_of(program, condition)
    return "" if comparison is None else f", {comparison.value}"


def comparison_of(program: ir.Program, condition: ir.Condition) -> Comparison | None:
    """Return the comparison of key and query that a condition makes; `None` if it makes none."""
    if condition.keys is None or condition.queries is None:
        return None
    keys, queries = (program.nodes[side].domain for side in (condition.keys, condition.queries))
    if condition.table.size > _LARGEST_SHOWN or not _comparable(keys, queries):
        return None
    for comparison in Comparison:
        if np.array_equal(predicate_table(comparison, keys, queries), condition.table):
            return comparison
    return None


def _comparable(keys: Domain, queries: Domain) -> bool:
    """Whether all values can be compared with one another."""
    values = keys.values + queries.values
    return all(isinstance(value, str) for value in values) or (
        keys.is_numeric and queries.is_numeric
    )


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
