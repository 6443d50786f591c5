"""Trace: RASP expressions -> `Program`, with every function tabulated on its domain.

Tracing and domain inference are one walk, since the domain of an argument is
the set of keys of its reader's table. Variables are converted between encodings
where a reader needs it. Every problem in the program is reported at once.

Where an aggregate has no annotation, its encoding is chosen: categorical, unless it
is said to select several different numbers, whose mean it then is.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import ProgramError, listing
from . import program as ir
from . import rasp, selector_algebra
from .domains import canonical, exact, mean_domain, reciprocal_domain, sum_domain, width_domain
from .effort import Effort
from .graph_builder import GraphBuilder, check_sizes
from .linear_forms import LinearForm, combined, form_domain, form_of_mean
from .rasp_operations import ADD, SUBTRACT
from .selector_algebra import Clause, Conjunction, joint_size, size_of_either
from .selector_facts import at_most_one, never_empty
from .tabulate import map_table, predicate_table, sequence_map_table
from .values import Domain, Encoding, Value, is_number
from .vocabulary import checked_vocabulary

_CATEGORICAL, _NUMERICAL = Encoding.CATEGORICAL, Encoding.NUMERICAL


@dataclass(frozen=True, eq=False)
class Traced:
    """A program and what was decided on the way.

    Attributes:
        program: the program.
        open: the places of categorical aggregates of numbers that could be means as
            well, each with its number among the aggregates.
        expressions: what was traced to each place, where that is an expression.
    """

    program: ir.Program
    open: Mapping[int, int]
    expressions: Mapping[int, rasp.RASPExpr]


def trace(
    expressions: Sequence[rasp.SOp],
    vocabulary: Sequence[Value],
    max_length: int,
    *,
    causal: bool = False,
    beside: Sequence[rasp.SOp] = (),
    means: Collection[int] = (),
    effort: Effort | None = None,
    label: Callable[[rasp.RASPExpr], str] = lambda expression: expression.name,
) -> Traced:
    """Return the program that computes all of `expressions`.

    Args:
        expressions: the outputs.
        vocabulary: the tokens, in any order.
        max_length: the longest input, at least 1.
        causal: whether selectors see only keys up to the query's position.
        beside: expressions that are computed and not read out.
        means: which of the aggregates without annotation are to be means, by their
            numbers in the order in which they are met.
        effort: what tracing may take; without end by default.
        label: how problems call an expression.

    Raises:
        ProgramError: the program is malformed; every problem is listed.
        EffortError: it takes more work than it may.
    """
    tokens = checked_vocabulary(vocabulary, max_length)
    max_length = int(max_length)
    tracer = _Tracer(tokens, max_length, causal, frozenset(means), effort or Effort(), label)
    outputs = tuple(tracer.output(expression) for expression in expressions)
    others = tuple(tracer.output(expression) for expression in beside)
    if tracer.problems:
        raise ProgramError(listing("The program cannot be compiled:", tracer.problems))
    nodes = tuple(tracer.graph.nodes)
    program = ir.Program(nodes, outputs, tokens, max_length, causal, others)
    return Traced(program, tracer.open, tracer.expressions)


class _Tracer:
    """Walks over expressions; lives for one call of `trace`."""

    def __init__(
        self,
        tokens: Domain,
        max_length: int,
        causal: bool,
        means: frozenset[int],
        effort: Effort,
        label: Callable[[rasp.RASPExpr], str],
    ) -> None:
        self.graph = GraphBuilder(tokens, max_length)
        self.problems: list[str] = []
        self.open: dict[int, int] = {}
        self.expressions: dict[int, rasp.RASPExpr] = {}
        self._tokens = tokens
        self._max_length = max_length
        self._causal = causal
        self._means = means
        self._effort = effort
        self._label = label
        self._n_aggregates = 0
        self._results: dict[int, int | Conjunction | None] = {}
        self._selectors: dict[int, int] = {}
        self._forms: dict[int, LinearForm] = {}

    def output(self, root: rasp.RASPExpr) -> int:
        """Trace `root` and all it depends on; -1, with the problems noted, if that fails."""
        pending = [root]
        while pending:
            expression = pending[-1]
            waiting = [child for child in expression.children if id(child) not in self._results]
            if id(expression) not in self._results and waiting:
                pending.extend(waiting)
                continue
            pending.pop()
            if id(expression) not in self._results:
                self._results[id(expression)] = self._traced(expression)
        result = self._results[id(root)]
        if isinstance(result, tuple):
            self.problems.append(
                f"{self._label(root)}: the output must be a sequence, got a selector; "
                "aggregate over it or take its SelectorWidth"
            )
        return result if isinstance(result, int) else -1

    def _traced(self, expression: rasp.RASPExpr) -> int | Conjunction | None:
        """Return the place of an SOp or the clauses of a selector; `None` if that fails."""
        if any(self._results[id(child)] is None for child in expression.children):
            return None
        self._effort.spend(self._entries(expression))
        try:
            if isinstance(expression, rasp.Selector):
                return self._selector(expression)
            assert isinstance(expression, rasp.SOp)
            place = self._sop(expression)
        except ProgramError as problem:
            self.problems.append(f"{self._label(expression)}: {problem}")
            return None
        self.expressions.setdefault(place, expression)
        return place

    def _entries(self, expression: rasp.RASPExpr) -> int:
        """Return how much work an expression is, in entries of tables, before it is done."""
        match expression:
            case rasp.Map() | rasp.SequenceMap() | rasp.Select():
                read = [child for child in expression.children if isinstance(child, rasp.SOp)]
                return math.prod([len(self._node(child).domain) for child in read])
            case rasp.Aggregate(sop=sop):
                return self._max_length * len(self._node(sop).domain)
            case rasp.SelectorAnd(fst=fst, snd=snd):
                return (len(self._clauses(fst)) + len(self._clauses(snd))) ** 2
            case rasp.SelectorOr(fst=fst, snd=snd):
                sides = self._clauses(fst), self._clauses(snd)
                self._effort.spend(math.prod(map(len, sides)) ** 2)
                return size_of_either(*sides)
            case rasp.SelectorNot(inner=inner):
                return joint_size(self._clauses(inner))
        return self._max_length

    def _place(self, expression: rasp.SOp) -> int:
        place = self._results[id(expression)]
        assert isinstance(place, int)
        return place

    def _node(self, expression: rasp.SOp) -> ir.Node:
        return self.graph.nodes[self._place(expression)]

    def _sop(self, expression: rasp.SOp) -> int:
        """Add what an SOp computes, and return its place."""
        name, encoding = expression.name, rasp.get_encoding(expression)
        match expression:
            case rasp.TokensType() | rasp.IndicesType():
                return self.graph.input(expression.default_name, encoding)
            case rasp.LengthType():
                tokens = self.graph.input("tokens", _CATEGORICAL)
                everything = np.ones((len(self._tokens),) * 2, dtype=bool)
                every_token = (Clause((tokens,), (tokens,), everything),)
                return self._width(name, encoding, self.graph.select(f"{name}.all", every_token))
            case rasp.Full(fill=fill):
                tokens = self.graph.input("tokens", _CATEGORICAL)
                return self._map(name, encoding, tokens, lambda _: fill)
            case rasp.Map(f=function, inner=inner):
                return self._map(name, encoding, self._place(inner), function)
            case rasp.SequenceMap(fst=fst, snd=snd):
                factors = self._factors(expression)
                if factors is not None:
                    return self._linear(name, (fst, snd), factors)
                return self._sequence_map(expression)
            case rasp.SelectorWidth(selector=selector):
                return self._width(name, encoding, self._selected(selector))
            case rasp.Aggregate():
                return self._aggregate(expression)
        raise ProgramError(_fixed_length(expression))

    # -- functions of values -----------------------------------------------------

    def _map(
        self, name: str, encoding: Encoding, inner: int, function: Callable[[Value], Value]
    ) -> int:
        node = self.graph.nodes[inner]
        made = map_table(function, node.domain)
        optional = node.optional or made.optional
        return self.graph.add(
            name, ir.Map(inner, made.table), made.domain, encoding, optional=optional
        )

    def _sequence_map(self, expression: rasp.SequenceMap) -> int:
        name, encoding, function = expression.name, rasp.get_encoding(expression), expression.f
        places = [self._place(expression.fst), self._place(expression.snd)]
        if places[0] == places[1]:
            return self._map(name, encoding, places[0], lambda value: function(value, value))
        fst, snd = (self.graph.encoded(place, _CATEGORICAL) for place in places)
        if fst == snd:
            return self._map(name, encoding, fst, lambda value: function(value, value))
        left, right = self.graph.nodes[fst], self.graph.nodes[snd]
        made = sequence_map_table(function, left.domain, right.domain)
        return self.graph.add(
            name,
            ir.SequenceMap(fst, snd, made.table),
            made.domain,
            encoding,
            optional=left.optional or right.optional or made.optional,
        )

    def _factors(self, expression: rasp.SequenceMap) -> tuple[Fraction, Fraction] | None:
        """Return the factors of a sum that is to be a number; `None` for any other function.

        A linear map is one where it is annotated as numerical, an addition or a
        subtraction also where it is not annotated and both sides are written as numbers.
        """
        nodes = [self._node(expression.fst), self._node(expression.snd)]
        numerical = rasp.get_encoding(expression) is _NUMERICAL
        if isinstance(expression, rasp.LinearSequenceMap):
            known = (exact(canonical(expression.fst_fac)), exact(canonical(expression.snd_fac)))
        elif expression.f in (ADD, SUBTRACT):
            known = (Fraction(1), Fraction(1 if expression.f == ADD else -1))
            numerical = numerical and all(n.domain.is_numeric and not n.optional for n in nodes)
        else:
            return None
        chosen = not rasp.is_annotated(expression) and all(node.is_numerical for node in nodes)
        return known if numerical or chosen else None

    def _linear(
        self, name: str, operands: tuple[rasp.SOp, rasp.SOp], factors: tuple[Fraction, Fraction]
    ) -> int:
        places = [self._place(operand) for operand in operands]
        nodes = [self.graph.nodes[place] for place in places]
        for node in nodes:
            if not node.domain.is_numeric or node.optional:
                raise ProgramError(
                    f"a linear combination needs numbers, and {node.name!r} may be something "
                    "else; use SequenceMap with a function instead"
                )
        terms = list(zip(factors, places, strict=True))
        form = combined([(factor, self._forms.get(place)) for factor, place in terms])
        if form is not None:
            domain = form_domain(self.graph.nodes, form, self._max_length)
        else:
            domain = sum_domain([(f, self.graph.nodes[place].domain) for f, place in terms])
        operation = ir.LinearMap(tuple(self._term(factor, place) for factor, place in terms))
        made = self.graph.add(name, operation, domain, _NUMERICAL)
        if form is not None:
            self._forms[made] = form
        return made

    def _term(self, factor: Fraction, place: int) -> ir.Term:
        node = self.graph.nodes[place]
        check_sizes(node.domain)
        check_sizes(Domain((factor,)))
        numbers = np.ones(1) if node.is_numerical else node.domain.numbers
        return ir.Term(place, float(factor) * numbers)

    # -- selectors ---------------------------------------------------------------

    def _selector(self, expression: rasp.Selector) -> Conjunction:
        """Return the clauses of a selector whose parts are traced."""
        match expression:
            case rasp.Select(keys=keys, queries=queries, predicate=predicate):
                key, query = (
                    self.graph.encoded(self._place(side), _CATEGORICAL) for side in (keys, queries)
                )
                domains = (self.graph.nodes[key].domain, self.graph.nodes[query].domain)
                return (Clause((query,), (key,), predicate_table(predicate, *domains)),)
            case rasp.SelectorAnd(fst=fst, snd=snd):
                return selector_algebra.both(self._clauses(fst), self._clauses(snd))
            case rasp.SelectorOr(fst=fst, snd=snd):
                return selector_algebra.either(self._clauses(fst), self._clauses(snd))
            case rasp.SelectorNot(inner=inner):
                return selector_algebra.negated(self._clauses(inner))
        raise ProgramError(_fixed_length(expression))

    def _clauses(self, selector: rasp.Selector) -> Conjunction:
        clauses = self._results[id(selector)]
        assert isinstance(clauses, tuple)
        return clauses

    def _selected(self, selector: rasp.Selector) -> int:
        """Return the place of a selector that is attended with; selectors in others have none."""
        if id(selector) not in self._selectors:
            place = self.graph.select(selector.name, self._clauses(selector))
            self._selectors[id(selector)] = place
        return self._selectors[id(selector)]

    # -- attention ---------------------------------------------------------------

    def _width(self, name: str, encoding: Encoding, selector: int) -> int:
        never = never_empty(self.graph.nodes, selector)
        domain = width_domain(self._max_length, at_least_one=never)
        reciprocals = reciprocal_domain(domain)
        operation = ir.ReciprocalWidth(selector)
        reciprocal = self.graph.add(f"{name}.reciprocal", operation, reciprocals, _NUMERICAL)
        table = np.arange(len(domain))[::-1]
        return self.graph.add(name, ir.Map(reciprocal, table), domain, encoding)

    def _aggregate(self, expression: rasp.Aggregate) -> int:
        """Add an aggregate in the encoding that is annotated, or the one that suits it."""
        number, self._n_aggregates = self._n_aggregates, self._n_aggregates + 1
        name, value = expression.name, self._place(expression.sop)
        selector = self._selected(expression.selector)
        never = never_empty(self.graph.nodes, selector)
        default = canonical(expression.default)
        node = self.graph.nodes[value]
        numbers = node.domain.is_numeric and len(node.domain) > 0
        annotated = rasp.is_annotated(expression)
        if rasp.get_encoding(expression) is _NUMERICAL:
            if not numbers:
                raise ProgramError(
                    f"a numerical aggregate needs numbers, and {node.name!r} may be something "
                    "else; map it to numbers first"
                )
            return self._mean(name, selector, value, default)
        if not annotated and number in self._means:
            if never or is_number(default):
                return self._mean(name, selector, value, default)
            return self._mean_or_default(name, selector, value, default)
        place = self._common_value(name, selector, value, None if never else default)
        if not annotated and numbers:
            self.open[place] = number
        return place

    def _common_value(self, name: str, selector: int, value: int, default: Value) -> int:
        """Add a categorical aggregate; `default` is `None` where it cannot be needed."""
        value = self.graph.encoded(value, _CATEGORICAL)
        node = self.graph.nodes[value]
        domain = Domain.of((*node.domain.values, default))
        may_be_none = default is None and not never_empty(self.graph.nodes, selector)
        operation = ir.Aggregate(
            selector, value, node.domain.positions_in(domain), domain.index(default)
        )
        return self.graph.add(name, operation, domain, optional=node.optional or may_be_none)

    def _mean(self, name: str, selector: int, value: int, default: Value) -> int:
        """Add a numerical aggregate."""
        nodes = self.graph.nodes
        values = nodes[value].domain
        if never_empty(nodes, selector) and default not in values.values:
            default = values.values[0]
        if not is_number(default):
            raise ProgramError(
                f"a numerical aggregate needs a number as its default, got {default!r}; "
                "write rasp.Aggregate(..., default=0), or leave the annotation out"
            )
        single = at_most_one(nodes, selector, causal=self._causal)
        domain = mean_domain(values, 1 if single else self._max_length, default)
        operation = ir.Aggregate(
            selector, value, values.positions_in(domain), domain.index(default)
        )
        place = self.graph.add(name, operation, domain, _NUMERICAL)
        if not single:
            self._forms[place] = form_of_mean(nodes, selector, value, default)
        return place

    def _mean_or_default(self, name: str, selector: int, value: int, default: Value) -> int:
        """Add a mean with a default that is no number: a number of no mean stands for it."""
        values = self.graph.nodes[value].domain
        marker = canonical(math.floor(values.numbers.max()) + 1)
        mean = self._mean(f"{name}.mean", selector, value, marker)
        return self._map(
            name, _CATEGORICAL, mean, lambda number: default if number == marker else number
        )


def _fixed_length(expression: rasp.RASPExpr) -> str:
    """Return why an expression that is given as a constant cannot be compiled."""
    return (
        f"{type(expression).__name__} is defined for one length only and cannot be "
        "compiled; write it as a Map of rasp.indices, or as a Select on indices"
    )
