"""Programs people write, in several steps and with the encodings left to the compiler.

Those of Weiss, Goldberg and Yahav (2021, arXiv:2106.06981) are among them. Each
oracle gives the whole answer and knows nothing of selectors.
"""

import itertools

import pytest

from glassbench.compiler import rasp
from glassbench.compiler.rasp import Aggregate, Full, Map, Select, SelectorWidth

TOKENS, INDICES, LENGTH = rasp.tokens, rasp.indices, rasp.length
EQ, LT, LEQ, GT, TRUE = (rasp.Comparison(symbol) for symbol in ("==", "<", "<=", ">", "True"))
SAME, SMALLER = Select(TOKENS, TOKENS, EQ), Select(TOKENS, TOKENS, LT)
EARLIER, SO_FAR = Select(INDICES, INDICES, LT), Select(INDICES, INDICES, LEQ)
EVERY = Select(INDICES, INDICES, TRUE)
PREVIOUS = Select(INDICES, INDICES, lambda key, query: key == query - 1)
COUNT = SelectorWidth(SAME)
NTH = SelectorWidth(SAME & EARLIER)  # how many equal tokens stand before


def placed(keys_before):
    """Each token moved to the position that the number of keys before it says."""
    return Aggregate(Select(SelectorWidth(keys_before), INDICES, EQ), TOKENS)


LAST_TIME = SAME & Select(NTH, NTH, lambda key, query: key == query - 1)
AFTERWARDS = Select(INDICES, Aggregate(LAST_TIME, INDICES), lambda key, query: key == query + 1)
REVERSED = Aggregate(Select(INDICES, LENGTH - INDICES - 1, EQ), TOKENS)
LAST = Select(INDICES, LENGTH - 1, EQ)
OPENED = Select(TOKENS, Full("("), EQ) & SO_FAR
CLOSED = Select(TOKENS, Full(")"), EQ) & SO_FAR
DEPTH = SelectorWidth(OPENED) - SelectorWidth(CLOSED)
SHARES = rasp.LinearSequenceMap(
    Aggregate(SO_FAR, TOKENS == "("), Aggregate(SO_FAR, TOKENS == ")"), 1, -1
)


def what_followed(xs):
    """After each token: what stood behind the last occurrence before it."""
    answers = []
    for i, x in enumerate(xs):
        before = [j for j in range(i) if xs[j] == x]
        answers.append(xs[before[-1] + 1] if before else None)
    return answers


def balanced(xs):
    depths = list(itertools.accumulate({"(": 1, ")": -1}.get(x, 0) for x in xs))
    return [min(depths) >= 0 and depths[-1] == 0] * len(xs)


def as_frequent(xs):
    return [sum(xs.count(other) == xs.count(x) for other in set(xs)) for x in xs]


# name: outputs, vocabulary, maximal length, oracle.
PROGRAMS = {
    "sorting, equal tokens in order": (
        placed(SMALLER | (SAME & EARLIER)),
        (3, 1, 2.5),
        4,
        sorted,
    ),
    "sorting by frequency": (
        placed(Select(COUNT, COUNT, GT) | (Select(COUNT, COUNT, EQ) & EARLIER)),
        "abc",
        4,
        lambda xs: sorted(xs, key=lambda x: -xs.count(x)),
    ),
    "how many kinds of token are as frequent": (
        SelectorWidth(Select(COUNT, COUNT, EQ) & Select(NTH, Full(0), EQ)),
        "abc",
        4,
        as_frequent,
    ),
    "how many kinds of token there are": (
        SelectorWidth(Select(NTH, INDICES, lambda key, _query: key == 0)),
        "abc",
        4,
        lambda xs: [len(set(xs))] * len(xs),
    ),
    "what followed last time": (Aggregate(AFTERWARDS, TOKENS), "abc", 4, what_followed),
    "palindromes": (
        Aggregate(EVERY, TOKENS == REVERSED) == 1,
        "abc",
        4,
        lambda xs: [xs == xs[::-1]] * len(xs),
    ),
    "balanced brackets, by counting": (
        Aggregate(LAST, DEPTH == 0) & (SelectorWidth(Select(DEPTH, Full(0), LT)) == 0),
        "()x",
        4,
        balanced,
    ),
    "balanced brackets, by averaging": (
        Aggregate(LAST, SHARES == 0) & (Aggregate(EVERY, SHARES < 0) == 0),
        "()x",
        4,
        balanced,
    ),
    "the parity so far": (
        Map(lambda n: n % 2, SelectorWidth(Select(TOKENS, Full(1), EQ) & SO_FAR)),
        (0, 1),
        6,
        lambda xs: [sum(xs[: i + 1]) % 2 for i in range(len(xs))],
    ),
    "steps, and where they lead": (
        [DEPTH, Aggregate(PREVIOUS, DEPTH, 0)],
        "()",
        5,
        lambda xs: [
            tuple(xs[: i + end].count("(") - xs[: i + end].count(")") for end in (1, 0))
            for i in range(len(xs))
        ],
    ),
    "four attentions in a row": (
        Aggregate(PREVIOUS, Aggregate(PREVIOUS, Aggregate(PREVIOUS, NTH, "x"), None), 0.5),
        "ab",
        6,
        lambda xs: [0.5, None, "x", *(xs[:i].count(x) for i, x in enumerate(xs))][: len(xs)],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_whole_programs_are_exact(name, differential):
    outputs, vocabulary, max_length, oracle = PROGRAMS[name]
    differential.check_every_form(outputs, oracle, vocab=vocabulary, max_length=max_length)
