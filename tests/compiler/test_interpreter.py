"""`interpret`: the meaning of a traced program, on the cases where meaning is delicate."""

from fractions import Fraction

import numpy as np
import pytest

from glassbench.compiler import Domain, Encoding, InputSpace, interpret, rasp, trace
from glassbench.compiler import program as ir
from glassbench.compiler.interpreter import Override

TOKENS, INDICES = rasp.tokens, rasp.indices


def values_of(expression, sequence, vocabulary="ab", max_length=4, **options):
    """Return the values and the conflicts of an expression at the real positions."""
    program = trace([expression], vocabulary, max_length, **options).program
    ids = np.full((1, max_length + 1), len(vocabulary) + 1)
    ids[0, 0] = len(vocabulary)
    ids[0, 1 : len(sequence) + 1] = program.vocabulary.indices(list(sequence))
    done = interpret(program, ids)
    (output,) = program.outputs
    row = done.values[output][0]
    assert (row[len(sequence) :] == -1).all()
    table = (*program.nodes[output].domain.values, None)
    return [table[place] for place in row[: len(sequence)]], done.conflicts


def test_padding_is_never_selected():
    every = rasp.Select(INDICES, INDICES, rasp.Comparison.TRUE)
    assert values_of(rasp.SelectorWidth(every), "ab")[0] == [2, 2]
    last = rasp.Select(INDICES, INDICES, lambda key, query: key == 3)
    assert values_of(rasp.SelectorWidth(last), "ab")[0] == [0, 0]
    assert values_of(rasp.Aggregate(last, TOKENS, "none"), "ab")[0] == ["none", "none"]


def test_none_passes_through_maps_and_is_never_selected():
    some = rasp.Map(lambda x: 1 if x == "a" else None, TOKENS)
    assert values_of(some, "ab")[0] == [1, None]
    assert values_of(rasp.Map(lambda x: 0, some, simplify=False), "ab")[0] == [0, None]
    pair = rasp.SequenceMap(lambda x, y: y, some, INDICES)
    assert values_of(pair, "ba")[0] == [None, 1]
    for keys, queries in ((some, TOKENS), (TOKENS, some), (some, some)):
        every = rasp.Select(keys, queries, rasp.Comparison.TRUE)
        nothing = rasp.SelectorNot(every)
        expected = [1 if keys is some else 2] * 2
        if queries is some:
            expected[1] = 0
        assert values_of(rasp.SelectorWidth(every), "ab")[0] == expected
        assert values_of(rasp.SelectorWidth(nothing), "ab")[0] == [0, 0]


def test_conflicts_are_where_selected_values_differ():
    every = rasp.Select(TOKENS, TOKENS, rasp.Comparison.TRUE)
    _, conflicts = values_of(rasp.Aggregate(every, TOKENS), "ab", causal=True)
    ((where),) = conflicts.values()
    np.testing.assert_array_equal(where, [[False, True, False, False]])
    assert not values_of(rasp.Aggregate(every, TOKENS), "aa")[1]


def test_means_are_values_of_the_domain():
    every = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)
    is_a = rasp.numerical(rasp.Map(lambda x: 1 if x == "a" else -2, TOKENS))
    mean = rasp.numerical(rasp.Aggregate(every, is_a, default=0))
    found = [float(value) for value in values_of(mean, "abba")[0]]
    assert found == [1, -0.5, -1, -0.5]


def test_defaults_of_either_encoding():
    nothing = rasp.Select(TOKENS, TOKENS, rasp.Comparison.FALSE)
    assert values_of(rasp.Aggregate(nothing, TOKENS), "ab")[0] == [None, None]
    number = rasp.numerical(rasp.Aggregate(nothing, rasp.numerical(INDICES), default=-7))
    assert values_of(number, "ab")[0] == [-7, -7]


def test_every_node_is_evaluated():
    width = rasp.SelectorWidth(rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ))
    program = trace([width], "ab", 3).program
    tokens = InputSpace(2, 3).everything()
    values = interpret(program, tokens).values
    assert set(values) == set(range(len(program.nodes)))
    for place, node in enumerate(program.nodes):
        if node.is_selector:
            assert values[place].shape == (14, 3, 3)
            assert values[place].dtype == bool
        else:
            assert values[place].shape == (14, 3)
            assert values[place].max() < len(node.domain)


def node(name, operation, values, encoding=Encoding.CATEGORICAL):
    return ir.Node(name, operation, Domain.of(values), encoding)


def test_sums_and_functions_of_sums():
    """A term is a factor of a number, or a number for each value."""
    tokens = node("tokens", ir.Tokens(), "ab")
    place = node("place", ir.Indices(), range(3), Encoding.NUMERICAL)
    terms = (ir.Term(0, np.array([0.5, -1.0])), ir.Term(1, np.array([2.0])))
    total = node("total", ir.LinearMap(terms), [-1, 0.5, 1, 2.5, 3, 4.5], Encoding.NUMERICAL)
    sums = Domain.of([-1, 0.5, 1, 4.5])  # the ends of runs: -1, 0.5 | 1 ... 4.5
    large = node("large", ir.RidgeMap(terms, sums, np.array([0, 0, 1, 1])), [False, True])
    program = ir.Program((tokens, place, total, large), (2, 3), Domain.of("ab"), 3, False)
    values = interpret(program, np.array([[2, 0, 1, 0], [2, 1, 3, 3]])).values
    np.testing.assert_array_equal(values[2], [[1, 2, 5], [0, -1, -1]])
    np.testing.assert_array_equal(values[3], [[0, 1, 1], [0, -1, -1]])


def test_conditions_all_hold_and_sides_that_are_none_do_not_matter():
    tokens = node("tokens", ir.Tokens(), "ab")
    indices = node("indices", ir.Indices(), range(3))
    same = ir.Condition(0, 0, np.eye(2, dtype=bool))
    first = ir.Condition(1, None, np.array([[True, False, False]]))
    last = ir.Condition(None, 1, np.array([[False], [False], [True]]))
    always, never = (ir.Condition(None, None, np.array([[holds]])) for holds in (True, False))
    selectors = [(same,), (same, first), (first, last), (always,), (same, never)]
    nodes = [node(f"select_{n}", ir.Select(some), ()) for n, some in enumerate(selectors)]
    program = ir.Program((tokens, indices, *nodes), (0,), Domain.of("ab"), 3, False)
    values = interpret(program, np.array([[2, 0, 1, 0]])).values
    found = [values[place][0].astype(int).tolist() for place in range(2, 7)]
    assert found == [
        [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
        [[1, 0, 0], [0, 0, 0], [1, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [1, 0, 0]],
        [[1, 1, 1]] * 3,
        [[0, 0, 0]] * 3,
    ]


def test_reciprocal_widths_are_those_of_the_widths():
    same = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
    program = trace([rasp.SelectorWidth(same)], "ab", 3).program
    (place,) = [
        at
        for at, node in enumerate(program.nodes)
        if isinstance(node.operation, ir.ReciprocalWidth)
    ]
    values = interpret(program, np.array([[2, 0, 1, 0]])).values
    found = [program.nodes[place].domain.values[at] for at in values[place][0]]
    assert found == [Fraction(1, 3), Fraction(1, 2), Fraction(1, 3)]


def test_only_what_is_asked_for_is_evaluated():
    width = rasp.SelectorWidth(rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ))
    program = trace([width, INDICES], "ab", 3).program
    values = interpret(program, np.array([[2, 0, 1, 0]]), program.outputs[1:]).values
    assert set(values) == {program.outputs[1]}


@pytest.mark.parametrize("causal", [False, True])
def test_length_follows_the_mask(causal):
    expected = [1, 2, 3] if causal else [3, 3, 3]
    assert values_of(rasp.length, "aba", causal=causal)[0] == expected


def test_what_is_overridden_is_read_by_all_that_follows():
    previous = rasp.Aggregate(
        rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1), TOKENS, "a"
    )
    pair = rasp.SequenceMap(lambda x, y: f"{x}{y}", previous, TOKENS)
    program = trace([pair, previous], "ab", 3).program
    out, before = program.outputs
    tokens = np.array([[2, 1, 0, 1], [2, 0, 1, 3]])
    given = np.array([[1, 1, 0], [-1, 1, 1]])
    where = np.array([[True, False, True], [True, False, True]])
    values = interpret(program, tokens, overrides={before: Override(given, where)}).values
    assert values[before].tolist() == [[1, 1, 0], [-1, 0, -1]]  # nothing stands at padding
    known = (*program.nodes[out].domain.values, None)
    found = [[known[place] for place in row] for row in values[out]]
    assert found == [["bb", "ba", "ab"], [None, "ab", None]]
    assert interpret(program, tokens).values[before].tolist() == [[0, 1, 0], [0, 0, -1]]


def test_values_that_meet_by_an_override_are_conflicts():
    rank = rasp.SelectorWidth(rasp.Select(TOKENS, TOKENS, rasp.Comparison.LT))
    in_order = rasp.Aggregate(rasp.Select(rank, INDICES, rasp.Comparison.EQ), TOKENS)
    program = trace([in_order, rank], "ab", 2).program
    out, place = program.outputs
    tokens, everywhere = np.array([[2, 1, 0]]), np.ones((1, 2), dtype=bool)
    assert not interpret(program, tokens).conflicts
    none_before = Override(np.zeros((1, 2), dtype=int), everywhere)
    conflicts = interpret(program, tokens, overrides={place: none_before}).conflicts
    assert conflicts[out].tolist() == [[True, False]]
