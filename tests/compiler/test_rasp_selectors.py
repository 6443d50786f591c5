"""Selectors and their algebra, aggregation, causal evaluation."""

import itertools
import operator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.compiler import rasp
from glassbench.errors import ProgramError

NONE_BELOW_2 = rasp.Map(lambda x: None if x < 2 else x, rasp.tokens)


# -- selectors ---------------------------------------------------------------------


@pytest.mark.parametrize("comparison", list(rasp.Comparison), ids=lambda c: c.name)
def test_comparisons(comparison):
    table = {"EQ": operator.eq, "NEQ": operator.ne, "LT": operator.lt, "LEQ": operator.le}
    table |= {"GT": operator.gt, "GEQ": operator.ge}
    table |= {"TRUE": lambda k, q: True, "FALSE": lambda k, q: False}
    for key, query in itertools.product(range(3), repeat=2):
        assert comparison(key, query) == table[comparison.name](key, query)
        assert comparison.complement(key, query) != comparison(key, query)
    matrix = rasp.Select(rasp.tokens, rasp.indices, comparison)([2, 0, 1])
    assert matrix == [[table[comparison.name](k, q) for k in (2, 0, 1)] for q in range(3)]


OPERANDS = [rasp.tokens, rasp.indices, rasp.Full(1), NONE_BELOW_2, rasp.Full(None)]
PREDICATES = [rasp.Comparison.LT, rasp.Comparison.EQ, lambda k, q: (k + q) % 2]
SELECTS = [
    rasp.Select(keys, queries, predicate)
    for keys in OPERANDS
    for queries in OPERANDS
    for predicate in PREDICATES
]


def cells(fst, snd, function):
    return [
        [function(a, b) for a, b in zip(*rows, strict=True)] for rows in zip(fst, snd, strict=True)
    ]


def known(select, xs):
    return rasp.Select(select.keys, select.queries, rasp.Comparison.TRUE)(xs)


def test_simplified_selectors_mean_the_same():
    xs = [0, 3, 1]
    for fst in SELECTS[::2]:
        assert rasp.selector_not(fst)(xs) == rasp.selector_not(fst, simplify=False)(xs)
        for snd in SELECTS[::4]:
            for combine_selectors in (rasp.selector_and, rasp.selector_or):
                merged = combine_selectors(fst, snd)
                assert merged(xs) == combine_selectors(fst, snd, simplify=False)(xs)


def test_selector_algebra_where_all_have_values_and_nowhere_else():
    xs = [0, 3, 1]
    for fst, snd in zip(SELECTS, reversed(SELECTS), strict=True):
        both_known = cells(known(fst, xs), known(snd, xs), operator.and_)
        conjunction = cells(fst(xs), snd(xs), operator.and_)
        disjunction = cells(fst(xs), snd(xs), operator.or_)
        complement = cells(fst(xs), fst(xs), lambda a, b: not a)
        assert (fst & snd)(xs) == cells(conjunction, both_known, operator.and_)
        assert (fst | snd)(xs) == cells(disjunction, both_known, operator.and_)
        assert (~fst)(xs) == cells(complement, known(fst, xs), operator.and_)
        assert (~(fst & snd))(xs) == (~fst | ~snd)(xs)


def test_merging_of_selects():
    fst = rasp.Select(rasp.tokens, rasp.indices, rasp.Comparison.GEQ)
    snd = rasp.Select(rasp.tokens, rasp.indices, rasp.Comparison.LEQ)
    assert isinstance(fst & snd, rasp.Select)
    constant_keys = rasp.Select(rasp.Full(1), rasp.indices, rasp.Comparison.LEQ)
    merged = fst | constant_keys
    assert isinstance(merged, rasp.Select)
    assert merged.keys is rasp.tokens
    other = rasp.Select(rasp.indices, rasp.tokens, rasp.Comparison.LEQ)
    assert isinstance(fst & other, rasp.SelectorAnd)
    assert isinstance(fst | other, rasp.SelectorOr)
    assert isinstance(~(fst & other), rasp.SelectorNot)
    assert (~fst).predicate is rasp.Comparison.LT


def test_none_is_never_selected():
    for predicate in (rasp.Comparison.TRUE, rasp.Comparison.EQ, lambda k, q: True):
        matrix = rasp.Select(NONE_BELOW_2, rasp.tokens, predicate)([1, 2, 3])
        assert not any(row[0] for row in matrix)
        matrix = rasp.Select(rasp.tokens, NONE_BELOW_2, predicate)([1, 2, 3])
        assert not any(matrix[0])


# -- aggregation -------------------------------------------------------------------


def aggregate(rows, values, default=None):
    selector = rasp.ConstantSelector([[bool(cell) for cell in row] for row in rows])
    return rasp.Aggregate(selector, rasp.ConstantSOp(values), default)([0] * len(values))


@pytest.mark.parametrize(
    ("rows", "values", "default", "expected"),
    [
        ([[1, 0], [0, 1]], ["h", "e"], None, ["h", "e"]),
        ([[0, 1], [0, 0]], ["h", "e"], None, ["e", None]),
        ([[0, 1], [0, 0]], ["h", "e"], "z", ["e", "z"]),
        ([[1, 1], [0, 1]], [0, 1], 0, [0.5, 1]),
        ([[0, 0], [1, 1]], [0, 1], None, [None, 0.5]),
        ([[1, 1], [1, 0]], [True, False], 0, [0.5, True]),
        ([[1, 1], [1, 1]], ["a", "a"], None, ["a", "a"]),
        ([[1, 1], [0, 1]], [None, None], 0, [None, None]),
        ([[1, 1], [0, 1]], [(1, "a"), (1, "a")], None, [(1, "a"), (1, "a")]),
        ([[1, 1], [0, 1]], [Fraction(1, 3), 0], None, [Fraction(1, 6), 0]),
    ],
)
def test_aggregate(rows, values, default, expected):
    assert aggregate(rows, values, default) == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_means_are_correctly_rounded(values):
    everywhere = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.TRUE)
    share = float(Fraction(sum(values), len(values)))
    assert rasp.Aggregate(everywhere, rasp.tokens)(values) == [share] * len(values)


def test_tenths_average_without_error():
    assert aggregate([[1, 1, 1]] * 3, [0.1, 0.1, 0.1]) == [0.1] * 3


@pytest.mark.parametrize("values", [["a", "b"], ["a", 1], [None, 1], [1, None]])
def test_disagreement_is_an_error_that_names_expression_and_input(values):
    everywhere = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.TRUE)
    total = rasp.Aggregate(everywhere, rasp.ConstantSOp(values)).named("total")
    with pytest.raises(ProgramError, match=r"'total'.*agree; at position 0 .*\['x', 'y'\]"):
        total("xy")


# -- causal evaluation -------------------------------------------------------------


def test_causal_selectors_see_no_later_key():
    everything = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.TRUE)
    lower = [[True, False, False], [True, True, False], [True, True, True]]
    assert rasp.evaluate(everything, "abc", causal=True) == lower
    nothing = rasp.SelectorNot(rasp.SelectorNot(everything))
    assert rasp.evaluate(nothing, "abc", causal=True) == lower
    constant = rasp.ConstantSelector([[True] * 3] * 3)
    assert rasp.evaluate(constant, "abc", causal=True) == lower
    never = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.FALSE)
    assert rasp.evaluate(rasp.SelectorNot(never), "abc", causal=True) == lower
    following = rasp.Select(rasp.indices, rasp.indices, lambda k, q: k == q + 1)
    assert rasp.evaluate(rasp.Aggregate(following, rasp.tokens), "abc", causal=True) == [None] * 3


def test_causal_length_counts_what_its_definition_counts():
    assert rasp.evaluate(rasp.length, "abc", causal=True) == [1, 2, 3]
    assert rasp.evaluate(rasp.length.definition, "abc", causal=True) == [1, 2, 3]
