"""Every program of Tracr's library (`tracr.compiler.lib`), on all inputs of its usual size.

Most of them are in the library of this package under names of its own; the others
are written out here. Beyond the size that can be tried to the end, random inputs:
at 10 tokens and length 10 that compiler decodes a tenth and more of the answers
of some of these programs wrongly.
"""

from fractions import Fraction

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program
from glassbench.benchmark_programs.families.bracket_depth import balance_so_far
from glassbench.benchmark_programs.families.counting import count_all
from glassbench.benchmark_programs.families.dyck_languages import is_shuffle_dyck
from glassbench.benchmark_programs.families.ngrams import ends_pattern
from glassbench.benchmark_programs.idioms import (
    count_equal,
    count_value,
    fraction_so_far,
    reversed_order,
    shifted,
    sort_by_keys,
    sort_by_unique_keys,
)
from glassbench.compiler import InputSpace, compile_program, rasp

# Tracr's names, and those here.
SAME_PROGRAMS = {
    "make_length": "length",
    "make_hist": "histogram",
    "make_count": "count",
    "make_frac_prevs": "frac_prevs",
    "make_pair_balance": "pair_balance",
    "make_reverse": "reverse",
    "make_sort": "sort",
    "make_sort_unique": "sort_unique",
    "make_sort_freq": "sort_by_frequency",
    "make_shuffle_dyck": "shuffle_dyck1",
    "make_shuffle_dyck2": "shuffle_dyck2",
    "detect_pattern": "detect_pattern",
}
VOCABULARY, LENGTH = 4, 5


@pytest.mark.parametrize("name", SAME_PROGRAMS)
def test_programs_of_both_libraries_are_exact(name, differential):
    spec = get_program(SAME_PROGRAMS[name])
    vocabulary = spec.vocabulary(VOCABULARY)
    expression = spec.build(vocabulary, LENGTH)
    compiled = compile_program(expression, vocabulary, LENGTH, causal=spec.causal)
    inputs = differential.all_sequences(vocabulary, LENGTH)
    differential.check_exact(compiled, expression, inputs, spec.oracle)


@pytest.mark.parametrize("name", SAME_PROGRAMS)
def test_they_stay_exact_at_length_10(name, differential):
    spec = get_program(SAME_PROGRAMS[name])
    size = 10
    vocabulary = spec.vocabulary(size)
    expression = spec.build(vocabulary, size)
    compiled = compile_program(expression, vocabulary, size, causal=spec.causal)
    ids = InputSpace(len(vocabulary), size).sample(500, seed=0)
    inputs = [[vocabulary[i] for i in row if i < len(vocabulary)] for row in ids.tolist()]
    differential.check_exact(compiled, expression, inputs, spec.oracle)


def test_balanced_brackets_are_told_from_almost_balanced_ones(differential):
    """Random brackets are hardly ever balanced, so these are made to be, then spoilt."""
    spec = get_program("shuffle_dyck2")
    expression = spec.build("(){}", 10)
    rng = np.random.default_rng(0)
    balanced = []
    for _ in range(150):
        words = [pair * int(rng.integers(0, 3)) for pair in ("()", "{}")]
        nested = ["(" * depth + ")" * depth for depth in rng.integers(0, 3, size=1)]
        parts = [list(word) for word in (*words, *nested) if word]
        xs = []
        while any(parts):
            parts = [part for part in parts if part]
            xs.append(parts[rng.integers(len(parts))].pop(0))
        balanced += [xs] if 1 <= len(xs) <= 10 else []
    spoilt = []
    for xs in balanced:
        i, j = rng.integers(len(xs), size=2)
        changed = list(xs)
        changed[i], changed[j] = changed[j], changed[i]
        spoilt.append(changed)
    assert all(all(spec.oracle(xs)) for xs in balanced)
    assert sum(not any(spec.oracle(xs)) for xs in spoilt) > 30
    compiled = compile_program(expression, "(){}", 10)
    differential.check_exact(compiled, expression, balanced + spoilt, spec.oracle)


TOKENS, INDICES = rasp.tokens, rasp.indices


def no_more_frequent_than(bound):
    """How many tokens belong to kinds that occur at most `bound` times."""
    count = count_equal(TOKENS)
    rare = rasp.Select(count, count, lambda key, _query: key <= bound)
    return rasp.SelectorWidth(rare)


def map_of_many(function, *sops):
    """A function of any number of SOps: their values are gathered in tuples first."""
    gathered = rasp.Map(lambda x: (x,), sops[0], simplify=False)
    for sop in sops[1:]:
        gathered = rasp.SequenceMap(lambda values, x: (*values, x), gathered, sop)
    return rasp.Map(lambda values: function(*values), gathered)


def sort_by_close_keys(max_length):
    """Ties are broken as Tracr breaks them: by a fraction of the least difference of keys."""
    keys = rasp.SequenceMap(lambda x, i: x + i / max_length, TOKENS, INDICES)
    return sort_by_unique_keys(TOKENS, keys)


def shares(xs, *signs):
    """The sum of the signs of the tokens so far, over their number."""
    values = [sum(sign for kind, sign in signs if kind == x) for x in xs]
    return [float(Fraction(sum(values[:n]), n)) for n in range(1, len(xs) + 1)]


def ends(xs, pattern):
    room, text = len(pattern) - 1, "".join(xs)
    return [None if i < room else text[: i + 1].endswith(pattern) for i in range(len(xs))]


def dyck(xs, pairs):
    """Whether each kind of bracket, read alone, can be erased pair by pair."""
    for pair in pairs:
        text = "".join(x for x in xs if x in pair)
        while pair in text:
            text = text.replace(pair, "")
        if text:
            return [False] * len(xs)
    return [True] * len(xs)


OTHERS = {
    "length in words": (count_all(), ("one", "two", "three"), 5, lambda xs: [len(xs)] * len(xs)),
    "count of a number": (count_value(TOKENS, 2), (1, 2, 3), 5, lambda xs: [xs.count(2)] * len(xs)),
    "count of what is computed": (
        count_value(TOKENS == "a", True),
        "abc",
        4,
        lambda xs: [xs.count("a")] * len(xs),
    ),
    "histogram of a histogram": (
        count_equal(count_equal(TOKENS)),
        "abc",
        5,
        lambda xs: [sum(xs.count(y) == xs.count(x) for y in xs) for x in xs],
    ),
    "frac_prevs of several tokens": (
        fraction_so_far(rasp.Map(lambda x: x in "ac", TOKENS)),
        "abc",
        5,
        lambda xs: shares(xs, ("a", 1), ("c", 1)),
    ),
    "pair_balance of letters": (
        balance_so_far("a", "b"),
        "abc",
        5,
        lambda xs: shares(xs, ("a", 1), ("b", -1)),
    ),
    "shuffle_dyck of three pairs": (
        is_shuffle_dyck(["()", "{}", "[]"]),
        "(){}[]",
        4,
        lambda xs: dyck(xs, ["()", "{}", "[]"]),
    ),
    "shuffle_dyck of letters": (is_shuffle_dyck(["ab"]), "abc", 6, lambda xs: dyck(xs, ["ab"])),
    "reverse of a histogram": (
        reversed_order(count_equal(TOKENS)),
        "abc",
        5,
        lambda xs: [xs.count(x) for x in reversed(xs)],
    ),
    "sort of positions by tokens": (
        sort_by_keys(INDICES, TOKENS, 5),
        (3, 1, 2),
        5,
        lambda xs: sorted(range(len(xs)), key=lambda i: xs[i]),
    ),
    "sort of negative numbers": (sort_by_keys(TOKENS, TOKENS, 4), (-7, 0, 2, 9), 4, sorted),
    "sort by fractions": (sort_by_close_keys(5), (1, 2, 3, 4), 5, sorted),
    "shift_by 1": (shifted(TOKENS, 1), "abc", 5, lambda xs: [None, *xs][: len(xs)]),
    "shift_by 3": (shifted(TOKENS, 3), "abc", 5, lambda xs: [None, None, None, *xs][: len(xs)]),
    "shift_by 2 of a histogram": (
        shifted(count_equal(TOKENS), 2),
        "abc",
        5,
        lambda xs: [None, None, *map(xs.count, xs)][: len(xs)],
    ),
    "shift_by backwards": (shifted(TOKENS, -1), "abc", 5, lambda xs: [*xs[1:], None]),
    **{
        f"detect_pattern {pattern}": (
            ends_pattern(TOKENS, pattern),
            "abc",
            5,
            lambda xs, pattern=pattern: ends(xs, pattern),
        )
        for pattern in ("b", "aa", "aba", "abca")
    },
    **{
        f"count_less_freq {bound}": (
            no_more_frequent_than(bound),
            "abc",
            5,
            lambda xs, bound=bound: [sum(xs.count(x) <= bound for x in xs)] * len(xs),
        )
        for bound in (1, 2)
    },
    "nary_sequencemap": (
        map_of_many(lambda x, count, i: f"{x}{count - i}", TOKENS, count_equal(TOKENS), INDICES),
        "abc",
        4,
        lambda xs: [f"{x}{xs.count(x) - i}" for i, x in enumerate(xs)],
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_uses_of_the_library_are_exact(name, differential):
    expression, vocabulary, max_length, oracle = OTHERS[name]
    compiled = compile_program(expression, vocabulary, max_length)
    inputs = differential.all_sequences(vocabulary, max_length)
    differential.check_exact(compiled, expression, inputs, oracle)
