"""Normal form: a program as what its attention does, however it is written.

The *units* of a program are its selectors, its aggregates, its selector widths, and the
functions that its outputs are of these. Whatever is computed position by position in between
is part of the unit that reads it (`local_function`). Names are gone, and so are maps that only
rename values, conversions between encodings, constants, what does not matter, and what no
output depends on; units that do the same with the same units are one. So two texts of one
program have one normal form: with other names, in another order, with an expression written
once or twice, in one statement or in several.

A value that attention copies keeps its name, and those that stand for several values each are
numbered, so that what later units do is compared on the same values, whatever a program calls
them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Int

from ..compiler import program as ir
from ..compiler.effort import Effort
from ..compiler.values import as_argument
from .local_function import (
    Column,
    LocalFunction,
    Name,
    Results,
    Rows,
    carried,
    combinations,
    is_carried,
    local_values,
    partition,
)
from .seen_aggregates import SeenAggregate, seen_aggregates

Kind = Literal["tokens", "indices", "selector", "aggregate", "width", "function"]
TOKENS, INDICES = 0, 1
"""The numbers of the input's units."""
_DIGITS = 9
_NO_FUNCTION = LocalFunction((), lambda rows: np.zeros(len(rows)))


@dataclass(frozen=True, eq=False)
class Unit:
    """One thing that attention does, or a function at the output.

    Attributes:
        kind: what.
        function: of what it reads: of a selector whether a key is selected; of an aggregate
            what is brought.
        selector: the number of the selector that it attends with; `None` if it does not.
        names: of the values that it has.
        averages: whether it is a mean of different numbers, and no value that is copied.
        otherwise: of an aggregate, what is brought where nothing is selected, as a result of
            its function.
    """

    kind: Kind
    function: LocalFunction
    selector: int | None = None
    names: tuple[Name, ...] = ()
    averages: bool = False
    otherwise: float = np.nan


Edge = tuple[int, int, str]
"""From a unit to a unit, and as what it is read. The output with number n is unit -1 - n."""


@dataclass(frozen=True, eq=False)
class NormalForm:
    """A program as what its attention does.

    Attributes:
        units: tokens and indices first, then in topological order.
        edges: who reads whom as what.
        holders: the nodes of the program that are each unit; of selectors and functions none.
        seen: what the aggregates among the program's nodes do on inputs.
    """

    units: tuple[Unit, ...]
    edges: frozenset[Edge]
    holders: Mapping[int, tuple[int, ...]]
    seen: Mapping[int, SeenAggregate]

    @classmethod
    def of(
        cls,
        program: ir.Program,
        inputs: Int[np.ndarray, "inputs position"],
        effort: Effort | None = None,
    ) -> "NormalForm":
        """Return the normal form of a program.

        Args:
            program: as traced; distractors are left out.
            inputs: token ids, on which it is seen whether a mean is ever one of different
                numbers.
            effort: what it may take to look at the functions, here and when units are compared;
                without end by default.

        Raises:
            EffortError: it takes more.
        """
        return _Normaliser(program, inputs, effort or Effort()).form()

    @property
    def inner(self) -> range:
        """The numbers of the units that are no input."""
        return range(2, len(self.units))


class _Normaliser:
    """Turns nodes into units; lives for one program."""

    def __init__(self, program: ir.Program, inputs: np.ndarray, effort: Effort) -> None:
        self._program = program
        self._effort = effort
        self._needed = sorted(ir.ancestors(program, *program.outputs))
        self._seen = seen_aggregates(program, inputs, self._needed)
        self._units: list[Unit] = []
        self._known: dict[tuple[object, ...], int] = {}
        self._unit_of: dict[int, int] = {}
        self._ids: dict[int, np.ndarray] = {}
        vocabulary = tuple(as_argument(value) for value in program.vocabulary.values)
        self._units.append(Unit("tokens", _NO_FUNCTION, names=vocabulary))
        self._units.append(Unit("indices", _NO_FUNCTION, names=tuple(range(program.max_length))))

    def form(self) -> NormalForm:
        """Go through the nodes that outputs depend on, in their order."""
        for place in self._needed:
            node = self._program.nodes[place]
            if is_carried(node):
                self._carry(place, node)
        edges = [
            edge
            for number, place in enumerate(self._program.outputs)
            for edge in self._output(-1 - number, place)
        ]
        reads: list[set[Edge]] = []
        for number, unit in enumerate(self._units):
            own = {(column.unit, number, column.role) for column in unit.function.columns}
            if unit.selector is not None:
                own.add((unit.selector, number, "selector"))
            reads.append(own)
        return self._without_dead_code({*edges}.union(*reads))

    def _without_dead_code(self, edges: set[Edge]) -> NormalForm:
        """Return the units that some output is computed from, numbered anew."""
        alive = {TOKENS, INDICES, *(source for source, target, _ in edges if target < 0)}
        for number in reversed(range(len(self._units))):
            if number in alive:
                alive |= {source for source, target, _ in edges if target == number}
        now = {old: new for new, old in enumerate(sorted(alive))}
        units = tuple(_renumbered(self._units[old], now) for old in now)
        moved = {
            (now[source], now.get(target, target), role)
            for source, target, role in edges
            if target < 0 or target in now
        }
        holders: dict[int, list[int]] = {number: [] for number in now.values()}
        for place, unit in self._unit_of.items():
            if unit in now:
                holders[now[unit]].append(place)
        kept = {number: tuple(places) for number, places in holders.items()}
        return NormalForm(units, frozenset(moved), kept, self._seen)

    # -- variables -----------------------------------------------------------------

    def _carry(self, place: int, node: ir.Node) -> None:
        """Note which unit a carried variable is, and where its values are in the domain."""
        match node.operation:
            case ir.Tokens() | ir.Indices():
                unit = TOKENS if isinstance(node.operation, ir.Tokens) else INDICES
                ids = np.arange(len(node.domain))
            case ir.ReciprocalWidth(selector=selector):
                unit, ids = self._width(self._selector(selector), node)
            case ir.Aggregate():
                unit, ids = self._aggregate(place, node, node.operation)
        self._unit_of[place], self._ids[place] = unit, ids

    def _new(self, key: tuple[object, ...], unit: Unit) -> int:
        """Return the number of a unit, the same for units of the same key."""
        if key not in self._known:
            self._known[key] = len(self._units)
            self._units.append(unit)
        return self._known[key]

    def _columns(self, targets: Iterable[int], role: str) -> list[Column]:
        """Return the units that variables are computed from."""
        places = {one for target in targets for one in carried(self._program, target)}
        columns = []
        for unit in sorted({self._unit_of[one] for one in places}):
            own = [self._program.nodes[one] for one in places if self._unit_of[one] == unit]
            names = self._units[unit].names
            if None not in names and any(node.optional for node in own):
                names = (*names, None)
            columns.append(Column(role, unit, names))
        return columns

    def _given(self, columns: Sequence[Column], role: str, rows: Rows) -> dict[int, np.ndarray]:
        """Return the places in domains of all carried variables that columns hold."""
        at = {one.unit: place for place, one in enumerate(columns) if one.role == role}
        given = {}
        for place, unit in self._unit_of.items():
            if unit in at:
                column = at[unit]
                ids = self._ids[place]
                missing = len(columns[column].names) - len(ids)
                given[place] = np.pad(ids, (0, missing), constant_values=-1)[rows[:, column]]
        return given

    def _values(self, place: int, given: Mapping[int, np.ndarray]) -> Results:
        """Return a variable on combinations of what is carried."""
        return local_values(self._program, place, given, self._effort)

    # -- attention -----------------------------------------------------------------

    def _selector(self, place: int) -> int:
        """Return the unit of a selector."""
        operation = self._program.nodes[place].operation
        assert isinstance(operation, ir.Select)
        conditions = operation.conditions
        keys = {one.keys for one in conditions if one.keys is not None}
        queries = {one.queries for one in conditions if one.queries is not None}
        columns = [*self._columns(keys, "key"), *self._columns(queries, "query")]

        def results(rows: Rows) -> Results:
            at_key, at_query = (self._given(columns, role, rows) for role in ("key", "query"))
            found = np.ones(len(rows))
            for one in conditions:
                nothing = np.zeros(len(rows))
                key, query = (
                    nothing if side is None else self._values(side, given)
                    for side, given in ((one.keys, at_key), (one.queries, at_query))
                )
                holds = np.pad(one.table, (0, 1))[_ids(query), _ids(key)]
                found = np.where(np.isnan(key + query), np.nan, found * holds)
            return np.where(self._is_masked(columns, rows), np.nan, found)

        function = LocalFunction.of(columns, results)
        key = ("selector", _read(function), function.all_results.tobytes())
        return self._new(key, Unit("selector", function))

    def _is_masked(self, columns: Sequence[Column], rows: Rows) -> np.ndarray:
        """Return the pairs of which the key comes after the query, where it may not."""
        at = {one.role: place for place, one in enumerate(columns) if one.unit == INDICES}
        if not self._program.causal or len(at) < 2:
            return np.zeros(len(rows), dtype=bool)
        return np.asarray(rows[:, at["key"]] > rows[:, at["query"]])

    def _width(self, selector: int, node: ir.Node) -> tuple[int, np.ndarray]:
        """Return the unit of a selector width, and the places of its values."""
        widths = [round(1 / number) - 1 for number in node.domain.numbers]
        unit = Unit("width", _NO_FUNCTION, selector, names=tuple(sorted(widths)))
        number = self._new(("width", selector), unit)
        return number, _aligned(self._units[number].names, widths, range(len(widths)))

    def _aggregate(
        self, place: int, node: ir.Node, operation: ir.Aggregate
    ) -> tuple[int, np.ndarray]:
        """Return the unit of an aggregate, and the places of its values."""
        selector = self._selector(operation.selector)
        columns, table = self._columns([operation.value], "value"), np.append(operation.table, -1)
        seen = self._seen[place]
        numbers = np.append(node.domain.numbers if seen.averages else range(len(node.domain)), -1)

        def results(rows: Rows) -> Results:
            found = self._values(operation.value, self._given(columns, "value", rows))
            return np.where(np.isnan(found), np.nan, numbers[table[_ids(found)]])

        function = LocalFunction.of(columns, results)
        otherwise = float(numbers[operation.default]) if seen.empty else np.nan
        everything = np.append(function.all_results, otherwise)
        if seen.averages:
            content = np.round(everything, _DIGITS).tobytes()
            names = {value: at for at, value in enumerate(node.domain.values)}
        else:
            content = partition(everything)
            names = _names(function, otherwise)
        unit = Unit("aggregate", function, selector, tuple(names), seen.averages, otherwise)
        key = ("aggregate", selector, _read(function), seen.averages, content)
        number = self._new(key, unit)
        return number, _aligned(self._units[number].names, names, names.values())

    # -- outputs -------------------------------------------------------------------

    def _output(self, number: int, place: int) -> set[Edge]:
        """Return what an output is read from: a unit, or a function of several, or of some."""
        columns = self._columns([place], "argument")
        function = LocalFunction.of(
            columns, lambda rows: self._values(place, self._given(columns, "argument", rows))
        )
        unit = _renamed(function)
        if unit is not None:
            return {(unit, number, "output")}
        key = ("function", _read(function), partition(function.all_results))
        return {(self._new(key, Unit("function", function)), number, "output")}


def _renumbered(unit: Unit, now: Mapping[int, int]) -> Unit:
    """Return a unit that reads the same units under other numbers."""
    columns = tuple(replace(column, unit=now[column.unit]) for column in unit.function.columns)
    selector = None if unit.selector is None else now[unit.selector]
    return replace(unit, function=replace(unit.function, columns=columns), selector=selector)


def _ids(places: np.ndarray) -> np.ndarray:
    """Return places as integers; that of no value where there is none."""
    return np.nan_to_num(places, nan=-1).astype(np.int64)


def _read(function: LocalFunction) -> tuple[tuple[str, int], ...]:
    return tuple((column.role, column.unit) for column in function.columns)


def _renamed(function: LocalFunction) -> int | None:
    """Return the unit of which a function only renames the values; `None` if it does more."""
    if len(function.columns) != 1:
        return None
    results = function.all_results
    return function.columns[0].unit if len(np.unique(results)) == len(results) else None


def _names(function: LocalFunction, otherwise: float) -> dict[Name, int]:
    """Return names for what an aggregate brings, with the places of the values in its domain.

    What stands for one value of one variable has its name; what stands for several has a number,
    in the order of how many they are.
    """
    members: dict[float, list[Name]] = {}
    columns = function.columns
    rows = combinations(tuple(len(column.names) for column in columns))
    for row, result in zip(rows.tolist(), function.results(rows).tolist(), strict=True):
        values = tuple(column.names[at] for column, at in zip(columns, row, strict=True))
        if not np.isnan(result):
            members.setdefault(result, []).append(values[0] if len(values) == 1 else values)
    names: dict[Name, int] = {}
    largest_first = sorted(members.items(), key=lambda one: -len(one[1]))
    for number, (result, alike) in enumerate(largest_first):
        alone = len(columns) == 1 and len(alike) == 1
        names[alike[0] if alone else ("class", number)] = int(result)
    if -1.0 in members:
        names = {name: at for name, at in names.items() if at >= 0} | {None: -1}
    if not np.isnan(otherwise) and otherwise not in members:
        names[("otherwise",) if None in names else None] = int(otherwise)
    return names


def _aligned(
    names: Sequence[Name], own: Iterable[Name], places: Iterable[int]
) -> Int[np.ndarray, " names"]:
    """Return for each name of a unit the place of that value in the domain of a node."""
    known = dict(zip(own, places, strict=True))
    return np.array([known.get(name, -1) for name in names], dtype=np.int64)
