"""Attention blocks: selectors and what is done with them -> heads.

A query value `u` and a key value `v` score `S` for each condition whose table holds at
`[u, v]`, with `S = SHARPNESS`, so that a pair is selected when it scores as often as
there are conditions, `m` times. BOS scores `(m - 1/2) S` for an aggregate, so that it is
attended when and only when nothing is selected, and holds the default; it scores `m S`
for a selector width `w`, so that its weight is `1 / (1 + w)`. Padding scores at most
`(m - 1) S`: nothing where the keys are zero there, and `2 S` less than a token where they
are not, since whatever they hold is a mixture of values. What leaks to unselected
positions is at most `n exp(-S / 2)`, about 1e-12 at 64 positions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from . import program as ir
from .blocks import BOS, PAD, HeadBlock, Reads, Variable
from .quotients import classes
from .residual_coding import encode_rows
from .values import Encoding

SHARPNESS = 64.0
AGGREGATE_BOS = -0.5
WIDTH_BOS = 0.0
PADDING = -2.0
_FEW = 4

VariableOf = Callable[[int], Variable]


def aggregate_block(
    place: int, program: ir.Program, variable_of: VariableOf
) -> tuple[HeadBlock, Variable]:
    """Return the head of an aggregate, and what it writes."""
    node = program.nodes[place]
    operation = node.operation
    assert isinstance(operation, ir.Aggregate)
    value = variable_of(operation.value)
    convert = _conversion(value, node, operation.table)
    default = encode_rows(node.domain, node.encoding, np.array([operation.default]))[0]
    values = {value.name: convert}
    correction = default - value.at_bos @ convert
    if correction.any():
        values[BOS] = correction[None, :]
    attends = (operation.selector, AGGREGATE_BOS)
    block = HeadBlock(node.name, attends, *_attention(program, *attends, variable_of), values)
    return block, Variable(node.name, place, node.encoding, node.domain, default)


def width_block(
    place: int, program: ir.Program, variable_of: VariableOf
) -> tuple[HeadBlock, Variable]:
    """Return the head that writes `1 / (1 + width)`: how much it attends to BOS."""
    node = program.nodes[place]
    operation = node.operation
    assert isinstance(operation, ir.ReciprocalWidth)
    attends = (operation.selector, WIDTH_BOS)
    values = {BOS: np.ones((1, 1))}
    block = HeadBlock(node.name, attends, *_attention(program, *attends, variable_of), values)
    return block, Variable(node.name, place, node.encoding, node.domain, np.ones(1))


def _conversion(value: Variable, node: ir.Node, table: np.ndarray) -> np.ndarray:
    """Return the matrix from a value's coefficients to those of the aggregate that takes it."""
    if value.encoding is Encoding.NUMERICAL:
        return np.ones((1, 1))
    return encode_rows(node.domain, node.encoding, table)


def _attention(
    program: ir.Program, selector: int, bos_score: float, variable_of: VariableOf
) -> tuple[Reads, np.ndarray, Reads]:
    """Return the query matrices, the query bias and the key matrices of a selector.

    The inner dimensions are those of the conditions on both sides; one for conditions on
    the query alone, by what BOS scores less; one for conditions on the key alone, with a
    constant query that is cancelled at BOS; and the sink, with a constant query, for
    BOS and padding.
    """
    select = program.nodes[selector].operation
    assert isinstance(select, ir.Select)
    conditions = select.conditions
    through = _cheapest([c for c in conditions if c.keys is not None and c.queries is not None])
    on_query = [c for c in conditions if c.keys is None and c.queries is not None]
    on_key = [c for c in conditions if c.queries is None]
    of_query = sum(len(part.kept) for part in through)
    of_key = of_query + bool(on_query)
    inner = of_key + bool(on_key) + 1
    queries, keys = _Matrices(variable_of, inner), _Matrices(variable_of, inner)
    start = 0
    for part in through:
        own, others = (queries, keys) if part.by_query else (keys, queries)
        chosen = np.flatnonzero(part.number >= 0)
        own.of(part.place)[chosen, start + part.number[chosen]] += 1.0
        for place, table in part.others:
            others.of(place)[:, start : start + len(part.kept)] += table[part.kept].T
        start += len(part.kept)
    at_bos, cancelled = np.zeros(inner), np.zeros(inner)
    at_bos[-1] = len(conditions) + bos_score
    bias = _unit(inner, SHARPNESS)
    for one in on_query:
        assert one.queries is not None
        queries.of(one.queries)[:, of_query] += one.table[:, 0]
        at_bos[of_query] = -1.0
    for one in on_key:
        bias[of_key], cancelled[of_key] = SHARPNESS, -1.0
        if one.keys is None:
            at_bos[of_key] -= float(one.table.item())
        else:
            keys.of(one.keys)[:, of_key] += one.table[0]
    constants = {BOS: at_bos - keys.at_bos()}
    if not keys.variables or not all(variable.zero_at_pad for variable in keys.variables):
        constants[PAD] = _unit(inner, PADDING)
    asked = {BOS: cancelled - queries.at_bos()}
    asking = queries.with_rows(asked if asked[BOS].any() else {})
    for matrix in asking.values():
        matrix *= SHARPNESS
    return asking, bias, keys.with_rows(constants)


def _unit(size: int, value: float) -> np.ndarray:
    """Return zeros with `value` at the end."""
    return np.append(np.zeros(size - 1), value)


class _Matrices:
    """What a head reads on one side: for each variable a matrix `[width, inner]`, in the making."""

    def __init__(self, variable_of: VariableOf, inner: int) -> None:
        self.variables: list[Variable] = []
        self._matrices: dict[str, np.ndarray] = {}
        self._variable_of = variable_of
        self._inner = inner

    def of(self, place: int) -> np.ndarray:
        """Return the matrix of a variable, zero at first."""
        variable = self._variable_of(place)
        if variable.name not in self._matrices:
            self._matrices[variable.name] = np.zeros((variable.width, self._inner))
            self.variables.append(variable)
        return self._matrices[variable.name]

    def at_bos(self) -> np.ndarray:
        """Return what the variables contribute at BOS."""
        each = [v.at_bos @ self._matrices[v.name] for v in self.variables if v.at_bos.any()]
        return np.sum(each, axis=0) if each else np.zeros(self._inner)

    def with_rows(self, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the matrices, and those of flags, which have a single row."""
        return self._matrices | {name: row[None, :] for name, row in rows.items()}


@dataclass(frozen=True, eq=False)
class _Classes:
    """Conditions on the same variable at one side, by values of it that behave alike.

    Attributes:
        by_query: whether the variable is at the query.
        place: the variable's node.
        kept: the first value of each class that is not beyond all selection.
        number: the class of each value, -1 for values beyond all selection.
        others: the node at the other side and the table `[own value, other value]` of
            each condition.
    """

    by_query: bool
    place: int
    kept: np.ndarray
    number: np.ndarray
    others: tuple[tuple[int, np.ndarray], ...]


def _cheapest(conditions: list[ir.Condition]) -> list[_Classes]:
    """Return the classes through which the conditions need the fewest inner dimensions.

    Each condition goes through classes of query values that select alike, or of key values
    that are selected alike; conditions on the same variable share the classes. Beyond four
    conditions all go through the same side.
    """
    count = len(conditions)
    if count <= _FEW:
        choices = list(product((True, False), repeat=count))
    else:
        choices = [(True,) * count, (False,) * count]
    found = [_through(conditions, choice) for choice in choices]
    return min(found, key=lambda parts: sum(len(part.kept) for part in parts))


def _through(conditions: list[ir.Condition], by_query: tuple[bool, ...]) -> list[_Classes]:
    """Return the classes where each condition goes through the side that is named."""
    groups: dict[tuple[bool, int], list[tuple[int, np.ndarray]]] = {}
    for condition, at_query in zip(conditions, by_query, strict=True):
        assert condition.queries is not None and condition.keys is not None
        if at_query:
            own, other, table = condition.queries, condition.keys, condition.table
        else:
            own, other, table = condition.keys, condition.queries, condition.table.T
        groups.setdefault((at_query, own), []).append((other, table))
    made = []
    for (at_query, own), others in groups.items():
        tables = [table for _, table in others]
        stacked = tables[0] if len(tables) == 1 else np.concatenate(tables, axis=1)
        first, member_of = classes(stacked)
        selects = stacked[first].any(axis=1)
        number = np.where(selects, np.cumsum(selects) - 1, -1)
        made.append(_Classes(at_query, own, first[selects], number[member_of], tuple(others)))
    return made
