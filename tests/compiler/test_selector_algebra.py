"""Clauses of selectors: a Boolean algebra of relations, whatever variables they look at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.compiler import compile_program, rasp, selector_algebra, trace
from glassbench.compiler import program as ir
from glassbench.compiler.selector_algebra import (
    Clause,
    both,
    either,
    merged_axes,
    needed_axes,
    negated,
)
from glassbench.errors import ProgramError

TOKENS, INDICES = rasp.tokens, rasp.indices
SIZES = (2, 3, 2, 3)  # of the domains of four variables, at the query and at the key


@st.composite
def clauses(draw):
    """Draw a clause over one or two variables on either side."""
    sides = [
        tuple(sorted(draw(st.sets(st.integers(0, 3), min_size=1, max_size=2)))) for _ in range(2)
    ]
    shape = tuple(SIZES[place] for side in sides for place in side)
    table = draw(st.integers(0, 2 ** int(np.prod(shape)) - 1))
    bits = [bool(table >> at & 1) for at in range(int(np.prod(shape)))]
    return Clause(*sides, np.array(bits).reshape(shape))


conjunctions = st.lists(clauses(), min_size=1, max_size=3).map(tuple)


def relation(selector):
    """Return a conjunction over all variables: an axis for each at the query, then at the key."""
    table = np.ones(SIZES + SIZES, dtype=bool)
    for clause in selector:
        table &= clause.over((0, 1, 2, 3), (0, 1, 2, 3))
    return table


@given(conjunctions, conjunctions)
@settings(deadline=None, max_examples=150)
def test_clauses_are_a_boolean_algebra(fst, snd):
    left, right = relation(fst), relation(snd)
    np.testing.assert_array_equal(relation(both(fst, snd)), left & right)
    np.testing.assert_array_equal(relation(either(fst, snd)), left | right)
    np.testing.assert_array_equal(relation(negated(fst)), ~left)
    np.testing.assert_array_equal(
        relation(negated(either(fst, snd))), relation(both(negated(fst), negated(snd)))
    )
    np.testing.assert_array_equal(
        relation(negated(both(fst, snd))), relation(either(negated(fst), negated(snd)))
    )


@given(conjunctions, conjunctions)
@settings(deadline=None, max_examples=50)
def test_every_clause_says_which_variables_it_looks_at(fst, snd):
    looked_at = [
        {place for clause in (*fst, *snd) for place in getattr(clause, side)}
        for side in ("queries", "keys")
    ]
    for made in (both(fst, snd), either(fst, snd)):
        for clause in made:
            expected = tuple(SIZES[place] for place in clause.queries + clause.keys)
            assert clause.table.shape == expected
            assert list(clause.queries) == sorted(set(clause.queries))
            assert list(clause.keys) == sorted(set(clause.keys))
        found = [
            {place for clause in made for place in getattr(clause, side)}
            for side in ("queries", "keys")
        ]
        # None is lost: where one of them is `None`, nothing is selected.
        assert found == looked_at


@given(conjunctions, conjunctions)
@settings(deadline=None, max_examples=50)
def test_no_clause_of_a_conjunction_covers_another(fst, snd):
    made = both(fst, snd)
    for place, clause in enumerate(made):
        assert not any(clause.covers(other) for other in made[:place] + made[place + 1 :])
    assert len(made) <= len(fst) + len(snd)


@given(clauses(), st.sets(st.integers(0, 3)).map(frozenset))
@settings(deadline=None, max_examples=100)
def test_needed_axes_keep_the_relation_and_what_may_be_none(clause, optional):
    needed = needed_axes(clause, optional)
    np.testing.assert_array_equal(relation((needed,)), relation((clause,)))
    for side in ("queries", "keys"):
        kept, before = (set(getattr(one, side)) for one in (needed, clause))
        assert kept
        assert optional & before <= kept <= before


def test_a_variable_that_does_not_matter_is_dropped():
    table = np.array([[True, False, True]] * 2)[:, :, None]
    clause = Clause((0, 1), (2,), np.repeat(table, 2, axis=2))
    assert needed_axes(clause, frozenset()).queries == (1,)
    assert needed_axes(clause, frozenset({0})).queries == (0, 1)
    # The last variable of a side stays.
    assert needed_axes(clause, frozenset()).keys == (2,)


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_merged_axes_hold_the_same_relation(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    axis = data.draw(st.integers(0, len(shape) - 2))
    n_bits = int(np.prod(shape))
    bits = data.draw(st.lists(st.booleans(), min_size=n_bits, max_size=n_bits))
    table = np.array(bits).reshape(shape)
    classes, members, merged = merged_axes(table, axis)
    assert classes.shape == shape[axis : axis + 2]
    assert merged.shape == (*shape[:axis], len(members), *shape[axis + 2 :])
    np.testing.assert_array_equal(np.take(merged, classes, axis=axis), table)
    # The classes differ from one another, and each is named by its first pair.
    rows = np.moveaxis(merged, axis, 0).reshape(len(members), -1)
    assert len(np.unique(rows, axis=0)) == len(members)
    np.testing.assert_array_equal(classes.ravel()[members], np.arange(len(members)))
    assert all((classes.ravel() == number).argmax() == at for number, at in enumerate(members))


# -- in programs -----------------------------------------------------------------------

SAME = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
SO_FAR = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)
IS_A = rasp.Select(TOKENS, INDICES, lambda key, query: key == "a")
LAST = rasp.Aggregate(rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1), TOKENS)
AFTER_NONE = rasp.Select(LAST, TOKENS, rasp.Comparison.EQ)


def conditions_of(selector):
    program = trace([rasp.SelectorWidth(selector)], "ab", 3).program
    (operation,) = [
        program.nodes[node.operation.selector].operation
        for node in program.nodes
        if isinstance(node.operation, ir.ReciprocalWidth)
    ]
    return program, operation.conditions


def test_a_conjunction_of_different_variables_stays_apart():
    program, conditions = conditions_of(rasp.selector_and(SAME, SO_FAR))
    assert len(conditions) == 2
    assert not [node for node in program.nodes if isinstance(node.operation, ir.SequenceMap)]


def test_a_conjunction_on_the_same_variables_is_one_condition():
    other = rasp.Select(INDICES, INDICES, rasp.Comparison.NEQ)
    _, (condition,) = conditions_of(rasp.selector_and(SO_FAR, other))
    np.testing.assert_array_equal(condition.table, np.tri(3, k=-1))


def test_a_disjunction_reads_pairs_of_variables():
    program, (condition,) = conditions_of(rasp.selector_or(SAME, SO_FAR).named("either"))
    pairs = {
        node.name: node for node in program.nodes if isinstance(node.operation, ir.SequenceMap)
    }
    assert set(pairs) == {"either.queries", "either.keys"}
    assert program.nodes[condition.queries] is pairs["either.queries"]
    assert program.nodes[condition.keys] is pairs["either.keys"]
    # The first position is a key of every query, whatever its token; the last query asks all keys.
    assert len(pairs["either.keys"].domain) == len(pairs["either.queries"].domain) == 5
    expected = [
        [key[1] == query[1] or key[0] <= query[0] for key in pairs["either.keys"].domain.values]
        for query in pairs["either.queries"].domain.values
    ]
    np.testing.assert_array_equal(condition.table, expected)


def test_a_disjunction_needs_no_pair_for_a_side_of_one_variable():
    program, (condition,) = conditions_of(rasp.selector_or(SAME, IS_A))
    assert not [node for node in program.nodes if isinstance(node.operation, ir.SequenceMap)]
    assert program.nodes[condition.queries].name == "tokens"


def test_selectors_inside_others_are_no_nodes():
    program, _ = conditions_of(rasp.selector_not(rasp.selector_and(SAME, SO_FAR)))
    assert sum(node.is_selector for node in program.nodes) == 1


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    "selector",
    [
        rasp.selector_and(rasp.selector_or(SAME, SO_FAR), rasp.selector_not(IS_A)),
        rasp.selector_or(rasp.selector_and(SAME, SO_FAR), rasp.selector_and(IS_A, AFTER_NONE)),
        rasp.selector_not(rasp.selector_or(AFTER_NONE, rasp.selector_not(SO_FAR))),
        rasp.selector_or(
            rasp.selector_not(AFTER_NONE),
            rasp.Select(LAST, INDICES, lambda key, query: key == "ab"[query % 2]),
        ),
        rasp.selector_and(rasp.selector_and(SAME, SO_FAR), rasp.selector_and(IS_A, AFTER_NONE)),
    ],
)
def test_nested_selectors_are_exact(selector, causal, differential):
    inputs = differential.all_sequences("ab", 4)
    for expression in (rasp.SelectorWidth(selector), rasp.Aggregate(selector, INDICES, "none")):
        for level in (0, 1):
            compiled = compile_program(expression, "ab", 4, causal=causal, level=level)
            differential.check_exact(compiled, expression, inputs)


def test_a_relation_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(selector_algebra, "LARGEST_TABLE", 35)
    width = rasp.SelectorWidth(rasp.selector_or(SAME, SO_FAR).named("wide"))
    with pytest.raises(ProgramError) as caught:
        trace([width], "ab", 3)
    assert (
        "wide: as one relation it has 36 entries, and at most 35 are allowed; combine selectors "
        "over fewer or smaller variables, or map them to fewer values first"
    ) in str(caught.value)
    trace([rasp.SelectorWidth(rasp.selector_and(SAME, SO_FAR))], "ab", 3)
