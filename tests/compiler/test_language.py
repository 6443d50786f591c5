"""The whole language: small programs, each with what it must give written in plain Python.

An oracle says what a program gives at position `i` of an input `xs`. The relation of a
selector says whether the key position `j` is selected by the query position `i`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest

from glassbench.compiler import compile_program, rasp
from glassbench.compiler.rasp import Aggregate, Full, Map, Select, SelectorWidth, SequenceMap

TOKENS, INDICES, LENGTH = rasp.tokens, rasp.indices, rasp.length
EQ, NEQ, LT, LEQ, GT, TRUE, FALSE = (
    rasp.Comparison(symbol) for symbol in ("==", "!=", "<", "<=", ">", "True", "False")
)
SAME, SMALLER = Select(TOKENS, TOKENS, EQ), Select(TOKENS, TOKENS, LT)
EARLIER, SO_FAR = Select(INDICES, INDICES, LT), Select(INDICES, INDICES, LEQ)
PREVIOUS = Select(INDICES, INDICES, lambda key, query: key == query - 1)
EVERY, NOTHING = Select(TOKENS, INDICES, TRUE), Select(INDICES, TOKENS, FALSE)
IS_A = TOKENS == "a"
WITH_A = Select(TOKENS, Full("a"), EQ)
AFTER_A = Aggregate(PREVIOUS, Map(lambda x: x if x == "a" else None, TOKENS))  # "a" or None
COUNT = SelectorWidth(SAME)


class Input(list):
    """A sequence of tokens that knows which positions attention sees."""

    def __init__(self, tokens, causal):
        super().__init__(tokens)
        self.causal = causal

    def seen(self, i):
        return range(i + 1 if self.causal else len(self))

    def count(self, token, i):
        return sum(self[j] == token for j in self.seen(i))

    def after_a(self, i):
        return i > 0 and self[i - 1] == "a"


@dataclass(frozen=True)
class Example:
    """Outputs to compile, and what they give; several outputs give tuples."""

    outputs: Any
    oracle: Callable[[Input, int], Any]
    vocabulary: tuple | str = "ab"
    max_length: int = 4


def width(selector, relation, **sizes):
    def oracle(xs, i):
        return sum(bool(relation(xs, j, i)) for j in xs.seen(i))

    return Example(SelectorWidth(selector), oracle, **sizes)


def average(numbers, default=None):
    """The mean, where a float means the decimal fraction it is written as."""
    exact = [Fraction(repr(x)) if isinstance(x, float) else Fraction(x) for x in numbers]
    return float(sum(exact) / len(exact)) if exact else default


def mean(outputs, relation, value, default=None, **sizes):
    def oracle(xs, i):
        return average([value(xs, j) for j in xs.seen(i) if relation(xs, j, i)], default)

    return Example(outputs, oracle, **sizes)


def pair(fst, snd):
    return SequenceMap(lambda x, y: (x, y), fst, snd)


def same(xs, j, i):
    return xs[j] == xs[i]


def so_far(_xs, j, i):
    return j <= i


def number(_xs, j):
    return j


def token(xs, j):
    return xs[j]


SELECTORS = {
    "and, other keys and queries": width(SAME & EARLIER, lambda xs, j, i: same(xs, j, i) and j < i),
    "or, other keys and queries": width(
        SAME | PREVIOUS, lambda xs, j, i: same(xs, j, i) or j == i - 1
    ),
    "not of an or": width(
        ~(SAME | PREVIOUS), lambda xs, j, i: not (same(xs, j, i) or j == i - 1), vocabulary="abc"
    ),
    "not of an and": width(~(SAME & SO_FAR), lambda xs, j, i: not same(xs, j, i) or j > i),
    "either, not both": width(
        (SAME & ~SO_FAR) | (~SAME & SO_FAR), lambda xs, j, i: same(xs, j, i) != (j <= i)
    ),
    "an and of ors": width(
        (SAME | PREVIOUS) & (WITH_A | EARLIER),
        lambda xs, j, i: (same(xs, j, i) or j == i - 1) and (xs[j] == "a" or j < i),
    ),
    "keys of one and queries of the other": width(
        Select(TOKENS, INDICES, lambda k, q: (k == "a") == (q < 2))
        & Select(INDICES, TOKENS, lambda k, q: (q == "b") or k > 0),
        lambda xs, j, i: (xs[j] == "a") == (i < 2) and (xs[i] == "b" or j > 0),
    ),
    "queries only": width(
        Select(Full(0), INDICES, LT) & Select(Full("b"), TOKENS, EQ),
        lambda xs, j, i: i > 0 and xs[i] == "b",
    ),
    "an or of three, over a count": width(
        rasp.SelectorOr(rasp.SelectorOr(PREVIOUS, Select(INDICES, COUNT, EQ)), WITH_A),
        lambda xs, j, i: j == i - 1 or j == xs.count(xs[i], i) or xs[j] == "a",
    ),
    "a selector with nothing, and with everything": width(
        (SAME & NOTHING) | (~NOTHING & EARLIER & EVERY), lambda xs, j, i: j < i
    ),
    "an or of the same operands": width(
        rasp.selector_or(SMALLER, ~SAME, simplify=False), lambda xs, j, i: not same(xs, j, i)
    ),
    "an or with keys that are None": width(
        SAME | Select(AFTER_A, INDICES, lambda k, q: q == 1),
        lambda xs, j, i: xs.after_a(j) and (same(xs, j, i) or i == 1),
    ),
    "an or with queries that are None": width(
        EARLIER | Select(TOKENS, AFTER_A, EQ),
        lambda xs, j, i: xs.after_a(i) and (j < i or xs[j] == "a"),
    ),
    "not of an and with None": width(
        ~(Select(AFTER_A, TOKENS, EQ) & SO_FAR),
        lambda xs, j, i: xs.after_a(j) and not (xs[i] == "a" and j <= i),
    ),
}

MEANS = {
    "a mean that nobody called numerical": mean(
        Aggregate(SO_FAR, TOKENS), so_far, token, vocabulary=(1, 2, 5)
    ),
    "a mean of truth values": mean(Aggregate(SO_FAR, IS_A), so_far, lambda xs, j: xs[j] == "a"),
    "a mean of floats": mean(
        Aggregate(SO_FAR, TOKENS), so_far, token, vocabulary=(0.1, -1.25, 3.5), max_length=3
    ),
    "a mean of large and small numbers": mean(
        rasp.numerical(Aggregate(SAME | EARLIER, TOKENS, 0)),
        lambda xs, j, i: same(xs, j, i) or j < i,
        token,
        vocabulary=(-1000, 0.25, 7),
        max_length=3,
    ),
    "a mean or None": mean(Aggregate(EARLIER, INDICES), lambda xs, j, i: j < i, number),
    "a mean or a text": mean(
        Aggregate(EARLIER & SAME, INDICES, "none"),
        lambda xs, j, i: j < i and same(xs, j, i),
        number,
        "none",
    ),
    "a mean or a tuple": mean(
        Aggregate(EARLIER, rasp.numerical(INDICES), ("no", 0)),
        lambda xs, j, i: j < i,
        number,
        ("no", 0),
    ),
    "a mean or a number that is one": mean(
        rasp.numerical(Aggregate(WITH_A, INDICES, 1.5)),
        lambda xs, j, i: xs[j] == "a",
        number,
        1.5,
    ),
    "a mean over what has a value": mean(
        Aggregate(Select(AFTER_A, TOKENS, TRUE), INDICES, -1),
        lambda xs, j, i: xs.after_a(j),
        number,
        -1,
    ),
    "a mean of means that are None elsewhere": Example(
        Aggregate(Select(Aggregate(EARLIER, INDICES), INDICES, TRUE), Aggregate(EARLIER, INDICES)),
        lambda xs, i: average([Fraction(j - 1, 2) for j in xs.seen(i) if j > 0]),
    ),
    "a mean of counts": Example(
        Aggregate(EVERY, COUNT),
        lambda xs, i: average([xs.count(xs[j], j) for j in xs.seen(i)]),
        "abc",
    ),
    "a text for each mean": Example(
        Map(lambda m: f"{m:.2f}", Aggregate(EARLIER, IS_A, 9), simplify=False),
        lambda xs, i: f"{average([x == 'a' for x in xs[:i]], 9):.2f}",
    ),
    "means compared with each other": width(
        Select(Aggregate(SO_FAR, IS_A), Aggregate(SO_FAR, IS_A), LT),
        lambda xs, j, i: xs[: j + 1].count("a") / (j + 1) < xs[: i + 1].count("a") / (i + 1),
    ),
    "a mean or None as a query": width(
        Select(INDICES, Aggregate(EARLIER, INDICES), LEQ),
        lambda xs, j, i: i > 0 and j <= Fraction(i - 1, 2),
    ),
}

CATEGORIES = {
    "a number beside texts": Example(
        Aggregate(PREVIOUS, TOKENS, 7), lambda xs, i: xs[i - 1] if i else 7
    ),
    "a default that is a truth value": Example(
        Aggregate(PREVIOUS, IS_A, True), lambda xs, i: i == 0 or xs[i - 1] == "a"
    ),
    "a default beside None": Example(
        Aggregate(PREVIOUS, AFTER_A, "none"),
        lambda xs, i: ("a" if xs.after_a(i - 1) else None) if i else "none",
    ),
    "one value from several positions": Example(
        Aggregate(SAME, pair(TOKENS, Full(1)), (0, 0)), lambda xs, i: (xs[i], 1), "abc"
    ),
    "one value from two selectors": Example(
        Aggregate(SAME & EARLIER, TOKENS, ("new",)),
        lambda xs, i: xs[i] if xs[i] in xs[:i] else ("new",),
        "abc",
    ),
    "a number that all agree on": Example(
        rasp.categorical(Aggregate(SAME, Map({"a": -1, "b": 2.5}.get, TOKENS))),
        lambda xs, i: -1 if xs[i] == "a" else 2.5,
    ),
    "a number by category": Example(
        rasp.categorical(Aggregate(PREVIOUS, rasp.numerical(COUNT), "none")),
        lambda xs, i: xs.count(xs[i - 1], i - 1) if i else "none",
    ),
    "None from a function of two": Example(
        SequenceMap(lambda x, i: None if i % 2 else x, TOKENS, INDICES),
        lambda xs, i: None if i % 2 else xs[i],
    ),
}

NUMBERS = (-2, 0.5, 3)
AS_NUMBER, PLACE = rasp.numerical(TOKENS), rasp.numerical(INDICES)
SOMETIMES = Map(lambda x: None if x == "b" else -2.5, TOKENS)

NUMERICAL = {
    "numerical tokens": Example(AS_NUMBER, lambda xs, i: xs[i], NUMBERS),
    "a sum of inputs": Example(
        rasp.LinearSequenceMap(AS_NUMBER, PLACE, 2, -1 / 3),
        lambda xs, i: float(2 * Fraction(xs[i]) - Fraction(i, 3)),
        NUMBERS,
    ),
    "numerical keys and queries": width(
        Select(AS_NUMBER, PLACE, LT), lambda xs, j, i: xs[j] < i, vocabulary=NUMBERS
    ),
    "a numerical key, a categorical query": width(
        Select(AS_NUMBER, TOKENS, GT), lambda xs, j, i: xs[j] > xs[i], vocabulary=NUMBERS
    ),
    "a map of a number and a category": Example(
        SequenceMap(lambda x, y: x if x > y else "less", AS_NUMBER, INDICES),
        lambda xs, i: xs[i] if xs[i] > i else "less",
        NUMBERS,
    ),
    "a map of two numbers to a text": Example(
        SequenceMap(lambda x, y: f"{x} {y}", AS_NUMBER, PLACE),
        lambda xs, i: f"{xs[i]} {i}",
        NUMBERS,
    ),
    "a map of a mean and a count": Example(
        rasp.numerical(
            SequenceMap(lambda m, n: n if m < 0.5 else -n, Aggregate(SO_FAR, IS_A), COUNT)
        ),
        lambda xs, i: (1 if 2 * xs[: i + 1].count("a") < i + 1 else -1) * xs.count(xs[i], i),
    ),
    "a product of numbers": Example(AS_NUMBER * PLACE, lambda xs, i: xs[i] * i, NUMBERS),
    "a comparison of numbers": Example(AS_NUMBER >= PLACE, lambda xs, i: xs[i] >= i, NUMBERS),
    "a quotient of counts": Example(
        INDICES / LENGTH, lambda xs, i: float(Fraction(i, len(xs.seen(i))))
    ),
    "sums of decimal fractions": Example(
        TOKENS + 0.1 == 0.3, lambda xs, i: xs[i] == 0.2, (0.1, 0.2, 0.3), 3
    ),
    "a number or None": Example(SOMETIMES, lambda xs, i: None if xs[i] == "b" else -2.5),
    "a sum with None": Example(
        SequenceMap(lambda x, y: 2 * x - y, SOMETIMES, INDICES),
        lambda xs, i: None if xs[i] == "b" else -5 - i,
    ),
    "a sum of a mean and a count": Example(
        rasp.LinearSequenceMap(Aggregate(SO_FAR, IS_A), COUNT, 1 / 3, -1),
        lambda xs, i: float(Fraction(xs[: i + 1].count("a"), 3 * (i + 1)) - xs.count(xs[i], i)),
    ),
}

HALF = Map(lambda pair: pair[0], TOKENS)

VALUES = {
    "floats": width(SMALLER, lambda xs, j, i: xs[j] < xs[i], vocabulary=(0.1, -0.1, 2.5, 1e-3)),
    "truth values": Example(TOKENS & (INDICES == 1), lambda xs, i: xs[i] and i == 1, (True, False)),
    "tuples": Example(
        pair(HALF, SelectorWidth(Select(HALF, HALF, EQ))),
        lambda xs, i: (xs[i][0], sum(xs[j][0] == xs[i][0] for j in xs.seen(i))),
        (("a", 1), ("a", 2), ("b", 1)),
    ),
    "all kinds": Example(
        Aggregate(PREVIOUS, TOKENS), lambda xs, i: xs[i - 1] if i else None, (0, "0", 2.5, (0, "0"))
    ),
    "one token only": Example(
        pair(LENGTH, Aggregate(SO_FAR, INDICES)), lambda xs, i: (len(xs.seen(i)), i / 2), (True,), 6
    ),
}

OUTPUTS = {
    "a count and the token": Example(
        [COUNT, TOKENS], lambda xs, i: (xs.count(xs[i], i), xs[i]), "abc"
    ),
    "a mean and a value that may be None": Example(
        [Aggregate(SO_FAR, IS_A), AFTER_A],
        lambda xs, i: (xs[: i + 1].count("a") / (i + 1), "a" if xs.after_a(i) else None),
    ),
    "a number, twice": Example(
        [AS_NUMBER, TOKENS, AS_NUMBER], lambda xs, i: (xs[i], xs[i], xs[i]), NUMBERS
    ),
    "an output and what it is made of": Example(
        [COUNT == 2, COUNT, SelectorWidth(SAME & ~SO_FAR)],
        lambda xs, i: (
            xs.count(xs[i], i) == 2,
            xs.count(xs[i], i),
            0 if xs.causal else xs[i + 1 :].count(xs[i]),
        ),
    ),
    "two sums of numbers": Example(
        [rasp.LinearSequenceMap(AS_NUMBER, PLACE, f, 1) for f in (1, -1)],
        lambda xs, i: (xs[i] + i, i - xs[i]),
        NUMBERS,
        3,
    ),
    "a mean that may be None and a constant": Example(
        [Full("k"), Aggregate(EARLIER, INDICES)],
        lambda xs, i: ("k", (i - 1) / 2 if i else None),
    ),
}

EXAMPLES = SELECTORS | MEANS | CATEGORIES | NUMERICAL | VALUES | OUTPUTS


@pytest.mark.parametrize("causal", [False, True], ids=["bidirectional", "causal"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_construct_is_exact(name, causal, differential):
    example = EXAMPLES[name]

    def oracle(tokens):
        xs = Input(tokens, causal)
        return [example.oracle(xs, i) for i in range(len(xs))]

    sizes = {"vocab": example.vocabulary, "max_length": example.max_length}
    differential.check_every_form(example.outputs, oracle, **sizes, causal=causal)


@pytest.mark.parametrize("name", [*OUTPUTS, *list(EXAMPLES)[::12]])
def test_constructs_in_haiku(name, differential):
    example = EXAMPLES[name]
    inputs = differential.all_sequences(example.vocabulary, example.max_length)
    compiled = compile_program(example.outputs, example.vocabulary, example.max_length)
    expected = differential.evaluated(example.outputs, inputs, causal=False)
    differential.check_haiku(compiled, inputs, expected)
