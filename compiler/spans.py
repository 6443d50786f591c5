"""Spans: between which bounds a number lies at any position, BOS and padding included.

At real positions a variable has a value of its domain. At BOS and padding it holds
whatever the blocks make of what they find there, which bounds can still be given for:
attention takes convex combinations, and steps do not leave their plateaus.
"""

from collections.abc import Iterable

import numpy as np

from . import program as ir

Span = tuple[float, float]


def spans(program: ir.Program) -> dict[int, Span]:
    """Return the least and the greatest coefficient of every numerical variable."""
    found: dict[int, Span] = {}
    for place, node in enumerate(program.nodes):
        if not node.is_numerical:
            continue
        match node.operation:
            case ir.ReciprocalWidth():
                found[place] = (0.0, 1.0)
            case ir.LinearMap(terms=terms):
                each = [_of_term(term, found) for term in terms]
                found[place] = (sum(low for low, _ in each), sum(high for _, high in each))
            case ir.Aggregate(value=value):
                found[place] = _hull((*_ends(node), *found.get(value, ()), 0.0))
            case _:
                found[place] = _hull((*_ends(node), 0.0))
    return found


def _hull(numbers: Iterable[float]) -> Span:
    """Return the least and the greatest number."""
    known = list(numbers)
    return min(known), max(known)


def _ends(node: ir.Node) -> Span:
    """Return the least and the greatest value of a domain; zero for none."""
    return _hull(node.domain.numbers[[0, -1]].tolist()) if len(node.domain) else (0.0, 0.0)


def _of_term(term: ir.Term, found: dict[int, Span]) -> Span:
    """Return the span of one summand."""
    if term.node not in found or len(term.weights) > 1:
        return _hull((*term.weights.tolist(), 0.0))
    return _hull((np.array(found[term.node]) * term.weights[0]).tolist())
