"""The functions that operators on SOps apply to single values.

`tokens == "a"` is a `Map` whose function is `WithConstant(EQUAL, "a")`, and
`x + y` is a `SequenceMap` whose function is `ADD`. They are data: they compare,
print and pickle, which a lambda does not.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import rational_arithmetic


@dataclass(frozen=True)
class Operation:
    """A function of two values, known by its symbol."""

    symbol: str
    function: Callable[[Any, Any], Any]

    def __call__(self, x: Any, y: Any) -> Any:
        """Return the result for two values."""
        return self.function(x, y)

    def __repr__(self) -> str:
        return f"(x {self.symbol} y)"


@dataclass(frozen=True)
class PrefixOperation:
    """A function of one value, known by its symbol."""

    symbol: str
    function: Callable[[Any], Any]

    def __call__(self, x: Any) -> Any:
        """Return the result for one value."""
        return self.function(x)

    def __repr__(self) -> str:
        return f"({self.symbol}x)"


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
        if self.constant_first:
            return f"({self.constant!r} {self.operation.symbol} x)"
        return f"(x {self.operation.symbol} {self.constant!r})"


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
