"""What the program says when variables are overridden, against Python done by hand."""

import inspect
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from glassbench.compiler import Domain, InputSpace, compile_program, interpret, rasp
from glassbench.compiler import program as ir
from glassbench.errors import InputError, TaskError
from glassbench.ground_truth import build_model
from glassbench.ground_truth.high_level_model import HighLevelModel

TOKENS, INDICES = rasp.tokens, rasp.indices
SAME = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
SO_FAR = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)


def rows(compiled, *sequences):
    return compiled.model.codec.encode([list(sequence) for sequence in sequences])


def answers(compiled, given, row=0):
    codec = compiled.model.codec
    return [codec.answer(one) for one in given[row].tolist()]


def overridden(base, source, where=None):
    """Return a sequence with the source's values where both have one."""
    shared = min(len(base), len(source))
    where = range(shared) if where is None else where
    return [source[i] if i < shared and i in where else base[i] for i in range(len(base))]


def counts(sequence):
    return [sequence.count(token) for token in sequence]


def everything(compiled):
    program = compiled.program
    return InputSpace(len(program.vocabulary), program.max_length).everything()


@pytest.fixture(scope="module")
def differences():
    """How often a token occurs, less how many tokens there are so far."""
    every, so_far = rasp.SelectorWidth(SAME), rasp.SelectorWidth(SO_FAR)
    total = rasp.SequenceMap(
        lambda x, y: x - y, every.named("every"), so_far.named("so_far")
    ).named("difference")
    return compile_program(total, "abc", 4)


def test_values_and_output_are_those_of_the_program(differences):
    model = HighLevelModel(differences)
    tokens = rows(differences, "abca", "bb")
    place = differences.source_map.by_name
    found = model.values(tokens)
    assert set(found) == set(model.variables)
    assert {"tokens", "indices", "every", "so_far", "difference"} <= set(found)
    for name, expected in {
        "tokens": [list("abca"), list("bb")],
        "every": [[2, 1, 1, 2], [2, 2]],
        "so_far": [[1, 2, 3, 4], [1, 2]],
        "every.reciprocal": [[Fraction(1, 3), Fraction(1, 2), Fraction(1, 2), Fraction(1, 3)]],
        "difference": [[1, -1, -2, -2], [1, 0]],
    }.items():
        for ids, values in zip(found[name], expected, strict=False):
            assert [place[name].values[i] for i in ids[1 : len(values) + 1]] == values
            assert ids[0] == -1
            assert (ids[len(values) + 1 :] == -1).all()
    assert answers(differences, model.output(tokens)) == [None, 1, -1, -2, -2]
    assert answers(differences, model.output(tokens), 1) == [None, 1, 0, None, None]


@pytest.mark.parametrize("source", ["cccc", "aab", "b"])
@pytest.mark.parametrize("base", ["abca", "bb", "a"])
def test_one_variable_by_hand(differences, base, source):
    model = HighLevelModel(differences)
    given = rows(differences, base), rows(differences, source)
    so_far = list(range(1, len(base) + 1))

    def after(name):
        found = model.interchange(given[0], {name: given[1]})
        assert found.defined[0].tolist() == [0 < i <= len(base) for i in range(5)]
        assert answers(differences, found.answers)[len(base) + 1 :] == [None] * (4 - len(base))
        return answers(differences, found.answers)[1 : len(base) + 1]

    every = overridden(counts(base), counts(source))
    expected = [x - y for x, y in zip(every, so_far, strict=True)]
    assert after("every") == after("every.reciprocal") == expected
    # Tokens that are overridden are counted among those that are not.
    mixed = counts(overridden(base, source))
    assert after("tokens") == [x - y for x, y in zip(mixed, so_far, strict=True)]
    assert (
        after("so_far")
        == after("indices")
        == answers(differences, model.output(given[0]))[1 : len(base) + 1]
    )


def test_several_variables_from_sources_of_their_own(differences):
    model = HighLevelModel(differences)
    base, one, other = (rows(differences, text) for text in ("abca", "ccc", "bbab"))
    found = model.interchange(base, {"tokens": one, "every": other})
    # `every` is set after it has been computed from the tokens, and wins.
    assert answers(differences, found.answers) == [None, 3 - 1, 3 - 2, 1 - 3, 3 - 4]
    late = np.array([[False, False, False, True, True]])
    found = model.interchange(base, {"tokens": one, "every": other}, late)
    # Tokens are a, b, c, a, and so are they counted at the first two positions.
    assert answers(differences, found.answers) == [None, 2 - 1, 1 - 2, 1 - 3, 3 - 4]


def test_positions_are_those_of_the_mask_that_hold_tokens_in_both(differences):
    model = HighLevelModel(differences)
    base, source = rows(differences, "abc"), rows(differences, "cccc")
    where = np.array([[True, False, True, True, True]])
    found = model.interchange(base, {"tokens": source}, where)
    assert answers(differences, found.answers) == [None, 1 - 1, 2 - 2, 2 - 3, None]
    nowhere = model.interchange(base, {"tokens": source}, np.zeros((1, 5), dtype=bool))
    np.testing.assert_array_equal(nowhere.answers, model.output(base))
    assert model.exchangeable(base, source).tolist() == [[False, True, True, True, False]]


def test_values_can_be_given(differences):
    model = HighLevelModel(differences)
    base, place = rows(differences, "ab"), differences.source_map.by_name
    ids = np.array([[0, place["so_far"].values.index(4), place["so_far"].values.index(3), 0, 0]])
    found = model.interchange_values(base, {"so_far": ids})
    assert answers(differences, found.answers) == [None, 1 - 4, 1 - 3, None, None]
    third = place["every.reciprocal"].values.index(Fraction(1, 4))
    found = model.interchange_values(
        base, {"every.reciprocal": np.full((1, 5), third)}, np.arange(5)[None, :] == 2
    )
    assert answers(differences, found.answers) == [None, 1 - 1, 3 - 2, None, None]


def test_none_is_a_value_that_can_be_given():
    previous = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)
    before = rasp.Aggregate(previous, TOKENS).named("before")
    compiled = compile_program(rasp.Map(str.upper, before), "ab", 3)
    model = HighLevelModel(compiled)
    base = rows(compiled, "aba")
    assert answers(compiled, model.output(base)) == [None, None, "A", "B"]
    found = model.interchange_values(base, {"before": np.array([[-1, 1, -1, 0]])})
    assert answers(compiled, found.answers) == [None, "B", None, "A"]
    assert found.defined[0].tolist() == [False, True, True, True]


def test_numbers_and_causal_attention_by_hand():
    is_a = rasp.numerical(rasp.Map(lambda token: token == "a", TOKENS)).named("is_a")
    every = rasp.Select(TOKENS, TOKENS, rasp.Comparison.TRUE)
    compiled = compile_program(rasp.Aggregate(every, is_a).named("share"), "ab", 4, causal=True)
    model = HighLevelModel(compiled)
    found = model.interchange(rows(compiled, "abba"), {"is_a": rows(compiled, "bab")})
    shares = [Fraction(sum([0, 1, 0, 1][: t + 1]), t + 1) for t in range(4)]
    np.testing.assert_allclose(
        np.array(answers(compiled, found.answers)[1:], dtype=float), [float(x) for x in shares]
    )
    assert found.defined[0, 1:].all()


def test_equal_expressions_are_two_variables_unless_they_are_merged():
    first, second = (rasp.SelectorWidth(SAME).named(name) for name in ("first", "second"))
    both = rasp.SequenceMap(lambda x, y: 10 * x + y, first, second)
    base_and_source = "aab", "aaa"
    for level, expected in ((0, [32, 32, 31]), (1, [33, 33, 33])):
        compiled = compile_program(both, "ab", 3, level=level)
        model = HighLevelModel(compiled)
        base, source = (rows(compiled, text) for text in base_and_source)
        name = "first" if level == 0 else "second.reciprocal"
        found = model.interchange(base, {name: source})
        assert answers(compiled, found.answers)[1:] == expected
        assert ("first" in model.variables) == (level == 0)


def test_values_that_do_not_meet_are_not_defined():
    """Two numbers at a position that reads one: half of each is no value."""
    compiled = build_model("sort[vocab=2,length=3]")
    model, tokens = HighLevelModel(compiled), everything(compiled)
    base, source = tokens[-8:], tokens[-8:][::-1]
    where = np.arange(tokens.shape[1])[None, :] == np.full((8, 1), 1)
    found = model.interchange(base, {"place": source}, where)
    assert not found.defined[:, 1:].all()
    assert found.defined[:, 1:].any()
    assert not found.defined[:, 0].any()


def test_variables_of_distractors_are_not_relevant():
    compiled = build_model("histogram[vocab=2,length=3]/crowded[distractors=2]/scrambled")
    model, target = HighLevelModel(compiled), build_model("histogram[vocab=2,length=3]")
    relevant = {name for name in model.variables if model.is_relevant(name)}
    assert relevant == set(HighLevelModel(target).variables)
    assert len(relevant) < len(model.variables)
    tokens = everything(compiled)
    for name in set(model.variables) - relevant:
        found = model.interchange(tokens, {name: tokens[::-1]})
        np.testing.assert_array_equal(found.answers, model.output(tokens))


def test_an_unknown_variable_is_refused(differences):
    model = HighLevelModel(differences)
    tokens = rows(differences, "ab")
    message = r"There is no variable 'evry'\. Did you mean 'every'"
    with pytest.raises(TaskError, match=message):
        model.interchange(tokens, {"evry": tokens})
    with pytest.raises(TaskError, match=message):
        model.interchange_values(tokens, {"evry": tokens})
    with pytest.raises(TaskError, match=message):
        model.is_relevant("evry")
    with pytest.raises(TaskError, match="There is no variable '<bos>'"):
        model.interchange(tokens, {"<bos>": tokens})


def test_values_that_a_variable_cannot_have_are_refused(differences):
    model = HighLevelModel(differences)
    tokens = rows(differences, "ab")
    values = model.values(tokens)["every"]
    assert (values[:, 0] == -1).all()  # at BOS, where it has none: what stands there is left out
    model.interchange_values(tokens, {"every": values})
    with pytest.raises(TaskError, match=r"values of every must be places in its domain, .* got 99"):
        model.interchange_values(tokens, {"every": np.where(values < 0, values, 99)})


# -- against the interpreter on a program in which a node is replaced ------------------


def surgery(program, tokens, fixed):
    """Return the values of all nodes, those of some fixed to arrays `[rows, position]`.

    Every position of every row is a token of its own, and what is fixed is a map of those.
    """
    n_rows, length = tokens.shape[0], tokens.shape[1] - 1
    size = n_rows * length
    cells = np.full(tokens.shape, size + 1)
    cells[:, 0] = size
    real = tokens[:, 1:] < len(program.vocabulary)
    cells[:, 1:][real] = np.arange(size).reshape(n_rows, length)[real]
    shifted = {place: place + 1 for place in range(len(program.nodes))}
    vocabulary = Domain(tuple(range(size)))
    nodes = [ir.Node("cell", ir.Tokens(), vocabulary)]
    for place, node in enumerate(program.nodes):
        operation = ir.with_operands(node.operation, shifted)
        if isinstance(operation, ir.Tokens):
            operation = ir.Map(0, tokens[:, 1:].ravel())
        if place in fixed:
            operation = ir.Map(0, fixed[place].ravel())
        nodes.append(replace(node, operation=operation))
    made = replace(
        program,
        nodes=tuple(nodes),
        outputs=tuple(place + 1 for place in program.outputs),
        beside=(),
        vocabulary=vocabulary,
    )
    values = interpret(made, cells).values
    return {place: values[place + 1] for place in range(len(program.nodes))}


ORACLES = (
    "histogram[vocab=3,length=3]",
    "sort[vocab=2,length=3]",
    "sort_descending[vocab=2,length=3]",
    "frac_prevs[vocab=2,length=3]",
    "majority_token[vocab=2,length=3]",
    "pair_balance[vocab=2,length=3]",
    "histogram[vocab=2,length=3]/crowded[distractors=2]/scrambled",
)


@pytest.mark.parametrize("name", ORACLES)
def test_where_it_is_defined_it_is_the_interpreter_on_a_changed_program(name):
    compiled = build_model(name)
    model, codec, program = HighLevelModel(compiled), compiled.model.codec, compiled.program
    rng = np.random.default_rng(0)
    base = everything(compiled)
    source = base[rng.permutation(len(base))]
    np.testing.assert_array_equal(
        model.output(base), np.where(codec.is_real(base), compiled_answers(compiled, base), -1)
    )
    own, other = model.values(base), model.values(source)
    changed = 0
    for variable in compiled.source_map.variables:
        if variable.node < 0:
            continue
        positions = rng.random(base.shape) < 0.6
        found = model.interchange(base, {variable.name: source}, positions)
        where = positions & codec.is_real(base) & codec.is_real(source)
        fixed = np.where(where, other[variable.name], own[variable.name])[:, 1:]
        values = surgery(program, base, {variable.node: fixed})
        expected = codec.answer_ids([values[place] for place in program.outputs])
        known = found.defined[:, 1:]
        assert known.mean() > 0.3, variable.name
        np.testing.assert_array_equal(
            found.answers[:, 1:][known], expected[known], err_msg=variable.name
        )
        changed += (found.answers != model.output(base)).any()
    assert changed


def compiled_answers(compiled, tokens):
    from glassbench.compiler import run

    return compiled.model.codec.decode_ids(run(compiled.model.weights, tokens).logits)


OF_ANOTHER_FORM = [
    ({"base": ["abc"]}, "The bases must be an array of integers with a row for each input, got"),
    ({"base": "wide"}, "The bases must have 5 columns, BOS and 4 positions, got 6; encode"),
    ({"base": "far"}, "The bases must be BOS (3), at least one token (0 to 2), then padding (4)"),
    ({"source": "far"}, "The sources of tokens must be BOS (3), at least one token (0 to 2), then"),
    (
        {"source": "more"},
        "The sources of tokens must be an array of integers of the shape of the bases, [1, 5], "
        "got int64 [2, 5]",
    ),
    (
        {"positions": np.ones((1, 4), bool)},
        "The positions must be an array of booleans of the shape of the bases, [1, 5], got bool "
        "[1, 4]",
    ),
    ({"positions": np.ones((1, 5))}, "must be an array of booleans of the shape of the bases"),
    ({"positions": [1]}, "must be an array of booleans of the shape of the bases, [1, 5], got [1]"),
]


@pytest.mark.parametrize(("change", "message"), OF_ANOTHER_FORM)
def test_what_is_of_another_form_is_refused(differences, change, message):
    model, base = HighLevelModel(differences), rows(differences, "abca")
    forms = {"wide": np.pad(base, ((0, 0), (0, 1))), "far": base + 50, "more": base.repeat(2, 0)}
    given = {"base": base, "source": base, "positions": None} | {
        name: forms[value] if isinstance(value, str) else value for name, value in change.items()
    }
    # As users call it, whose calls no shapes are checked of.
    interchange = inspect.unwrap(HighLevelModel.interchange)
    with pytest.raises(InputError, match=re.escape(message)):
        interchange(model, given["base"], {"tokens": given["source"]}, given["positions"])
    if "base" in change:
        for method in (HighLevelModel.values, HighLevelModel.output):
            with pytest.raises(InputError, match=re.escape(message.replace("The bases", ""))):
                inspect.unwrap(method)(model, given["base"])


def test_values_of_another_form_are_refused(differences):
    model, base = HighLevelModel(differences), rows(differences, "abca")
    interchange = inspect.unwrap(HighLevelModel.interchange_values)
    message = "The values of tokens must be an array of integers of the shape of the bases, [1, 5]"
    for values in (np.zeros((1, 4), int), np.zeros((1, 5)), [0]):
        with pytest.raises(InputError, match=re.escape(message)):
            interchange(model, base, {"tokens": values})
