"""Margins: bounds that hold, and what is said where they are too small."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program
from glassbench.compiler import InputSpace, compile_program, interpret, rasp, run
from glassbench.compiler.optimise import without_dead_code
from glassbench.errors import ProgramError

TOKENS, INDICES = rasp.tokens, rasp.indices
SAME = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
SO_FAR = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)
PREVIOUS = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)
WIDTH = rasp.SelectorWidth(SAME)


def numbered(token, high=0.7, low=-0.1):
    """Return a variable of numbers that floating point rounds."""
    return rasp.numerical(rasp.Map(lambda x: high if x == token else low, TOKENS))


def mean_of(value):
    return rasp.numerical(rasp.Aggregate(SO_FAR, value, default=0))


SHARE, OTHER = mean_of(numbered("a")), mean_of(numbered("b", 1.9, 0.3))

PROGRAMS = {
    "a width": WIDTH,
    "a mean": SHARE,
    "a difference of means": rasp.numerical(rasp.LinearSequenceMap(SHARE, OTHER, 1, -1)),
    "the common value of several positions": rasp.Aggregate(SAME, TOKENS),
    "a map of a common value": rasp.Map(lambda x: x == "a", rasp.Aggregate(SAME, TOKENS)),
    "a number at another position": rasp.numerical(rasp.Aggregate(PREVIOUS, SHARE, default=0)),
    "a map of a mean": rasp.Map(lambda x: x > 0.3, SHARE),
    "a number from a map of a mean": rasp.numerical(rasp.Map(lambda x: x * x, SHARE)),
    "a function of a mean and a value": rasp.SequenceMap(lambda x, t: (x > 0.3, t), SHARE, TOKENS),
    "whether means are equal": rasp.SequenceMap(lambda x, y: x == y, SHARE, OTHER),
    "a mean selected by a width": rasp.numerical(
        rasp.Aggregate(rasp.Select(WIDTH, WIDTH, rasp.Comparison.EQ), numbered("a"), default=0)
    ),
    "a disjunction of widths": rasp.SelectorWidth(
        rasp.selector_or(rasp.Select(WIDTH, INDICES, rasp.Comparison.EQ), SAME)
    ),
}


def inputs_of(program):
    """Return random inputs, and such on which many positions are selected."""
    n_tokens, length = len(program.vocabulary), program.max_length
    ids = InputSpace(n_tokens, length).sample(200, seed=0)
    alike = np.tile(np.append(n_tokens, np.full(length, 0)), (length, 1))
    for row in range(length):
        alike[row, row + 2 :] = n_tokens + 1
    return np.concatenate([ids, alike])


def check_bounds(program, logits_of, precision):
    """Compare what each variable is off by with what its margin leaves room for."""
    tokens = inputs_of(program)
    values = interpret(program, tokens).values
    for place, node in enumerate(program.nodes):
        if node.is_selector:
            continue
        compiled = compile_program(without_dead_code(replace(program, outputs=(place,))))
        margin = getattr(compiled.margins, precision)
        real = compiled.model.codec.is_real(tokens)[:, 1:]
        at = values[place][real]
        found = logits_of(compiled.model.weights, tokens)[:, 1:][real]
        if node.is_numerical:
            expected = node.domain.numbers[at][:, None]
            gaps = np.diff(node.domain.numbers, prepend=-np.inf, append=np.inf)
            room = np.minimum(gaps[:-1], gaps[1:])[at][:, None] / 2
        else:
            expected = np.eye(len(node.domain) + 1, len(node.domain))[at]
            room = np.array(0.5)
        off = np.abs(found - expected)
        assert (off <= room / margin).all(), (
            f"{node.name}: off by {off.max():g}, and its margin in {precision} is {margin:g}"
        )


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_variable_is_off_by_more_than_its_margin_allows(name, level, differential):
    program = compile_program(PROGRAMS[name], "abc", 20, level=level).program
    check_bounds(program, differential.forward, "float32")
    check_bounds(program, lambda weights, tokens: run(weights, tokens).logits, "float64")


@pytest.mark.parametrize("gap", [2.0**-power for power in range(6, 36, 3)])
def test_what_float32_gets_wrong_has_a_margin_below_one(gap, differential):
    numbers = {"a": 1.0, "b": 1 + gap, "c": 3.0}
    number = rasp.numerical(rasp.Map(lambda x: numbers[x], TOKENS))
    moved = rasp.numerical(rasp.Aggregate(PREVIOUS, number, default=1))
    compiled = compile_program(rasp.Map(lambda x: x == 1 + gap, moved, simplify=False), "abc", 3)
    inputs = differential.all_sequences("abc", 3)
    ids = compiled.model.codec.encode(inputs)
    logits = differential.forward(compiled.model.weights, ids)
    right = compiled.model.codec.decode(logits, [len(x) for x in inputs]) == compiled.apply(inputs)
    assert right or compiled.margins.float32 < 1
    assert compiled.margins.float64 > 1
    # The bounds are not idle either: they let pass what is far from going wrong.
    assert (compiled.margins.float32 > 1) == (gap > 5e-6)


def test_margins_shrink_with_length_and_number_of_values():
    lengths = [compile_program(WIDTH, "ab", length).margins for length in (2, 4, 8, 16, 32, 64)]
    for shorter, longer in pairwise(lengths):
        assert longer.float32 < shorter.float32
        assert longer.float64 < shorter.float64
    assert lengths[-1].float32 > 1
    means = [compile_program(SHARE, "ab", length).margins.float32 for length in (2, 4, 8, 16, 32)]
    assert means == sorted(means, reverse=True)


def test_float64_is_finer_by_the_ratio_of_the_two_roundings():
    """Where no attention leaks, which it does alike in both."""
    squares = rasp.Map(lambda x: x * x, numbered("a"), simplify=False)
    margins = compile_program(squares, "ab", 6).margins
    assert margins.float64 / margins.float32 == pytest.approx(2.0**29)
    margins = compile_program(SHARE, "ab", 6).margins
    assert 1e6 < margins.float64 / margins.float32 < 2.0**29


def test_what_is_copied_has_all_the_room_there_is():
    assert compile_program(TOKENS, "ab", 4).margins.float32 == np.inf
    assert compile_program(rasp.Map(lambda x: x == "a", TOKENS), "ab", 4).margins.float32 == np.inf


def test_the_weakest_decision_is_named():
    margins = compile_program(WIDTH.named("width"), "ab", 8).margins
    assert margins.weakest == "width: telling 0.111111 from 0.125, values of 'width.reciprocal'"
    first = rasp.Map(lambda x: (x, "!"), WIDTH).named("first")
    assert compile_program(first, "ab", 8, level=1).margins.weakest.startswith("first: ")


def close_values(gap):
    return rasp.numerical(rasp.Map(lambda x: 1 + gap * (x == "a"), TOKENS)).named("close")


@pytest.mark.parametrize("level", [0, 1])
def test_numbers_that_are_too_close_for_float64_are_refused(level):
    with pytest.raises(ProgramError) as caught:
        compile_program(close_values(2.0**-52), "ab", 3, level=level)
    heading, reason = str(caught.value).splitlines()
    assert heading == "The program cannot be compiled exactly:"
    assert reason.startswith("  - close: telling 1.0 from 1.0000000000000002, values of the output")
    assert reason.endswith(
        "in float64, where 1 is needed; use shorter sequences or fewer values, "
        "or round numbers that lie close together"
    )


def test_a_refusal_shows_numbers_that_differ():
    with pytest.raises(ProgramError, match=r"telling 1(\.0)? from 1\.0000000000000002"):
        compile_program(close_values(2.0**-52), "ab", 3)


def test_numbers_that_are_too_close_for_float32_are_said(caplog):
    compiled = compile_program(close_values(1e-7), "ab", 3)
    assert compiled("ab") == [1.0000001, 1]
    assert compiled.margins.float32 < 1 < compiled.margins.float64
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith(
        "close: exact in float64, but not sure to be exact in float32: close: telling "
    )
    assert record.getMessage().endswith(
        "in float32, where 1 is needed; use shorter sequences or fewer values, "
        "or round numbers that lie close together"
    )
    caplog.clear()
    # What counts is the distance relative to the numbers, and where they are read.
    apart = rasp.numerical(rasp.Map(lambda x: {"a": 1.0, "b": 2.0, "c": 1e5}[x], TOKENS))
    compile_program(apart, "abc", 3)
    assert not caplog.text
    large = rasp.numerical(rasp.Map(lambda x: {"a": 1e8, "b": 1e8 + 1}[x], TOKENS))
    assert compile_program(large, "ab", 3).margins.float32 < 1


@pytest.mark.parametrize("name", ["histogram", "sort", "frac_prevs", "shuffle_dyck1"])
def test_programs_of_the_library_are_sure_to_be_exact_in_float32(name, caplog):
    spec = get_program(name)
    vocabulary = spec.vocabulary(max(3, spec.least_vocab))
    for level in (0, 1):
        made = compile_program(
            spec.build(vocabulary, 10), vocabulary, 10, causal=spec.causal, level=level
        )
        assert made.margins.float64 > made.margins.float32 > 1
    assert "not sure to be exact" not in caplog.text


@pytest.mark.parametrize("level", [0, 1])
def test_terms_that_cancel_count_with_their_own_size(level):
    """The difference is small and what is subtracted is large, as is its rounding error."""
    vocabulary = [1e6 + 0.05 * j for j in range(6)]
    other = rasp.Map(lambda k: 1e6 + 0.3 * k, INDICES)
    difference = rasp.numerical(rasp.LinearSequenceMap(TOKENS, other, 1 / 3, -1 / 3))
    margins = compile_program(difference, vocabulary, 5, level=level).margins
    assert margins.float32 < 1 < margins.float64


def test_the_order_of_terms_and_terms_of_no_weight_do_not_matter():
    share = rasp.Aggregate(SO_FAR, TOKENS == "a")
    zero = rasp.LinearSequenceMap(share, share, 1, -1)
    found = [
        compile_program(
            rasp.Map(lambda x: x > 0.5, rasp.LinearSequenceMap(*terms, 1, 1)), "ab", 8, level=1
        ).margins.float32
        for terms in ((zero, share), (share, zero))
    ]
    assert found[0] == pytest.approx(found[1])


def test_numbers_of_a_sum_are_bounded_whatever_their_encoding():
    vocabulary = [10**16 + j for j in range(4)]
    other = rasp.Map(lambda i: 10**16 + i, INDICES)
    with pytest.raises(ProgramError, match="numbers must be at most 1e"):
        compile_program(rasp.numerical(TOKENS - other), vocabulary, 4)
