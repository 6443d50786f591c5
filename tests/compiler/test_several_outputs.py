"""Programs of several outputs: a tuple at every position, in every host."""

import numpy as np
import pytest

from glassbench.compiler import (
    Codec,
    Domain,
    Encoding,
    InputSpace,
    Readout,
    compile_program,
    interpret,
    rasp,
    scramble,
)
from glassbench.errors import ProgramError

TOKENS, INDICES = rasp.tokens, rasp.indices
PREVIOUS = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)
SO_FAR = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)
WIDTH = rasp.SelectorWidth(rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)).named("width")
BEFORE = rasp.Aggregate(PREVIOUS, TOKENS).named("before")
SHARE = rasp.numerical(
    rasp.Aggregate(SO_FAR, rasp.numerical(rasp.Map(lambda x: x == "a", TOKENS)), default=0)
).named("share")
OUTPUTS = [BEFORE, WIDTH, SHARE, TOKENS]

LETTERS = Readout(Domain.of("xyz"), Encoding.CATEGORICAL)
STEPS = Readout(Domain.of([-1.0, 0.5, 4]), Encoding.NUMERICAL)
CODEC = Codec(Domain.of("ab"), 3, (LETTERS, STEPS))


def oracle(sequence):
    return [
        (
            sequence[at - 1] if at else None,
            sequence.count(token),
            sequence[: at + 1].count("a") / (at + 1),
            token,
        )
        for at, token in enumerate(sequence)
    ]


@pytest.mark.parametrize("level", [0, 1])
def test_answers_are_tuples(level, differential):
    inputs = differential.all_sequences("ab", 4)
    compiled = compile_program(OUTPUTS, "ab", 4, level=level)
    differential.check_exact(compiled, OUTPUTS, inputs, oracle)
    differential.check_exact(scramble(compiled, 2), OUTPUTS, inputs, oracle)
    assert compiled("ab") == [(None, 1, 1, "a"), ("a", 1, 0.5, "b")]


def test_hosts_agree(differential):
    compiled = compile_program(OUTPUTS, "ab", 3)
    inputs = differential.all_sequences("ab", 3)
    expected = [oracle(sequence) for sequence in inputs]
    differential.check_transformer_lens(compiled, inputs, expected)
    differential.check_haiku(compiled, inputs, expected)


def test_logits_are_those_of_the_outputs_one_after_the_other():
    compiled = compile_program(OUTPUTS, "ab", 4)
    readouts = compiled.model.codec.readouts
    assert [readout.width for readout in readouts] == [2, 4, 1, 2]
    assert compiled.model.weights.d_out == 9
    assert [readout.encoding for readout in readouts] == [
        Encoding.CATEGORICAL,
        Encoding.CATEGORICAL,
        Encoding.NUMERICAL,
        Encoding.CATEGORICAL,
    ]


def test_one_output_in_a_list_answers_as_it_does_alone():
    assert compile_program([WIDTH], "ab", 3)("aba") == compile_program(WIDTH, "ab", 3)("aba")


def test_an_output_may_be_asked_for_twice():
    for level in (0, 1):
        compiled = compile_program([TOKENS, TOKENS], "ab", 2, level=level)
        assert compiled("ba") == [("b", "b"), ("a", "a")]
        assert compiled.program.outputs == (0, 0)


def test_every_answer_has_a_number_of_its_own():
    ids = np.stack(np.meshgrid([-1, 0, 1, 2], [0, 1, 2], indexing="ij")).reshape(2, 1, -1)
    numbers = CODEC.answer_ids(list(ids))
    assert len(set(numbers.ravel().tolist())) == 12
    answers = [CODEC.answer(number) for number in numbers.ravel().tolist()]
    assert answers == [(x, step) for x in (None, *"xyz") for step in STEPS.values.values]


def test_a_single_answer_is_its_position():
    alone = Codec(Domain.of("ab"), 3, (LETTERS,))
    np.testing.assert_array_equal(alone.answer_ids([np.array([[-1, 0, 2]])]), [[-1, 0, 2]])
    assert [alone.answer(number) for number in (-1, 0, 2)] == [None, "x", "z"]


def test_numbers_of_answers_may_come_from_an_array():
    for codec in (CODEC, Codec(Domain.of("ab"), 3, (LETTERS,))):
        (number,) = codec.answer_ids([np.array([[1]]), np.array([[0]])][: len(codec.readouts)])[0]
        assert codec.answer(number) == codec.answer(int(number))


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([1, 0, 0, -1], ("x", -1)),
        ([0, 0, 1, 4], ("z", 4)),
        ([0, 0, 0, 0.6], (None, 0.5)),
        ([0, 1, 1 + 1e-8, -0.25], ("y", -1)),  # ties go as they do in a single output
    ],
)
def test_each_output_is_decoded_by_itself(logits, expected):
    assert CODEC.decode(np.array([[[0, 0, 0, 0], logits]], dtype=float), [1]) == [[expected]]


def test_program_and_weights_give_the_same_numbers():
    compiled = compile_program(OUTPUTS, "ab", 3)
    program, codec = compiled.program, compiled.model.codec
    tokens = InputSpace(2, 3).everything()
    values = interpret(program, tokens, program.outputs).values
    expected = codec.answer_ids([values[place] for place in program.outputs])
    answers = compiled.apply([list("ab"), list("bb")])
    real = codec.is_real(tokens)[:, 1:]
    rows = [row for row, ids in enumerate(tokens.tolist()) if ids[1:] in ([0, 1, 3], [1, 1, 3])]
    found = [[codec.answer(int(n)) for n in expected[row][real[row]]] for row in rows]
    assert found == answers


@pytest.mark.parametrize(
    ("program", "got"),
    [([], "none"), ([TOKENS, "tokens"], "str"), (None, "NoneType")],
)
def test_what_is_no_program_is_refused(program, got):
    with pytest.raises(
        ProgramError, match=f"a program must be RASP text, an expression .* got {got}"
    ):
        compile_program(program, "ab", 3)


def test_a_selector_among_the_outputs_is_refused():
    with pytest.raises(ProgramError, match="must be a sequence, got a selector"):
        compile_program([TOKENS, PREVIOUS], "ab", 3)


def test_too_many_answers_are_refused():
    with pytest.raises(ProgramError, match="the outputs can take more than 2\\^62 values together"):
        compile_program([TOKENS] * 40, "ab", 3)
    assert len(compile_program([TOKENS] * 39, "ab", 3)("ab")[0]) == 39
