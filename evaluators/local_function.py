"""LocalFunction: what a program computes position by position, between one attention and the next.

However such a computation is written (in one expression or in many, with choices, sums or
tables), it is a function of variables that attention brought or that are the input. Two
programs have the same local function where it maps the same values to the same result, the
names of results aside.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from ..compiler import program as ir
from ..compiler.effort import Effort
from ..compiler.interpreter import nearest, position_by_position, sum_of

MOST_ROWS = 2**12
"""On how many combinations of values a function is looked at; drawn at random if there are more."""
MOST_STEPS = 64
"""How many other values are tried to see whether a column matters, spread evenly."""
_ROUNDING = 1e-6

Name = Hashable
"""The name of a value; `None` is that of no value."""
Rows = Int[np.ndarray, "rows column"]
Results = Float[np.ndarray, " rows"]
"""Numbers that stand for results; NaN where the values of a row never come together."""


@dataclass(frozen=True, eq=False)
class Column:
    """One variable that a function reads.

    Attributes:
        role: as what: `key`, `query`, `value` or `argument`.
        unit: which variable, by its number in the normal form.
        names: of its values.
    """

    role: str
    unit: int
    names: tuple[Name, ...]


@dataclass(frozen=True, eq=False)
class LocalFunction:
    """A function of variables at the same position, or of a key and a query.

    Attributes:
        columns: what it reads, and nothing that does not matter to it.
        results: of rows of places in `Column.names`.
    """

    columns: tuple[Column, ...]
    results: Callable[[Rows], Results]

    @classmethod
    def of(cls, columns: Sequence[Column], results: Callable[[Rows], Results]) -> "LocalFunction":
        """Return a function without the columns that do not matter to it.

        Args:
            columns: what it is computed from.
            results: as in the class.
        """
        sizes = [len(column.names) for column in columns]
        # No key may be held after a query, which with a causal mask cannot come together.
        held = np.array([size - 1 for size in sizes], dtype=np.int64)
        held[[column.role == "key" for column in columns]] = 0
        kept = list(range(len(columns)))
        for column, size in enumerate(sizes):
            rows = _with(held, kept, combinations(tuple(sizes[at] for at in kept)))
            if not _matters(rows, column, size, results):
                kept.remove(column)
        return cls(tuple(columns[at] for at in kept), lambda rows: results(_with(held, kept, rows)))

    @property
    def all_results(self) -> Results:
        """The results of every combination of values, or of a fixed sample of them."""
        return self.results(combinations(tuple(len(column.names) for column in self.columns)))


def _with(
    held: Int[np.ndarray, " column"], kept: Sequence[int], rows: Int[np.ndarray, "rows kept"]
) -> Rows:
    """Return rows of all columns: those that are kept as given, the others held."""
    whole = np.tile(held, (len(rows), 1))
    whole[:, list(kept)] = rows
    return whole


def _matters(rows: Rows, column: int, size: int, results: Callable[[Rows], Results]) -> bool:
    """Return whether another value in one column ever gives another result."""
    known = results(rows)
    for step in range(1, size, -(-size // MOST_STEPS)):
        other = rows.copy()
        other[:, column] = (other[:, column] + step) % size
        found = results(other)
        if (~np.isnan(known) & ~np.isnan(found) & (known != found)).any():
            return True
    return False


@lru_cache(maxsize=32)
def combinations(sizes: tuple[int, ...]) -> Rows:
    """Return every combination of values, or a fixed sample of them where they are many.

    Example:
        >>> combinations((2, 2)).tolist()
        [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    if math.prod(sizes) > MOST_ROWS:
        rows = np.random.default_rng(0).integers(sizes, size=(MOST_ROWS, len(sizes)))
    else:
        rows = np.indices(sizes).reshape(len(sizes), math.prod(sizes)).T.copy()
    rows.setflags(write=False)
    return rows


def same_partition(fst: Results, snd: Results) -> bool:
    """Return whether two lists of results are the same up to their names.

    Example:
        >>> same_partition(np.array([0.0, 1.0, 0.0]), np.array([5.0, 2.0, 5.0]))
        True
    """
    pairs = np.unique(np.stack([fst, snd]), axis=1)
    return pairs.shape[1] == len(np.unique(fst)) == len(np.unique(snd))


def partition(results: np.ndarray) -> bytes:
    """Return results without their names: numbered as they first appear."""
    _, first, found = np.unique(results, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[found.reshape(-1)].astype(np.int64).tobytes()


def is_carried(node: ir.Node) -> bool:
    """Return whether a variable is an input or comes from attention, and is not local."""
    return isinstance(node.operation, ir.Tokens | ir.Indices | ir.Aggregate | ir.ReciprocalWidth)


def carried(program: ir.Program, place: int) -> tuple[int, ...]:
    """Return the variables from which one is computed position by position, ascending."""
    return tuple(one for one in _between(program, place) if is_carried(program.nodes[one]))


def _between(program: ir.Program, place: int) -> list[int]:
    """Return a variable and all that it is computed from position by position, ascending."""
    seen: set[int] = set()
    pending = [place]
    while pending:
        current = pending.pop()
        if current not in seen:
            seen.add(current)
            if not is_carried(program.nodes[current]):
                pending.extend(ir.operands(program.nodes[current].operation))
    return sorted(seen)


def local_values(
    program: ir.Program, place: int, given: Mapping[int, np.ndarray], effort: Effort
) -> Results:
    """Return a variable, given those that are carried, on any combinations of their values.

    Args:
        program: the program.
        place: of the variable.
        given: places in domains, -1 for `None`, by node.
        effort: what it may take, an entry for each variable and combination.

    Returns:
        The place in its domain, -1 for `None`; NaN where a sum is none that the program reaches.
    """
    values, known = dict(given), np.ones(1, dtype=bool)
    for current in _between(program, place):
        if current in given:
            continue
        effort.spend(max(map(len, given.values()), default=1))
        values[current] = position_by_position(program, current, values)
        node = program.nodes[current]
        if isinstance(node.operation, ir.LinearMap):
            sums = sum_of(program, node.operation.terms, values)
            found = node.domain.numbers[nearest(node.domain, sums)]
            known = known & (np.abs(found - sums) < _ROUNDING)
    return np.where(known, values[place], np.nan)
