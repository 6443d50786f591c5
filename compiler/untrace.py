"""Untrace: a `Program` -> RASP expressions made of operators, which have a text.

Tracing turns every function into a table, whatever it was written as. Here each table is
written out again with what the language has: choices by membership, sums, comparisons, and
selectors combined. The expressions have the same values as the program on every input, and
those that stand for its nodes have their names.
"""

import operator
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce

import numpy as np

from . import program as ir
from . import rasp
from . import rasp_operations as operations
from .domains import canonical, exact
from .interpreter import contributions, nearest
from .operation_text import comparison_of
from .quotients import classes
from .values import Domain, Value, as_argument


def untrace(program: ir.Program) -> tuple[rasp.SOp, ...]:
    """Return expressions for the outputs of a program.

    Example:
        >>> from glassbench.compiler import compile_program, write_rasp
        >>> compiled = compile_program(rasp.Map(str.isupper, rasp.tokens).named("upper"), "aAb", 2)
        >>> print(write_rasp(*untrace(compiled.program)), end="")
        upper = tokens in ["A"];
    """
    made: dict[int, rasp.RASPExpr] = {}
    for place in sorted(ir.ancestors(program, *program.outputs)):
        node = program.nodes[place]
        expression = _expression(program, node, made)
        is_new = not any(expression is one for one in (*made.values(), rasp.tokens, rasp.indices))
        made[place] = expression.named(node.name) if is_new else expression
    return tuple(_sop(made, place) for place in program.outputs)


def _sop(made: Mapping[int, rasp.RASPExpr], place: int) -> rasp.SOp:
    expression = made[place]
    assert isinstance(expression, rasp.SOp)
    return expression


def _expression(
    program: ir.Program, node: ir.Node, made: Mapping[int, rasp.RASPExpr]
) -> rasp.RASPExpr:
    """Return what a node computes, of expressions for those it is computed from."""
    nodes, operation = program.nodes, node.operation
    match operation:
        case ir.Tokens():
            return rasp.tokens
        case ir.Indices():
            return rasp.indices
        case ir.Map(inner=inner, table=table):
            given, domain = _sop(made, inner), nodes[inner].domain
            if isinstance(nodes[inner].operation, ir.ReciprocalWidth):
                given, domain = _width(given, domain)
            return tabulated(given, domain, _values(node.domain, table))
        case ir.SequenceMap(fst=fst, snd=snd, table=table):
            images = [_values(node.domain, row) for row in table]
            sides = _sop(made, fst), _sop(made, snd)
            return tabulated_pair(sides, (nodes[fst].domain, nodes[snd].domain), images)
        case ir.LinearMap(terms=terms):
            return _sum(program, terms, made)
        case ir.RidgeMap(terms=terms, sums=sums, table=table):
            reached = Domain(tuple(_reached(program, terms)))
            images = table[nearest(sums, reached.numbers)]
            return tabulated(_sum(program, terms, made), reached, _values(node.domain, images))
        case ir.Select(conditions=conditions):
            parts = [_condition(program, condition, made) for condition in conditions]
            return reduce(rasp.selector_and, parts)
        case ir.Aggregate(selector=selector, value=value, table=table, default=default):
            given = tabulated(_sop(made, value), nodes[value].domain, _values(node.domain, table))
            (otherwise,) = _values(node.domain, np.array([default]))
            return rasp.Aggregate(_selector(made, selector), given, otherwise)
        case ir.ReciprocalWidth(selector=selector):
            one_more = rasp.SelectorWidth(_selector(made, selector)) + 1
            return 1 / one_more


def _selector(made: Mapping[int, rasp.RASPExpr], place: int) -> rasp.Selector:
    selector = made[place]
    assert isinstance(selector, rasp.Selector)
    return selector


def _width(reciprocal: rasp.SOp, domain: Domain) -> tuple[rasp.SOp, Domain]:
    """Return the selector width of which one more has a given reciprocal, and its values."""
    assert isinstance(reciprocal, rasp.Map)
    return reciprocal.inner, Domain(tuple(canonical(1 / exact(x) - 1) for x in domain.values))


def _values(domain: Domain, table: np.ndarray) -> list[Value]:
    """Return the values at positions of a domain, as functions see them; `None` for -1."""
    known = [*map(as_argument, domain.values), None]
    return [known[place] for place in table.tolist()]


def tabulated(inner: rasp.SOp, domain: Domain, images: Sequence[Value]) -> rasp.SOp:
    """Return the function that has the given image for each value of a domain.

    Any other value has the image of some of them.

    Args:
        inner: the variable.
        domain: its values.
        images: that of each, `None` for no value.
    """
    given = [as_argument(value) for value in domain.values]
    if [*map(_typed, given)] == [*map(_typed, images)]:
        return inner
    members: dict[tuple[type, Value], list[Value]] = {}
    for value, image in zip(given, images, strict=True):
        members.setdefault(_typed(image), []).append(value)
    if members.keys() == {_typed(True), _typed(False)}:
        return _among(inner, members[_typed(True)])
    # A choice of two is `None` where either is, so that `None` is chosen after all others.
    order = sorted(members, key=lambda key: (key[1] is None, -len(members[key])))
    (_, last), *others = order
    found: rasp.SOp | None = None
    for key in others:
        image, chosen = key[1], _among(inner, members[key])
        if found is None:
            found = rasp.Map(operations.Choice(image, last), chosen)
        else:
            choice = operations.ChoiceWithConstant(image, constant_first=True)
            found = rasp.SequenceMap(choice, chosen, found)
    return rasp.Map(operations.Choice(last, last), inner) if found is None else found


def _typed(value: Value) -> tuple[type, Value]:
    """Return what tells values apart that are equal, such as 1 and True."""
    return type(value), value


def _among(inner: rasp.SOp, values: Sequence[Value]) -> rasp.SOp:
    return rasp.Map(operations.Membership(tuple(values)), inner, simplify=False)


def tabulated_pair(
    sides: Sequence[rasp.SOp], domains: Sequence[Domain], images: Sequence[Sequence[Value]]
) -> rasp.SOp:
    """Return the function of two variables that has the given image for each two values.

    It is one of the sum of a number for each, the same for values that are alike.

    Args:
        sides: the two variables.
        domains: their values.
        images: `[value of the first][value of the second]`.
    """
    known: dict[object, int] = {}
    table = np.array([[known.setdefault(_typed(one), len(known)) for one in row] for row in images])
    table = table.reshape(len(domains[0]), len(domains[1]))
    rows, row_of = classes(table)
    columns, column_of = classes(table.T)
    numbers = (row_of * len(columns)).tolist(), column_of.tolist()
    fst, snd = map(tabulated, sides, domains, numbers)
    found = [images[row][column] for row in rows.tolist() for column in columns.tolist()]
    return tabulated(fst + snd, Domain(tuple(range(len(found)))), found)


def _sum(
    program: ir.Program, terms: Sequence[ir.Term], made: Mapping[int, rasp.RASPExpr]
) -> rasp.SOp:
    """Return a sum of functions of one variable each."""
    parts = []
    for term in terms:
        source, inner = program.nodes[term.node], _sop(made, term.node)
        numbers = [canonical(number) for number in contributions(source, term).tolist()]
        factor = _factor(source.domain, numbers)
        if factor is None:
            parts.append(tabulated(inner, source.domain, [*map(as_argument, numbers)]))
        else:
            parts.append(inner if factor == 1 else inner * as_argument(factor))
    return reduce(operator.add, parts)


def _reached(program: ir.Program, terms: Sequence[ir.Term]) -> list[Value]:
    """Return every sum of one value of each term, ascending."""
    sums = {Fraction(0)}
    for term in terms:
        numbers = contributions(program.nodes[term.node], term).tolist()
        sums = {known + exact(number) for known in sums for number in numbers}
    return [canonical(number) for number in sorted(sums)]


def _factor(domain: Domain, numbers: Sequence[Value]) -> Value:
    """Return with what the numbers of a domain are multiplied; `None` if they are not."""
    if not domain.is_numeric or not any(domain.values):
        return None
    at = int(np.abs(domain.numbers).argmax())
    factor = exact(numbers[at]) / exact(domain.values[at])
    products = [factor * exact(value) for value in domain.values]
    is_factor = products == [exact(number) for number in numbers]
    return canonical(factor) if is_factor else None


def _condition(
    program: ir.Program, condition: ir.Condition, made: Mapping[int, rasp.RASPExpr]
) -> rasp.Selector:
    """Return the selector of the pairs that a condition holds of.

    Where it is no comparison: for each kind of query, the keys that it matches. So either the
    query is of another kind, or the key is one of these.
    """
    table = condition.table
    if condition.keys is None or condition.queries is None:
        side, at_key = (
            (condition.queries, False) if condition.keys is None else (condition.keys, True)
        )
        if side is None:
            always = rasp.Comparison.TRUE if table.all() else rasp.Comparison.FALSE
            return rasp.Select(rasp.tokens, rasp.tokens, always)
        return _selecting(program, made, side, table.ravel(), at_key=at_key)
    comparison = comparison_of(program, condition)
    if comparison is not None:
        return rasp.Select(_sop(made, condition.keys), _sop(made, condition.queries), comparison)
    rows, kind_of = classes(table)
    parts = []
    for kind, row in enumerate(rows.tolist()):
        others = _selecting(program, made, condition.queries, kind_of != kind, at_key=False)
        keys = _selecting(program, made, condition.keys, table[row], at_key=True)
        parts.append(keys if len(rows) == 1 else rasp.selector_or(others, keys))
    if len(rows) == 1 and program.nodes[condition.queries].optional:  # a query without a value
        sides = _sop(made, condition.keys), _sop(made, condition.queries)
        parts.append(rasp.Select(*sides, rasp.Comparison.TRUE))
    return reduce(rasp.selector_and, parts)


def _selecting(
    program: ir.Program,
    made: Mapping[int, rasp.RASPExpr],
    side: int,
    holds: np.ndarray,
    *,
    at_key: bool,
) -> rasp.Selector:
    """Return the selector of the pairs whose key, or query, has one of some values."""
    values = _values(program.nodes[side].domain, np.flatnonzero(holds))
    found, true = _among(_sop(made, side), values), rasp.Full(True)
    keys, queries = (found, true) if at_key else (true, found)
    return rasp.Select(keys, queries, rasp.Comparison.EQ)
