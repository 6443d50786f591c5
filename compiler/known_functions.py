"""Known functions: operators, linear combinations and comparisons on whole domains.

What these functions do is known, so that a table of their results is array
arithmetic. The results are those of calling them, bit for bit. `None` stands for
"not known": the function is the user's own, or it fails on some of the values, or
these are numbers that int64 does not hold exactly.
"""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .rasp_operations import ADD, DIVIDE, MULTIPLY, SUBTRACT, Operation
from .rasp_selectors import BoundPredicate, CombinedPredicate, Comparison, NegatedPredicate
from .rasp_sops import LinearCombination
from .rational_arithmetic import rational
from .rational_arrays import RationalArray
from .values import Domain, Value, are_numbers, as_argument

_COMPARISONS: tuple[tuple[Callable[[Any, Any], bool], np.ufunc], ...] = (
    (operator.eq, np.equal),
    (operator.ne, np.not_equal),
    (operator.lt, np.less),
    (operator.le, np.less_equal),
    (operator.gt, np.greater),
    (operator.ge, np.greater_equal),
)
_ARITHMETIC: tuple[tuple[Operation, Callable[[Any, Any], Any]], ...] = (
    (ADD, operator.add),
    (SUBTRACT, operator.sub),
    (MULTIPLY, operator.mul),
    (DIVIDE, operator.truediv),
)


def is_plain(constant: object) -> bool:
    """Return whether a constant in a program is one that known functions take."""
    if type(constant) is float:
        return math.isfinite(constant)
    return type(constant) in (bool, int, str)


def known_results(function: object, fst: Domain, snd: Domain) -> np.ndarray | RationalArray | None:
    """Return a function's results on every two values, `[d_fst, d_snd]`: booleans or numbers."""
    comparison = _comparison(function, _arguments(fst), _arguments(snd))
    if comparison is not None:
        compare, left_ranks, right_ranks = comparison
        return compare(left_ranks[:, None], right_ranks[None, :])
    left, right = _argument_numbers(fst), _argument_numbers(snd)
    if left is None or right is None:
        return None
    left, right = left[:, None], right[None, :]
    try:
        if isinstance(function, LinearCombination):
            factors = (function.fst_fac, function.snd_fac)
            if not all(map(is_plain, factors)) or not are_numbers(factors):
                return None
            first, second = (RationalArray.of([rational(factor)]) for factor in factors)
            return first * left + second * right
        for known, apply in _ARITHMETIC:
            if isinstance(function, Operation) and function.function is known.function:
                return apply(left, right)
    except (OverflowError, ZeroDivisionError):
        return None
    return None


def known_predicate(predicate: object, keys: Domain, queries: Domain) -> np.ndarray | None:
    """Return whether a predicate holds of each key and query, bool `[d_queries, d_keys]`."""
    table = _predicate(predicate, _arguments(keys), _arguments(queries))
    if table is None:
        return None
    return np.ascontiguousarray(np.broadcast_to(table, (len(queries), len(keys))))


def _arguments(domain: Domain) -> list[Value]:
    return [as_argument(value) for value in domain.values]


def _argument_numbers(domain: Domain) -> RationalArray | None:
    """Return the numbers that functions see: those of the domain, where rounding keeps them."""
    rationals = domain.rationals
    return rationals if rationals is not None and rationals.survives_rounding else None


def _predicate(
    predicate: object, keys: Sequence[Value], queries: Sequence[Value]
) -> np.ndarray | None:
    """Return a predicate's table, `[d_queries, d_keys]` or an array that broadcasts to it."""
    match predicate:
        case Comparison.TRUE | Comparison.FALSE:
            return np.array([[predicate is Comparison.TRUE]])
        case NegatedPredicate(inner=inner):
            table = _predicate(inner, keys, queries)
            return None if table is None else ~table
        case BoundPredicate(inner=inner, fill=fill, binds_key=binds_key):
            if not is_plain(fill):
                return None
            return _predicate(
                inner, [fill] if binds_key else keys, queries if binds_key else [fill]
            )
        case CombinedPredicate(fst=fst, snd=snd, both=both):
            tables = _predicate(fst, keys, queries), _predicate(snd, keys, queries)
            if tables[0] is None or tables[1] is None:
                return None
            return tables[0] & tables[1] if both else tables[0] | tables[1]
    comparison = _comparison(predicate, keys, queries)
    if comparison is None:
        return None
    compare, key_ranks, query_ranks = comparison
    return compare(key_ranks[None, :], query_ranks[:, None])


def _comparison(
    function: object, lefts: Sequence[Value], rights: Sequence[Value]
) -> tuple[np.ufunc, np.ndarray, np.ndarray] | None:
    """Return a comparison as a function of arrays, and the ranks to compare, one for each value."""
    plain = function.function if isinstance(function, Operation | Comparison) else function
    compare = next((ufunc for known, ufunc in _COMPARISONS if known is plain), None)
    if compare is None:
        return None
    values = dict.fromkeys((*lefts, *rights))
    if compare in (np.equal, np.not_equal):
        ordered = list(values)
    elif are_numbers(values) or all(isinstance(value, str) for value in values):
        ordered = sorted(values)  # type: ignore[type-var]
    else:
        return None
    ranks = {value: rank for rank, value in enumerate(ordered)}
    left, right = (np.array([ranks[value] for value in side], np.int32) for side in (lefts, rights))
    return compare, left, right
