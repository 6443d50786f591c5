"""Every program of the library: oracle = interpreters = weights, in every regime."""

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program, programs
from glassbench.compiler import InputSpace, check, compile_program, scramble, trace
from glassbench.errors import ProgramError
from glassbench.ground_truth import build_model

# These four have numbers among their outputs or not, in heads or in MLPs; the rest are a sample.
LOGITS = ("histogram", "sort_unique", "frac_prevs", "detect_pattern")
NAMES = tuple(dict.fromkeys((*tuple(programs())[::7], *LOGITS)))

# At each position these look at nothing after it when attention is causal, so their oracle on a
# prefix says what they give there; the last three do so in any case.
PREFIX_CLOSED = (
    "histogram",
    "count",
    "length",
    "frac_prevs",
    "pair_balance",
    "detect_pattern",
)
BOTH_WAYS = ("frac_prevs", "pair_balance", "detect_pattern")


def small(spec):
    """Return vocabulary and length with at most a few hundred sequences."""
    length = 4 if spec.vocab > 3 else 5
    return spec.vocabulary(spec.vocab), length


@pytest.fixture(scope="module")
def models():
    """Every program, compiled once in its small size."""
    made = {}
    for name in NAMES:
        spec = get_program(name)
        vocabulary, length = small(spec)
        expression = spec.build(vocabulary, length)
        made[name] = compile_program(expression, vocabulary, length, causal=spec.causal), expression
    return made


@pytest.mark.parametrize("name", NAMES)
def test_compiled_programs_are_exact(name, models, differential):
    compiled, expression = models[name]
    spec = get_program(name)
    differential.check_exact(
        compiled, expression, differential.all_sequences(*small(spec)), spec.oracle
    )


@pytest.mark.parametrize("name", NAMES)
def test_merged_and_replaced_programs_are_exact(name, differential):
    spec = get_program(name)
    vocabulary, length = small(spec)
    inputs = differential.all_sequences(vocabulary, length)[::3]
    for options in ({"level": 1}, {"placement_seed": 5}):
        compiled = compile_program(
            spec.build(vocabulary, length), vocabulary, length, causal=spec.causal, **options
        )
        expected = [spec.oracle(sequence) for sequence in inputs]
        differential.compare(str(options), inputs, compiled.apply(inputs), expected)


@pytest.mark.parametrize("name", NAMES)
def test_scrambled_models_are_exact(name, models, differential):
    compiled, expression = models[name]
    inputs = differential.all_sequences(*small(get_program(name)))[::2]
    twice = scramble(scramble(compiled, 0), 1)
    assert (twice.model.weights.W_E != compiled.model.weights.W_E).any()
    differential.check_exact(twice, expression, inputs, get_program(name).oracle)


@pytest.mark.parametrize("name", NAMES)
def test_crowded_models_are_exact(name, models, differential):
    spec = get_program(name)
    vocabulary, length = small(spec)
    inputs = differential.all_sequences(vocabulary, length)[::2]
    expected = [spec.oracle(sequence) for sequence in inputs]
    sizes = f"vocab={len(vocabulary)},length={length}"
    for seed in (0, 1):
        crowded = build_model(f"{name}[{sizes}]/crowded[distractors=3,seed={seed}]/scrambled")
        assert crowded.model.weights.d_model > models[name][0].model.weights.d_model
        differential.compare(f"crowded {seed}", inputs, crowded.apply(inputs), expected)


@pytest.mark.parametrize("name", PREFIX_CLOSED)
def test_causal_models_give_what_the_oracle_gives_on_prefixes(name, differential):
    spec = get_program(name)
    vocabulary, length = small(spec)
    expression = spec.build(vocabulary, length)
    compiled = compile_program(expression, vocabulary, length, causal=True)
    assert compiled.model.weights.causal

    def on_prefixes(xs):
        return [spec.oracle(xs[: end + 1])[end] for end in range(len(xs))]

    differential.check_exact(
        compiled, expression, differential.all_sequences(vocabulary, length), on_prefixes
    )


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_programs_that_look_back_need_no_mask(name, differential):
    spec = get_program(name)
    vocabulary, length = small(spec)
    expression = spec.build(vocabulary, length)
    compiled = compile_program(expression, vocabulary, length, causal=False)
    inputs = differential.all_sequences(vocabulary, length)
    differential.check_exact(compiled, expression, inputs, spec.oracle)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in PREFIX_CLOSED])
def test_causal_models_agree_with_the_interpreter_or_are_refused(name, differential):
    spec = get_program(name)
    vocabulary, length = spec.vocabulary(spec.vocab), 3
    expression = spec.build(vocabulary, length)
    inputs = differential.all_sequences(vocabulary, length)
    program = trace([expression], vocabulary, length, causal=True).program
    reasons = [reason.reason for reason in check(program).reasons]
    if reasons:
        assert all("selects different values" in reason for reason in reasons)
        with pytest.raises(ProgramError, match="selects different values"):
            compile_program(program)
    else:
        differential.check_exact(compile_program(program), expression, inputs)


@pytest.mark.parametrize("length", [16, 32])
@pytest.mark.parametrize("name", ["histogram", "reverse", "sort_unique", "frac_prevs"])
def test_long_sequences_are_exact(name, length, differential):
    """Lengths at which attention that is not sharp enough, or steps that are too wide, show."""
    spec = get_program(name)
    vocabulary = spec.vocabulary(8)
    expression = spec.build(vocabulary, length)
    compiled = compile_program(expression, vocabulary, length)
    ids = InputSpace(8, length).sample(128, seed=0)
    inputs = [[vocabulary[i] for i in row if i < 8] for row in ids]
    assert {len(sequence) for sequence in inputs} == set(range(1, length + 1))
    expected = [spec.oracle(sequence) for sequence in inputs]
    differential.compare("float64", inputs, compiled.apply(inputs), expected)
    logits = differential.forward(compiled.model.weights, ids, np.float32)
    decoded = compiled.model.codec.decode(logits, [len(sequence) for sequence in inputs])
    differential.compare("float32", inputs, decoded, expected)


def test_every_width_is_read_right_at_length_32(differential):
    """`1 / (1 + 31)` and `1 / (1 + 32)` lie closer than 0.001."""
    spec = get_program("histogram")
    compiled = compile_program(spec.build("ab", 32), "ab", 32)
    inputs = [["a"] * count + ["b"] * (32 - count) for count in range(33)]
    expected = [spec.oracle(sequence) for sequence in inputs]
    assert {value for row in expected for value in row} == set(range(1, 33))
    differential.compare("float64", inputs, compiled.apply(inputs), expected)
    logits = differential.forward(compiled.model.weights, compiled.model.codec.encode(inputs))
    decoded = compiled.model.codec.decode(logits, [32] * len(inputs))
    differential.compare("float32", inputs, decoded, expected)


@pytest.mark.parametrize("name", LOGITS)
def test_logits_lie_on_the_values(name, models, differential):
    """Not only the decoded values: one-hot logits are 0 or 1 and numbers are the numbers."""
    compiled, _ = models[name]
    codec = compiled.model.codec
    (readout,) = codec.readouts
    ids = codec.encode(differential.all_sequences(*small(get_program(name))))
    logits = differential.forward(compiled.model.weights, ids, np.float64)
    places = codec.decode_ids(logits)
    if logits.shape[-1] == 1:
        exact = readout.values.numbers[places][..., None]
    else:
        exact = np.eye(len(readout.values) + 1, len(readout.values))[places]
    real = codec.is_real(ids)
    np.testing.assert_allclose(logits[real], exact[real], rtol=0, atol=1e-9)
