"""SOps: the input, maps over it, and what attention brings together."""

import math
from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass
from functools import cache
from typing import Any, ClassVar

from .rasp_expressions import (
    RASPExpr,
    Selector,
    SOp,
    SOpT,
    annotate,
    require,
    require_function,
    require_selector,
    require_sop,
)
from .rasp_operations import NOT, Composition
from .rational_arithmetic import Number, combine
from .values import Encoding, Value, is_number


@dataclass(frozen=True, eq=False, repr=False)
class TokensType(SOp):
    """The input sequence itself; use the instance `tokens`."""

    default_name: ClassVar[str] = "tokens"

    @property
    def children(self) -> Sequence[RASPExpr]:
        """None: the tokens are given."""
        return ()


@dataclass(frozen=True, eq=False, repr=False)
class IndicesType(SOp):
    """The position of each token, from 0; use the instance `indices`."""

    default_name: ClassVar[str] = "indices"

    @property
    def children(self) -> Sequence[RASPExpr]:
        """None: the positions are given."""
        return ()


@dataclass(frozen=True, eq=False, repr=False)
class LengthType(SOp):
    """The length of the input, at every position; use the instance `length`.

    It is short for `definition`, a selector width. Where attention is causal it
    therefore counts the positions so far.
    """

    default_name: ClassVar[str] = "length"

    @property
    def children(self) -> Sequence[RASPExpr]:
        """None: see `definition`."""
        return ()

    @property
    def definition(self) -> "SelectorWidth":
        """The expression that `length` stands for; the same object at every call."""
        return _length_definition()


@dataclass(frozen=True, eq=False, repr=False)
class Map(SOp):
    """`f` applied to each value of `inner`; `None` stays `None` and `f` does not see it.

    A map of a map becomes one map, unless `simplify` is false.
    """

    default_name: ClassVar[str] = "map"
    f: Callable[[Any], Any]
    inner: SOp
    simplify: InitVar[bool] = True

    def __post_init__(self, simplify: bool) -> None:
        """Check the parts, and merge with an inner map."""
        require_function(self, "f", self.f)
        require_sop(self, "inner", self.inner)
        if simplify and isinstance(self.inner, Map):
            object.__setattr__(self, "f", Composition.of(self.inner.f, self.f))
            object.__setattr__(self, "inner", self.inner.inner)

    @property
    def children(self) -> Sequence[RASPExpr]:
        """The SOp that is mapped."""
        return (self.inner,)


@dataclass(frozen=True, eq=False, repr=False)
class SequenceMap(SOp):
    """`f` applied to the values of two SOps at each position; `None` where either is `None`."""

    default_name: ClassVar[str] = "sequence_map"
    f: Callable[[Any, Any], Any]
    fst: SOp
    snd: SOp

    def __post_init__(self) -> None:
        """Check the parts."""
        require_function(self, "f", self.f)
        require_sop(self, "fst", self.fst)
        require_sop(self, "snd", self.snd)

    @property
    def children(self) -> Sequence[RASPExpr]:
        """The two SOps."""
        return (self.fst, self.snd)


@dataclass(frozen=True)
class LinearCombination:
    """The function `fst_fac * x + snd_fac * y`."""

    fst_fac: Number
    snd_fac: Number

    def __call__(self, x: Any, y: Any) -> Any:
        """Return the combination of two numbers."""
        return combine(x, y, self.fst_fac, self.snd_fac)


@dataclass(frozen=True, eq=False, repr=False, init=False)
class LinearSequenceMap(SequenceMap):
    """`fst_fac * fst + snd_fac * snd`."""

    default_name: ClassVar[str] = "linear_sequence_map"
    fst_fac: Number
    snd_fac: Number

    def __init__(self, fst: SOp, snd: SOp, fst_fac: Number, snd_fac: Number) -> None:
        """Combine two SOps of numbers with constant factors."""
        for role, factor in (("fst_fac", fst_fac), ("snd_fac", snd_fac)):
            is_finite = is_number(factor) and math.isfinite(factor)
            require(is_finite, self, f"`{role}` must be a finite number", factor)
        super().__init__(LinearCombination(fst_fac, snd_fac), fst, snd)
        object.__setattr__(self, "fst_fac", fst_fac)
        object.__setattr__(self, "snd_fac", snd_fac)


@dataclass(frozen=True, eq=False, repr=False)
class Full(SOp):
    """The same value `fill` at every position."""

    default_name: ClassVar[str] = "full"
    fill: Value

    @property
    def children(self) -> Sequence[RASPExpr]:
        """None: the value is given."""
        return ()


@dataclass(frozen=True, eq=False, repr=False)
class ConstantSOp(SOp):
    """A given sequence, whatever the input; for tests.

    Inputs must be as long as `value`, unless `check_length` is false.
    """

    default_name: ClassVar[str] = "constant_sop"
    value: Sequence[Value]
    check_length: bool = True

    @property
    def children(self) -> Sequence[RASPExpr]:
        """None: the values are given."""
        return ()


@dataclass(frozen=True, eq=False, repr=False)
class SelectorWidth(SOp):
    """How many keys the selector selects for each query."""

    default_name: ClassVar[str] = "selector_width"
    selector: Selector

    def __post_init__(self) -> None:
        """Check the parts."""
        require_selector(self, "selector", self.selector)

    @property
    def children(self) -> Sequence[RASPExpr]:
        """The selector."""
        return (self.selector,)


@dataclass(frozen=True, eq=False, repr=False)
class Aggregate(SOp):
    """The mean of `sop` over the selected keys; `default` where nothing is selected.

    Numbers are averaged exactly and rounded once. Values of any other kind,
    `None` included, have no mean: all selected ones must agree.
    """

    default_name: ClassVar[str] = "aggregate"
    selector: Selector
    sop: SOp
    default: Value = None

    def __post_init__(self) -> None:
        """Check the parts."""
        require_selector(self, "selector", self.selector)
        require_sop(self, "sop", self.sop)
        is_value = not isinstance(self.default, RASPExpr)
        require(is_value, self, "`default` must be a value", self.default)

    @property
    def children(self) -> Sequence[RASPExpr]:
        """The selector and the SOp."""
        return (self.selector, self.sop)


@cache
def _length_definition() -> SelectorWidth:
    from .rasp_selectors import Comparison, Select

    every_token = Select(tokens, tokens, Comparison.TRUE).named("every_token")
    return SelectorWidth(every_token).named("length")


def sop_not(sop: SOp) -> SOp:
    """Return `~sop`."""
    return Map(NOT, sop)


def numerical(sop: SOpT) -> SOpT:
    """Return `sop` written as one direction whose coefficient is the value."""
    return annotate(sop, encoding=Encoding.NUMERICAL)


def categorical(sop: SOpT) -> SOpT:
    """Return `sop` written as one direction for each value."""
    return annotate(sop, encoding=Encoding.CATEGORICAL)


def get_encoding(sop: SOp) -> Encoding:
    """Return how `sop` is written into the residual stream."""
    return sop.annotations["encoding"]


def is_annotated(sop: SOp) -> bool:
    """Return whether an encoding was chosen for `sop`, rather than left to the compiler."""
    return "encoding" in sop._own_annotations


def is_numerical(sop: SOp) -> bool:
    """Return whether `sop` is written as a number."""
    return get_encoding(sop) is Encoding.NUMERICAL


def is_categorical(sop: SOp) -> bool:
    """Return whether `sop` is written one-hot."""
    return get_encoding(sop) is Encoding.CATEGORICAL


tokens = TokensType()
indices = IndicesType()
length = LengthType()
