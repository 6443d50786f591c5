"""GraphBuilder: nodes of a `Program` one after the other, with names and conversions."""

from collections import Counter

import numpy as np

from ..errors import ProgramError
from . import program as ir
from .blocks import BOS, PAD
from .domains import LARGEST_DOMAIN, exact, too_many_values
from .selector_algebra import Clause, Conjunction, merged_axes, needed_axes
from .values import Domain, Encoding

LARGEST_NUMBER = 1e9
SMALLEST_GAP = 1e-30


class GraphBuilder:
    """Grows a list of nodes; lives for one call of `trace`.

    Args:
        tokens: the vocabulary.
        max_length: the longest sequence.
    """

    def __init__(self, tokens: Domain, max_length: int) -> None:
        self.nodes: list[ir.Node] = []
        indices = Domain(tuple(range(max_length)))
        self._inputs: dict[str, tuple[ir.Operation, Domain]] = {
            "tokens": (ir.Tokens(), tokens),
            "indices": (ir.Indices(), indices),
        }
        self._names = {*self._inputs, BOS, PAD}
        self._counts: Counter[str] = Counter()
        self._encoded: dict[tuple[object, Encoding], int] = {}
        self._pairs: dict[tuple[int, int, bytes], int] = {}

    def add(
        self,
        name: str,
        operation: ir.Operation,
        domain: Domain,
        encoding: Encoding = Encoding.CATEGORICAL,
        *,
        optional: bool = False,
    ) -> int:
        """Append a node under a name of its own, and return its place.

        Raises:
            ProgramError: it has too many values, or cannot have this encoding.
        """
        if len(domain) > LARGEST_DOMAIN:
            raise too_many_values(len(domain))
        if encoding is Encoding.NUMERICAL:
            _check_numerical(domain, optional)
        unique, count = name, self._counts[name]
        while count == 0 or unique in self._names:
            count += 1
            unique = name if count == 1 else f"{name}_{count}"
        self._counts[name] = count
        return self._append(ir.Node(unique, operation, domain, encoding, optional))

    def _append(self, node: ir.Node) -> int:
        self._names.add(node.name)
        self.nodes.append(node)
        return len(self.nodes) - 1

    def input(self, name: str, encoding: Encoding) -> int:
        """Return the place of `tokens` or `indices` in the given encoding."""
        if (name, encoding) not in self._encoded:
            operation, domain = self._inputs[name]
            if encoding is Encoding.NUMERICAL:
                place = self.add(f"{name}.{encoding.value}", operation, domain, encoding)
            else:
                place = self._append(ir.Node(name, operation, domain, encoding))
            self._encoded[name, encoding] = place
        return self._encoded[name, encoding]

    def encoded(self, place: int, encoding: Encoding) -> int:
        """Return the place of the same variable in the given encoding."""
        node = self.nodes[place]
        if node.encoding is encoding:
            return place
        if isinstance(node.operation, ir.Tokens | ir.Indices):
            return self.input(type(node.operation).__name__.lower(), encoding)
        if (place, encoding) not in self._encoded:
            identity = ir.Map(place, np.arange(len(node.domain)))
            self._encoded[place, encoding] = self.add(
                f"{node.name}.{encoding.value}",
                identity,
                node.domain,
                encoding,
                optional=node.optional,
            )
        return self._encoded[place, encoding]

    def select(self, name: str, selector: Conjunction) -> int:
        """Add a selector, with a variable for each side of a clause that looks at several."""
        conditions = tuple(self._condition(name, clause) for clause in selector)
        return self.add(name, ir.Select(conditions), Domain(()))

    def _condition(self, name: str, clause: Clause) -> ir.Condition:
        """Return a clause as a relation of one variable at the query and one at the key."""
        optional = frozenset(
            place for place in clause.queries + clause.keys if self.nodes[place].optional
        )
        clause = needed_axes(clause, optional)
        sides, table = [list(clause.queries), list(clause.keys)], clause.table
        for axis, (side, role) in enumerate(zip(sides, ("queries", "keys"), strict=True)):
            while len(side) > 1:
                fst, snd, *others = side
                classes, members, table = merged_axes(table, axis)
                side[:] = [self._pair(f"{name}.{role}", fst, snd, classes, members), *others]
        ((query,), (key,)) = sides
        return ir.Condition(key, query, table)

    def _pair(self, name: str, fst: int, snd: int, classes: np.ndarray, members: np.ndarray) -> int:
        """Return the variable that says in which class two variables are, added if need be.

        The first pair of a class names it.
        """
        known = self._pairs.get((fst, snd, classes.tobytes()))
        if known is not None:
            return known
        left, right = self.nodes[fst], self.nodes[snd]
        pairs = np.unravel_index(members, classes.shape)
        values = zip(*(axis.tolist() for axis in pairs), strict=True)
        domain = Domain(tuple((left.domain.values[i], right.domain.values[j]) for i, j in values))
        place = self.add(
            name,
            ir.SequenceMap(fst, snd, classes),
            domain,
            optional=left.optional or right.optional,
        )
        self._pairs[fst, snd, classes.tobytes()] = place
        return place


def _check_numerical(domain: Domain, optional: bool) -> None:
    """Check that a variable can be written as a number.

    Raises:
        ProgramError: it cannot.
    """
    if not domain.is_numeric:
        others = [value for value in domain.values if isinstance(value, str | tuple)]
        raise ProgramError(
            f"a numerical variable must hold numbers, got {others[:5]}; "
            "annotate it with rasp.categorical"
        )
    check_sizes(domain)
    if optional:
        raise ProgramError(
            "a numerical variable must always have a value, and this one may be None; "
            "give the aggregate a default, or annotate it with rasp.categorical"
        )


def check_sizes(domain: Domain) -> None:
    """Check that numbers are neither too large nor too close together to be computed with.

    Raises:
        ProgramError: they are.
    """
    if any(abs(exact(end)) > LARGEST_NUMBER for end in (*domain.values[:1], *domain.values[-1:])):
        raise ProgramError(f"numbers must be at most {LARGEST_NUMBER:g} in size; scale them down")
    if domain.smallest_gap < SMALLEST_GAP:
        raise ProgramError(f"numbers must differ by at least {SMALLEST_GAP:g}; scale them up")
