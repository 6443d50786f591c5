"""Trace: RASP expressions -> `Program`, with every function tabulated on its domain.

Tracing and domain inference are one walk, since the domain of an argument is
the set of keys of its reader's table. Variables are converted between encodings
where a reader needs it. Every problem in the program is reported at once.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import ProgramError, listing
from . import program as ir
from . import rasp
from .blocks import BOS, INDICES, PAD, TOKENS, reciprocal_name
from .domains import MAX_DOMAIN, canonical, exact, mean_domain, width_domain
from .tabulate import check_table, predicate_table, tabulated
from .values import Domain, Encoding, Value

LARGEST_NUMBER = 1e9


def trace(
    expressions: Sequence[rasp.SOp],
    vocabulary: Sequence[Value],
    max_length: int,
    *,
    causal: bool = False,
) -> ir.Program:
    """Return the program that computes all of `expressions`.

    Args:
        expressions: the first is the output that is read; the others are computed
            beside it.
        vocabulary: the tokens, in any order.
        max_length: the longest input, at least 1.
        causal: whether selectors see only keys up to the query's position.

    Raises:
        ProgramError: the program is malformed; every problem is listed.
    """
    tokens = _checked_vocabulary(vocabulary, max_length)
    tracer = _Tracer(tokens, max_length)
    places = [tracer.output(expression) for expression in expressions]
    if tracer.problems:
        raise ProgramError(listing("The program cannot be compiled:", tracer.problems))
    return ir.Program(tuple(tracer.nodes), tuple(places), tokens, max_length, causal)


def _checked_vocabulary(vocabulary: Sequence[Value], max_length: int) -> Domain:
    """Return the vocabulary as a domain, or raise."""
    if not isinstance(vocabulary, Sequence):
        raise ProgramError(f"the vocabulary must be a sequence of tokens, got {vocabulary!r}")
    problems = []
    tokens = []
    for value in vocabulary:
        try:
            tokens.append(canonical(value))
        except ProgramError as error:
            problems.append(str(error))
    if len(vocabulary) == 0:
        problems.append("the vocabulary must hold at least one token, got none")
    if any(value is None for value in vocabulary):
        problems.append("None cannot be a token; choose another value to stand for it")
    if len(set(tokens)) < len(tokens):
        problems.append(f"tokens must differ from one another, got {list(vocabulary)}")
    if not isinstance(max_length, int) or max_length < 1:
        problems.append(f"the greatest length must be an integer of at least 1, got {max_length}")
    if problems:
        raise ProgramError(listing("The program's inputs are not well defined:", problems))
    return Domain.of(tokens)


class _Tracer:
    """Builds the list of nodes; lives for one call of `trace`."""

    def __init__(self, tokens: Domain, max_length: int) -> None:
        self.tokens = tokens
        self.max_length = max_length
        self.nodes: list[ir.Node] = []
        self.problems: list[str] = []
        self._places: dict[int, int | None] = {}
        self._names = {TOKENS, INDICES, BOS, PAD}
        self._counts: Counter[str] = Counter()
        self._inputs: dict[str, int] = {}
        self._converted: dict[tuple[int, Encoding], int] = {}

    def output(self, root: rasp.RASPExpr) -> int:
        """Trace `root` and all it depends on; -1, with the problems noted, if that fails."""
        pending = [root]
        while pending:
            expression = pending[-1]
            waiting = [child for child in expression.children if id(child) not in self._places]
            if id(expression) not in self._places and waiting:
                pending.extend(waiting)
                continue
            pending.pop()
            if id(expression) not in self._places:
                self._places[id(expression)] = self._traced(expression)
        place = self._places[id(root)]
        if place is None:
            return -1
        if self.nodes[place].is_selector:
            self.problems.append(
                f"{root.name}: the output must be a sequence, got a selector; "
                "aggregate over it or take its SelectorWidth"
            )
        return place

    def _traced(self, expression: rasp.RASPExpr) -> int | None:
        """Return the place of an expression whose operands are traced."""
        operands = [self._places[id(child)] for child in expression.children]
        places = [place for place in operands if place is not None]
        if len(places) < len(operands):
            return None
        try:
            return self._node(expression, places)
        except ProgramError as problem:
            self.problems.append(f"{expression.name}: {problem}")
            return None

    def _node(self, expression: rasp.RASPExpr, places: list[int]) -> int:
        """Add what one expression computes, and return its place."""
        name = expression.name
        encoding = (
            rasp.get_encoding(expression)
            if isinstance(expression, rasp.SOp)
            else Encoding.CATEGORICAL
        )
        match expression:
            case rasp.TokensType():
                return self._encoded(self._tokens(), encoding)
            case rasp.IndicesType():
                return self._encoded(self._indices(), encoding)
            case rasp.LengthType():
                everything = np.ones((len(self.tokens),) * 2, dtype=bool)
                tokens = self._tokens()
                selector = self._select(f"{name}.all", tokens, tokens, everything)
                return self._width(name, encoding, selector)
            case rasp.Full(fill=fill):
                return self._map(name, encoding, self._tokens(), lambda _: fill)
            case rasp.Map(f=function):
                return self._map(name, encoding, places[0], function)
            case rasp.LinearSequenceMap() if encoding is Encoding.NUMERICAL:
                return self._linear(name, places, expression.fst_fac, expression.snd_fac)
            case rasp.SequenceMap(f=function):
                return self._sequence_map(name, encoding, places, function)
            case rasp.Select(predicate=predicate):
                return self._selector(name, places, predicate)
            case rasp.SelectorAnd():
                return self._combined(name, places, np.logical_and)
            case rasp.SelectorOr():
                return self._combined(name, places, np.logical_or)
            case rasp.SelectorNot():
                return self._complement(name, places[0])
            case rasp.SelectorWidth():
                return self._width(name, encoding, places[0])
            case rasp.Aggregate(default=default):
                return self._aggregate(name, encoding, places, canonical(default))
        raise ProgramError(
            f"{type(expression).__name__} is defined for one length only and cannot be "
            "compiled; write it as a Map of rasp.indices, or as a Select on indices"
        )

    # -- adding nodes ------------------------------------------------------------

    def _add(
        self,
        name: str,
        operation: ir.Operation,
        domain: Domain,
        encoding: Encoding = Encoding.CATEGORICAL,
        *,
        optional: bool = False,
    ) -> int:
        """Append a node under a name of its own."""
        if len(domain) > MAX_DOMAIN:
            raise ProgramError(
                f"it can take {len(domain)} values, and at most {MAX_DOMAIN} are allowed; "
                "map it to fewer values earlier, or use a smaller vocabulary or length"
            )
        if encoding is Encoding.NUMERICAL:
            if not domain.is_numeric:
                raise ProgramError(
                    "a numerical variable must hold numbers, got "
                    f"{[value for value in domain.values if isinstance(value, str | tuple)][:5]}; "
                    "annotate it with rasp.categorical"
                )
            if any(abs(exact(value)) > LARGEST_NUMBER for value in domain.values):
                raise ProgramError(
                    f"numbers must be at most {LARGEST_NUMBER:g} in size; scale them down"
                )
            if optional:
                raise ProgramError(
                    "a numerical variable must always have a value, and this one may be None; "
                    "give the aggregate a default, or annotate it with rasp.categorical"
                )
        unique, count = name, self._counts[name]
        while count == 0 or {unique, reciprocal_name(unique)} & self._names:
            count += 1
            unique = name if count == 1 else f"{name}_{count}"
        self._counts[name] = count
        self._names.add(unique)
        if isinstance(operation, ir.SelectorWidth):
            self._names.add(reciprocal_name(unique))
        return self._append(ir.Node(unique, operation, domain, encoding, optional))

    def _append(self, node: ir.Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _tokens(self) -> int:
        if "tokens" not in self._inputs:
            self._inputs["tokens"] = self._append(ir.Node("tokens", ir.Tokens(), self.tokens))
        return self._inputs["tokens"]

    def _indices(self) -> int:
        if "indices" not in self._inputs:
            domain = Domain(tuple(range(self.max_length)))
            self._inputs["indices"] = self._append(ir.Node("indices", ir.Indices(), domain))
        return self._inputs["indices"]

    def _encoded(self, place: int, encoding: Encoding) -> int:
        """Return the place of the same variable in the given encoding."""
        node = self.nodes[place]
        if node.encoding is encoding:
            return place
        if (place, encoding) not in self._converted:
            identity = ir.Map(place, np.arange(len(node.domain)))
            self._converted[place, encoding] = self._add(
                f"{node.name}.{encoding.value}",
                identity,
                node.domain,
                encoding,
                optional=node.optional,
            )
        return self._converted[place, encoding]

    # -- functions of values -----------------------------------------------------

    def _map(
        self, name: str, encoding: Encoding, inner: int, function: Callable[[Value], Value]
    ) -> int:
        node = self.nodes[inner]
        results = tabulated(function, [(value,) for value in node.domain.values])
        domain = Domain.of(results)
        optional = node.optional or None in results
        table = domain.indices(results)
        return self._add(name, ir.Map(inner, table), domain, encoding, optional=optional)

    def _sequence_map(
        self,
        name: str,
        encoding: Encoding,
        places: list[int],
        function: Callable[[Value, Value], Value],
    ) -> int:
        if places[0] == places[1]:
            return self._map(name, encoding, places[0], lambda value: function(value, value))
        fst, snd = (self._encoded(place, Encoding.CATEGORICAL) for place in places)
        left, right = self.nodes[fst], self.nodes[snd]
        check_table(len(left.domain), len(right.domain))
        pairs = [(a, b) for a in left.domain.values for b in right.domain.values]
        results = tabulated(function, pairs)
        domain = Domain.of(results)
        table = domain.indices(results).reshape(len(left.domain), len(right.domain))
        optional = left.optional or right.optional or None in results
        return self._add(name, ir.SequenceMap(fst, snd, table), domain, encoding, optional=optional)

    def _linear(self, name: str, places: list[int], fst_fac: Value, snd_fac: Value) -> int:
        nodes = [self.nodes[place] for place in places]
        for node in nodes:
            if not node.domain.is_numeric or node.optional:
                raise ProgramError(
                    f"a linear combination needs numbers, and {node.name!r} may be something "
                    "else; use SequenceMap with a function instead"
                )
        check_table(len(nodes[0].domain), len(nodes[1].domain))
        factors = exact(canonical(fst_fac)), exact(canonical(snd_fac))
        left, right = (
            [factor * exact(value) for value in node.domain.values]
            for node, factor in zip(nodes, factors, strict=True)
        )
        domain = Domain.of({canonical(a + b) for a in left for b in right})
        operation = ir.LinearMap(places[0], places[1], *factors)
        return self._add(name, operation, domain, Encoding.NUMERICAL)

    # -- selectors ---------------------------------------------------------------

    def _select(self, name: str, keys: int, queries: int, table: np.ndarray) -> int:
        return self._add(name, ir.Select(keys, queries, table), Domain(()))

    def _selector(
        self, name: str, places: list[int], predicate: Callable[[Value, Value], object]
    ) -> int:
        keys, queries = (self._encoded(place, Encoding.CATEGORICAL) for place in places)
        key_domain, query_domain = self.nodes[keys].domain, self.nodes[queries].domain
        table = predicate_table(predicate, key_domain, query_domain)
        return self._select(name, keys, queries, table)

    def _combined(self, name: str, places: list[int], combine: np.ufunc) -> int:
        fst, snd = (self._select_operation(place) for place in places)
        if (fst.keys, fst.queries) != (snd.keys, snd.queries):
            raise ProgramError(
                "selectors can be combined with & or | only when they select with the same keys "
                "and the same queries; write one Select with a predicate over a SequenceMap of "
                "the keys"
            )
        return self._select(name, fst.keys, fst.queries, combine(fst.table, snd.table))

    def _complement(self, name: str, place: int) -> int:
        inner = self._select_operation(place)
        return self._select(name, inner.keys, inner.queries, ~inner.table)

    def _select_operation(self, place: int) -> ir.Select:
        operation = self.nodes[place].operation
        assert isinstance(operation, ir.Select)
        return operation

    def _never_empty(self, selector: int) -> bool:
        """Whether every position selects at least itself."""
        select = self._select_operation(selector)
        same = select.keys == select.queries and not self.nodes[select.keys].optional
        return same and bool(np.diagonal(select.table).all())

    # -- attention ---------------------------------------------------------------

    def _width(self, name: str, encoding: Encoding, selector: int) -> int:
        domain = width_domain(self.max_length, self._never_empty(selector))
        return self._add(name, ir.SelectorWidth(selector), domain, encoding)

    def _aggregate(self, name: str, encoding: Encoding, places: list[int], default: Value) -> int:
        selector, value = places
        never_empty = self._never_empty(selector)
        if encoding is Encoding.CATEGORICAL:
            value = self._encoded(value, Encoding.CATEGORICAL)
            node = self.nodes[value]
            reached = node.domain.values if never_empty else (*node.domain.values, default)
            optional = node.optional or (default is None and not never_empty)
            operation = ir.Aggregate(selector, value, None if never_empty else default)
            return self._add(name, operation, Domain.of(reached), encoding, optional=optional)
        node = self.nodes[value]
        if not node.domain.is_numeric or node.optional:
            raise ProgramError(
                f"a numerical aggregate needs numbers, and {node.name!r} may be something else; "
                "map it to numbers first"
            )
        if never_empty and default not in node.domain.values:
            default = node.domain.values[0]
        if default is None or isinstance(default, str | tuple):
            raise ProgramError(
                f"a numerical aggregate needs a number as its default, got {default!r}; "
                "write rasp.Aggregate(..., default=0)"
            )
        domain = mean_domain(node.domain, self.max_length, default)
        return self._add(name, ir.Aggregate(selector, value, default), domain, encoding)
