"""Program: a RASP program as data, a frozen graph with every function tabulated.

Nodes stand in topological order and refer to each other by position. A function
of values is an integer table over the positions of those values in the domains
of its arguments; -1 stands for `None`. There are no lambdas left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .values import Domain, Encoding


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


@dataclass(frozen=True, eq=False)
class Term:
    """One summand of a sum of numbers.

    Attributes:
        node: a variable that is never `None`.
        weights: float64. For a categorical variable one number for each value. For a
            numerical variable one factor; or one number for each of several values, which
            steps read and only a `LinearMap` can add.
    """

    node: int
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class LinearMap:
    """The sum of its terms, a number; linear in all that is not read by steps."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, eq=False)
class RidgeMap:
    """A function of a sum of numbers: `table[position of the sum in sums] -> value`.

    A ridge function in the sense of approximation theory: what two numbers have to
    do with each other is often decided by their difference.
    """

    terms: tuple[Term, ...]
    sums: Domain
    table: np.ndarray


@dataclass(frozen=True, eq=False)
class Condition:
    """A relation of keys and queries: `table[query value, key value]`, bool `[d_queries, d_keys]`.

    A side that is `None` does not matter; its axis of the table has length one.
    """

    keys: int | None
    queries: int | None
    table: np.ndarray


@dataclass(frozen=True)
class Select:
    """A selector: the pairs of positions at which all of its conditions hold.

    `None`, as a key or as a query, is never selected.
    """

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, eq=False)
class Aggregate:
    """The mean (numerical) or the common value (categorical) over selected positions.

    Attributes:
        selector: which positions are selected.
        value: the variable that is aggregated.
        table: int64 `[d_value]`: the value here of each value there. A numerical
            variable is aggregated as it is, and its table says no more than that.
        default: the value here where nothing is selected, -1 for `None`.
    """

    selector: int
    value: int
    table: np.ndarray
    default: int


@dataclass(frozen=True)
class ReciprocalWidth:
    """`1 / (1 + width)`, where the width is the number of selected positions."""

    selector: int


Operation = (
    Tokens
    | Indices
    | Map
    | SequenceMap
    | LinearMap
    | RidgeMap
    | Select
    | Aggregate
    | ReciprocalWidth
)


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
    def is_numerical(self) -> bool:
        """Whether the node is a variable of one direction."""
        return self.encoding is Encoding.NUMERICAL and not self.is_selector

    @property
    def width(self) -> int:
        """Residual dimensions of the node's variable."""
        return 1 if self.encoding is Encoding.NUMERICAL else len(self.domain)


@dataclass(frozen=True, eq=False)
class Program:
    """A RASP program over a vocabulary and a greatest length.

    Attributes:
        nodes: in topological order.
        outputs: positions of the output nodes, which are read out.
        vocabulary: the tokens.
        max_length: the longest sequence.
        causal: whether selectors see only keys up to the query's position.
        beside: positions of nodes (distractors) that are computed too, and left in
            the residual stream.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    vocabulary: Domain
    max_length: int
    causal: bool
    beside: tuple[int, ...] = ()

    @property
    def roots(self) -> tuple[int, ...]:
        """The nodes that must be computed: the outputs and those beside them."""
        return self.outputs + self.beside

    @property
    def name(self) -> str:
        """The names of the outputs."""
        return ", ".join(self.nodes[place].name for place in self.outputs)


def operands(operation: Operation) -> tuple[int, ...]:
    """Return the positions of the nodes that `operation` takes."""
    match operation:
        case Tokens() | Indices():
            return ()
        case Map(inner=inner):
            return (inner,)
        case SequenceMap(fst=fst, snd=snd):
            return (fst, snd)
        case LinearMap(terms=terms) | RidgeMap(terms=terms):
            return tuple(term.node for term in terms)
        case Select(conditions=conditions):
            sides = [side for one in conditions for side in (one.keys, one.queries)]
            return tuple(side for side in sides if side is not None)
        case Aggregate(selector=selector, value=value):
            return (selector, value)
        case ReciprocalWidth(selector=selector):
            return (selector,)


def is_stepped(nodes: Sequence[Node], term: Term) -> bool:
    """Return whether a term is a function of a number that is no multiple of it."""
    return nodes[term.node].is_numerical and len(term.weights) > 1


def with_operands(operation: Operation, places: Mapping[int, int]) -> Operation:
    """Return `operation` taking the node at `places[n]` in place of node `n`."""
    match operation:
        case Tokens() | Indices():
            return operation
        case Map(inner=inner):
            return replace(operation, inner=places[inner])
        case SequenceMap(fst=fst, snd=snd):
            return replace(operation, fst=places[fst], snd=places[snd])
        case LinearMap(terms=terms) | RidgeMap(terms=terms):
            moved = tuple(replace(term, node=places[term.node]) for term in terms)
            return replace(operation, terms=moved)
        case Select(conditions=conditions):
            return Select(tuple(_moved(condition, places) for condition in conditions))
        case Aggregate(selector=selector, value=value):
            return replace(operation, selector=places[selector], value=places[value])
        case ReciprocalWidth(selector=selector):
            return ReciprocalWidth(places[selector])


def _moved(condition: Condition, places: Mapping[int, int]) -> Condition:
    """Return a condition on other nodes."""
    keys, queries = (
        None if side is None else places[side] for side in (condition.keys, condition.queries)
    )
    return Condition(keys, queries, condition.table)


def with_nodes(program: Program, nodes: Sequence[Node], places: Mapping[int, int]) -> Program:
    """Return `program` with other nodes, its outputs at `places[n]` where they were at `n`."""
    outputs, beside = (
        tuple(places[place] for place in roots) for roots in (program.outputs, program.beside)
    )
    return replace(program, nodes=tuple(nodes), outputs=outputs, beside=beside)


def ancestors(program: Program, *places: int) -> frozenset[int]:
    """Return the positions of all nodes that `places` depend on, themselves included."""
    reached: set[int] = set()
    pending = list(places)
    while pending:
        current = pending.pop()
        if current not in reached:
            reached.add(current)
            pending.extend(operands(program.nodes[current].operation))
    return frozenset(reached)
