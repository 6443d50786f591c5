"""The functions that operators on SOps apply to single values.

`tokens == "a"` is a `Map` whose function is `WithConstant(EQUAL, "a")`, and
`x + y` is a `SequenceMap` whose function is `ADD`. They are data: they compare,
print, pickle and can be written back as text, which a lambda does not.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import rational_arithmetic
from .values import is_number

_LARGEST_POWER_BITS = 4096


@dataclass(frozen=True)
class Operation:
    """A function of two values, known by its symbol.

    Attributes:
        symbol: an operator, or the name of the function.
        function: what it computes.
        is_call: whether it is written `symbol(x, y)` rather than `x symbol y`.
    """

    symbol: str
    function: Callable[[Any, Any], Any]
    is_call: bool = False

    def __call__(self, x: Any, y: Any) -> Any:
        """Return the result for two values."""
        return self.function(x, y)

    def written(self, x: str, y: str) -> str:
        """Return the text of this operation on two operands.

        Example:
            >>> ADD.written("a", "1"), MINIMUM.written("a", "1")
            ('a + 1', 'min(a, 1)')
        """
        return f"{self.symbol}({x}, {y})" if self.is_call else f"{x} {self.symbol} {y}"

    def __repr__(self) -> str:
        return self.written("x", "y") if self.is_call else f"({self.written('x', 'y')})"


@dataclass(frozen=True)
class PrefixOperation:
    """A function of one value, known by its symbol; `is_call` if it is written `symbol(x)`."""

    symbol: str
    function: Callable[[Any], Any]
    is_call: bool = False

    def __call__(self, x: Any) -> Any:
        """Return the result for one value."""
        return self.function(x)

    def written(self, x: str) -> str:
        """Return the text of this operation on an operand.

        Example:
            >>> NOT.written("a"), ROUND.written("a")
            ('not a', 'round(a)')
        """
        return f"{self.symbol}({x})" if self.is_call else f"{self.symbol}{x}"

    def __repr__(self) -> str:
        return self.written("x") if self.is_call else f"({self.written('x')})"


@dataclass(frozen=True)
class WithConstant:
    """An operation with one of its two values fixed.

    Attributes:
        operation: the function of two values.
        constant: the fixed value.
        constant_first: whether the constant stands on the left.

    Example:
        >>> WithConstant(SUBTRACT, 10, constant_first=True)(3)
        7
    """

    operation: Operation
    constant: Any
    constant_first: bool = False

    def __call__(self, x: Any) -> Any:
        """Return the result for the value that is not fixed."""
        if self.constant_first:
            return self.operation(self.constant, x)
        return self.operation(x, self.constant)

    def __repr__(self) -> str:
        constant = repr(self.constant)
        operands = (constant, "x") if self.constant_first else ("x", constant)
        text = self.operation.written(*operands)
        return text if self.operation.is_call else f"({text})"


@dataclass(frozen=True)
class Composition:
    """Functions of one value applied one after the other, the first one first.

    A `None` on the way is the result: what follows is not called.
    """

    functions: tuple[Callable[[Any], Any], ...]

    @classmethod
    def of(cls, first: Callable[[Any], Any], then: Callable[[Any], Any]) -> "Composition":
        """Return `first` followed by `then`, as one flat composition."""
        parts: list[Callable[[Any], Any]] = []
        for function in (first, then):
            parts.extend(function.functions if isinstance(function, cls) else (function,))
        return cls(tuple(parts))

    def __call__(self, x: Any) -> Any:
        """Return the result of the last function."""
        for function in self.functions:
            if x is None:
                return None
            x = function(x)
        return x


@dataclass(frozen=True)
class Membership:
    """Whether a value is one of `values`."""

    values: tuple[Any, ...]

    def __call__(self, x: Any) -> bool:
        """Return whether `x` is one of the values."""
        return x in self.values

    def __repr__(self) -> str:
        return f"(x in {list(self.values)!r})"


@dataclass(frozen=True)
class Choice:
    """One value where a condition holds, and another where it does not."""

    chosen: Any
    otherwise: Any

    def __call__(self, condition: Any) -> Any:
        """Return the value for a condition."""
        return self.chosen if condition else self.otherwise

    def __repr__(self) -> str:
        return f"({self.chosen!r} if x else {self.otherwise!r})"


@dataclass(frozen=True)
class ChoiceWithConstant:
    """The choice, by a condition, between a value and a constant.

    Attributes:
        constant: the fixed value.
        constant_first: whether the constant is chosen where the condition holds.

    Example:
        >>> ChoiceWithConstant(0)(True, 3), ChoiceWithConstant(0)(False, 3)
        (3, 0)
    """

    constant: Any
    constant_first: bool = False

    def __call__(self, condition: Any, y: Any) -> Any:
        """Return the constant or `y`."""
        return self.constant if bool(condition) == self.constant_first else y

    def __repr__(self) -> str:
        if self.constant_first:
            return f"({self.constant!r} if x else y)"
        return f"(y if x else {self.constant!r})"


EQUAL = Operation("==", operator.eq)
NOT_EQUAL = Operation("!=", operator.ne)
LESS = Operation("<", operator.lt)
AT_MOST = Operation("<=", operator.le)
GREATER = Operation(">", operator.gt)
AT_LEAST = Operation(">=", operator.ge)
ADD = Operation("+", rational_arithmetic.add)
SUBTRACT = Operation("-", rational_arithmetic.subtract)
MULTIPLY = Operation("*", rational_arithmetic.multiply)
DIVIDE = Operation("/", rational_arithmetic.divide)


def _and(x: Any, y: Any) -> Any:
    return x and y


def _or(x: Any, y: Any) -> Any:
    return x or y


AND = Operation("and", _and)
OR = Operation("or", _or)
NOT = PrefixOperation("not ", operator.not_)
NEGATE = PrefixOperation("-", operator.neg)


def _require_numbers(*values: Any) -> None:
    for value in values:
        if not is_number(value):
            raise TypeError(f"it must be given numbers, got {value!r}")


def _modulo(x: Any, y: Any) -> Any:
    _require_numbers(x, y)
    if isinstance(x, float) or isinstance(y, float):
        return float(rational_arithmetic.rational(x) % rational_arithmetic.rational(y))
    return x % y


def _power(x: Any, y: Any) -> Any:
    _require_numbers(x, y)
    base, exponent = rational_arithmetic.rational(x), rational_arithmetic.rational(y)
    size = max(abs(base.numerator), base.denominator).bit_length() - 1
    if size * abs(exponent) > _LARGEST_POWER_BITS:
        raise OverflowError("the power is too large")
    power = base**exponent
    if isinstance(power, complex):
        raise ValueError("a negative number has no such power")
    is_whole = power == int(power)
    return int(power) if is_whole and not isinstance(x, float) else float(power)


def _indicator(x: Any) -> int:
    return 1 if x else 0


def _where(condition: Any, x: Any) -> tuple[Any, ...]:
    return (x,) if condition else ()


def _otherwise(kept: Any, y: Any) -> Any:
    if not (isinstance(kept, tuple) and len(kept) <= 1):
        raise TypeError(f"its first value must come from `where`, got {kept!r}")
    return kept[0] if kept else y


MODULO = Operation("%", _modulo)
POWER = Operation("^", _power)
MINIMUM = Operation("min", min, is_call=True)
MAXIMUM = Operation("max", max, is_call=True)
ROUND = PrefixOperation("round", round, is_call=True)
ABSOLUTE = PrefixOperation("abs", abs, is_call=True)
INDICATOR = PrefixOperation("indicator", _indicator, is_call=True)
AS_INTEGER = PrefixOperation("int", int, is_call=True)
AS_FLOAT = PrefixOperation("float", float, is_call=True)
AS_STRING = PrefixOperation("str", str, is_call=True)
AS_BOOLEAN = PrefixOperation("bool", bool, is_call=True)
# A choice between two sequences by a third takes two steps, `otherwise(where(c, x), y)`: the
# first keeps `(x,)` where the condition holds and `()` elsewhere, which is one value more
# than `x` has, where a pair of `x` and `y` would have as many as there are pairs.
WHERE = Operation("where", _where, is_call=True)
OTHERWISE = Operation("otherwise", _otherwise, is_call=True)
