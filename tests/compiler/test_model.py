"""The codec: sequences to token ids, logits to values, and inputs that are refused."""

import re
from dataclasses import fields

import numpy as np
import pytest

from glassbench.compiler import Codec, Domain, Encoding, Readout, compile_program, rasp
from glassbench.errors import InputError

TOKENS = rasp.tokens
LETTERS = Readout(Domain.of("xyz"), Encoding.CATEGORICAL)
STEPS = Readout(Domain.of([-1.0, 0.5, 4]), Encoding.NUMERICAL)
CODEC = Codec(Domain.of("ab"), 3, (LETTERS,))
NUMBERS = Codec(Domain.of("ab"), 3, (STEPS,))


def test_encoding_puts_bos_first_and_padding_last():
    ids = CODEC.encode(["b", "aba"])
    np.testing.assert_array_equal(ids, [[2, 1, 3, 3], [2, 0, 1, 0]])
    assert (CODEC.bos, CODEC.pad) == (2, 3)
    np.testing.assert_array_equal(
        CODEC.is_real(ids), [[False, True, False, False], [False, True, True, True]]
    )
    assert CODEC.encode([]).shape == (0, 4)
    np.testing.assert_array_equal(CODEC.encode([["a"], ("b",)])[:, 1], [0, 1])


def test_the_order_of_the_vocabulary_is_canonical():
    compiled = compile_program(TOKENS, ["b", 3, "a", 1], 2)
    assert compiled.model.codec.tokens.values == (1, 3, "a", "b")
    assert compiled([3, "a"]) == [3, "a"]


def test_all_inputs_that_cannot_be_read_are_listed():
    with pytest.raises(InputError) as caught:
        CODEC.encode(["ab", "", "abab", "acd", [["a"]], [{}]])
    lines = str(caught.value).splitlines()
    assert lines[0] == "The model cannot read these inputs:"
    patterns = (
        r"sequence 1: .*length must be 1 to 3, got 0",
        r"sequence 2: .*length must be 1 to 3, got 4",
        r"sequence 3: tokens must be .* \['a', 'b'\], got \['c', 'd'\]",
        r"sequence 4: tokens must be .* \['a', 'b'\], got \[\['a'\]\]",
        r"sequence 5: tokens must be .* \['a', 'b'\], got \[{}\]",
    )
    assert len(lines) == 1 + len(patterns)
    for line, pattern in zip(lines[1:], patterns, strict=True):
        assert re.fullmatch(f"  - {pattern}", line), line


@pytest.mark.parametrize("sequence", [[None], ["a", None], [None, "c"]])
def test_none_is_no_token(sequence):
    with pytest.raises(InputError, match=r"sequence 0: tokens must be .* got \[None"):
        CODEC.encode([sequence])
    compiled = compile_program(TOKENS, "ab", 3)
    with pytest.raises(InputError):
        compiled(sequence)


@pytest.mark.parametrize(
    "vocabulary",
    [
        (0.1, 0.25, -2.0),
        (1 / 3, 2 / 3),
        (("a", 0.1), ("a", 0.2)),
        (True, False),
        ("<bos>", "<pad>", ""),
        (np.int64(3), np.str_("a")),
    ],
)
def test_models_read_their_own_vocabulary(vocabulary):
    compiled = compile_program(TOKENS, vocabulary, 4)
    sequence = [*vocabulary, vocabulary[0]]
    assert compiled(sequence) == sequence
    assert compiled.apply([[token] for token in vocabulary]) == [[token] for token in vocabulary]


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([0, 1, 0], 1),
        ([0, 0, 0], -1),
        ([0.5, 0.4, 0], -1),
        ([0, 0, 0.51], 2),
        ([1, 1, 0], 0),
        ([1, 1 + 1e-8, 0], 0),  # rounding decides nothing
        ([1, 1.1, 0], 1),
        ([0.5 + 1e-8, 0, 0], -1),
        ([-1, -2, -3], -1),
    ],
)
def test_categorical_decoding(logits, expected):
    assert CODEC.decode_ids(np.array([[logits]], dtype=float)).tolist() == [[expected]]
    (value,) = CODEC.decode(np.array([[[0, 0, 0], logits]], dtype=float), [1])[0]
    assert value == (*"xyz", None)[expected]


@pytest.mark.parametrize(
    ("logit", "expected"),
    [
        (-1, 0),
        (-9, 0),
        (-0.26, 0),
        (-0.25 + 1e-8, 0),  # a tie, and rounding decides nothing
        (-0.24, 1),
        (0.5, 1),
        (2.24, 1),
        (2.26, 2),
        (100, 2),
    ],
)
def test_numerical_decoding(logit, expected):
    assert NUMBERS.decode_ids(np.array([[[logit]]], dtype=float)).tolist() == [[expected]]
    (value,) = NUMBERS.decode(np.array([[[0.0], [logit]]]), [1])[0]
    assert value == (-1, 0.5, 4)[expected]


def test_decoding_gives_the_real_positions_only():
    logits = np.zeros((2, 4, 3))
    logits[:, :, 1] = 1
    assert CODEC.decode(logits, [1, 3]) == [["y"], ["y"] * 3]


def test_a_single_output_value():
    one = Codec(Domain.of("a"), 1, (Readout(Domain.of([3]), Encoding.NUMERICAL),))
    assert one.decode_ids(np.array([[[7.0]]])).tolist() == [[0]]


def test_outputs_are_values_as_python_has_them():
    third = rasp.Map(lambda x: 1 / 3 if x == "a" else -2, TOKENS)
    for expression in (third, rasp.numerical(third)):
        outputs = compile_program(expression, "ab", 2)("ab")
        assert outputs == [1 / 3, -2]
        assert [type(value) for value in outputs] == [float, int]
    pair = rasp.Map(lambda x: (x, 1 / 3), TOKENS)
    assert compile_program(pair, "ab", 2)("b") == [("b", 1 / 3)]


def test_a_model_holds_nothing_but_weights_and_codec():
    model = compile_program(TOKENS, "ab", 3).model
    assert [field.name for field in fields(model)] == ["weights", "codec"]
    assert [field.name for field in fields(model.codec)] == ["tokens", "max_length", "readouts"]
    (readout,) = model.codec.readouts
    assert [field.name for field in fields(readout)] == ["values", "encoding"]


def test_a_batch_gives_what_single_calls_give():
    same = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
    compiled = compile_program(rasp.SelectorWidth(same), "ab", 3)
    inputs = ["a", "aba", "bb"]
    assert compiled.apply(inputs) == [compiled(x) for x in inputs] == [[1], [2, 1, 2], [2, 2]]
    assert compiled.apply([]) == []
