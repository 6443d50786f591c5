"""Program: a RASP program as data, a frozen graph with every function tabulated.

Nodes stand in topological order and refer to each other by position. A function
of values is an integer table over the positions of those values in the domains
of its arguments; -1 stands for `None`. There are no lambdas left.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from .values import Domain, Encoding, Value


@dataclass(frozen=True)
class Tokens:
    """The input tokens."""


@dataclass(frozen=True)
class Indices:
    """The positions 0, 1, ... of the tokens."""


@dataclass(frozen=True, eq=False)
class Map:
    """A function of one variable: `table[value] -> value`, int64 `[d_inner]`."""

    inner: int
    table: np.ndarray


@dataclass(frozen=True, eq=False)
class SequenceMap:
    """A function of two variables at the same position: `table` int64 `[d_fst, d_snd]`."""

    fst: int
    snd: int
    table: np.ndarray


@dataclass(frozen=True)
class LinearMap:
    """`fst_factor * fst + snd_factor * snd`, for numbers."""

    fst: int
    snd: int
    fst_factor: Fraction
    snd_factor: Fraction


@dataclass(frozen=True, eq=False)
class Select:
    """A selector: `table[query value, key value]`, bool `[d_queries, d_keys]`.

    `None`, as a key or as a query, is never selected.
    """

    keys: int
    queries: int
    table: np.ndarray


@dataclass(frozen=True)
class Aggregate:
    """The mean (numerical) or the common value (categorical) over selected positions."""

    selector: int
    value: int
    default: Value


@dataclass(frozen=True)
class SelectorWidth:
    """The number of selected positions."""

    selector: int


Operation = Tokens | Indices | Map | SequenceMap | LinearMap | Select | Aggregate | SelectorWidth


@dataclass(frozen=True, eq=False)
class Node:
    """One expression of a program.

    Attributes:
        name: unique within the program.
        operation: what it computes, from which nodes.
        domain: the values it can take (`None` not counted); empty for selectors.
        encoding: how it is written into the residual stream.
        optional: whether it may be `None`.
    """

    name: str
    operation: Operation
    domain: Domain
    encoding: Encoding = Encoding.CATEGORICAL
    optional: bool = False

    @property
    def is_selector(self) -> bool:
        """Whether the node is a selector, and thus no variable of its own."""
        return isinstance(self.operation, Select)

    @property
    def width(self) -> int:
        """Residual dimensions of the node's variable."""
        return 1 if self.encoding is Encoding.NUMERICAL else len(self.domain)


@dataclass(frozen=True, eq=False)
class Program:
    """A RASP program over a vocabulary and a greatest length.

    Attributes:
        nodes: in topological order.
        outputs: positions of the output nodes; the first is read out, others
            (distractors) are computed and left in the residual stream.
        vocabulary: the tokens.
        max_length: the longest sequence.
        causal: whether selectors see only keys up to the query's position.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    vocabulary: Domain
    max_length: int
    causal: bool

    @property
    def output(self) -> Node:
        """The node that the model reads out."""
        return self.nodes[self.outputs[0]]


def operands(operation: Operation) -> tuple[int, ...]:
    """Return the positions of the nodes that `operation` takes."""
    match operation:
        case Tokens() | Indices():
            return ()
        case Map(inner=inner):
            return (inner,)
        case SequenceMap(fst=fst, snd=snd) | LinearMap(fst=fst, snd=snd):
            return (fst, snd)
        case Select(keys=keys, queries=queries):
            return (keys, queries)
        case Aggregate(selector=selector, value=value):
            return (selector, value)
        case SelectorWidth(selector=selector):
            return (selector,)


def with_operands(operation: Operation, places: tuple[int, ...]) -> Operation:
    """Return `operation` taking the nodes at `places` instead of its own."""
    match operation:
        case Tokens() | Indices():
            return operation
        case Map():
            return replace(operation, inner=places[0])
        case SequenceMap() | LinearMap():
            return replace(operation, fst=places[0], snd=places[1])
        case Select():
            return replace(operation, keys=places[0], queries=places[1])
        case Aggregate():
            return replace(operation, selector=places[0], value=places[1])
        case SelectorWidth():
            return replace(operation, selector=places[0])


def ancestors(program: Program, place: int) -> frozenset[int]:
    """Return the positions of all nodes that `place` depends on, itself included."""
    reached: set[int] = set()
    pending = [place]
    while pending:
        current = pending.pop()
        if current not in reached:
            reached.add(current)
            pending.extend(operands(program.nodes[current].operation))
    return frozenset(reached)
