"""Functions of values, and predicates, as the text of what applies them."""

from collections.abc import Callable
from typing import Any

from .. import rasp
from .. import rasp_operations as operations
from ..rasp_operations import Operation, PrefixOperation, WithConstant
from ..rasp_selectors import BoundPredicate, CombinedPredicate, NegatedPredicate
from ..rasp_sops import LinearCombination
from .building import OPERATIONS, PREFIX_OPERATIONS
from .constants import UnwritableError, written_constant, written_operand


def mapped(function: Callable[[Any], Any], x: str) -> str:
    """Return the text of a function applied to the expression written `x`.

    Raises:
        UnwritableError: it is not made of operations of the language.

    Example:
        >>> mapped(WithConstant(operations.LESS, 3), "tokens")
        'tokens < 3'
    """
    match function:
        case operations.Composition(functions=functions):
            is_whole = True
            for part in functions:
                x = mapped(part, x if is_whole or _is_call(part) else f"({x})")
                is_whole = _is_call(part)
            return x
        case PrefixOperation(symbol=symbol) if PREFIX_OPERATIONS.get(symbol.strip()) == function:
            return function.written(x)
        case WithConstant(operation=operation, constant=constant, constant_first=first):
            _require_known(operation)
            value = (written_constant if operation.is_call else written_operand)(constant)
            return operation.written(*((value, x) if first else (x, value)))
        case operations.Membership(values=values):
            return f"{x} in [{', '.join(map(written_constant, values))}]"
        case operations.Choice(chosen=chosen, otherwise=otherwise):
            return f"{written_constant(chosen)} if {x} else {written_constant(otherwise)}"
    raise _unknown(function)


def sequence_mapped(function: Callable[[Any, Any], Any], x: str, y: str) -> str:
    """Return the text of a function of two values applied to the expressions `x` and `y`.

    Raises:
        UnwritableError: it is not an operation of the language.
    """
    match function:
        case Operation():
            _require_known(function)
            return function.written(x, y)
        case LinearCombination(fst_fac=fst_fac, snd_fac=snd_fac):
            return f"linear({x}, {y}, {written_constant(fst_fac)}, {written_constant(snd_fac)})"
        case operations.ChoiceWithConstant(constant=constant, constant_first=True):
            return f"{written_constant(constant)} if {x} else {y}"
        case operations.ChoiceWithConstant(constant=constant):
            return f"{y} if {x} else {written_constant(constant)}"
    raise _unknown(function)


def selected(predicate: rasp.Predicate, keys: str, queries: str) -> str:
    """Return the text of the selector with a predicate on the expressions `keys` and `queries`.

    A predicate that is made of others becomes algebra of selectors, which is merged into one
    selector when it is read. So that its `None` stays what it was, some part must look at the
    keys and some at the queries.

    Raises:
        UnwritableError: the predicate is not made of comparisons.

    Example:
        >>> selected(NegatedPredicate(rasp.Comparison.LT), "tokens", "indices")
        'select(tokens, indices, >=)'
    """
    text, looked_at = _selected(predicate, (keys, queries))
    if looked_at >= {"key", "query"}:
        return text
    return f"{_parenthesised(text)} and select({keys}, {queries}, True)"


def _selected(predicate: rasp.Predicate, operands: tuple[str, str]) -> tuple[str, set[str]]:
    """Return the text of a selector, and which of its operands are not fixed by the predicate."""
    match predicate:
        case rasp.Comparison():
            return f"select({', '.join(operands)}, {predicate.value})", {"key", "query"}
        case NegatedPredicate(inner=rasp.Comparison() as inner):
            return _selected(inner.complement, operands)
        case NegatedPredicate(inner=BoundPredicate(inner=inner, fill=fill, binds_key=binds_key)):
            bound = BoundPredicate(NegatedPredicate(inner), fill, binds_key)
            return _selected(bound, operands)
        case NegatedPredicate(inner=inner):
            text, looked_at = _selected(inner, operands)
            return f"not {_parenthesised(text)}", looked_at
        case BoundPredicate(inner=inner, fill=fill, binds_key=binds_key) if fill is not None:
            value = written_constant(fill)
            fixed = (value, operands[1]) if binds_key else (operands[0], value)
            text, looked_at = _selected(inner, fixed)
            return text, looked_at - {"key" if binds_key else "query"}
        case CombinedPredicate(fst=fst, snd=snd, both=both):
            parts = [_selected(part, operands) for part in (fst, snd)]
            texts = [_parenthesised(text) for text, _ in parts]
            return f" {'and' if both else 'or'} ".join(texts), parts[0][1] | parts[1][1]
    raise UnwritableError(
        f"the predicate {predicate!r} has no text; use a Comparison, or combine selectors with "
        "&, | and ~"
    )


def _parenthesised(text: str) -> str:
    """Return a text that can stand beside an operator; a `select` can as it is."""
    is_select = text.startswith("select(") and text.count("select(") == 1
    return text if is_select else f"({text})"


def _is_call(function: object) -> bool:
    """Whether the text of a function is a call, which needs no parentheses inside or outside."""
    if isinstance(function, WithConstant):
        function = function.operation
    return isinstance(function, Operation | PrefixOperation) and function.is_call


def _require_known(operation: Operation) -> None:
    if OPERATIONS.get(operation.symbol) != operation:
        raise _unknown(operation)


def _unknown(function: object) -> UnwritableError:
    return UnwritableError(
        f"the function {function!r} has no text; write it with operators (x + 1, x == y, ~x), or "
        "save the traced program as JSON, in which functions are tables"
    )
