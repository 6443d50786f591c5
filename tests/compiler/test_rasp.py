"""The RASP language: operators, maps, sharing, names, errors."""

import operator
import subprocess
import sys

import numpy as np
import pytest

from glassbench.compiler import rasp
from glassbench.errors import InputError, ProgramError

NONE_BELOW_2 = rasp.Map(lambda x: None if x < 2 else x, rasp.tokens)


def previous(sop, offset=1):
    back = rasp.Select(rasp.indices, rasp.indices, lambda k, q: k == q - offset)
    return rasp.Aggregate(back, sop)


# -- inputs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (rasp.tokens, list("hello")),
        (rasp.indices, [0, 1, 2, 3, 4]),
        (rasp.length, [5] * 5),
        (rasp.Full(7), [7] * 5),
        (rasp.Full(None), [None] * 5),
        (rasp.ConstantSOp([1, 2, 3, 4, 5]), [1, 2, 3, 4, 5]),
        (rasp.length.definition, [5] * 5),
    ],
)
def test_primitives(expression, expected):
    assert expression("hello") == expected


def test_numpy_tokens_become_python_values():
    values = rasp.tokens(np.array([1, 2]))
    assert [type(value) for value in values] == [int, int]


def test_empty_input_gives_empty_output():
    assert rasp.SelectorWidth(rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ))([]) == []


def test_length_is_an_sop_with_a_definition_of_its_own_kind():
    assert isinstance(rasp.length, rasp.LengthType)
    assert isinstance(rasp.length.definition, rasp.SelectorWidth)
    assert rasp.length.definition is rasp.length.definition


# -- operators ---------------------------------------------------------------------

BINARY = [
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
]
NUMBERS = [1, 3, 2, 5]


@pytest.mark.parametrize("function", BINARY, ids=lambda function: function.__name__)
def test_operators_with_a_value_and_with_an_sop(function):
    assert function(rasp.tokens, 2)(NUMBERS) == [function(x, 2) for x in NUMBERS]
    assert function(2, rasp.tokens)(NUMBERS) == [function(2, x) for x in NUMBERS]
    assert function(np.int64(2), rasp.tokens)(NUMBERS) == [function(2, x) for x in NUMBERS]
    both = function(rasp.indices, rasp.tokens)
    assert both(NUMBERS) == [function(i, x) for i, x in enumerate(NUMBERS)]
    assert isinstance(both, rasp.SequenceMap)


@pytest.mark.parametrize("value", [True, False])
def test_logical_operators(value):
    inputs = [True, False]
    assert (rasp.tokens & value)(inputs) == [x and value for x in inputs]
    assert (value & rasp.tokens)(inputs) == [value and x for x in inputs]
    assert (rasp.tokens | value)(inputs) == [x or value for x in inputs]
    assert (value | rasp.tokens)(inputs) == [value or x for x in inputs]
    assert (~rasp.tokens)(inputs) == [False, True]
    other = rasp.tokens == value
    assert (rasp.tokens & other)(inputs) == [x and x == value for x in inputs]
    assert (rasp.tokens | other)(inputs) == [x or x == value for x in inputs]


def test_negation():
    assert (-rasp.tokens)([1, -2, 0]) == [-1, 2, 0]


def test_operators_between_sop_and_selector_are_refused():
    selector = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    with pytest.raises(ProgramError, match="SelectorWidth or Aggregate"):
        _ = rasp.tokens + selector


def test_an_expression_has_no_truth_value():
    with pytest.raises(ProgramError, match="neither true nor false"):
        _ = (rasp.tokens == "a") and (rasp.indices == 0)
    with pytest.raises(ProgramError, match=r"\(0 < x\) & \(x < 3\)"):
        _ = 0 < rasp.indices < 3


def test_results_equal_in_exact_arithmetic_are_equal():
    third, two_thirds = rasp.Full(1 / 3), rasp.Full(2 / 3)
    assert (two_thirds - third)("x") == [1 / 3]
    assert rasp.LinearSequenceMap(two_thirds, third, 1, -1)("x") == [1 / 3]
    assert (rasp.Full(0.1) + 0.2)("x") == [0.3]


# -- maps --------------------------------------------------------------------------


def test_nested_maps_become_one():
    outer = ((rasp.tokens * 2) + 2) / 2
    assert isinstance(outer, rasp.Map)
    assert outer.inner is rasp.tokens
    assert outer([1]) == [2]


def test_nested_maps_stay_two_when_not_simplified():
    inner = rasp.tokens * 2
    outer = rasp.Map(lambda x: x + 2, inner, simplify=False)
    assert outer.inner is inner
    assert outer([1]) == [4]


def test_a_long_chain_of_maps_needs_no_recursion():
    chain = rasp.tokens
    for _ in range(2000):
        chain = chain + 1
    assert chain([0]) == [2000]


@pytest.mark.parametrize("simplify", [True, False])
def test_maps_send_none_to_none(simplify):
    seen = []
    noted = rasp.Map(lambda x: seen.append(x) or x, NONE_BELOW_2, simplify=simplify)
    assert noted([1, 2, 3]) == [None, 2, 3]
    assert seen == [2, 3]


def test_sequence_maps_send_none_to_none():
    assert (NONE_BELOW_2 + rasp.tokens)([1, 2]) == [None, 4]
    assert (rasp.tokens + NONE_BELOW_2)([1, 2]) == [None, 4]
    assert rasp.LinearSequenceMap(rasp.tokens, NONE_BELOW_2, 1, 1)([1, 2]) == [None, 4]


def test_attributes_are_those_of_tracr():
    linear = rasp.LinearSequenceMap(rasp.tokens, rasp.indices, 2, -1)
    assert isinstance(linear, rasp.SequenceMap)
    assert (linear.fst_fac, linear.snd_fac) == (2, -1)
    assert linear.fst is rasp.tokens
    assert linear.snd is rasp.indices
    assert linear.f(3, 1) == 5
    select = rasp.Select(rasp.tokens, rasp.indices, rasp.Comparison.LT)
    aggregate = rasp.Aggregate(select, rasp.tokens, default=0)
    assert aggregate.selector is select
    assert aggregate.sop is rasp.tokens
    assert aggregate.default == 0
    assert select.predicate is rasp.Comparison.LT
    assert [child is rasp.tokens for child in aggregate.children] == [False, True]


# -- sharing -----------------------------------------------------------------------


def test_shared_expressions_are_evaluated_once():
    calls = []
    shared = rasp.Map(lambda x: calls.append(x) or x, rasp.tokens)
    doubled = shared
    for _ in range(40):
        doubled = doubled + doubled
    assert doubled([1]) == [2**40]
    assert calls == [1]


def test_topological_order_holds_each_expression_once():
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    total = rasp.SelectorWidth(same) + rasp.Aggregate(same, rasp.indices)
    order = rasp.topological_order(total)
    assert len(order) == len({id(expression) for expression in order}) == 6
    assert order[-1] is total
    places = {id(expression): place for place, expression in enumerate(order)}
    for expression in order:
        assert all(places[id(child)] < places[id(expression)] for child in expression.children)


def test_evaluate_every_gives_all_values():
    histogram = rasp.SelectorWidth(rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ))
    values = rasp.evaluate_every([histogram, rasp.indices], "aba")
    assert values[histogram] == [2, 1, 2]
    assert values[rasp.indices] == [0, 1, 2]
    assert values[histogram.selector][1] == [False, True, False]


# -- names, encodings, identity ----------------------------------------------------


def test_names():
    assert rasp.tokens.name == rasp.tokens.label == "tokens"
    assert (rasp.tokens + 1).name == "map"
    renamed = rasp.tokens.named("input")
    assert renamed.name == "input"
    assert rasp.tokens.name == "tokens"
    assert isinstance(renamed, rasp.TokensType)
    assert repr((rasp.tokens + 1).named("next")) == "<Map 'next'>"


def test_encodings():
    assert rasp.is_categorical(rasp.tokens)
    numerical = rasp.numerical(rasp.tokens).named("n")
    assert rasp.is_numerical(numerical)
    assert rasp.get_encoding(numerical) is rasp.Encoding.NUMERICAL
    assert numerical.annotated(encoding=rasp.Encoding.CATEGORICAL).name == "n"
    assert rasp.is_categorical(rasp.categorical(numerical))
    assert numerical.annotated(colour="red").annotations["colour"] == "red"
    assert "encoding" not in rasp.Select(rasp.tokens, rasp.tokens, max).annotations


def test_expressions_are_immutable_and_hash_by_identity():
    fst, snd = rasp.tokens + 1, rasp.tokens + 1
    assert len({fst, snd}) == 2
    assert fst.copy().unique_id != fst.unique_id
    with pytest.raises(AttributeError):
        fst.inner = snd
    with pytest.raises(TypeError):
        fst.annotations["name"] = "other"


# -- errors ------------------------------------------------------------------------


MALFORMED = {
    "rasp.Map(1, rasp.tokens)": "Map: `f` must be a function on values, got 1.",
    "rasp.Map(rasp.tokens, rasp.tokens)": (
        "Map: `f` must be a function on values, got <TokensType>."
    ),
    "rasp.Map(abs, 'a')": "Map: `inner` must be an SOp (write a value as Full), got 'a'.",
    "rasp.SequenceMap(max, rasp.tokens, 1)": (
        "SequenceMap: `snd` must be an SOp (write a value as Full), got 1."
    ),
    "rasp.Select(rasp.tokens, rasp.tokens, '==')": (
        "Select: `predicate` must be a function on values, got '=='."
    ),
    "rasp.Aggregate(rasp.tokens, rasp.tokens)": (
        "Aggregate: `selector` must be a selector, got <TokensType>."
    ),
    "rasp.SelectorWidth(rasp.tokens)": (
        "SelectorWidth: `selector` must be a selector, got <TokensType>."
    ),
    "rasp.SelectorNot(rasp.tokens)": "SelectorNot: `inner` must be a selector, got <TokensType>.",
}
REPORT = """
import sys
from glassbench.compiler import rasp
from glassbench.errors import ProgramError
for text in sys.argv[1:]:
    try:
        eval(text)
    except ProgramError as error:
        print(error)
"""


def test_malformed_expressions():
    # In a process of its own, since here annotations are checked first, with other messages.
    command = [sys.executable, "-c", REPORT, *MALFORMED]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.splitlines() == list(MALFORMED.values())


def test_a_failing_function_is_named_with_its_value_and_input():
    with pytest.raises(ProgramError, match=r"'half'.*\('b'\), from the input \['b'\].*TypeError"):
        (rasp.tokens / 2).named("half")("b")
    mixed = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.LT).named("mixed")
    with pytest.raises(ProgramError, match=r"predicate of <Select 'mixed'>.*\('b', 1\)"):
        mixed([1, "b"])


def test_inputs_without_values_are_refused():
    with pytest.raises(InputError, match="Every token must have a value"):
        rasp.tokens([1, None])


def test_constants_must_fit_unless_told_otherwise():
    with pytest.raises(InputError, match=r"holds 3 positions.*input of 2"):
        rasp.ConstantSOp([1, 2, 3])("ab")
    assert rasp.ConstantSOp([1, 2, 3], check_length=False)("ab") == [1, 2, 3]


# -- programs ----------------------------------------------------------------------


def has_previous(sop):
    earlier = rasp.Select(sop, sop, rasp.Comparison.EQ) & rasp.Select(
        rasp.indices, rasp.indices, rasp.Comparison.LT
    )
    return rasp.Aggregate(earlier, rasp.Full(1), default=0) > 0


@pytest.mark.parametrize(
    ("program", "inputs", "expected"),
    [
        (has_previous(rasp.tokens), "hello", [0, 0, 0, 1, 0]),
        (has_previous(rasp.tokens), [0, 2, 3, 2, 1, 0, 2], [0, 0, 0, 1, 0, 1, 1]),
        (previous(rasp.tokens), "abc", [None, "a", "b"]),
        (previous(previous(rasp.tokens)), "abc", [None, None, "a"]),
        (rasp.length - 1 - rasp.indices, "abc", [2, 1, 0]),
        (
            rasp.Aggregate(
                rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ), rasp.tokens == "l"
            ),
            "hello",
            [0, 0, 1 / 3, 1 / 2, 2 / 5],
        ),
    ],
)
def test_known_outputs(program, inputs, expected):
    assert program(inputs) == expected
