"""Tracing: what a program becomes, and every way in which it can be refused."""

from fractions import Fraction

import numpy as np
import pytest

from glassbench.compiler import Encoding, compile_program, rasp, trace
from glassbench.compiler import program as ir
from glassbench.errors import ProgramError

TOKENS = rasp.tokens
INDICES = rasp.indices
EQ = rasp.Comparison.EQ
SAME = rasp.Select(TOKENS, TOKENS, EQ)
PREVIOUS = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)


def traced(expression, vocabulary="ab", max_length=3, **options):
    return trace([expression], vocabulary, max_length, **options).program


def output_of(program):
    """Return the node of a program's only output."""
    (place,) = program.outputs
    return program.nodes[place]


def conditions_of(program):
    """Return the conditions of a program's only selector."""
    (select,) = [node.operation for node in program.nodes if node.is_selector]
    return select.conditions


def refusal(expression, vocabulary="ab", max_length=3):
    with pytest.raises(ProgramError) as caught:
        trace([expression], vocabulary, max_length)
    return str(caught.value)


# -- what is refused ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("vocabulary", "max_length", "problems"),
    [
        ("", 3, ["must hold at least one token, got none"]),
        (["a", None], 3, ["None cannot be a token"]),
        ("aba", 3, ["tokens must differ from one another, got ['a', 'b', 'a']"]),
        ([1, True], 3, ["tokens must differ from one another"]),
        ([0.1, Fraction(1, 10)], 3, ["tokens must differ from one another"]),
        ("ab", 0, ["must be an integer of at least 1, got 0"]),
        ("ab", 2.5, ["must be an integer of at least 1, got 2.5"]),
        (["a", "a", None], -1, ["None cannot", "must differ", "at least 1, got -1"]),
        ([float("nan")], 3, ["values must be finite, got nan"]),
        ([{"a"}], 3, ["values must be booleans, numbers, strings, tuples"]),
    ],
)
def test_inputs_that_are_not_well_defined(vocabulary, max_length, problems):
    message = refusal(TOKENS, vocabulary, max_length)
    assert all(problem in message for problem in problems), message


def test_a_selector_is_no_output():
    message = refusal(SAME.named("same"))
    assert "same: the output must be a sequence, got a selector; aggregate over it" in message
    with pytest.raises(ProgramError, match="the output must be a sequence, got a selector"):
        compile_program(SAME, "ab", 3)
    with pytest.raises(ProgramError, match="the output must be a sequence, got a selector"):
        compile_program(TOKENS, "ab", 3, beside=[SAME])


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        (
            rasp.ConstantSOp(["a", "b"]).named("given"),
            "given: ConstantSOp is defined for one length only and cannot be compiled",
        ),
        (
            rasp.SelectorWidth(rasp.ConstantSelector([[True]])),
            "ConstantSelector is defined for one length only",
        ),
        (rasp.Map(lambda x: x + 1, TOKENS).named("sum"), "sum: its function must be defined"),
        (
            rasp.Map(lambda x: 1 / (x == "a"), TOKENS),
            "fails on 1 of 2: ('b',): ZeroDivisionError: division by zero",
        ),
        (
            rasp.SequenceMap(lambda x, i: x < i, TOKENS, INDICES),
            "fails on 6 of 6: ('a', 0): TypeError",
        ),
        (
            rasp.SelectorWidth(rasp.Select(TOKENS, INDICES, rasp.Comparison.LT).named("less")),
            "less: its function must be defined on every value its arguments can take",
        ),
        (rasp.Map(lambda x: {x}, TOKENS), "got {'a'} of type set"),
        (rasp.Map(lambda x: float("inf"), TOKENS), "values must be finite, got inf"),
        (rasp.Full(object), "values must be booleans, numbers, strings"),
        (
            rasp.numerical(TOKENS),
            "a numerical variable must hold numbers, got ['a', 'b']; annotate it with "
            "rasp.categorical",
        ),
        (
            rasp.numerical(rasp.Map(lambda x: None if x == "a" else 1, TOKENS)),
            "a numerical variable must always have a value, and this one may be None",
        ),
        (
            rasp.numerical(rasp.LinearSequenceMap(TOKENS, INDICES, 1, 1)),
            "a linear combination needs numbers, and 'tokens' may be something else",
        ),
        (
            rasp.numerical(rasp.Aggregate(SAME, TOKENS, 0)),
            "a numerical aggregate needs numbers, and 'tokens' may be something else",
        ),
        (
            rasp.numerical(rasp.Aggregate(PREVIOUS, INDICES)),
            "a numerical aggregate needs a number as its default, got None; "
            "write rasp.Aggregate(..., default=0)",
        ),
        (
            rasp.numerical(rasp.Aggregate(PREVIOUS, INDICES, "x")),
            "a numerical aggregate needs a number as its default, got 'x'",
        ),
    ],
)
def test_every_refusal_says_why(expression, problem):
    assert problem in refusal(expression)


def test_too_many_values_are_refused():
    wide = rasp.SequenceMap(lambda x, i: (x, i), TOKENS, INDICES).named("wide")
    assert "wide: it can take 5000 values, and at most 4096 are allowed" in refusal(
        wide, range(100), 50
    )
    first = rasp.Map(lambda x: x, TOKENS)
    second = rasp.SequenceMap(lambda x, y: True, first, INDICES).named("pairs")
    assert (
        "pairs: its function would be called 600 x 500 times, and at most 262144 calls are allowed"
        in refusal(second, range(600), 500)
    )
    # Comparisons are known, and need no calls; their tables have a limit too.
    every_length = rasp.SelectorWidth(rasp.Select(TOKENS, TOKENS, EQ).named("equal"))
    assert conditions_of(traced(every_length, range(4096), 2))[0].table.shape == (4096, 4096)
    assert "equal: its table has 4097 x 4097 entries, and at most 16777216 are allowed" in refusal(
        every_length, range(4097), 2
    )
    mean = rasp.numerical(rasp.Aggregate(SAME, rasp.numerical(TOKENS), 0)).named("mean")
    assert "mean: more than 4096 different means are possible" in refusal(
        mean, [2**i for i in range(12)], 12
    )


def test_all_problems_are_reported_at_once():
    first = rasp.Map(lambda x: x + 1, TOKENS).named("first")
    second = rasp.numerical(rasp.Aggregate(SAME, TOKENS, 0)).named("second")
    hidden = rasp.SequenceMap(lambda x, y: x, first, second).named("hidden")
    third = rasp.ConstantSOp([1]).named("third")
    program = rasp.SequenceMap(lambda x, y: x, hidden, third).named("whole")
    message = refusal(program)
    assert message.startswith("The program cannot be compiled:\n")
    assert all(f"  - {name}: " in message for name in ("first", "second", "third"))
    # What depends on something refused is not reported on top of it.
    assert "hidden:" not in message
    assert "whole:" not in message
    assert message.count("\n") == 3


# -- what is built -----------------------------------------------------------------


def test_functions_become_tables():
    shifted = rasp.Map(lambda x: {"a": 1, "b": None, "c": 0}[x], TOKENS).named("shifted")
    program = traced(shifted, "cab")
    assert program.vocabulary.values == ("a", "b", "c")
    assert [node.name for node in program.nodes] == ["tokens", "shifted"]
    assert output_of(program).domain.values == (0, 1)
    assert output_of(program).optional
    np.testing.assert_array_equal(output_of(program).operation.table, [1, -1, 0])


def test_a_selector_becomes_a_table_of_query_and_key():
    after = rasp.Select(TOKENS, INDICES, lambda key, query: (key, query) == ("b", 2))
    program = traced(rasp.SelectorWidth(after))
    (condition,) = conditions_of(program)
    places = {node.name: place for place, node in enumerate(program.nodes)}
    assert (condition.keys, condition.queries) == (places["tokens"], places["indices"])
    np.testing.assert_array_equal(condition.table, [[0, 0], [0, 0], [0, 1]])


@pytest.mark.parametrize(
    ("combine", "function"),
    [(rasp.selector_and, np.logical_and), (rasp.selector_or, np.logical_or)],
)
def test_selector_algebra_is_algebra_of_tables(combine, function):
    fst = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)
    snd = rasp.Select(INDICES, INDICES, lambda key, query: (key + query) % 2)
    program = traced(rasp.SelectorWidth(rasp.selector_not(combine(fst, snd, False), False)))
    (condition,) = conditions_of(program)
    keys, queries = np.meshgrid(range(3), range(3))
    expected = function(keys <= queries, (keys + queries) % 2)
    np.testing.assert_array_equal(condition.table, ~expected)


def test_expressions_used_twice_are_traced_once():
    shared = rasp.Map(lambda x: x, TOKENS).named("shared")
    both = rasp.SequenceMap(lambda x, y: (x, y), shared, rasp.Aggregate(SAME, shared))
    names = [node.name for node in traced(both).nodes]
    assert names.count("shared") == 1
    assert "shared_2" not in names


def test_deep_chains_and_shared_graphs_are_no_trouble():
    deep = TOKENS
    for _ in range(3000):
        deep = rasp.Map(lambda x: x, deep, simplify=False)
    assert len(traced(deep).nodes) == 3001
    shared = TOKENS
    for _ in range(60):  # read 2^60 times, if each reading were traced
        shared = rasp.SequenceMap(lambda x, y: min(x, y), shared, shared)
    assert len(traced(shared).nodes) == 61


def test_names_are_unique_and_leave_those_of_the_inputs_alone():
    mixed = rasp.SequenceMap(
        lambda x, y: (x, y),
        rasp.Map(lambda x: x, TOKENS).named("tokens"),
        rasp.Map(lambda x: x, INDICES).named("tokens"),
    ).named("indices")
    program = traced(mixed)
    names = [node.name for node in program.nodes]
    assert len(set(names)) == len(names) == 5
    kinds = {node.name: type(node.operation) for node in program.nodes}
    assert kinds["tokens"] is ir.Tokens
    assert kinds["indices"] is ir.Indices
    assert {name for name, kind in kinds.items() if kind is ir.Tokens} == {"tokens"}


@pytest.mark.parametrize("name", ["<bos>", "<pad>", "tokens", "indices", "width.reciprocal", "x"])
def test_a_name_never_changes_what_a_program_computes(name, differential):
    is_a = (TOKENS == "a").named(name)
    before = rasp.Aggregate(PREVIOUS, is_a, "none").named(name)
    width = rasp.SelectorWidth(rasp.Select(before, before, EQ)).named("width")
    both = rasp.SequenceMap(lambda x, y: (x, y), width, is_a).named(name)
    compiled = compile_program(both, "ab", 4)
    differential.check_exact(compiled, both, differential.all_sequences("ab", 4))


def test_tokens_that_are_not_used_are_not_traced():
    assert [node.name for node in traced(INDICES).nodes] == ["indices"]


def test_encodings_are_converted_where_they_are_read():
    number = rasp.numerical(rasp.Map(lambda x: 2 * (x == "a"), TOKENS)).named("number")
    pair = rasp.SequenceMap(lambda x, y: x + y, number, INDICES)
    program = traced(pair)
    converted = next(node for node in program.nodes if node.name == "number.categorical")
    assert converted.encoding is Encoding.CATEGORICAL
    assert output_of(program).operation.fst == program.nodes.index(converted)


@pytest.mark.parametrize(
    ("selector", "least"),
    [
        (SAME, 1),
        (rasp.Select(TOKENS, TOKENS, rasp.Comparison.NEQ), 0),
        (rasp.Select(TOKENS, INDICES, rasp.Comparison.TRUE), 1),
        (rasp.Select(TOKENS, INDICES, rasp.Comparison.FALSE), 0),
        (rasp.Select(rasp.Map(lambda x: None, TOKENS), INDICES, rasp.Comparison.TRUE), 0),
        (rasp.selector_and(SAME, rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)), 1),
        (rasp.selector_and(SAME, PREVIOUS), 0),
        (rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ), 1),
        (rasp.Select(*[rasp.Map(lambda x: None if x == "a" else x, TOKENS)] * 2, EQ), 0),
    ],
)
def test_widths_that_are_never_zero(selector, least):
    domain = output_of(traced(rasp.SelectorWidth(selector))).domain
    assert domain.values == tuple(range(least, 4))


def test_the_domain_of_a_mean_holds_every_mean():
    every = rasp.Select(INDICES, INDICES, rasp.Comparison.TRUE)
    sign = rasp.numerical(rasp.Map(lambda x: {"a": 1, "b": -1, "c": 0}[x], TOKENS))
    mean = rasp.numerical(rasp.Aggregate(every, sign, default=0))
    domain = output_of(traced(mean, "abc", 5)).domain
    assert domain.values == tuple(
        sorted({Fraction(s, n) for n in range(1, 6) for s in range(-n, n + 1)})
    )
    assert Fraction(2, 5) in domain.values
    assert Fraction(3, 7) not in domain.values


def test_an_aggregate_that_always_selects_itself_never_gives_its_default():
    program = traced(rasp.Aggregate(SAME, TOKENS, "z"))
    assert output_of(program).domain.values == ("a", "b")
    assert not output_of(program).optional
    program = traced(rasp.Aggregate(PREVIOUS, TOKENS, "z"))
    assert output_of(program).domain.values == ("a", "b", "z")
    assert output_of(traced(rasp.Aggregate(PREVIOUS, TOKENS))).optional


def test_aggregates_of_numbers_that_could_be_means_are_open():
    """Those that are not annotated, by their number; an annotation settles the others."""
    first = rasp.Aggregate(SAME, INDICES)
    second = rasp.categorical(rasp.Aggregate(SAME, INDICES))
    third = rasp.Aggregate(SAME, TOKENS)
    fourth = rasp.Aggregate(SAME, rasp.Map(lambda i: i % 2, INDICES))
    expressions = [first, second, third, fourth]
    made = trace(expressions, "ab", 3)
    outputs = made.program.outputs
    assert dict(made.open) == {outputs[0]: 0, outputs[3]: 3}
    assert not any(made.program.nodes[place].is_numerical for place in outputs)
    made = trace(expressions, "ab", 3, means={3})
    kinds = [made.program.nodes[place].is_numerical for place in made.program.outputs]
    assert kinds == [False, False, False, True]
    assert dict(made.open) == {made.program.outputs[0]: 0}


def test_a_mean_with_a_default_that_is_no_number_is_a_map_of_a_mean(differential):
    """A number beyond all means stands for the default."""
    earlier = rasp.Select(INDICES, INDICES, rasp.Comparison.LT)
    for default in ("none", None):
        expression = rasp.Aggregate(earlier, INDICES, default).named("earlier")
        compiled = compile_program(expression, "ab", 4)
        by_name = {node.name: node for node in compiled.program.nodes}
        assert by_name["earlier.mean"].is_numerical
        assert by_name["earlier.mean"].domain.values[-1] == 4
        assert by_name["earlier"].optional == (default is None)
        differential.check_exact(compiled, expression, differential.all_sequences("ab", 4))


def test_several_outputs_and_those_beside_them_keep_their_order():
    program = trace([INDICES, TOKENS, INDICES], "ab", 3, beside=[rasp.length]).program
    assert [program.nodes[place].name for place in program.outputs] == [
        "indices",
        "tokens",
        "indices",
    ]
    assert program.name == "indices, tokens, indices"
    assert [program.nodes[place].name for place in program.beside] == ["length"]
    assert program.roots == program.outputs + program.beside


def test_inputs_are_traced_once_in_each_encoding():
    program = traced(
        rasp.SequenceMap(
            lambda x, y: (x, y),
            rasp.numerical(rasp.LinearSequenceMap(rasp.numerical(INDICES), INDICES, 1, 1)),
            rasp.numerical(rasp.Aggregate(SAME, rasp.numerical(INDICES), default=0)),
        )
    )
    inputs = [node for node in program.nodes if isinstance(node.operation, ir.Indices)]
    assert [(node.name, node.encoding) for node in inputs] == [
        ("indices.numerical", Encoding.NUMERICAL),
        ("indices", Encoding.CATEGORICAL),
    ]


@pytest.mark.parametrize(
    ("numbers", "problem"),
    [
        ([0, 10**10], "numbers must be at most 1e+09 in size; scale them down"),
        ([0, 10**400], "numbers must be at most 1e+09 in size; scale them down"),
    ],
)
def test_numbers_that_are_too_large_are_refused(numbers, problem):
    number = rasp.numerical(rasp.Map(lambda x: numbers[x == "a"], TOKENS)).named("number")
    assert f"number: {problem}" in refusal(number)


def test_a_default_that_is_never_given_does_no_harm(differential):
    for default in ("z", None, "a", 7):
        expression = rasp.Aggregate(SAME, TOKENS, default)
        compiled = compile_program(expression, "ab", 3)
        differential.check_exact(compiled, expression, differential.all_sequences("ab", 3))


def test_functions_see_values_as_python_has_them():
    seen = []

    def note(*values):
        seen.extend(values)
        return values[0]

    mean = rasp.numerical(rasp.Aggregate(SAME, rasp.numerical(TOKENS), default=0))
    traced(rasp.Map(note, mean, simplify=False), [0, 1], 3)
    assert {type(value) for value in seen} <= {int, float, bool}
    assert 1 / 3 in seen
    seen.clear()
    thirds = rasp.Map(lambda x: ("part", x / 3), TOKENS)
    traced(rasp.SequenceMap(note, thirds, INDICES), [1, 2], 1)
    parts = [value for value in seen if isinstance(value, tuple)]
    assert {type(value) for _, value in parts} == {float}
    seen.clear()
    traced(rasp.Map(note, TOKENS), [0.1, 0.25], 1)
    assert seen[:2] == [0.1, 0.25]


def test_numpy_values_are_unwrapped():
    program = traced(rasp.Map(lambda x: np.float64(0.1) * (x == "a"), TOKENS))
    assert output_of(program).domain.values == (0, Fraction(1, 10))
    assert traced(TOKENS, list(np.array([2, 1]))).vocabulary.values == (1, 2)


def test_functions_that_change_their_mind_are_refused():
    draws = iter(range(10**6))
    message = refusal(rasp.Map(lambda x: next(draws), TOKENS).named("draw"))
    assert (
        "draw: its function must give the same value each time, and on ('a',) it gives" in message
    )
