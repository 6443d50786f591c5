"""What all RASP expressions share: annotations, identity, and the operators.

RASP is the language of Weiss, Goldberg and Yahav, "Thinking Like Transformers"
(2021, arXiv:2106.06981). The names and the attributes of the classes are those
of Tracr's `rasp` module (Lindner et al. 2023, arXiv:2301.05062), so that
programs written for it run after a change of the import.

Expressions are immutable and compare by identity: `==` between SOps is itself an
expression, so never put SOps to `in` or to an `if`. They raise when asked for a
truth value, which also catches `a and b` and `0 < a < 3`.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn, TypeVar

from ..errors import ProgramError
from . import rasp_operations as operations
from .rasp_operations import Operation, WithConstant
from .values import Encoding, Value

SelectorValue = list[list[bool]]
ExprT = TypeVar("ExprT", bound="RASPExpr")
SOpT = TypeVar("SOpT", bound="SOp")


@dataclass(frozen=True, eq=False, repr=False)
class RASPExpr(ABC):
    """An expression: a function from an input sequence to a sequence or a matrix."""

    default_name: ClassVar[str] = "expression"
    default_annotations: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    _own_annotations: Mapping[str, Any] = field(init=False, default_factory=dict)

    @abstractmethod
    def __call__(self, xs: Iterable[Value]) -> Any:
        """Return the value of this expression on one input sequence."""

    @property
    @abstractmethod
    def children(self) -> Sequence["RASPExpr"]:
        """The expressions that this one is computed from."""

    @property
    def annotations(self) -> Mapping[str, Any]:
        """What is noted on this expression: its `name`, on SOps `encoding`, and anything else."""
        return MappingProxyType(
            {"name": self.default_name, **self.default_annotations, **self._own_annotations}
        )

    @property
    def name(self) -> str:
        """The name given by `named`, or that of the kind of expression; it need not be unique."""
        return self._own_annotations.get("name", self.default_name)

    @property
    def label(self) -> str:
        """The name, for display."""
        return self.name

    @property
    def unique_id(self) -> int:
        """A number that no other living expression has; it differs between runs."""
        return id(self)

    def copy(self: ExprT) -> ExprT:
        """Return another expression with the same meaning and annotations."""
        return copy.copy(self)

    def named(self: ExprT, name: str) -> ExprT:
        """Return a copy with another name."""
        return annotate(self, name=name)

    def annotated(self: ExprT, **annotations: Any) -> ExprT:
        """Return a copy with annotations added or replaced."""
        return annotate(self, **annotations)

    def __bool__(self) -> NoReturn:
        raise ProgramError(
            f"{self!r} has a value only on an input, so it is neither true nor false. Combine "
            "expressions with &, | and ~ in place of and, or and not; write 0 < x < 3 as "
            "(0 < x) & (x < 3); compare expressions for identity with `is`."
        )

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"<{kind}>" if self.name == self.default_name else f"<{kind} {self.name!r}>"


def annotate(expr: ExprT, **annotations: Any) -> ExprT:
    """Return a copy of `expr` with annotations added or replaced."""
    new = expr.copy()
    object.__setattr__(new, "_own_annotations", {**expr._own_annotations, **annotations})
    return new


@dataclass(frozen=True, eq=False, repr=False)
class SOp(RASPExpr):
    """A sequence operation: one value at each position of the input."""

    default_name: ClassVar[str] = "sop"
    default_annotations: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"encoding": Encoding.CATEGORICAL}
    )
    __array_ufunc__: ClassVar[None] = None  # NumPy scalars on the left leave operators to us.

    def __call__(self, xs: Iterable[Value]) -> list[Value]:
        """Return the values on one input sequence."""
        from .rasp_evaluation import evaluate

        return evaluate(self, xs)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> "SOp":  # type: ignore[override]
        return _operate(operations.EQUAL, self, other)

    def __ne__(self, other: object) -> "SOp":  # type: ignore[override]
        return _operate(operations.NOT_EQUAL, self, other)

    def __lt__(self, other: object) -> "SOp":
        return _operate(operations.LESS, self, other)

    def __le__(self, other: object) -> "SOp":
        return _operate(operations.AT_MOST, self, other)

    def __gt__(self, other: object) -> "SOp":
        return _operate(operations.GREATER, self, other)

    def __ge__(self, other: object) -> "SOp":
        return _operate(operations.AT_LEAST, self, other)

    def __add__(self, other: object) -> "SOp":
        return _operate(operations.ADD, self, other)

    def __radd__(self, other: object) -> "SOp":
        return _operate(operations.ADD, other, self)

    def __sub__(self, other: object) -> "SOp":
        return _operate(operations.SUBTRACT, self, other)

    def __rsub__(self, other: object) -> "SOp":
        return _operate(operations.SUBTRACT, other, self)

    def __mul__(self, other: object) -> "SOp":
        return _operate(operations.MULTIPLY, self, other)

    def __rmul__(self, other: object) -> "SOp":
        return _operate(operations.MULTIPLY, other, self)

    def __truediv__(self, other: object) -> "SOp":
        return _operate(operations.DIVIDE, self, other)

    def __rtruediv__(self, other: object) -> "SOp":
        return _operate(operations.DIVIDE, other, self)

    def __and__(self, other: object) -> "SOp":
        return _operate(operations.AND, self, other)

    def __rand__(self, other: object) -> "SOp":
        return _operate(operations.AND, other, self)

    def __or__(self, other: object) -> "SOp":
        return _operate(operations.OR, self, other)

    def __ror__(self, other: object) -> "SOp":
        # As in Tracr, `value | sop` means `sop | value`.
        return _operate(operations.OR, self, other)

    def __invert__(self) -> "SOp":
        from .rasp_sops import Map

        return Map(operations.NOT, self)

    def __neg__(self) -> "SOp":
        from .rasp_sops import Map

        return Map(operations.NEGATE, self)


def _operate(operation: Operation, fst: object, snd: object) -> SOp:
    """Return the SOp that applies `operation` to two SOps, or to an SOp and a value."""
    from .rasp_sops import Map, SequenceMap

    for operand in (fst, snd):
        if isinstance(operand, RASPExpr) and not isinstance(operand, SOp):
            raise ProgramError(
                f"`{operation.symbol}` must stand between SOps and values, got {operand!r}. "
                "Turn a selector into an SOp with SelectorWidth or Aggregate."
            )
    if isinstance(fst, SOp) and isinstance(snd, SOp):
        return SequenceMap(operation, fst, snd)
    if isinstance(fst, SOp):
        return Map(WithConstant(operation, snd), fst)
    assert isinstance(snd, SOp)
    return Map(WithConstant(operation, fst, constant_first=True), snd)


@dataclass(frozen=True, eq=False, repr=False)
class Selector(RASPExpr):
    """For each query position (row), which key positions (columns) are selected.

    A pair is selected only where every key and every query that the selector
    looks at has a value: `None` is selected neither by a `Select` nor by its negation.
    """

    default_name: ClassVar[str] = "selector"

    def __call__(self, xs: Iterable[Value]) -> SelectorValue:
        """Return the matrix `[query, key]` on one input sequence."""
        from .rasp_evaluation import evaluate

        return evaluate(self, xs)

    def __and__(self, other: "Selector") -> "Selector":
        from .rasp_selectors import selector_and

        return selector_and(self, other)

    def __or__(self, other: "Selector") -> "Selector":
        from .rasp_selectors import selector_or

        return selector_or(self, other)

    def __invert__(self) -> "Selector":
        from .rasp_selectors import selector_not

        return selector_not(self)


def require(condition: bool, expr: RASPExpr, rule: str, got: object) -> None:
    """Raise a `ProgramError` that states `rule` unless `condition` holds."""
    if not condition:
        raise ProgramError(f"{type(expr).__name__}: {rule}, got {got!r}.")


def require_sop(expr: RASPExpr, role: str, got: object) -> None:
    """Raise a `ProgramError` unless the part `role` of `expr` is an SOp."""
    require(isinstance(got, SOp), expr, f"`{role}` must be an SOp (write a value as Full)", got)


def require_selector(expr: RASPExpr, role: str, got: object) -> None:
    """Raise a `ProgramError` unless the part `role` of `expr` is a selector."""
    require(isinstance(got, Selector), expr, f"`{role}` must be a selector", got)


def require_function(expr: RASPExpr, role: str, got: object) -> None:
    """Raise a `ProgramError` unless the part `role` of `expr` is a function."""
    suitable = callable(got) and not isinstance(got, RASPExpr)
    require(suitable, expr, f"`{role}` must be a function on values", got)
