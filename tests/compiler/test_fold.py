"""Folding: what disappears into what reads it, with the same answers and in no more layers."""

import pytest

from glassbench.compiler import compile_program, rasp
from glassbench.compiler import program as ir

TOKENS, INDICES = rasp.tokens, rasp.indices
EQ, LEQ, TRUE = rasp.Comparison.EQ, rasp.Comparison.LEQ, rasp.Comparison.TRUE
SAME = rasp.Select(TOKENS, TOKENS, EQ)
SO_FAR = rasp.Select(INDICES, INDICES, LEQ)
PREVIOUS = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)
VOCABULARY, MAX_LENGTH = (3, 5), 4


def mapped(sop, function, name="mapped"):
    """Return a map that RASP itself does not compose with another."""
    return rasp.Map(function, sop, simplify=False).named(name)


def share_of(token, name="share"):
    is_token = rasp.numerical(rasp.Map(lambda x: x == token, TOKENS))
    return rasp.numerical(rasp.Aggregate(SO_FAR, is_token, default=0)).named(name)


def pair(fst, snd):
    return rasp.SequenceMap(lambda x, y: (x, y), fst, snd).named("pair")


def total(fst, snd, fst_factor=1, snd_factor=1):
    summed = rasp.LinearSequenceMap(fst, snd, fst_factor, snd_factor)
    return rasp.numerical(summed).named("total")


BEFORE = rasp.Aggregate(PREVIOUS, TOKENS).named("before")  # `None` at the first position
WIDTH = rasp.SelectorWidth(SAME).named("width")
SHARE, OTHER = share_of(3), share_of(5, "other")
IS_THREE = mapped(TOKENS, lambda x: x == 3, "is_three")

# What is written, and all that is left of it besides inputs and selectors.
FOLDED = {
    "a map of a map": (
        mapped(mapped(TOKENS, lambda x: x + 1), lambda x: 2 * x, "output"),
        {"output": ir.Map},
    ),
    "a map of None": (
        mapped(mapped(BEFORE, lambda x: None if x == 3 else x), lambda x: 2 * x, "output"),
        {"before": ir.Aggregate, "output": ir.Map},
    ),
    "a map of a function of two values": (
        mapped(pair(TOKENS, INDICES), str, "output"),
        {"output": ir.SequenceMap},
    ),
    "a function of two maps": (
        pair(mapped(TOKENS, lambda x: -x), mapped(INDICES, lambda i: i % 2)),
        {"pair": ir.SequenceMap},
    ),
    "a function of two maps of one variable": (
        pair(IS_THREE, mapped(TOKENS, lambda x: x + 1)),
        {"pair": ir.Map},
    ),
    "a function that looks at one side alone": (
        rasp.SequenceMap(lambda x, _: x + 1, TOKENS, INDICES).named("first"),
        {"first": ir.Map},
    ),
    "a function that looks at one side alone, the other of which may be None": (
        rasp.SequenceMap(lambda x, _: x + 1, INDICES, BEFORE).named("first"),
        {"before": ir.Aggregate, "first": ir.SequenceMap},
    ),
    "a function of a number and a value": (
        pair(WIDTH, TOKENS),
        {"width.reciprocal": ir.ReciprocalWidth, "pair": ir.SequenceMap},
    ),
    "a function of a value and a number": (
        pair(BEFORE, mapped(SHARE, lambda x: x > 0.5)),
        {"share": ir.Aggregate, "before": ir.Aggregate, "pair": ir.SequenceMap},
    ),
    "whether two numbers are equal": (
        rasp.SequenceMap(lambda x, y: x == y, SHARE, OTHER).named("equal"),
        {"share": ir.Aggregate, "other": ir.Aggregate, "equal": ir.RidgeMap},
    ),
    "a function of a sum of numbers": (
        mapped(mapped(total(SHARE, OTHER, 1, -1), lambda x: x > 0), str, "output"),
        {"share": ir.Aggregate, "other": ir.Aggregate, "output": ir.RidgeMap},
    ),
    "a sum of maps": (
        total(mapped(TOKENS, lambda x: x * x), mapped(INDICES, lambda i: i % 2), 2, -1),
        {"total": ir.LinearMap},
    ),
    "a sum of sums": (
        total(total(TOKENS, SHARE, 2, 3), total(SHARE, INDICES), 1, -1).named("output"),
        {"share": ir.Aggregate, "output": ir.LinearMap},
    ),
    "a multiple of a number": (
        total(mapped(SHARE, lambda x: 4 * x), SHARE),
        {"share": ir.Aggregate, "total": ir.LinearMap},
    ),
    "a map of keys and of queries": (
        rasp.SelectorWidth(rasp.Select(IS_THREE, mapped(INDICES, lambda i: i > 1), EQ)),
        {"selector_width.reciprocal": ir.ReciprocalWidth, "selector_width": ir.Map},
    ),
    "a map of what is aggregated": (
        rasp.Aggregate(PREVIOUS, IS_THREE, "none").named("output"),
        {"output": ir.Aggregate},
    ),
    "a map of the mean's numbers": (
        share_of(3, "output"),
        {"output": ir.Aggregate},
    ),
    "a map that may be None of what is aggregated": (
        rasp.Aggregate(PREVIOUS, mapped(TOKENS, lambda x: None if x == 3 else -x), "none"),
        {"aggregate": ir.Aggregate},
    ),
    "a constant": (
        pair(rasp.Full(7), rasp.Map(lambda x: -x, TOKENS)),
        {"pair": ir.Map},
    ),
    "a constant that is made of others": (
        rasp.SequenceMap(lambda x, _: 2 * x, rasp.Full(7), WIDTH).named("output"),
        {"output": ir.Map},
    ),
}


@pytest.mark.parametrize("name", FOLDED)
def test_what_is_left(name, differential):
    expression, left = FOLDED[name]
    sizes = {"vocab": VOCABULARY, "max_length": MAX_LENGTH}
    inputs = differential.all_sequences(VOCABULARY, MAX_LENGTH)
    kept = compile_program(expression, **sizes)
    compiled = compile_program(expression, **sizes, level=1)
    found = {
        node.name: type(node.operation)
        for node in compiled.program.nodes
        if not isinstance(node.operation, ir.Tokens | ir.Indices | ir.Select)
    }
    assert found == left
    assert compiled.model.weights.n_layers <= kept.model.weights.n_layers
    differential.check_exact(kept, expression, inputs)
    differential.check_exact(compiled, expression, inputs)


def only_selector(expression):
    program = compile_program(expression, VOCABULARY, MAX_LENGTH, level=1).program
    (select,) = [node.operation for node in program.nodes if node.is_selector]
    return program, select


def test_conditions_on_the_same_sides_become_one():
    both = rasp.selector_and(
        rasp.Select(IS_THREE, INDICES, EQ), rasp.Select(TOKENS, INDICES, rasp.Comparison.NEQ)
    )
    _, select = only_selector(rasp.SelectorWidth(both))
    (condition,) = select.conditions
    assert condition.table.tolist() == [
        [(key == 3) == query and key != query for key in VOCABULARY] for query in range(MAX_LENGTH)
    ]


def test_a_side_that_does_not_matter_is_not_read():
    program, select = only_selector(
        rasp.SelectorWidth(rasp.Select(TOKENS, INDICES, lambda key, _: key == 3))
    )
    (condition,) = select.conditions
    assert condition.queries is None
    assert program.nodes[condition.keys].name == "tokens"
    assert condition.table.tolist() == [[True, False]]
    assert "indices" not in {node.name for node in program.nodes}


def test_a_side_that_may_be_none_matters_always():
    width = rasp.SelectorWidth(rasp.Select(BEFORE, TOKENS, TRUE))
    program = compile_program(width, VOCABULARY, MAX_LENGTH, level=1).program
    _, select = [node.operation for node in program.nodes if node.is_selector]
    (condition,) = select.conditions
    assert condition.keys is not None
    assert condition.queries is None


def test_a_condition_that_always_holds_is_left_out():
    always = rasp.Select(TOKENS, INDICES, TRUE)
    _, select = only_selector(rasp.SelectorWidth(rasp.selector_and(always, SO_FAR)))
    (condition,) = select.conditions
    assert condition.table.shape == (MAX_LENGTH, MAX_LENGTH)
    _, select = only_selector(rasp.SelectorWidth(always))
    (condition,) = select.conditions
    assert (condition.keys, condition.queries) == (None, None)
    assert condition.table.tolist() == [[True]]


# -- layers --------------------------------------------------------------------------

# Variables of every kind, all of them numbers.
NUMERICAL_INPUTS = {
    "tokens as a number": rasp.numerical(TOKENS),
    "indices as a number": rasp.numerical(INDICES),
}
READ = {
    "tokens": TOKENS,
    "indices": INDICES,
    "a width": WIDTH,
    "a width as a number": rasp.numerical(rasp.SelectorWidth(SAME)),
    "an aggregate": rasp.Aggregate(PREVIOUS, TOKENS, 0),
    "a mean": SHARE,
    "a function of two values": rasp.SequenceMap(lambda x, i: x + 2 * i, TOKENS, INDICES),
    "a function of a number and a value": rasp.SequenceMap(
        lambda x, t: round(6 * x) + t, SHARE, TOKENS
    ),
    "a function of two numbers": rasp.SequenceMap(lambda x, y: x > y, SHARE, OTHER),
    "a sum of a number and a value": total(SHARE, TOKENS, 2, -1),
    "a sum of numbers": total(SHARE, OTHER, 1, -1),
    "a sum of values": total(TOKENS, INDICES, 2, -1),
}


def marked(sop):
    """Return a map that tells all values apart."""
    return mapped(sop, lambda value: ("value", value))


def plain(value):
    return plain(value[1]) if isinstance(value, tuple) else value


def matches(fst, snd):
    return (round(6 * plain(fst)) + round(6 * plain(snd))) % 5 < 2


# What can read a variable, or a map of it that tells its values apart, with the same result.
READERS = {
    "as the output": lambda sop: sop,
    "by a map": lambda sop: mapped(sop, lambda v: matches(v, 0), "reader"),
    "beside a value": lambda sop: rasp.SequenceMap(lambda v, t: (plain(v), t), sop, TOKENS),
    "beside a number": lambda sop: rasp.SequenceMap(lambda v, y: plain(v) > y, sop, OTHER),
    "as keys": lambda sop: rasp.SelectorWidth(rasp.Select(sop, INDICES, matches)),
    "as queries": lambda sop: rasp.SelectorWidth(rasp.Select(INDICES, sop, matches)),
    "as both": lambda sop: rasp.SelectorWidth(rasp.Select(sop, sop, matches)),
    "by a disjunction": lambda sop: rasp.SelectorWidth(
        rasp.selector_or(rasp.Select(sop, INDICES, matches), SAME)
    ),
    "as what is aggregated": lambda sop: rasp.Aggregate(PREVIOUS, sop, "none"),
}


def layers(expression):
    compiled = compile_program(expression, VOCABULARY, 3, level=1)
    return compiled.model.weights.n_layers


def layers_of(build, read):
    return {name: layers(build(sop)) for name, sop in read.items()}


@pytest.mark.parametrize("reader", READERS)
def test_a_map_of_one_variable_costs_no_layer(reader):
    build = READERS[reader]
    expected = layers_of(build, READ)
    assert layers_of(lambda sop: build(marked(sop)), READ) == expected
    assert layers_of(lambda sop: build(marked(marked(sop))), READ) == expected


@pytest.mark.parametrize("reader", READERS)
def test_a_map_of_an_input_that_is_written_as_a_number_costs_no_layer(reader):
    """The input is read as the value that it is too."""
    build = READERS[reader]
    expected = layers_of(build, NUMERICAL_INPUTS)
    assert layers_of(lambda sop: build(marked(sop)), NUMERICAL_INPUTS) == expected


def test_a_map_of_a_value_costs_no_layer_in_a_sum():
    squares = [
        mapped(sop, lambda x: x * x) for sop in (TOKENS, rasp.Aggregate(PREVIOUS, TOKENS, 0))
    ]
    assert layers(total(*squares, 2, -1)) == 1


@pytest.mark.parametrize("read", ["a width", "a mean"])
def test_a_map_of_a_number_costs_no_layer_in_a_sum(read):
    """One layer of neurons adds functions of several numbers."""
    square = mapped(READ[read], lambda x: round(6 * x) ** 2)
    assert layers(total(square, TOKENS, 2, -1)) == layers(pair(square, TOKENS))
