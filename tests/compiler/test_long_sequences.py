"""Widths, fractions and balances at length 64, with 64 tokens.

There `1 / (1 + 63)` and `1 / (1 + 64)`, which a width is read from, lie 0.00024
apart, and so do the fractions 31/63 and 32/64 that are close to one half. Every
width and every fraction of that length is reached, in float64 and in float32.
"""

from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest

from glassbench.compiler import compile_program, rasp

LENGTH = 64
VOCABULARY = tuple(range(64))
TOKENS, INDICES = rasp.tokens, rasp.indices
SO_FAR = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)
EVERY = rasp.Select(INDICES, INDICES, rasp.Comparison.TRUE)
HALF = 32
WAYS = pytest.mark.parametrize("causal", [False, True], ids=["bidirectional", "causal"])


def adversarial():
    """Inputs at the ends of what a selector can meet, and random ones."""
    rng = np.random.default_rng(0)
    inputs = [[t] * n for t in (0, 31, 63) for n in (1, 2, 31, 32, 33, 63, 64)]
    for n in (63, 64):
        for place in (0, n // 2, n - 1):
            for fst, snd in ((0, 63), (63, 0), (31, 32)):
                inputs.append([snd if i == place else fst for i in range(n)])
        inputs += [list(range(n)), list(reversed(range(n))), rng.permutation(64)[:n].tolist()]
        inputs += [sorted(rng.integers(64, size=n).tolist()) for _ in range(3)]
    inputs += [[t] * k + [63 - t] * (64 - k) for k in range(65) for t in (0, 31)]
    inputs += [rng.integers(64, size=n).tolist() for n in range(1, 65)]
    inputs += [rng.integers(2, size=n).tolist() for n in range(1, 65)]
    return inputs


INPUTS = adversarial()


def check(differential, compiled, inputs, expected):
    """Compare with what is expected in float64 and in float32."""
    codec = compiled.model.codec
    differential.compare("float64", inputs, compiled.apply(inputs), expected)
    logits = differential.forward(compiled.model.weights, codec.encode(inputs), np.float32)
    decoded = codec.decode(logits, [len(xs) for xs in inputs])
    differential.compare("float32", inputs, decoded, expected)


RELATIONS = {
    "==": (rasp.Comparison.EQ, np.equal, range(1, 65)),
    "<": (rasp.Comparison.LT, np.less, range(64)),
    "<=": (rasp.Comparison.LEQ, np.less_equal, range(1, 65)),
    "all": (rasp.Comparison.TRUE, lambda keys, queries: keys == keys, range(1, 65)),
    "never": (rasp.Comparison.FALSE, lambda keys, queries: keys != keys, [0]),
    "half": (lambda key, query: key < HALF, lambda keys, queries: keys < HALF, range(65)),
}


@WAYS
@pytest.mark.parametrize("name", RELATIONS)
def test_widths(name, causal, differential):
    predicate, relation, widths = RELATIONS[name]
    width = rasp.SelectorWidth(rasp.Select(TOKENS, TOKENS, predicate))
    expected = []
    for tokens in map(np.array, INPUTS):
        # Row by row of the queries; where they are equal to themselves the keys are shown.
        chosen = np.broadcast_to(relation(tokens[None, :], tokens[:, None]), (len(tokens),) * 2)
        expected.append((np.tril(chosen) if causal else chosen).sum(axis=1).tolist())
    assert {value for row in expected for value in row} == set(widths)
    check(differential, compile_program(width, VOCABULARY, LENGTH, causal=causal), INPUTS, expected)


def is_low(xs):
    return [x < HALF for x in xs]


def runs():
    """For every length `n` and every `k`: `k` low tokens among `n`."""
    return [[0] * k + [63] * (n - k) for n in range(1, 65) for k in range(n + 1)]


FRACTIONS = {float(Fraction(k, n)) for n in range(1, 65) for k in range(n + 1)}


@WAYS
def test_fractions_of_what_came_before(causal, differential):
    low = rasp.numerical(rasp.Map(lambda x: x < HALF, TOKENS))
    share = rasp.numerical(rasp.Aggregate(SO_FAR, low, default=0))
    inputs = INPUTS + [[63] * (64 - k) + [0] * k for k in range(65)]
    expected = [
        [float(Fraction(n, i)) for i, n in enumerate(accumulate(is_low(xs)), 1)] for xs in inputs
    ]
    assert {value for row in expected for value in row} == FRACTIONS
    check(differential, compile_program(share, VOCABULARY, LENGTH, causal=causal), inputs, expected)


def test_fractions_of_everything(differential):
    low = rasp.numerical(rasp.Map(lambda x: x < HALF, TOKENS))
    share = rasp.numerical(rasp.Aggregate(EVERY, low, default=0))
    inputs = runs()
    expected = [[float(Fraction(sum(is_low(xs)), len(xs)))] * len(xs) for xs in inputs]
    assert {row[0] for row in expected} == FRACTIONS
    compiled = compile_program(share, VOCABULARY, LENGTH)
    check(differential, compiled, inputs, expected)


@WAYS
def test_balances(causal, differential):
    """Differences of two fractions of the same positions: every `k / n`, of either sign."""
    shares = [
        rasp.numerical(rasp.Aggregate(SO_FAR, rasp.numerical(part), default=0))
        for part in (TOKENS < 21, TOKENS >= 43)
    ]
    balance = rasp.numerical(rasp.LinearSequenceMap(*shares, 1, -1))
    inputs = INPUTS + [[t] * k + [HALF] * (64 - k) for t in (0, 63) for k in range(1, 65)]
    expected = []
    for xs in inputs:
        depths = accumulate((x < 21) - (x >= 43) for x in xs)
        expected.append([float(Fraction(depth, i)) for i, depth in enumerate(depths, 1)])
    reached = {value for row in expected for value in row}
    assert reached == FRACTIONS | {-value for value in FRACTIONS}
    compiled = compile_program(balance, VOCABULARY, LENGTH, causal=causal)
    check(differential, compiled, inputs, expected)


def test_a_zero_balance_is_told_from_a_small_one(differential):
    """A balance of 1/64 that is read as zero makes an open bracket look closed."""
    shares = [
        rasp.numerical(rasp.Aggregate(SO_FAR, rasp.numerical(bracket == TOKENS), default=0))
        for bracket in "()"
    ]
    balance = rasp.numerical(rasp.LinearSequenceMap(*shares, 1, -1))
    inputs = [["("] * k + [")"] * (64 - k) for k in range(20, 45)]
    inputs += [list("()" * k + "(" * (64 - 2 * k)) for k in range(33)]
    inputs += [list(")(" * k + "x" * (64 - 2 * k)) for k in range(33)]
    expected = [
        [depth == 0 for depth in accumulate((x == "(") - (x == ")") for x in xs)] for xs in inputs
    ]
    check(differential, compile_program(balance == 0, "()x", 64), inputs, expected)


@WAYS
@pytest.mark.parametrize(("encode", "length"), [(rasp.numerical, 100), (rasp.categorical, 120)])
def test_one_position_among_many(encode, length, causal, differential):
    """The scores of all others add up: the one that is meant must stand far above them."""
    previous = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)
    was_a = encode(rasp.Aggregate(previous, encode(TOKENS == "a"), default=0))
    rng = np.random.default_rng(0)
    inputs = [["a"] * length, ["b"] * length, ["a", *["b"] * (length - 1)], ["b"]]
    inputs += [["ab"[i] for i in rng.integers(2, size=n)] for n in range(1, length + 1, 7)]
    expected = [[0, *(x == "a" for x in xs[:-1])] for xs in inputs]
    compiled = compile_program(was_a, "ab", length, causal=causal)
    check(differential, compiled, inputs, expected)
    logits = differential.forward(compiled.model.weights, compiled.model.codec.encode(inputs))
    for row, values in zip(logits, expected, strict=True):
        true = row[1 : len(values) + 1, -1]  # of two categories, `True` stands last
        np.testing.assert_allclose(true, values, rtol=0, atol=1e-5)
