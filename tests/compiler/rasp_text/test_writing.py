"""What is written reads back as the same, on every input."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassbench.compiler import rasp
from glassbench.compiler import rasp_operations as operations
from glassbench.compiler.rasp_selectors import BoundPredicate, NegatedPredicate
from glassbench.compiler.rasp_text import read_rasp, write_rasp
from glassbench.errors import ProgramError

EQ, LT = rasp.Comparison.EQ, rasp.Comparison.LT
PREVIOUS = rasp.Aggregate(
    rasp.Select(rasp.indices, rasp.indices - 1, EQ),
    rasp.tokens,  # None at the first position
)


def outcome(expr, xs):
    """Return the values with their `None`s apart, or that there are none."""
    try:
        return [(value is None, value) for value in expr(xs)]
    except ProgramError:
        return "no values"


def check_round_trip(*outputs, inputs):
    text = write_rasp(*outputs)
    back = read_rasp(text).outputs
    assert len(back) == len(outputs)
    for xs in inputs:
        assert [outcome(expr, xs) for expr in back] == [outcome(expr, xs) for expr in outputs], text
    assert write_rasp(*back) == text
    return text


# -- single programs ---------------------------------------------------------------


def written(expr):
    return check_round_trip(expr, inputs=["a", "ab", "aba", [1, 2], [0.5, "a"]])


def test_one_statement_for_each_expression_children_first():
    same = rasp.Select(rasp.tokens, rasp.tokens, EQ).named("same")
    histogram = rasp.SelectorWidth(same).named("histogram")
    assert written((histogram + histogram).named("twice")) == (
        "same = select(tokens, tokens, ==);\n"
        "histogram = selector_width(same);\n"
        "twice = histogram + histogram;\n"
    )


def test_inputs_and_constants_stand_alone():
    assert written(rasp.tokens) == "tokens;\n"
    assert written(rasp.Full(3)) == "full(3);\n"
    assert written(rasp.Full((1, "a"))) == 'full((1, "a"));\n'


def test_several_outputs_are_listed():
    a = (rasp.tokens == 1).named("a")
    b = (rasp.indices < 2).named("b")
    text = check_round_trip(a, rasp.tokens, b, inputs=[[1, 2]])
    assert text == "a = tokens == 1;\nb = indices < 2;\n[a, tokens, b];\n"


def test_outputs_may_come_in_a_list():
    one, other = rasp.tokens + 1, rasp.tokens * 2
    assert write_rasp([one, other]) == write_rasp(one, other)
    assert write_rasp([one]) == write_rasp(one)
    with pytest.raises(ProgramError, match="must have an output"):
        write_rasp([])


def test_names_are_kept_where_they_can_be():
    sums = [(rasp.tokens + 1).named(name) for name in ("x", "x", "select", "two words", "x_1")]
    total = sums[0]
    for part in sums[1:]:
        total = (total + part).named("x")
    assert written(total) == (
        "x = tokens + 1;\n"
        "x_1 = tokens + 1;\n"
        "x_2 = x + x_1;\n"
        "select_1 = tokens + 1;\n"
        "x_3 = x_2 + select_1;\n"
        "map = tokens + 1;\n"
        "x_4 = x_3 + map;\n"
        "x_1_1 = tokens + 1;\n"
        "x_5 = x_4 + x_1_1;\n"
    )


RIGHT_HAND_SIDES = {
    "tokens < 3": rasp.tokens < 3,
    "3 - tokens": 3 - rasp.tokens,
    "tokens - (-3)": rasp.tokens - -3,
    "-tokens": -rasp.tokens,
    "not (tokens == None)": ~(rasp.tokens == None),  # noqa: E711
    '((tokens == "a") and True) or False': ((rasp.tokens == "a") & True) | False,
    "linear(tokens, indices, 2, -0.5)": rasp.LinearSequenceMap(rasp.tokens, rasp.indices, 2, -0.5),
    'tokens == "\\"\\\\\\n"': rasp.tokens == '"\\\n',
    "numerical(tokens)": rasp.numerical(rasp.tokens),
    "categorical(tokens + 1)": rasp.categorical(rasp.tokens + 1),
    "selector_width(select_1)": rasp.SelectorWidth(rasp.Select(rasp.tokens, rasp.Full(1), LT)),
    "round(min(tokens, 2) % 2) ^ 2": rasp.Map(
        operations.Composition(
            (
                operations.WithConstant(operations.MINIMUM, 2),
                operations.WithConstant(operations.MODULO, 2),
                operations.ROUND,
                operations.WithConstant(operations.POWER, 2),
            )
        ),
        rasp.tokens,
    ),
    "indices in [1, 2]": rasp.Map(operations.Membership((1, 2)), rasp.indices),
    "1 if tokens else (2,)": rasp.Map(operations.Choice(1, (2,)), rasp.tokens),
    "tokens + 0.5": rasp.tokens + Fraction(1, 2),
    "tokens + 2": rasp.tokens + np.float64(2),
    "tokens != True": rasp.tokens != np.bool_(True),
    "full(1) + indices": rasp.SequenceMap(operations.ADD, rasp.Full(1), rasp.indices),
}


@pytest.mark.parametrize("text", RIGHT_HAND_SIDES)
def test_right_hand_sides(text):
    last = written(RIGHT_HAND_SIDES[text]).splitlines()[-1]
    assert last.partition(" = ")[2] == f"{text};"


def test_choices():
    condition = (rasp.tokens == "a").named("c")
    x, y = (rasp.indices + 1).named("x"), (rasp.indices + 2).named("y")
    kept = rasp.SequenceMap(operations.WHERE, condition, x)
    choice = rasp.SequenceMap(operations.OTHERWISE, kept, y)
    assert "sequence_map = x if c else y;" in written(choice)
    shared = rasp.SequenceMap(operations.EQUAL, choice, kept)
    assert "sequence_map = where(c, x);\ny = indices + 2;\n" in written(shared)
    assert "sequence_map_1 = otherwise(sequence_map, y);\n" in written(shared)


SELECTORS = {
    "select(tokens, 1, <)": rasp.Select(rasp.tokens, rasp.Full(1), LT),
    "select(tokens, tokens, True)": rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.TRUE),
    "select(tokens, indices, >=)": rasp.Select(rasp.tokens, rasp.indices, NegatedPredicate(LT)),
    "select(indices, indices, <) and select(tokens, 0, !=)": rasp.Select(
        rasp.indices, rasp.indices, LT
    )
    & ~rasp.Select(rasp.tokens, rasp.Full(0), EQ),
    "not (select(1, indices, ==) or select(tokens, indices, ==))": ~(
        rasp.Select(rasp.Full(1), rasp.indices, EQ) | rasp.Select(rasp.tokens, rasp.indices, EQ)
    ),
    "select(1, indices, ==) and select(tokens, indices, True)": rasp.Select(
        rasp.tokens, rasp.indices, BoundPredicate(EQ, 1, binds_key=True)
    ),
}


@pytest.mark.parametrize("text", SELECTORS)
def test_selectors(text):
    lines = written(rasp.SelectorWidth(SELECTORS[text].named("s"))).splitlines()
    if "and select(tokens, 0" in text:  # other keys: two selectors, not one
        assert lines[-2] == "s = select_1 and select_2;"
    else:
        assert lines[0] == f"s = {text};"


def test_none_of_a_key_that_a_predicate_ignores_is_kept():
    ignores = BoundPredicate(EQ, 1, binds_key=True)
    written(rasp.SelectorWidth(rasp.Select(PREVIOUS, rasp.indices, ignores)))
    written(rasp.SelectorWidth(rasp.Select(PREVIOUS, PREVIOUS, rasp.Comparison.TRUE)))
    nothing = rasp.Full(None)
    both = rasp.Select(nothing, rasp.indices, EQ) & ~rasp.Select(nothing, rasp.indices, LT)
    assert "select(None, indices, ==);" in written(rasp.SelectorWidth(both))


# -- random programs ---------------------------------------------------------------

VALUES = st.sampled_from([0, 1, -2, 0.5, -0.0, 1 / 3, 3.0, "a", "é\n", True, None, (1, "a"), ()])
INPUTS = ([0], [1, 0], ["a", 1, "a"], [0.5, 1 / 3, True, -2], [(1, "a"), "a"])
BINARY = [
    *(operations.EQUAL, operations.NOT_EQUAL, operations.LESS, operations.ADD, operations.MULTIPLY),
    *(operations.DIVIDE, operations.MODULO, operations.POWER, operations.AND, operations.OR),
    *(operations.MINIMUM, operations.MAXIMUM, operations.WHERE, operations.OTHERWISE),
]
UNARY = [
    *(operations.NOT, operations.NEGATE, operations.ROUND, operations.ABSOLUTE),
    *(operations.INDICATOR, operations.AS_STRING, operations.AS_INTEGER, operations.AS_BOOLEAN),
]
BRANCHES = ("input", "full", "map", "sequence map", "choice", "linear", "width", "aggregate")


@st.composite
def programs(draw):
    """Draw expressions of which each may use all those before it."""
    sops = [rasp.tokens, rasp.indices]
    selectors = [rasp.Select(rasp.tokens, rasp.tokens, EQ)]
    names = st.sampled_from(["x", "y", "map", "not", "x_1", "a b", "select"])

    def sop():
        return draw(st.sampled_from(sops))

    def selector():
        return draw(st.sampled_from(selectors))

    def function():
        return draw(
            st.one_of(
                st.sampled_from(UNARY),
                st.builds(operations.WithConstant, st.sampled_from(BINARY), VALUES, st.booleans()),
                st.builds(operations.Choice, VALUES, VALUES),
                st.builds(lambda *v: operations.Membership(v), VALUES, VALUES),
            )
        )

    def new_selector():
        simplify = draw(st.booleans())
        match draw(st.sampled_from(["select", "select", "and", "or", "not"])):
            case "and":
                return rasp.selector_and(selector(), selector(), simplify)
            case "or":
                return rasp.selector_or(selector(), selector(), simplify)
            case "not":
                return rasp.selector_not(selector(), simplify)
        predicate = draw(st.sampled_from([*rasp.Comparison]))
        return rasp.Select(sop(), sop(), predicate)

    def new_sop():
        match draw(st.sampled_from(BRANCHES)):
            case "input":
                return draw(st.sampled_from([rasp.length, rasp.tokens.copy()]))
            case "full":
                return rasp.Full(draw(VALUES))
            case "map":
                return rasp.Map(function(), sop(), simplify=draw(st.booleans()))
            case "sequence map":
                constant = operations.ChoiceWithConstant(draw(VALUES), draw(st.booleans()))
                chosen = draw(st.sampled_from([*BINARY, constant]))
                return rasp.SequenceMap(chosen, sop(), sop())
            case "choice":
                kept = rasp.SequenceMap(operations.WHERE, sop(), sop())
                if draw(st.booleans()):
                    sops.append(kept)
                return rasp.SequenceMap(operations.OTHERWISE, kept, sop())
            case "linear":
                return rasp.LinearSequenceMap(sop(), sop(), draw(st.sampled_from([1, -0.5])), 2)
            case "width":
                return rasp.SelectorWidth(selector())
        return rasp.Aggregate(selector(), sop(), draw(VALUES))

    for _ in range(draw(st.integers(1, 9))):
        if draw(st.booleans()):
            made = new_selector()
            selectors.append(made.named(draw(names)) if draw(st.booleans()) else made)
        made = new_sop()
        if draw(st.booleans()):
            made = made.named(draw(names))
        if draw(st.integers(0, 5)) == 0:
            made = draw(st.sampled_from([rasp.numerical, rasp.categorical]))(made)
        sops.append(made)
    return [sops[-1 - i] for i in range(draw(st.integers(1, 2)))]


def test_random_programs_read_back_as_they_were():
    seen = {"values": 0, "none": 0}

    @settings(
        max_examples=200,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def try_one(outputs):
        check_round_trip(*outputs, inputs=INPUTS)
        results = [outcome(outputs[0], xs) for xs in INPUTS]
        seen["values"] += any(result != "no values" for result in results)
        seen["none"] += any(result == "no values" for result in results)

    try_one()
    assert seen["values"] > 120  # programs that fail everywhere would compare nothing
    assert seen["none"] < 80


# -- what has no text --------------------------------------------------------------


def double(x):
    return 2 * x


def test_everything_that_has_no_text_is_listed():
    bad = rasp.Map(double, rasp.tokens).named("doubled")
    worse = rasp.ConstantSOp([1, 2]).named("given")
    selector = rasp.Select(bad, worse, lambda key, query: key == query).named("odd")
    fixed = rasp.ConstantSelector([[True]]).named("matrix")
    widths = rasp.SelectorWidth(selector) + rasp.SelectorWidth(fixed)
    total = rasp.SequenceMap(operations.Operation("+", max), widths, rasp.Full(float("inf")))
    with pytest.raises(ProgramError) as caught:
        write_rasp(total.named("total"))
    lines = str(caught.value).splitlines()
    assert lines[0] == "The program cannot be written as text:"
    for line, start in zip(
        lines[1:],
        [
            "  - <Map 'doubled'>: the function <function double",
            "  - <ConstantSOp 'given'>: a ConstantSOp has no text, since it is defined for one",
            "  - <Select 'odd'>: the predicate <function ",
            "  - <ConstantSelector 'matrix'>: a ConstantSelector has no text",
            "  - <Full>: the constant inf has no text; use finite numbers, strings, booleans, None",
            "  - <SequenceMap 'total'>: the function (x + y) has no text; write it with operators",
        ],
        strict=True,
    ):
        assert line.startswith(start)
    assert lines[1].endswith(
        "has no text; write it with operators (x + 1, x == y, ~x), or save the traced program as "
        "JSON, in which functions are tables"
    )
    assert "use a Comparison, or combine selectors with &, | and ~" in lines[3]


@pytest.mark.parametrize("value", [Fraction(1, 3), float("nan"), 1j, frozenset({1})])
def test_constants_without_text(value):
    with pytest.raises(ProgramError, match=r"the constant .* has no text; use"):
        write_rasp(rasp.tokens == value)


def test_outputs_must_be_sops():
    with pytest.raises(ProgramError, match="must have an output, got none"):
        write_rasp()
    with pytest.raises(ProgramError, match="The outputs must be SOps, got <Select>"):
        write_rasp(rasp.Select(rasp.tokens, rasp.tokens, EQ))
