"""Programs that compilers of RASP have got wrong, each at a size at which it would show.

The differential test says whether this one gets them right; what is expected is
also written out for one input, so that both interpreters cannot be wrong together.
"""

from fractions import Fraction

import pytest

from glassbench.compiler import compile_program, rasp, scramble
from glassbench.errors import ProgramError

TOKENS, INDICES = rasp.tokens, rasp.indices
EQ, LEQ, TRUE, FALSE = (
    rasp.Comparison.EQ,
    rasp.Comparison.LEQ,
    rasp.Comparison.TRUE,
    rasp.Comparison.FALSE,
)
SAME = rasp.Select(TOKENS, TOKENS, EQ)
SO_FAR = rasp.Select(INDICES, INDICES, LEQ)
PREVIOUS = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)


def pair(fst, snd):
    return rasp.SequenceMap(lambda x, y: (x, y), fst, snd)


def numerical_map(function, sop):
    return rasp.numerical(rasp.Map(function, sop, simplify=False))


SIGN = numerical_map(lambda x: 1 if x == "a" else -1, TOKENS)
SHARE = rasp.numerical(rasp.Aggregate(SO_FAR, SIGN, default=0))
AFTER_A = rasp.Aggregate(PREVIOUS, rasp.Map(lambda x: x if x == "a" else None, TOKENS))
NOT_B = rasp.Select(TOKENS, INDICES, lambda key, _query: key != "b")
EARLIER = rasp.Select(INDICES, INDICES, rasp.Comparison.LT)

CASES = {
    "negative numbers from a categorical map": (SIGN, "abb", [1, -1, -1]),
    "a map of negative numbers to negative numbers": (
        numerical_map(lambda x: -3 * x - 1, SIGN),
        "ab",
        [-4, 2],
    ),
    "a numerical map that is zero everywhere": (numerical_map(lambda x: 0, TOKENS), "ab", [0, 0]),
    "means of numbers of both signs": (SHARE, "abb", [1, 0, -1 / 3]),
    "a map of a mean": (
        rasp.Map(lambda x: "more" if x > 0 else "less" if x < 0 else "even", SHARE, simplify=False),
        "abb",
        ["more", "even", "less"],
    ),
    "a mean as a key": (
        rasp.SelectorWidth(rasp.Select(SHARE, SHARE, EQ)),
        "abab",
        [1, 2, 1, 2],
    ),
    "a mean of means": (
        rasp.numerical(rasp.Aggregate(SO_FAR, SHARE, default=0)),
        "abb",
        [1, 1 / 2, 2 / 9],
    ),
    "a mean with a default that is no mean": (
        rasp.numerical(rasp.Aggregate(EARLIER, SIGN, default=7.5)),
        "bab",
        [7.5, -1, 0],
    ),
    "a mean without a default": (
        rasp.Aggregate(EARLIER, SIGN),
        "bab",
        [None, -1, 0],
    ),
    "a mean with a text for a default": (
        rasp.Aggregate(EARLIER, SIGN, "none"),
        "bab",
        ["none", -1, 0],
    ),
    "a mean with None through a map": (
        rasp.Map(lambda x: x >= 0, rasp.Aggregate(EARLIER, SIGN), simplify=False),
        "bab",
        [None, False, True],
    ),
    "a mean that nobody called numerical": (
        rasp.Aggregate(SO_FAR, rasp.Map(lambda x: 1 if x == "a" else -1, TOKENS)),
        "abb",
        [1, 0, -1 / 3],
    ),
    "a selector width over a number made categorical": (
        rasp.SelectorWidth(rasp.Select(rasp.categorical(SIGN), rasp.categorical(SIGN), EQ)),
        "aba",
        [2, 1, 2],
    ),
    "a selector width over numbers": (
        rasp.SelectorWidth(
            rasp.Select(SIGN, numerical_map(lambda i: 1 - 2 * (i % 2), INDICES), EQ)
        ),
        "aab",
        [2, 1, 2],
    ),
    "two selector widths in one layer": (
        pair(rasp.SelectorWidth(SAME), rasp.SelectorWidth(SO_FAR)),
        "aab",
        [(2, 1), (2, 2), (1, 3)],
    ),
    "a selector width of nothing": (
        rasp.SelectorWidth(rasp.Select(TOKENS, TOKENS, FALSE)),
        "ab",
        [0, 0],
    ),
    "a selector width as a number": (
        rasp.numerical(rasp.SelectorWidth(SAME)),
        "aab",
        [2, 2, 1],
    ),
    "None through a second aggregate": (
        rasp.Aggregate(PREVIOUS, AFTER_A),
        "aab",
        [None, None, "a"],
    ),
    "None replaced by a default further on": (
        rasp.Aggregate(PREVIOUS, rasp.Aggregate(PREVIOUS, TOKENS), "none"),
        "abb",
        ["none", None, "a"],
    ),
    "None as a key": (rasp.SelectorWidth(rasp.Select(AFTER_A, TOKENS, TRUE)), "aab", [2, 2, 2]),
    "None as a query": (rasp.SelectorWidth(rasp.Select(TOKENS, AFTER_A, TRUE)), "aab", [0, 3, 3]),
    "None in a map of two": (
        pair(AFTER_A, INDICES),
        "aab",
        [None, ("a", 1), ("a", 2)],
    ),
    "a default over values that have a default": (
        rasp.Aggregate(PREVIOUS, rasp.Aggregate(PREVIOUS, TOKENS, "b"), "a"),
        "baa",
        ["a", "b", "b"],
    ),
    "a default over counts": (
        rasp.Aggregate(PREVIOUS, rasp.SelectorWidth(SAME)),
        "aab",
        [None, 2, 2],
    ),
    "a default over numbers": (
        rasp.numerical(rasp.Aggregate(EARLIER, rasp.numerical(rasp.length), default=-1)),
        "aab",
        [-1, 3, 3],
    ),
    "a default that is a token": (rasp.Aggregate(PREVIOUS, TOKENS, "b"), "aab", ["b", "a", "a"]),
    "a default of another type": (
        rasp.Aggregate(PREVIOUS, TOKENS, (0, "x")),
        "ab",
        [(0, "x"), "a"],
    ),
    "padding under selectors over positions": (
        pair(
            rasp.SelectorWidth(rasp.Select(INDICES, INDICES, TRUE)),
            rasp.SelectorWidth(rasp.Select(INDICES, INDICES, rasp.Comparison.GT)),
        ),
        "aba",
        [(3, 2), (3, 1), (3, 0)],
    ),
    "padding under selectors over widths": (
        rasp.SelectorWidth(rasp.Select(rasp.SelectorWidth(SAME), rasp.SelectorWidth(SAME), TRUE)),
        "ab",
        [2, 2],
    ),
    "padding under a mean over positions": (
        rasp.numerical(
            rasp.Aggregate(rasp.Select(INDICES, INDICES, TRUE), rasp.numerical(INDICES), default=0)
        ),
        "aba",
        [1, 1, 1],
    ),
    "the tokens themselves": (TOKENS, "ba", ["b", "a"]),
    "the indices themselves": (INDICES, "ba", [0, 1]),
    "the indices as a number": (rasp.numerical(INDICES), "ba", [0, 1]),
    "the length": (rasp.length, "ba", [2, 2]),
    "a program without tokens": (INDICES * 2 + 1, "ba", [1, 3]),
    "a constant": (rasp.Full("k"), "ba", ["k", "k"]),
    "a constant number": (rasp.numerical(rasp.Full(-2.5)), "ba", [-2.5, -2.5]),
    "a constant as a key": (
        rasp.SelectorWidth(rasp.Select(rasp.Full("a"), TOKENS, EQ)),
        "aba",
        [3, 0, 3],
    ),
    "a constant as a query": (
        rasp.SelectorWidth(rasp.Select(TOKENS, rasp.Full("a"), EQ)),
        "aba",
        [2, 2, 2],
    ),
    "selector and": (rasp.SelectorWidth(SAME & ~SAME), "ab", [0, 0]),
    "selector and, two tables": (
        rasp.SelectorWidth(rasp.SelectorAnd(SO_FAR, rasp.Select(INDICES, INDICES, lambda k, q: k))),
        "aba",
        [0, 1, 2],
    ),
    "selector and, other keys and queries": (
        rasp.SelectorWidth(SAME & SO_FAR),
        "aab",
        [1, 2, 1],
    ),
    "selector or, other keys and queries": (
        rasp.SelectorWidth(SAME | PREVIOUS),
        "aba",
        [2, 2, 3],
    ),
    "selector not, other keys and queries": (
        rasp.SelectorWidth(~(SAME & SO_FAR)),
        "aab",
        [2, 1, 2],
    ),
    "selectors in three steps": (
        rasp.SelectorWidth((SAME & ~PREVIOUS) | (NOT_B & SO_FAR)),
        "aba",
        [2, 2, 2],
    ),
    "selector or, with a key that is None": (
        rasp.SelectorWidth(SO_FAR | rasp.Select(AFTER_A, TOKENS, EQ)),
        "aab",
        [2, 2, 2],
    ),
    "selector or": (
        rasp.SelectorWidth(PREVIOUS | rasp.Select(INDICES, INDICES, EQ)),
        "aba",
        [1, 2, 2],
    ),
    "selector not": (
        rasp.SelectorWidth(rasp.SelectorNot(rasp.SelectorOr(SO_FAR, PREVIOUS))),
        "aba",
        [2, 1, 0],
    ),
    "a categorical aggregate of equal numbers": (
        rasp.Aggregate(SAME, rasp.Map(lambda x: 2 if x == "a" else -1, TOKENS)),
        "aba",
        [2, -1, 2],
    ),
    "an aggregate of a number by category": (
        rasp.Aggregate(PREVIOUS, SIGN, 0),
        "aba",
        [0, 1, -1],
    ),
    "a mean of a categorical variable": (
        rasp.numerical(rasp.Aggregate(SO_FAR, rasp.Map(lambda x: 3 * (x == "a"), TOKENS), 0)),
        "ab",
        [3, 3 / 2],
    ),
    "a selector over a key that is not read elsewhere": (
        rasp.SelectorWidth(NOT_B),
        "abb",
        [1, 1, 1],
    ),
    "the same variable twice": (pair(TOKENS, TOKENS), "ab", [("a", "a"), ("b", "b")]),
    "a product of numbers": (SIGN * SHARE, "abb", [1, 0, 1 / 3]),
    "a sum of numbers": (
        rasp.numerical(rasp.LinearSequenceMap(SIGN, SHARE, 2, -3)),
        "abb",
        [-1, -2, -1],
    ),
    "a sum of a number and itself": (
        rasp.numerical(rasp.LinearSequenceMap(SIGN, SIGN, 2, -3)),
        "ab",
        [-1, 1],
    ),
    "a sum of categorical numbers": (
        rasp.numerical(rasp.LinearSequenceMap(INDICES, rasp.SelectorWidth(SAME), 1, -0.5)),
        "aab",
        [-1, 0, 1.5],
    ),
    "a sum with factors of zero": (
        rasp.numerical(rasp.LinearSequenceMap(INDICES, SHARE, 0, 0)),
        "ab",
        [0, 0],
    ),
    "truth values": (~(TOKENS == "a") | (INDICES == 0), "aab", [True, False, True]),
}


@pytest.mark.parametrize("name", CASES)
def test_bidirectional(name, differential):
    expression, sequence, expected = CASES[name]
    differential.compare("evaluate", [sequence], [expression(sequence)], [expected])
    inputs = differential.all_sequences("ab", 4)
    compiled = compile_program(expression, "ab", 4)
    differential.check_exact(compiled, expression, inputs)
    differential.check_exact(scramble(compiled, 0), expression, inputs[::3])


@pytest.mark.parametrize("name", CASES)
def test_causal(name, differential):
    expression = CASES[name][0]
    compiled = compile_program(expression, "ab", 4, causal=True)
    differential.check_exact(compiled, expression, differential.all_sequences("ab", 4))


def test_several_outputs(differential):
    outputs = [rasp.SelectorWidth(SAME), SHARE, AFTER_A, TOKENS]
    compiled = compile_program(outputs, "ab", 4)
    assert compiled("aab") == [
        (2, 1, None, "a"),
        (2, 1, "a", "a"),
        (1, float(Fraction(1, 3)), "a", "b"),
    ]
    differential.check_exact(compiled, outputs, differential.all_sequences("ab", 4))


def test_expressions_that_share_much(differential):
    """Each is used by the next two, so that there are 10^8 paths through 40 of them."""
    before, last = TOKENS, INDICES
    for _ in range(40):
        before, last = last, rasp.SequenceMap(lambda x, y: (x + y) % 3, before, last)
    compiled = compile_program(last, (0, 1), 3)
    differential.check_exact(compiled, last, differential.all_sequences((0, 1), 3))


def test_values_that_have_no_mean_are_refused_with_an_input_that_shows_it():
    number_or_none = rasp.Map(lambda x: 1 if x == "a" else None, TOKENS)
    for value in (TOKENS, number_or_none, rasp.Map({"a": 1, "b": "one"}.get, TOKENS)):
        with pytest.raises(ProgramError, match=r"any_value: .* on input \['"):
            compile_program(rasp.Aggregate(SO_FAR, value).named("any_value"), "ab", 4)


@pytest.mark.parametrize("side", ["keys", "queries"])
def test_what_never_has_a_value_is_refused_also_inside_selectors(side):
    """A table over no values at all is empty, and nothing can be looked up in it."""
    never = rasp.Map(lambda x: None, TOKENS).named("never")
    sides = {"keys": TOKENS, "queries": TOKENS} | {side: never}
    select = rasp.Select(**sides, predicate=rasp.Comparison.NEQ)
    for expression in (rasp.SelectorWidth(select), rasp.Aggregate(select, TOKENS, "none")):
        with pytest.raises(ProgramError, match="never: it is always None"):
            compile_program(expression, "ab", 3)


def test_padding_is_not_selected_through_a_function_of_a_number_and_a_value(differential):
    """At padding `token` is a mixture of all tokens, which opens some steps and not others."""
    vocabulary = "abcdefghij"
    numbers = [value for j in range(10) for value in (float(j), j + 0.125)]
    never = rasp.Map(lambda x: x + "!", TOKENS)
    width = rasp.SelectorWidth(rasp.Select(never, TOKENS, lambda k, q: k[0] == q))
    token = rasp.categorical(
        rasp.Aggregate(rasp.Select(INDICES, width, lambda k, q: k == 0 or q == 0), TOKENS)
    )
    first = rasp.Select(INDICES, INDICES, lambda k, q: k == 0)
    place = rasp.Map(lambda i: numbers[19 - i], INDICES)
    number = rasp.numerical(rasp.Aggregate(first, place, default=0))

    def side(number, token):
        at = numbers.index(number)
        return "AB"[(ord(token) >> (at // 2)) & 1] if at < 8 else "AB"[at % 2]

    sided = rasp.SequenceMap(side, number, token)
    program = rasp.SelectorWidth(rasp.Select(sided, INDICES, lambda k, q: k == "B"))
    inputs = [list(vocabulary), list(vocabulary[::-1]), list("abc"), ["a"]]
    for level in (0, 1):
        compiled = compile_program(program, vocabulary, 20, level=level)
        differential.check_exact(compiled, program, inputs)
