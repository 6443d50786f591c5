"""Program rules: what must hold of a `Program` for the stages after `trace` to be right.

`trace` and `optimise` keep these rules; a program that comes from a file need not. Some
cannot be seen without running the program, and are not among them: that a categorical
aggregate selects one value and a mean never selects `None` (`check`), and that a sum is
one of those that its readers tell apart (`sum_check`).
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..errors import ProgramError
from . import program as ir
from .blocks import BOS, PAD
from .domains import LARGEST_DOMAIN, mean_domain, reciprocal_domain, width_domain
from .graph_builder import LARGEST_NUMBER
from .selector_facts import at_most_one, conditions_of, never_empty
from .values import Domain, Encoding, is_number, sort_key

_LARGEST_SUM = 1e300

Problem = tuple[str, str]
"""The path of what is wrong, and what must hold instead."""


def problems(program: ir.Program) -> list[str]:
    """Return every way in which a program breaks a rule, each with its path.

    Example:
        >>> tokens = ir.Node("tokens", ir.Tokens(), Domain.of("ab"))
        >>> problems(ir.Program((tokens,), (1,), Domain.of("ab"), 3, causal=False))
        ['outputs[0]: must be the place of a variable, got 1']
    """
    found = [*_of_vocabulary(program), *_of_names(program)]
    unsound: set[int] = set()
    for place in range(len(program.nodes)):
        own = list(_of_node(program, place, unsound))
        if own:
            unsound.add(place)
        found += [(f"nodes[{place}]{path}", rule) for path, rule in own]
    found += _of_roots(program)
    return [f"{path}: {rule}" for path, rule in found]


def _of_vocabulary(program: ir.Program) -> Iterator[Problem]:
    if not len(program.vocabulary):
        yield "vocabulary", "must hold at least one token"
    yield from (("vocabulary", rule) for rule in _order(program.vocabulary))


def _of_names(program: ir.Program) -> Iterator[Problem]:
    counts = Counter(node.name for node in program.nodes)
    for place, node in enumerate(program.nodes):
        if counts[node.name] > 1:
            yield f"nodes[{place}].name", f"must differ from all others, got {node.name!r}"
        if node.name in (BOS, PAD):
            yield f"nodes[{place}].name", f"must not be {node.name!r}, which the compiler uses"


def _of_roots(program: ir.Program) -> Iterator[Problem]:
    if not program.outputs:
        yield "outputs", "must hold at least one place"
    for name, roots in (("outputs", program.outputs), ("beside", program.beside)):
        for number, place in enumerate(roots):
            if not _is_variable(program, place, len(program.nodes)):
                yield f"{name}[{number}]", f"must be the place of a variable, got {place}"


def _is_variable(program: ir.Program, place: int, before: int) -> bool:
    return 0 <= place < before and not program.nodes[place].is_selector


def _order(domain: Domain) -> Iterator[str]:
    """Yield what is wrong with the order of a domain."""
    keys = [sort_key(value) for value in domain.values]
    for place, (fst, snd) in enumerate(pairwise(keys)):
        if not fst < snd:
            values = domain.values[place : place + 2]
            yield (
                "values must differ and stand in order (numbers, strings, tuples), got "
                f"{values[0]!r} before {values[1]!r}"
            )
            return


# -- nodes ---------------------------------------------------------------------------


def _of_node(program: ir.Program, place: int, unsound: set[int]) -> Iterator[Problem]:
    """Yield what is wrong with a node, paths relative to it."""
    node = program.nodes[place]
    wrong = [*_of_domain(node), *_of_operands(program, place)]
    if wrong:
        yield from wrong
        return
    yield from _of_encodings(program, node)
    yield from _of_tables(program, node)
    if not unsound.intersection(ir.operands(node.operation)):
        yield from _of_selected(program, node)


def _of_domain(node: ir.Node) -> Iterator[Problem]:
    """Yield what is wrong with what a node can be, whatever it computes."""
    if node.is_selector:
        if len(node.domain) or node.encoding is not Encoding.CATEGORICAL or node.optional:
            yield "", "a selector must have no domain, be categorical and not be optional"
        return
    if not 1 <= len(node.domain) <= LARGEST_DOMAIN:
        yield ".domain", f"must hold 1 to {LARGEST_DOMAIN} values, got {len(node.domain)}"
    yield from ((".domain", rule) for rule in _order(node.domain))
    if node.encoding is Encoding.NUMERICAL:
        for value in node.domain.values:
            if not is_number(value) or abs(value) > LARGEST_NUMBER:  # type: ignore[arg-type]
                rule = f"must hold numbers of at most {LARGEST_NUMBER:g} in size"
                yield ".domain", f"{rule}, since the node is numerical, got {value!r}"
                break
        if node.optional:
            yield ".optional", "must be false, since the node is numerical"


def _of_operands(program: ir.Program, place: int) -> Iterator[Problem]:
    """Yield which operands are not nodes of the right kind that stand before."""
    for path, operand, is_selector in _references(program.nodes[place].operation):
        kind = "selector" if is_selector else "variable"
        if not 0 <= operand < place or program.nodes[operand].is_selector != is_selector:
            yield f".operation{path}", f"must be the place of a {kind} before it, got {operand}"


def _references(operation: ir.Operation) -> Iterator[tuple[str, int, bool]]:
    """Yield the path of each operand, its place, and whether it must be a selector."""
    match operation:
        case ir.Map(inner=inner):
            yield ".inner", inner, False
        case ir.SequenceMap(fst=fst, snd=snd):
            yield from ((".fst", fst, False), (".snd", snd, False))
        case ir.LinearMap(terms=terms) | ir.RidgeMap(terms=terms):
            yield from ((f".terms[{n}].node", term.node, False) for n, term in enumerate(terms))
        case ir.Select(conditions=conditions):
            for number, one in enumerate(conditions):
                for side, place in (("keys", one.keys), ("queries", one.queries)):
                    if place is not None:
                        yield f".conditions[{number}].{side}", place, False
        case ir.Aggregate(selector=selector, value=value):
            yield from ((".selector", selector, True), (".value", value, False))
        case ir.ReciprocalWidth(selector=selector):
            yield ".selector", selector, True


def _of_encodings(program: ir.Program, node: ir.Node) -> Iterator[Problem]:
    """Yield where a head or a neuron could not read or write what it must."""
    nodes = program.nodes
    categorical = "must be a categorical variable"
    match node.operation:
        case ir.SequenceMap(snd=snd) if nodes[snd].is_numerical:
            yield ".operation.snd", categorical
        case ir.LinearMap() | ir.ReciprocalWidth() if not node.is_numerical:
            yield ".encoding", "must be numerical"
        case ir.Aggregate(value=value) if nodes[value].is_numerical and not node.is_numerical:
            yield ".operation.value", f"{categorical}, since the aggregate is"
        case ir.Select(conditions=conditions):
            for path, place, _ in _references(ir.Select(conditions)):
                if nodes[place].is_numerical:
                    yield f".operation{path}", categorical


def _of_tables(program: ir.Program, node: ir.Node) -> Iterator[Problem]:
    """Yield what is wrong with tables, weights and defaults."""
    nodes = program.nodes
    match node.operation:
        case ir.Tokens() if not _same(node.domain, program.vocabulary):
            yield ".domain", "must be the vocabulary"
        case ir.Indices() if not _are_positions(node.domain, program.max_length):
            yield ".domain", f"must be the positions 0 to {program.max_length - 1}"
        case ir.Map(inner=inner, table=table):
            yield from _of_table(node, table, (len(nodes[inner].domain),), nodes[inner].optional)
        case ir.SequenceMap(fst=fst, snd=snd, table=table):
            sides = nodes[fst], nodes[snd]
            shape = (len(sides[0].domain), len(sides[1].domain))
            yield from _of_table(node, table, shape, any(side.optional for side in sides))
        case ir.LinearMap(terms=terms):
            yield from _of_terms(program, terms, may_step=True)
        case ir.RidgeMap(terms=terms, sums=sums, table=table):
            yield from _of_terms(program, terms, may_step=False)
            yield from ((".operation.sums", rule) for rule in _order(sums))
            if not len(sums) or not all(
                is_number(n) and abs(n) <= _LARGEST_SUM  # type: ignore[arg-type]
                for n in sums.values
            ):
                yield ".operation.sums", "must hold numbers, and at least one"
            yield from _of_table(node, table, (len(sums),), False)
        case ir.Select(conditions=conditions):
            if not conditions:
                yield ".operation.conditions", "must hold at least one condition"
            for number, one in enumerate(conditions):
                rows, columns = (
                    1 if side is None else len(nodes[side].domain)
                    for side in (one.queries, one.keys)
                )
                shape = (rows, columns)
                if one.table.shape != shape:
                    path = f".operation.conditions[{number}].table"
                    yield path, _shape_rule(shape, one.table.shape)
        case ir.Aggregate(value=value, table=table, default=default):
            source = nodes[value]
            yield from _of_table(node, table, (len(source.domain),), source.optional)
            if default >= len(node.domain) or (default < 0 and node.is_numerical):
                yield ".operation.default", f"must be the place of a value, got {default}"


def _same(fst: Domain, snd: Domain) -> bool:
    """Whether two domains hold the same values of the same types."""
    return list(map(repr, fst.values)) == list(map(repr, snd.values))


def _are_positions(domain: Domain, length: int) -> bool:
    return len(domain) == length and _same(domain, Domain(tuple(range(length))))


def _shape_rule(shape: tuple[int, ...], got: tuple[int, ...]) -> str:
    expected, found = (" x ".join(map(str, one)) for one in (shape, got))
    return f"must have {expected} entries, one for each value that is read, got {found}"


def _of_table(
    node: ir.Node, table: np.ndarray, shape: tuple[int, ...], reads_optional: bool
) -> Iterator[Problem]:
    """Yield what is wrong with a table of places in the domain of its node."""
    if table.shape != shape:
        yield ".operation.table", _shape_rule(shape, table.shape)
        return
    for wrong in np.argwhere(table >= len(node.domain))[:1].tolist():
        entry = f"entry {wrong if len(wrong) > 1 else wrong[0]} is {table[tuple(wrong)]}"
        yield ".operation.table", f"must hold places below {len(node.domain)}, and {entry}"
    is_mean = node.is_numerical and isinstance(node.operation, ir.Aggregate)
    if not (node.optional or is_mean) and (reads_optional or (table < 0).any()):
        why = "what it reads may be None" if reads_optional else "its table holds -1"
        yield ".optional", f"must be true, since {why}"


def _of_terms(
    program: ir.Program, terms: tuple[ir.Term, ...], *, may_step: bool
) -> Iterator[Problem]:
    """Yield what is wrong with the terms of a sum, which may be functions of numbers or not."""
    if not terms:
        yield ".operation.terms", "must hold at least one term"
    for number, term in enumerate(terms):
        node = program.nodes[term.node]
        path = f".operation.terms[{number}]"
        if node.optional:
            yield f"{path}.node", f"must always have a value, and {node.name!r} may be None"
        size = len(node.domain) if may_step and len(term.weights) > 1 else node.width
        if term.weights.shape != (size,):
            yield f"{path}.weights", _shape_rule((size,), term.weights.shape)


# -- what is selected ----------------------------------------------------------------


def _of_selected(program: ir.Program, node: ir.Node) -> Iterator[Problem]:
    """Yield what does not fit a selector, which has been found to be sound."""
    match node.operation:
        case ir.ReciprocalWidth(selector=selector):
            if not _are_reciprocals(program, node.domain, never_empty(program.nodes, selector)):
                rule = f"must be 1 / (1 + w) for every width w up to {program.max_length}"
                yield ".domain", f"{rule}, and for 0 if nothing may be selected"
        case ir.Aggregate(selector=selector, default=-1) if not node.optional:
            if not never_empty(program.nodes, selector):
                yield ".optional", "must be true, since nothing may be selected"
        case ir.Aggregate() if node.is_numerical:
            yield from _of_mean(program, node, node.operation)


def _are_reciprocals(program: ir.Program, domain: Domain, never: bool) -> bool:
    """Whether a domain is that of the reciprocal of a width."""
    at_least_one = len(domain) == program.max_length
    if len(domain) != program.max_length + 1 and not (at_least_one and never):
        return False
    return _same(domain, reciprocal_domain(width_domain(program.max_length, at_least_one)))


def _of_mean(program: ir.Program, node: ir.Node, mean: ir.Aggregate) -> Iterator[Problem]:
    """Yield which means a numerical aggregate could have that are not in its domain."""
    nodes, source = program.nodes, program.nodes[mean.value]
    if mean.table.shape != (len(source.domain),) or mean.table.max() >= len(node.domain):
        return
    if not 0 <= mean.default < len(node.domain) or mean.table.max() < 0:
        return
    images = tuple(node.domain.values[place] for place in mean.table if place >= 0)
    if source.is_numerical and images != source.domain.values:
        yield ".operation.table", "must give each number its own place, since it is read as it is"
        return
    if any(not one.table.any() for one in conditions_of(nodes, mean.selector)):
        return  # Nothing is ever selected.
    count = 1 if at_most_one(nodes, mean.selector, causal=program.causal) else program.max_length
    try:
        means = mean_domain(Domain.of(images), count, node.domain.values[mean.default])
    except ProgramError as error:
        yield ".domain", str(error)
        return
    known = set(node.domain.values)
    missing = [number for number in means.values if number not in known]
    if missing:
        yield (
            ".domain",
            f"must hold every mean of up to {count} values, and {missing[0]} is missing",
        )
