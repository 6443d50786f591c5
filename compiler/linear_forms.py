"""Linear forms: what is known of sums of means over the same selector.

The mean is linear: `mean(x) - mean(y)` over the same positions is the mean of
`x - y`. Where `x` and `y` are functions of the same variable, that difference
takes few values, and its means far fewer than the differences of any two means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from . import program as ir
from .domains import exact, mean_domain, sum_domain
from .values import Domain, Value


@dataclass(frozen=True)
class LinearForm:
    """A sum of means over one selector.

    Attributes:
        selector: the conditions that select.
        factors: the factor of each aggregated variable.
        default: the sum where nothing is selected.
    """

    selector: tuple
    factors: Mapping[int, Fraction]
    default: Fraction


def form_of_mean(nodes: Sequence[ir.Node], selector: int, value: int, default: Value) -> LinearForm:
    """Return the form of a numerical aggregate."""
    select = nodes[selector].operation
    assert isinstance(select, ir.Select)
    key = tuple((c.keys, c.queries, c.table.tobytes()) for c in select.conditions)
    return LinearForm(key, {value: Fraction(1)}, exact(default))


def combined(terms: Sequence[tuple[Fraction, LinearForm | None]]) -> LinearForm | None:
    """Return the form of a weighted sum of forms; `None` unless all select alike."""
    forms = [form for _, form in terms if form is not None]
    if len(forms) < len(terms) or len({form.selector for form in forms}) > 1:
        return None
    factors: dict[int, Fraction] = {}
    default = Fraction(0)
    for factor, form in zip((factor for factor, _ in terms), forms, strict=True):
        default += factor * form.default
        for value, own in form.factors.items():
            factors[value] = factors.get(value, Fraction(0)) + factor * own
    return LinearForm(forms[0].selector, factors, default)


def form_domain(nodes: Sequence[ir.Node], form: LinearForm, max_count: int) -> Domain:
    """Return every value that a form can take over up to `max_count` positions.

    Raises:
        ProgramError: there are too many.
    """
    roots = [_root(nodes, value) for value in form.factors]
    if len({root for root, _ in roots}) == 1:
        count = len(nodes[roots[0][0]].domain)
        columns = [
            [factor * exact(nodes[value].domain.values[at]) for at in table.tolist()]
            for (value, factor), (_, table) in zip(form.factors.items(), roots, strict=True)
        ]
        sums = Domain.of(sum((column[i] for column in columns), Fraction(0)) for i in range(count))
    else:
        sums = sum_domain([(f, nodes[value].domain) for value, f in form.factors.items()])
    return mean_domain(sums, max_count, form.default)


def _root(nodes: Sequence[ir.Node], place: int) -> tuple[int, np.ndarray]:
    """Return the variable that `place` is a function of, through maps, and the function."""
    table = np.arange(len(nodes[place].domain))
    while isinstance(operation := nodes[place].operation, ir.Map) and not nodes[place].optional:
        table = table[operation.table]
        place = operation.inner
    return place, table
