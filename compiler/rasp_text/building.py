"""Parts -> RASP expressions: what the operators and words of a text build.

An expression that is used twice must stay one object, and one that has a name must
stay visible under it. Hence what was given a name, or put in a list, is *settled*:
it is not renamed, and nothing is merged into it. Only what is anonymous can be:
`not (x == 1)` makes one map, and so do two maps of which the first has no name.
"""

from collections.abc import Callable
from reprlib import repr as shortened
from typing import Any

from ...errors import ProgramError
from .. import rasp
from .. import rasp_operations as operations
from ..rasp_operations import Operation, PrefixOperation, WithConstant
from ..values import Value, as_argument
from .parts import Part, is_constant, kind

_REASON = 200
"""How many characters of a reason are told: it can quote a constant."""

OPERATIONS = {
    operation.symbol: operation
    for operation in (
        operations.EQUAL,
        operations.NOT_EQUAL,
        operations.LESS,
        operations.AT_MOST,
        operations.GREATER,
        operations.AT_LEAST,
        operations.ADD,
        operations.SUBTRACT,
        operations.MULTIPLY,
        operations.DIVIDE,
        operations.MODULO,
        operations.POWER,
        operations.AND,
        operations.OR,
        operations.MINIMUM,
        operations.MAXIMUM,
        operations.WHERE,
        operations.OTHERWISE,
    )
}
PREFIX_OPERATIONS = {
    operation.symbol.strip(): operation
    for operation in (
        operations.NOT,
        operations.NEGATE,
        operations.ROUND,
        operations.ABSOLUTE,
        operations.INDICATOR,
        operations.AS_INTEGER,
        operations.AS_FLOAT,
        operations.AS_STRING,
        operations.AS_BOOLEAN,
    )
}
INPUTS: dict[str, rasp.SOp] = {
    "tokens": rasp.tokens,
    "tokens_asis": rasp.tokens,
    "tokens_str": rasp.Map(operations.AS_STRING, rasp.tokens).named("tokens_str"),
    "tokens_int": rasp.Map(operations.AS_INTEGER, rasp.tokens).named("tokens_int"),
    "tokens_float": rasp.Map(operations.AS_FLOAT, rasp.tokens).named("tokens_float"),
    "tokens_bool": rasp.Map(operations.AS_BOOLEAN, rasp.tokens).named("tokens_bool"),
    "indices": rasp.indices,
    "length": rasp.length,
}


class Builder:
    """Makes expressions, and remembers which are settled; lives for one text."""

    def __init__(self) -> None:
        self._settled: set[rasp.RASPExpr] = set(INPUTS.values())

    def settle(self, part: Part) -> Part:
        """Return `part`, which from now on keeps its name, or its lack of one."""
        if isinstance(part, rasp.RASPExpr):
            self._settled.add(part)
        return part

    def name(self, part: Part, name: str) -> Part:
        """Return `part` under a name, if it is an expression that has none yet."""
        if isinstance(part, rasp.RASPExpr) and part not in self._settled:
            part = part.named(name)
        return self.settle(part)

    def _is_open(self, *exprs: rasp.RASPExpr) -> bool:
        """Whether all of `exprs` are anonymous, so that they may be merged into another."""
        return not any(
            expr in self._settled or (isinstance(expr, rasp.SOp) and rasp.is_annotated(expr))
            for expr in exprs
        )

    # -- elementwise -------------------------------------------------------------

    def apply(self, operation: PrefixOperation, part: Part) -> Part:
        """Return the result of an operation on each value of a part."""
        if isinstance(part, rasp.Selector) and operation == operations.NOT:
            return rasp.selector_not(part, simplify=self._is_open(part))
        return self.map(operation, part, operation.symbol.strip())

    def map(self, function: Callable[[Any], Value], part: Part, word: str) -> Part:
        """Return a function of one value applied to a constant, or to a sequence."""
        if isinstance(part, rasp.SOp):
            return rasp.Map(function, part, simplify=self._is_open(part))
        _require_values(word, part)
        return None if part is None else _computed(word, function, part)

    def operate(self, operation: Operation, fst: Part, snd: Part) -> Part:
        """Return the result of an operation between two parts, position by position."""
        both = (fst, snd)
        is_logical = operation in (operations.AND, operations.OR)
        if is_logical and all(isinstance(part, rasp.Selector) for part in both):
            return self._combined(operation, fst, snd)
        _require_values(operation.symbol, *both)
        if isinstance(fst, rasp.SOp) and isinstance(snd, rasp.SOp):
            return rasp.SequenceMap(operation, fst, snd)
        if isinstance(fst, rasp.SOp):
            return self.map(WithConstant(operation, snd), fst, operation.symbol)
        if isinstance(snd, rasp.SOp):
            function = WithConstant(operation, fst, constant_first=True)
            return self.map(function, snd, operation.symbol)
        return _computed(operation.symbol, operation, fst, snd)

    def _combined(self, operation: Operation, fst: rasp.Selector, snd: rasp.Selector) -> Part:
        combine = rasp.selector_and if operation == operations.AND else rasp.selector_or
        return combine(fst, snd, simplify=self._is_open(fst, snd))

    def choose(self, condition: rasp.SOp, chosen: Part, otherwise: Part) -> Part:
        """Return `chosen` where a condition holds, and `otherwise` elsewhere."""
        _require_values("if", chosen, otherwise)
        match chosen, otherwise:
            case rasp.SOp(), rasp.SOp():
                kept = rasp.SequenceMap(operations.WHERE, condition, chosen).named("where")
                return rasp.SequenceMap(operations.OTHERWISE, kept, otherwise)
            case rasp.SOp(), constant:
                function = operations.ChoiceWithConstant(constant)
                return rasp.SequenceMap(function, condition, chosen)
            case constant, rasp.SOp():
                function = operations.ChoiceWithConstant(constant, constant_first=True)
                return rasp.SequenceMap(function, condition, otherwise)
        return self.map(operations.Choice(chosen, otherwise), condition, "if")

    def contained(self, part: Part, container: Part) -> Part:
        """Return whether the values of a part are in a list, or a constant is in a sequence."""
        if isinstance(container, rasp.SOp) and is_constant(part):
            found = self.operate(operations.EQUAL, container, part)
            everywhere = rasp.Select(rasp.Full(1), rasp.Full(1), rasp.Comparison.EQ)
            share = rasp.Aggregate(everywhere, self.apply(operations.INDICATOR, found))
            return self.operate(operations.GREATER, share, 0)
        if not (isinstance(container, list) and all(map(is_constant, container))):
            raise ProgramError(
                "`in` must be followed by a list of constants, or stand between a constant and a "
                f"sequence; got {kind(part)} in {kind(container)}."
            )
        return self.map(operations.Membership(tuple(container)), part, "in")

    # -- attention ---------------------------------------------------------------

    def select(self, keys: Part, queries: Part, relation: str) -> rasp.Selector:
        """Return the selector of the pairs for which `key relation query` holds."""
        fst, snd = _sequence("select", keys), _sequence("select", queries)
        return rasp.Select(fst, snd, rasp.Comparison(relation))

    def aggregate(self, selector: Part, sop: Part, default: Part = None) -> rasp.SOp:
        """Return the mean of a sequence over what a selector selects."""
        if not is_constant(default):
            raise ProgramError(
                f"The default of `aggregate` must be a constant, got {kind(default)}."
            )
        return rasp.Aggregate(
            _selector("aggregate", selector), _sequence("aggregate", sop), default
        )

    def selector_width(self, selector: Part) -> rasp.SOp:
        """Return how many keys a selector selects for each query."""
        return rasp.SelectorWidth(_selector("selector_width", selector))

    def element(self, part: Part, index: Part) -> Part:
        """Return a part of a list, a dictionary or a string, or the value at one position."""
        whole = isinstance(index, int)
        match part:
            case rasp.SOp() if whole:
                place = index if index >= 0 else rasp.length + index
                return self.aggregate(self.select(rasp.indices, place, "=="), part)
            case dict() if is_constant(index) and index in part:
                return part[index]
            case list() | str() if whole and -len(part) <= index < len(part):
                return part[index]
            case list() | str() if whole:
                raise ProgramError(f"The index must be below {len(part)}, got {index}.")
            case dict():
                raise ProgramError(f"The dictionary must hold the key, got {kind(index)}.")
        raise ProgramError(
            "Lists, strings and sequences have elements `x[i]`, where i is a whole number, and "
            f"dictionaries have keys; got {kind(part)} and {kind(index)}."
        )


def _computed(word: str, function: Callable[..., Value], *values: Value) -> Value:
    """Return a function of constants as a constant."""
    try:
        return as_argument(function(*map(as_argument, values)))
    except Exception as error:
        given, why = ", ".join(map(shortened, values)), str(error)
        why = why if len(why) <= _REASON else f"{why[:_REASON]}..."
        raise ProgramError(
            f"`{word}` must accept the constants that it is given; on ({given}) it raised "
            f"{type(error).__name__}: {why}."
        ) from error


def _require_values(word: str, *parts: Part) -> None:
    """Check that `word` stands between sequences and constants."""
    for part in parts:
        if isinstance(part, rasp.Selector) and word in ("and", "or"):
            raise ProgramError(
                f"`{word}` must stand between two selectors or between two sequences, got "
                f"{kind(parts[0])} and {kind(parts[1])}. Turn the selector into a sequence with "
                "`selector_width(s) > 0`, or the sequence into a selector with "
                "`select(x, True, ==)`."
            )
        if isinstance(part, rasp.Selector):
            raise ProgramError(
                f"`{word}` must be given sequences and constants, got a selector. Turn it into a "
                "sequence with `selector_width` or `aggregate`."
            )
        if not (isinstance(part, rasp.SOp) or is_constant(part)):
            raise ProgramError(f"`{word}` must be given sequences and constants, got {kind(part)}.")


def _sequence(word: str, part: Part) -> rasp.SOp:
    """Return a part as a sequence: a constant has the same value at every position."""
    _require_values(word, part)
    return part if isinstance(part, rasp.SOp) else rasp.Full(part)


def _selector(word: str, part: Part) -> rasp.Selector:
    if not isinstance(part, rasp.Selector):
        raise ProgramError(
            f"`{word}` must be given a selector first, got {kind(part)}. Write "
            "`select(keys, queries, ==)`."
        )
    return part
