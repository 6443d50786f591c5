"""Sums that a program has no place for are found by running it."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from glassbench.compiler import Domain, compile_program, rasp
from glassbench.compiler import program as ir
from glassbench.compiler.sum_check import missed_sums

SO_FAR = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ)
SHARES = [
    rasp.numerical(rasp.Aggregate(SO_FAR, rasp.numerical(rasp.tokens == token), default=0))
    for token in "ab"
]
BALANCE = rasp.numerical(rasp.LinearSequenceMap(*SHARES, 1, -1)).named("balance")
SIGN = rasp.Map(lambda number: number > 0, BALANCE).named("sign")


def with_operation(program, kind, **changes):
    """Return a program with another operation (or domain) at its first node of a kind."""
    place = next(n for n, x in enumerate(program.nodes) if isinstance(x.operation, kind))
    nodes = list(program.nodes)
    domain = changes.pop("domain", nodes[place].domain)
    operation = replace(nodes[place].operation, **changes)
    nodes[place] = replace(nodes[place], operation=operation, domain=domain)
    return replace(program, nodes=tuple(nodes))


@pytest.mark.parametrize("level", [0, 1])
def test_traced_programs_have_a_place_for_every_sum(level):
    assert not missed_sums(compile_program(SIGN, "abc", 4, level=level).program)
    assert not missed_sums(compile_program(rasp.tokens, "abc", 4).program)


@pytest.mark.parametrize("limit", [0, 50_000], ids=["sample", "all"])
def test_a_sum_that_is_no_number_of_the_domain_is_found(limit):
    program = compile_program(BALANCE, "abc", 3).program
    without = Domain.of(n for n in program.nodes[-1].domain.values if n != -1)
    (reason,) = missed_sums(with_operation(program, ir.LinearMap, domain=without), limit=limit)
    assert reason.expression == "balance"
    assert "must hold every sum of its terms, and on input ['b'" in str(reason)
    assert "that is -1 at position" in str(reason)


def test_a_sum_between_two_steps_is_found():
    program = compile_program(SIGN, "abc", 3, level=1).program
    for low, high, found in ((-1, 1, True), (0, 1, True), (0, Fraction(1, 3), False)):
        changed = with_operation(
            program, ir.RidgeMap, sums=Domain.of([low, high]), table=np.array([0, 1])
        )
        assert bool(missed_sums(changed)) is found
    constant = with_operation(program, ir.RidgeMap, sums=Domain.of([-1, 1]), table=np.array([1, 1]))
    assert not missed_sums(constant)
