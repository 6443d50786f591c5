"""Operations as lines of RASP."""

from fractions import Fraction

import pytest

from glassbench.compiler import compile_program, rasp
from glassbench.compiler.operation_text import operation_text

TOKENS, INDICES = rasp.tokens, rasp.indices
SAME = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ).named("same")
SO_FAR = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ).named("so_far")
IS_THREE = rasp.numerical(TOKENS == 3).named("is_three")
SHARE = rasp.numerical(rasp.Aggregate(SO_FAR, IS_THREE, default=0)).named("share")
WIDTH = rasp.SelectorWidth(SAME).named("width")


def texts_of(expression, level=0):
    program = compile_program(expression, (3, 5), 3, level=level).program
    return {node.name: operation_text(program, node) for node in program.nodes}


@pytest.mark.parametrize(
    ("expression", "name", "text"),
    [
        (TOKENS, "tokens", "rasp.tokens"),
        (INDICES, "indices", "rasp.indices"),
        (rasp.numerical(INDICES), "indices.numerical", "rasp.indices"),
        (SHARE, "is_three", "Map(tokens)"),
        (SHARE, "so_far", "Select(indices, indices, <=)"),
        (WIDTH, "width.reciprocal", "1 / (1 + SelectorWidth(same))"),
        (WIDTH, "width", "Map(width.reciprocal)"),
        (
            rasp.SelectorWidth(rasp.selector_and(SAME, SO_FAR).named("both")),
            "both",
            "Select(tokens, tokens, ==) & Select(indices, indices, <=)",
        ),
        (
            rasp.SelectorWidth(rasp.selector_or(SAME, SO_FAR).named("some")),
            "some",
            "Select(some.keys, some.queries)",
        ),
        (
            rasp.SequenceMap(lambda x, i: (x, i), TOKENS, INDICES).named("pair"),
            "pair",
            "SequenceMap(tokens, indices)",
        ),
        (
            rasp.numerical(rasp.LinearSequenceMap(SHARE, IS_THREE, 1, -2)).named("total"),
            "total",
            "share + -2 * is_three",
        ),
        (
            rasp.numerical(rasp.LinearSequenceMap(SHARE, WIDTH, Fraction(1, 2), 1)).named("total"),
            "total",
            "0.5 * share + width",
        ),
    ],
)
def test_operations_of_level_0(expression, name, text):
    assert texts_of(expression)[name] == text


@pytest.mark.parametrize(
    ("expression", "name", "text"),
    [
        (
            rasp.SelectorWidth(
                rasp.Select(TOKENS, INDICES, lambda key, _: key == 3).named("threes")
            ),
            "threes",
            "Select(tokens, any)",
        ),
        (
            rasp.Map(
                lambda x: x > 0, rasp.numerical(rasp.LinearSequenceMap(SHARE, TOKENS, 4, -1))
            ).named("sign"),
            "sign",
            "Map(4 * share + ",
        ),
        (
            rasp.SequenceMap(lambda n, t: n + t, WIDTH, TOKENS).named("sum"),
            "sum",
            "SequenceMap(width.reciprocal, tokens)",
        ),
    ],
)
def test_operations_of_level_1(expression, name, text):
    assert texts_of(expression, level=1)[name].startswith(text)


def test_the_default_of_an_aggregate_is_said():
    previous = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1).named("previous")
    texts = texts_of(rasp.Aggregate(previous, TOKENS, "none").named("before"))
    assert texts["before"] == "Aggregate(previous, tokens, default='none')"


def test_a_factor_of_a_value_is_said():
    """A variable of one direction for each value stands for its numbers, and only for them."""
    total = rasp.numerical(rasp.LinearSequenceMap(INDICES, WIDTH, 2, 1)).named("total")
    assert texts_of(total)["total"] == "2 * indices + width"
