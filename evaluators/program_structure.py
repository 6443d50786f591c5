"""Structure: how far two programs do the same things with the same things.

The normal forms of both programs are matched. A unit can be matched with one of the same kind
and the same local function: a selector with one that relates keys to queries in the same way,
an aggregate with one that brings the same of what it reads, a width with a width. An edge is
matched where both of its ends are, and it is read as the same. The best matching has the most
units and edges together.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations, product

import numpy as np

from .local_function import Column, Name, Rows, combinations, same_partition
from .program_normal_form import INDICES, TOKENS, NormalForm, Unit

MOST_STEPS = 20_000
"""After how many steps the search for the best matching ends with the best that it has seen."""
MOST_ALIGNMENTS = 720
"""In how many ways the columns of two functions are laid side by side, at most."""
_FIRST = 64
"""On how many combinations it is seen first whether it is worth to look at all."""
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Overlap:
    """How much two sets have in common.

    Attributes:
        matched: how many are in both.
        submitted: how many are in the first.
        true: how many are in the second.
    """

    matched: int
    submitted: int
    true: int

    def metrics(self, name: str) -> dict[str, float]:
        """Return precision, recall and F1; of nothing all are 1, and beside nothing 0.

        Example:
            >>> Overlap(2, 4, 2).metrics("node")
            {'node_f1': 0.6666666666666666, 'node_precision': 0.5, 'node_recall': 1.0}
        """
        return {
            f"{name}_f1": self._share(2 * self.matched, self.submitted + self.true),
            f"{name}_precision": self._share(self.matched, self.submitted),
            f"{name}_recall": self._share(self.matched, self.true),
        }

    def _share(self, part: int, whole: int) -> float:
        if whole:
            return part / whole
        return float(self.submitted == self.true)


@dataclass(frozen=True, eq=False)
class Matching:
    """The best matching of two programs.

    Attributes:
        units: for units of the first that are matched, those of the second; inputs too.
        nodes: how many units are, inputs not counted.
        edges: how many edges are.
    """

    units: Mapping[int, int]
    nodes: Overlap
    edges: Overlap

    @classmethod
    def of(cls, submitted: NormalForm, true: NormalForm) -> "Matching":
        """Return the best matching, by branch and bound.

        It is exact for programs of the library, and the best that was seen after `MOST_STEPS`
        steps otherwise. Pairs of units that gain the most are tried first.
        """
        units = _Search(submitted, true).best()
        edges = {
            (units.get(a), b if b < 0 else units.get(b), role) for a, b, role in submitted.edges
        }
        return cls(
            units,
            Overlap(len(units) - 2, len(submitted.inner), len(true.inner)),
            Overlap(len(edges & true.edges), len(submitted.edges), len(true.edges)),
        )

    def metrics(self) -> dict[str, float]:
        """Return precision, recall and F1 of units and of edges."""
        return self.nodes.metrics("node") | self.edges.metrics("edge")


class _Search:
    """A branch-and-bound search; lives for one matching."""

    def __init__(self, submitted: NormalForm, true: NormalForm) -> None:
        self._true = true.edges
        self._order = list(submitted.inner)
        self._alike = {
            one: [
                other for other in true.inner if are_alike(submitted.units[one], true.units[other])
            ]
            for one in self._order
        }
        self._reads, self._outputs = _by_unit(submitted)
        self._bounds = self._bounds_after(true)
        self._found: dict[int, int] = {TOKENS: TOKENS, INDICES: INDICES}
        self._best, self._most, self._steps = dict(self._found), -1, 0

    def best(self) -> dict[int, int]:
        """Return the units of the best matching."""
        self._extend(0, 0)
        return self._best

    def _bounds_after(self, true: NormalForm) -> list[int]:
        """Return the most that the units from each place on can gain."""
        reads, outputs = _by_unit(true)
        gains = []
        for one in self._order:
            roles = [role for _, role in self._reads[one]]
            each = [
                1
                + sum(min(roles.count(role), own.count(role)) for role in set(roles))
                + len(self._outputs[one] & outputs[other])
                for other in self._alike[one]
                if (own := [role for _, role in reads[other]]) is not None
            ]
            gains.append(max(each, default=0))
        return [sum(gains[place:]) for place in range(len(gains) + 1)]

    def _gain(self, one: int, other: int) -> int:
        """Return what it gains to match two units, given the matches of those before."""
        read = sum((self._found.get(a), other, role) in self._true for a, role in self._reads[one])
        return 1 + read + sum((other, b, role) in self._true for b, role in self._outputs[one])

    def _extend(self, place: int, gained: int) -> None:
        """Match the unit at a place, or leave it out, and all that come after it."""
        self._steps += 1
        if gained > self._most:
            self._best, self._most = dict(self._found), gained
        last = place == len(self._order)
        if last or self._steps > MOST_STEPS or gained + self._bounds[place] <= self._most:
            return
        one, taken = self._order[place], set(self._found.values())
        gains = {other: self._gain(one, other) for other in self._alike[one] if other not in taken}
        for other in sorted(gains, key=lambda other: -gains[other]):
            self._found[one] = other
            self._extend(place + 1, gained + gains[other])
            del self._found[one]
        self._extend(place + 1, gained)


Reads = Mapping[int, list[tuple[int, str]]]


def _by_unit(form: NormalForm) -> tuple[Reads, Mapping[int, set[tuple[int, str]]]]:
    """Return what each unit reads, and as which outputs it is read, with roles."""
    reads: dict[int, list[tuple[int, str]]] = defaultdict(list)
    outputs: dict[int, set[tuple[int, str]]] = defaultdict(set)
    for source, target, role in sorted(form.edges):
        if target < 0:
            outputs[source].add((target, role))
        else:
            reads[target].append((source, role))
    return reads, outputs


def are_alike(fst: Unit, snd: Unit) -> bool:
    """Return whether two units do the same, whatever they do it with.

    Their functions must be the same on the values that both know, of which one must know all
    that the other does. Which variable of one is which of the other is not given; they are alike
    if any order will do.
    """
    if (fst.kind, fst.averages) != (snd.kind, snd.averages):
        return False
    columns = fst.function.columns
    return any(
        _agree(fst, snd, order)
        for order in islice(_alignments(columns, snd.function.columns), MOST_ALIGNMENTS)
    )


def _alignments(fst: Sequence[Column], snd: Sequence[Column]) -> Iterator[list[int]]:
    """Yield for each column of the first the place of one of the second in the same role."""
    roles = [column.role for column in fst]
    if sorted(roles) != sorted(column.role for column in snd):
        return
    kinds = list(dict.fromkeys(roles))
    places = [[at for at, column in enumerate(snd) if column.role == role] for role in kinds]
    for chosen in product(*(permutations(one) for one in places)):
        left = {role: list(order) for role, order in zip(kinds, chosen, strict=True)}
        order = [left[role].pop(0) for role in roles]
        if all(_common(one, snd[at]) for one, at in zip(fst, order, strict=True)):
            yield order


def _common(fst: Column, snd: Column) -> tuple[Name, ...]:
    """Return the names that two columns have in common; none unless one has all of the other's."""
    few, many = sorted((fst.names, snd.names), key=len)
    return few if set(few) <= set(many) else ()


def _agree(fst: Unit, snd: Unit, order: Sequence[int]) -> bool:
    """Return whether two functions agree, with the columns of the second in a given order."""
    left = fst.function.columns
    right = [snd.function.columns[at] for at in order]
    common = [_common(a, b) for a, b in zip(left, right, strict=True)]
    every = combinations(tuple(len(names) for names in common))
    return all(_agree_on(rows, fst, snd, order, common) for rows in (every[:_FIRST], every))


def _agree_on(
    rows: Rows,
    fst: Unit,
    snd: Unit,
    order: Sequence[int],
    common: Sequence[tuple[Name, ...]],
) -> bool:
    """Return whether two functions agree on some combinations of the values in common."""
    left = fst.function.columns
    right = [snd.function.columns[at] for at in order]
    found = []
    for unit, columns in ((fst, left), (snd, right)):
        own = np.empty_like(rows)
        for at, (column, names) in enumerate(zip(columns, common, strict=True)):
            place = {name: place for place, name in enumerate(column.names)}
            own[:, at] = np.array([place[name] for name in names])[rows[:, at]]
        given = own if unit is fst else own[:, np.argsort(order)]
        found.append(np.append(unit.function.results(given), unit.otherwise))
    known = ~np.isnan(found).any(axis=0)
    one, other = (results[known] for results in found)
    if fst.kind == "selector" or fst.averages:
        return bool((np.abs(one - other) < _ROUNDING).all())
    return same_partition(one, other)
