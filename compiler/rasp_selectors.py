"""Selectors: which keys each query attends to, and their algebra."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from .rasp_expressions import (
    RASPExpr,
    Selector,
    SelectorValue,
    SOp,
    require_function,
    require_selector,
    require_sop,
)
from .rasp_sops import Full

Predicate = Callable[[Any, Any], Any]


class Comparison(Enum):
    """A predicate of a key and a query, for use in `Select`.

    Example:
        >>> Comparison.LT(1, 2)
        True
    """

    EQ = "=="
    LT = "<"
    LEQ = "<="
    GT = ">"
    GEQ = ">="
    NEQ = "!="
    TRUE = "True"
    FALSE = "False"

    def __call__(self, key: Any, query: Any) -> bool:
        """Return whether the key compares so with the query."""
        return self.function(key, query)

    @property
    def function(self) -> Callable[[Any, Any], bool]:
        """The comparison as a plain function of key and query."""
        return _FUNCTIONS[self.value]

    @property
    def complement(self) -> "Comparison":
        """The comparison that holds exactly where this one does not."""
        return Comparison(_COMPLEMENTS[self.value])


def _always(_key: Any, _query: Any) -> bool:
    return True


def _never(_key: Any, _query: Any) -> bool:
    return False


_FUNCTIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
    "True": _always,
    "False": _never,
}
_PAIRS = {"==": "!=", "<": ">=", ">": "<=", "True": "False"}
_COMPLEMENTS = _PAIRS | {second: first for first, second in _PAIRS.items()}


@dataclass(frozen=True, eq=False, repr=False)
class Select(Selector):
    """Selects the keys for which `predicate(key, query)` holds."""

    default_name: ClassVar[str] = "select"
    keys: SOp
    queries: SOp
    predicate: Predicate

    def __post_init__(self) -> None:
        """Check the parts."""
        require_sop(self, "keys", self.keys)
        require_sop(self, "queries", self.queries)
        require_function(self, "predicate", self.predicate)

    @property
    def children(self) -> Sequence[RASPExpr]:
        """The keys and the queries."""
        return (self.keys, self.queries)


@dataclass(frozen=True, eq=False, repr=False)
class ConstantSelector(Selector):
    """A given matrix `[query, key]`, whatever the input; for tests.

    Inputs must be as long as `value`, unless `check_length` is false.
    """

    default_name: ClassVar[str] = "constant_selector"
    value: SelectorValue
    check_length: bool = True

    @property
    def children(self) -> Sequence[RASPExpr]:
        """None: the matrix is given."""
        return ()


@dataclass(frozen=True, eq=False, repr=False)
class SelectorAnd(Selector):
    """Selects what both selectors select."""

    default_name: ClassVar[str] = "selector_and"
    fst: Selector
    snd: Selector

    def __post_init__(self) -> None:
        """Check the parts."""
        require_selector(self, "fst", self.fst)
        require_selector(self, "snd", self.snd)

    @property
    def children(self) -> Sequence[RASPExpr]:
        """The two selectors."""
        return (self.fst, self.snd)


@dataclass(frozen=True, eq=False, repr=False)
class SelectorOr(Selector):
    """Selects what at least one of two selectors selects."""

    default_name: ClassVar[str] = "selector_or"
    fst: Selector
    snd: Selector

    def __post_init__(self) -> None:
        """Check the parts."""
        require_selector(self, "fst", self.fst)
        require_selector(self, "snd", self.snd)

    @property
    def children(self) -> Sequence[RASPExpr]:
        """The two selectors."""
        return (self.fst, self.snd)


@dataclass(frozen=True, eq=False, repr=False)
class SelectorNot(Selector):
    """Selects what a selector does not, among the pairs where it sees values."""

    default_name: ClassVar[str] = "selector_not"
    inner: Selector

    def __post_init__(self) -> None:
        """Check the parts."""
        require_selector(self, "inner", self.inner)

    @property
    def children(self) -> Sequence[RASPExpr]:
        """The selector that is negated."""
        return (self.inner,)


@dataclass(frozen=True)
class NegatedPredicate:
    """The predicate that holds where another does not."""

    inner: Predicate

    def __call__(self, key: Any, query: Any) -> bool:
        """Return whether the inner predicate fails."""
        return not self.inner(key, query)


@dataclass(frozen=True)
class BoundPredicate:
    """A predicate that takes its key or its query from `fill` and ignores what it is given."""

    inner: Predicate
    fill: Any
    binds_key: bool

    def __call__(self, key: Any, query: Any) -> bool:
        """Return the inner predicate with `fill` in its place."""
        if self.binds_key:
            return bool(self.inner(self.fill, query))
        return bool(self.inner(key, self.fill))


@dataclass(frozen=True)
class CombinedPredicate:
    """Both of two predicates, or at least one of them."""

    fst: Predicate
    snd: Predicate
    both: bool

    def __call__(self, key: Any, query: Any) -> bool:
        """Return whether the combination holds."""
        if self.both:
            return bool(self.fst(key, query) and self.snd(key, query))
        return bool(self.fst(key, query) or self.snd(key, query))


def selector_not(inner: Selector, simplify: bool = True) -> Selector:
    """Return the negation of `inner`: a `Select` if `inner` is one and `simplify` is true."""
    if not (simplify and isinstance(inner, Select)):
        return SelectorNot(inner)
    predicate = inner.predicate
    if isinstance(predicate, Comparison):
        return Select(inner.keys, inner.queries, predicate.complement)
    return Select(inner.keys, inner.queries, NegatedPredicate(predicate))


def selector_and(fst: Selector, snd: Selector, simplify: bool = True) -> Selector:
    """Return the conjunction: one `Select` if `simplify` is true and both look at the same SOps."""
    merged = _merged(fst, snd, both=True) if simplify else None
    return SelectorAnd(fst, snd) if merged is None else merged


def selector_or(fst: Selector, snd: Selector, simplify: bool = True) -> Selector:
    """Return the disjunction: one `Select` if `simplify` is true and both look at the same SOps."""
    merged = _merged(fst, snd, both=False) if simplify else None
    return SelectorOr(fst, snd) if merged is None else merged


def _common(fst: SOp, snd: SOp) -> SOp | None:
    """Return the SOp that can stand for both: a constant is known wherever the other is."""
    if fst is snd:
        return fst
    if isinstance(fst, Full) and fst.fill is not None:
        return snd
    if isinstance(snd, Full) and snd.fill is not None:
        return fst
    return None


def _rebased(select: Select, keys: SOp, queries: SOp) -> Predicate:
    """Return the predicate of `select` for use over other keys and queries."""
    predicate = select.predicate
    if isinstance(select.keys, Full) and select.keys is not keys:
        predicate = BoundPredicate(predicate, select.keys.fill, binds_key=True)
    if isinstance(select.queries, Full) and select.queries is not queries:
        predicate = BoundPredicate(predicate, select.queries.fill, binds_key=False)
    return predicate


def _merged(fst: Selector, snd: Selector, *, both: bool) -> Select | None:
    """Return one `Select` for two, or `None` where their keys or queries differ."""
    if not (isinstance(fst, Select) and isinstance(snd, Select)):
        return None
    keys = _common(fst.keys, snd.keys)
    queries = _common(fst.queries, snd.queries)
    if keys is None or queries is None:
        return None
    predicates = (_rebased(fst, keys, queries), _rebased(snd, keys, queries))
    return Select(keys, queries, CombinedPredicate(*predicates, both=both))
