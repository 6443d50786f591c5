"""The RASP interpreter: what an expression is worth on an input.

The meaning of `None` ("no value") is fixed here:

* maps send `None` to `None` and do not call their function on it, and neither
  does a `SequenceMap` where one of the two values is `None`;
* a pair of positions is selected only if every key and every query that the
  selector looks at there has a value; negation does not bring a pair back;
* values that are equal are one value: functions see whole numbers as ints, however
  they came about;
* `Aggregate` gives its `default` where nothing is selected, the mean where all
  selected values are numbers, and otherwise the one value on which all selected
  positions agree (which may be `None`). Where they disagree it has no meaning,
  and evaluation says so.

Under causal attention a query sees the keys up to its own position, in every
selector. Each expression is evaluated once per input however often it is used.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, ProgramError
from .rasp_expressions import RASPExpr, Selector, SOp
from .rasp_selectors import (
    Comparison,
    ConstantSelector,
    Select,
    SelectorAnd,
    SelectorNot,
    SelectorOr,
)
from .rasp_sops import (
    Aggregate,
    ConstantSOp,
    Full,
    IndicesType,
    LengthType,
    Map,
    SelectorWidth,
    SequenceMap,
    TokensType,
)
from .rational_arithmetic import mean
from .values import Value, as_argument, is_number

# While selectors are combined, `None` marks a pair that cannot be selected.
_Matrix = list[list[bool | None]]


def topological_order(*roots: RASPExpr) -> list[RASPExpr]:
    """Return the expressions that `roots` are made of, each once, children before parents."""
    order: dict[RASPExpr, None] = {}
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        expr, children_done = stack.pop()
        if expr in order:
            continue
        if children_done:
            order[expr] = None
        else:
            stack.append((expr, True))
            stack.extend((child, False) for child in reversed(expr.children) if child not in order)
    return list(order)


def evaluate(expr: RASPExpr, xs: Iterable[Value], causal: bool = False) -> list[Any]:
    """Return the value of `expr` on the input `xs`.

    Args:
        expr: an SOp or a selector.
        xs: the input, one value at each position; a string is read as its characters.
        causal: whether selectors see only the keys up to the position of the query.

    Returns:
        For an SOp a list of values; for a selector a matrix of booleans `[query][key]`.

    Raises:
        ProgramError: a function failed on a value, or an average has no meaning; the
            message names the expression and the input.
        InputError: the input holds `None`, or does not fit a constant.

    Example:
        >>> from glassbench.compiler import rasp
        >>> evaluate(rasp.tokens == "l", "hello")
        [False, False, True, True, False]
    """
    return evaluate_every([expr], xs, causal)[expr]


def evaluate_every(
    roots: Sequence[RASPExpr], xs: Iterable[Value], causal: bool = False
) -> dict[RASPExpr, list[Any]]:
    """Return the values of `roots` and of all that they are made of on one input.

    Arguments and errors are those of `evaluate`. The keys stand in topological
    order; an expression is its own key, by identity.
    """
    tokens: list[Value] = [x.item() if isinstance(x, np.generic) else x for x in xs]
    if any(token is None for token in tokens):
        raise InputError(f"Every token must have a value, got None in {tokens!r}.")
    results: dict[RASPExpr, list[Any]] = {}
    for expr in topological_order(*roots):
        if isinstance(expr, Selector):
            results[expr] = _selector_value(expr, tokens, results, causal)
        elif isinstance(expr, SOp):
            results[expr] = _sop_value(expr, tokens, results, causal)
        else:
            raise ProgramError(f"An expression must be an SOp or a selector, got {expr!r}.")
    return {
        expr: [[bool(cell) for cell in row] for row in value]
        if isinstance(expr, Selector)
        else value
        for expr, value in results.items()
    }


def _sop_value(
    expr: SOp, xs: list[Value], known: Mapping[RASPExpr, list[Any]], causal: bool
) -> list[Value]:
    match expr:
        case TokensType():
            return list(xs)
        case IndicesType():
            return list(range(len(xs)))
        case LengthType():
            return [i + 1 for i in range(len(xs))] if causal else [len(xs)] * len(xs)
        case Map(f=f, inner=inner):
            return _apply(expr, f, [known[inner]], xs)
        case SequenceMap(f=f, fst=fst, snd=snd):
            return _apply(expr, f, [known[fst], known[snd]], xs)
        case Full(fill=fill):
            return [fill] * len(xs)
        case ConstantSOp(value=value, check_length=check_length):
            _check_constant(expr, value, check_length, xs)
            return list(value)
        case SelectorWidth(selector=selector):
            return [sum(cell is True for cell in row) for row in known[selector]]
        case Aggregate(selector=selector, sop=sop):
            values = known[sop]
            selected = [
                [value for cell, value in zip(row, values, strict=False) if cell]
                for row in known[selector]
            ]
            return [_average(expr, chosen, i, xs) for i, chosen in enumerate(selected)]
    raise ProgramError(f"The interpreter does not know this kind of SOp: {expr!r}.")


def _selector_value(
    expr: Selector, xs: list[Value], known: Mapping[RASPExpr, list[Any]], causal: bool
) -> _Matrix:
    match expr:
        case Select(keys=keys, queries=queries):
            return _select(expr, known[keys], known[queries], xs, causal)
        case ConstantSelector(value=value, check_length=check_length):
            _check_constant(expr, value, check_length, xs)
            return [
                [None if causal and j > i else bool(cell) for j, cell in enumerate(row)]
                for i, row in enumerate(value)
            ]
        case SelectorAnd(fst=fst, snd=snd):
            return _combine(known[fst], known[snd], lambda a, b: a and b)
        case SelectorOr(fst=fst, snd=snd):
            return _combine(known[fst], known[snd], lambda a, b: a or b)
        case SelectorNot(inner=inner):
            return [[None if cell is None else not cell for cell in row] for row in known[inner]]
    raise ProgramError(f"The interpreter does not know this kind of selector: {expr!r}.")


def _combine(fst: _Matrix, snd: _Matrix, function: Callable[[bool, bool], bool]) -> _Matrix:
    return [
        [None if a is None or b is None else function(a, b) for a, b in zip(*rows, strict=True)]
        for rows in zip(fst, snd, strict=True)
    ]


def _select(
    expr: Select, keys: list[Value], queries: list[Value], xs: list[Value], causal: bool
) -> _Matrix:
    predicate = expr.predicate
    if isinstance(predicate, Comparison):
        predicate = predicate.function
    matrix: _Matrix = []
    for i, query in enumerate(queries):
        row: list[bool | None] = []
        for j, key in enumerate(keys):
            if key is None or query is None or (causal and j > i):
                row.append(None)
                continue
            try:
                row.append(bool(predicate(as_argument(key), as_argument(query))))
            except Exception as error:
                raise _failure(expr, "predicate", (key, query), xs, error) from error
        matrix.append(row)
    return matrix


def _apply(
    expr: SOp, f: Callable[..., Value], arguments: list[list[Value]], xs: list[Value]
) -> list[Value]:
    results: list[Value] = []
    for values in zip(*arguments, strict=False):
        if any(value is None for value in values):
            results.append(None)
            continue
        try:
            results.append(f(*map(as_argument, values)))
        except Exception as error:
            raise _failure(expr, "function", values, xs, error) from error
    return results


def _average(expr: Aggregate, selected: list[Value], position: int, xs: list[Value]) -> Value:
    if not selected:
        return expr.default
    if len(selected) == 1:
        return selected[0]
    if all(map(is_number, selected)):
        return mean(selected)
    first = selected[0]
    if all((value is None) == (first is None) and value == first for value in selected):
        return first
    raise ProgramError(
        f"{expr!r} must select numbers, or values that agree; at position {position} of the "
        f"input {xs!r} it selects {selected!r}. Select fewer positions, or map the values to "
        "numbers first."
    )


def _check_constant(
    expr: RASPExpr, value: Sequence[Any], check_length: bool, xs: list[Value]
) -> None:
    if check_length and len(xs) != len(value):
        raise InputError(
            f"{expr!r} holds {len(value)} positions, so inputs must be that long; got an input "
            f"of {len(xs)}. Pass check_length=False to allow it."
        )


def _failure(
    expr: RASPExpr, role: str, values: tuple[Value, ...], xs: list[Value], error: Exception
) -> ProgramError:
    arguments = ", ".join(map(repr, values))
    return ProgramError(
        f"The {role} of {expr!r} must accept every value that reaches it; on ({arguments}), from "
        f"the input {xs!r}, it raised {type(error).__name__}: {error}."
    )
