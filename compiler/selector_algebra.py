"""Selector algebra: and, or and not of selectors, as few relations as they need.

A selector is a conjunction of clauses. A clause is a relation of the values of some
variables at the key and of some at the query, so that any function of a clause is a
clause again. Conjunctions stay apart, since attention scores add up: one head can
hold any number of conditions. Disjunctions do not add up (a pair that fulfils both
sides would score twice), and become relations over the variables of both sides.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ProgramError
from .quotients import classes
from .tabulate import LARGEST_TABLE


@dataclass(frozen=True, eq=False)
class Clause:
    """A relation of variables at the query and variables at the key.

    Attributes:
        queries: program nodes, in ascending order.
        keys: program nodes, in ascending order.
        table: bool, one axis for each of `queries` and then one for each of `keys`,
            as long as its domain.
    """

    queries: tuple[int, ...]
    keys: tuple[int, ...]
    table: np.ndarray

    def over(self, queries: tuple[int, ...], keys: tuple[int, ...]) -> np.ndarray:
        """Return the table with axes of length one for the variables that are not looked at."""
        sizes = iter(self.table.shape)
        own = [next(sizes) if place in self.queries else 1 for place in queries]
        own += [next(sizes) if place in self.keys else 1 for place in keys]
        return self.table.reshape(own)

    def covers(self, other: "Clause") -> bool:
        """Whether it looks at all variables that another clause looks at."""
        return set(other.queries) <= set(self.queries) and set(other.keys) <= set(self.keys)


Conjunction = tuple[Clause, ...]


def both(fst: Conjunction, snd: Conjunction) -> Conjunction:
    """Return the clauses of `fst & snd`; one that another covers becomes part of it."""
    merged: list[Clause] = []
    for clause in sorted((*fst, *snd), key=lambda one: -one.table.ndim):
        for place, known in enumerate(merged):
            if known.covers(clause):
                merged[place] = _joined([known, clause], np.logical_and)
                break
        else:
            merged.append(clause)
    return tuple(merged)


def either(fst: Conjunction, snd: Conjunction) -> Conjunction:
    """Return the clauses of `fst | snd`: distributed, or as one, whichever is the smaller.

    Raises:
        ProgramError: the smaller one is still too large.
    """
    pairs = [(a, b) for a in fst for b in snd]
    whole = (*fst, *snd)
    if len(pairs) == 1 or joint_size(whole) <= sum(map(joint_size, pairs)):
        left, right = (_joined(side, np.logical_and, over=whole) for side in (fst, snd))
        return (_joined([left, right], np.logical_or),)
    distributed: Conjunction = ()
    for pair in pairs:
        distributed = both(distributed, (_joined(pair, np.logical_or),))
    return distributed


def joint_size(clauses: Sequence[Clause]) -> int:
    """Return the number of entries of one relation over the variables of all `clauses`."""
    sizes: dict[tuple[bool, int], int] = {}
    for clause in clauses:
        names = [(False, place) for place in clause.queries]
        names += [(True, place) for place in clause.keys]
        sizes.update(zip(names, clause.table.shape, strict=True))
    return math.prod(sizes.values())


def size_of_either(fst: Conjunction, snd: Conjunction) -> int:
    """Return how many entries the clauses of `fst | snd` have, before any is merged."""
    apart = sum(joint_size((a, b)) for a in fst for b in snd)
    return min(joint_size((*fst, *snd)), apart)


def negated(selector: Conjunction) -> Conjunction:
    """Return the clause of `~selector`.

    Raises:
        ProgramError: it is too large.
    """
    whole = _joined(selector, np.logical_and)
    return (Clause(whole.queries, whole.keys, ~whole.table),)


def _joined(
    clauses: Sequence[Clause],
    combine: Callable[[np.ndarray, np.ndarray], np.ndarray],
    over: Sequence[Clause] | None = None,
) -> Clause:
    """Return one clause for several, over the variables of `over` (of all of them if `None`)."""
    known = clauses if over is None else over
    if joint_size(known) > LARGEST_TABLE:
        raise ProgramError(
            f"as one relation it has {joint_size(known)} entries, and at most {LARGEST_TABLE} are "
            "allowed; combine selectors over fewer or smaller variables, or map them to fewer "
            "values first"
        )
    queries = tuple(sorted({place for clause in known for place in clause.queries}))
    keys = tuple(sorted({place for clause in known for place in clause.keys}))
    table = clauses[0].over(queries, keys)
    for clause in clauses[1:]:
        table = combine(table, clause.over(queries, keys))
    shape = np.broadcast_shapes(*(clause.over(queries, keys).shape for clause in known))
    return Clause(queries, keys, np.broadcast_to(table, shape))


def needed_axes(clause: Clause, optional: frozenset[int]) -> Clause:
    """Return the clause without variables that do not matter, where a side has several.

    Args:
        clause: any clause.
        optional: the variables that may be `None`, which always matter.
    """
    queries, keys, table = list(clause.queries), list(clause.keys), clause.table
    for side, before in ((keys, len(queries)), (queries, 0)):
        for place in clause.queries + clause.keys:
            if place not in side or place in optional or len(side) == 1:
                continue
            axis = before + side.index(place)
            first = np.take(table, [0], axis=axis)
            if (table == first).all():
                table = first.squeeze(axis)
                side.remove(place)
    return Clause(tuple(queries), tuple(keys), table)


def merged_axes(table: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge an axis of a relation with the next one, and pairs that behave alike into classes.

    Returns:
        The class of each pair, int64 `[d_axis, d_next]`; the first pair of each class, as a
        position in that array flattened, ascending; and the table with one axis for the two,
        as long as there are classes.
    """
    rows = np.moveaxis(table, (axis, axis + 1), (0, 1))
    sizes, rest = rows.shape[:2], rows.shape[2:]
    flat = rows.reshape(math.prod(sizes), *rest)
    members, member_of = classes(flat)
    return member_of.reshape(sizes), members, np.moveaxis(flat[members], 0, axis)
