"""Relevance of tokens: counted in one pass, compared with every coalition and every substitution.

The brute force is plain Python on the oracle of the program: for every coalition every way of
drawing the other tokens, in fractions.
"""

import importlib
import itertools
import math
from dataclasses import fields
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program
from glassbench.compiler import InputSpace, compile_program, rasp
from glassbench.compiler.domains import canonical
from glassbench.errors import InputError
from glassbench.ground_truth import bounded_interpretation, shapley_counting
from glassbench.ground_truth.relevance import Relevance, relevance
from glassbench.ground_truth.shapley_counting import shapley_values

module = importlib.import_module(relevance.__module__)

SMALL = {
    "histogram": (3, 3),
    "sort": (3, 3),
    "reverse": (2, 4),
    "frac_prevs": (2, 4),
    "shuffle_dyck1": (2, 4),
    "depth": (3, 3),
    "induction": (3, 3),
    "queue": (2, 4),
    "parity": (2, 5),
    "most_frequent": (3, 3),
    "detect_pattern": (3, 3),
    "histogram_times_zero": (2, 3),
    "position_only": (2, 3),
}
"""Programs by name, each with a number of tokens and a greatest length."""


class Case:
    """A program of the library with its relevance on inputs of every length."""

    def __init__(self, name, vocab, length, rows=24):
        spec = get_program(name)
        self.vocabulary = spec.vocabulary(vocab)
        expression = spec.build(self.vocabulary, length)
        compiled = compile_program(expression, self.vocabulary, length, causal=spec.causal)
        self.program, self.codec = compiled.program, compiled.model.codec
        space = InputSpace(vocab, length).everything()
        chosen = np.random.default_rng(0).permutation(len(space))[:rows]
        self.tokens = space[np.sort(np.append(chosen, [0, len(space) - 1]))]
        self.found = relevance(self.program, self.codec, self.tokens)
        self.domain = compiled.program.vocabulary.values
        self.sequences = [
            tuple(self.domain[i] for i in row if i < vocab) for row in self.tokens[:, 1:].tolist()
        ]
        own = {canonical(token): token for token in self.vocabulary}
        self.oracle = cache(
            lambda x: tuple(map(canonical, spec.oracle([own[token] for token in x])))
        )


@cache
def case_of(name):
    return Case(name, *SMALL[name])


@pytest.fixture(params=SMALL)
def case(request):
    return case_of(request.param)


def game(oracle, domain, x, t):
    """Return v of every coalition, a tuple of positions."""
    answer = oracle(x)[t]
    v = {}
    for size in range(len(x) + 1):
        for kept in itertools.combinations(range(len(x)), size):
            drawn = itertools.product(*([a] if i in kept else domain for i, a in enumerate(x)))
            same = [oracle(z)[t] == answer for z in drawn]
            v[kept] = Fraction(sum(same), len(same))
    return v


def shapley(v, length):
    """Return the Shapley values of a game by their definition."""
    values = []
    for i in range(length):
        phi = Fraction(0)
        for kept in v:
            if i not in kept:
                s = len(kept)
                weight = Fraction(
                    math.factorial(s) * math.factorial(length - s - 1), math.factorial(length)
                )
                phi += weight * (v[tuple(sorted((*kept, i)))] - v[kept])
        values.append(phi)
    return values


def test_shapley_values_are_those_of_all_coalitions(case):
    """They are equal, not close: the nearest float to the exact value."""
    n = case.codec.max_length
    for row, x in enumerate(case.sequences):
        for t in range(len(x)):
            v = game(case.oracle, case.domain, x, t)
            expected = [float(phi) for phi in shapley(v, len(x))] + [0.0] * (n - len(x))
            assert case.found.shapley[row, t].tolist() == expected
            assert case.found.baseline[row, t] == float(v[()])


def test_sensitivity_is_that_of_all_substitutions(case):
    for row, x in enumerate(case.sequences):
        expected = np.zeros_like(case.found.sensitivity[row])
        for t, i in itertools.product(range(len(x)), repeat=2):
            expected[t, i] = any(
                case.oracle((*x[:i], other, *x[i + 1 :]))[t] != case.oracle(x)[t]
                for other in case.domain
            )
        np.testing.assert_array_equal(case.found.sensitivity[row], expected)


def test_some_inputs_are_sensitive_and_some_are_not():
    """Else the comparison with substitutions would show little."""
    for name in ("sort", "queue", "depth", "frac_prevs"):
        found = case_of(name).found
        assert 0 < found.n_rankable < found.n_rankable + found.n_excluded


def test_values_sum_to_what_the_empty_coalition_lacks(case):
    found = case.found
    expected = np.where(found.real, 1 - found.baseline, 0.0)
    np.testing.assert_allclose(found.shapley.sum(axis=2), expected, rtol=0, atol=1e-12)


def test_what_is_beyond_an_input_is_zero(case):
    found = case.found
    lengths = [len(x) for x in case.sequences]
    assert found.lengths.tolist() == lengths
    assert len(set(lengths)) > 1
    for row, length in enumerate(lengths):
        assert found.real[row].tolist() == [t < length for t in range(case.codec.max_length)]
        for values in (found.sensitivity[row], found.shapley[row]):
            assert not values[length:].any() and not values[:, length:].any()
        assert not found.baseline[row, length:].any()
        assert not found.rankable[row, length:].any()


def test_a_position_that_never_matters_has_no_value():
    """A causal program cannot see what comes later."""
    case = case_of("queue")
    later = np.triu(np.ones((4, 4), dtype=bool), k=1)
    assert not case.found.shapley[:, later].any()
    assert not case.found.sensitivity[:, later].any()
    assert case.found.shapley.any()


def test_a_constant_program_owes_nothing_to_any_token():
    found = case_of("histogram_times_zero").found
    assert not found.shapley.any() and not found.sensitivity.any()
    assert (found.baseline[found.real] == 1).all()
    assert found.n_rankable == 0
    assert found.n_excluded == found.real.sum()


def test_a_copy_owes_everything_to_one_token():
    case = case_of("reverse")
    rows = case.found.lengths == 4
    mirror = np.eye(4)[::-1] / 2
    np.testing.assert_array_equal(
        case.found.shapley[rows], np.broadcast_to(mirror, (rows.sum(), 4, 4))
    )
    assert (case.found.baseline[rows] == 0.5).all()


def test_positions_with_equal_roles_have_equal_values():
    """Parity does not tell one position from another; in a histogram equal tokens are alike."""
    case = case_of("parity")
    for row, x in enumerate(case.sequences):
        values = case.found.shapley[row, : len(x), : len(x)]
        assert (values == values[0, 0]).all() and values[0, 0] > 0
    case = case_of("histogram")
    for row, x in enumerate(case.sequences):
        for t, i, j in itertools.product(range(len(x)), repeat=3):
            if t not in (i, j) and x[i] == x[j]:
                assert case.found.shapley[row, t, i] == case.found.shapley[row, t, j]


def test_several_outputs_are_one_answer():
    """Only if both stay the same does the answer."""
    backwards = rasp.Aggregate(
        rasp.Select(rasp.indices, rasp.indices, lambda key, query: key + query == 1), rasp.tokens
    )
    both = compile_program([rasp.tokens, backwards], "ab", 2)
    codec = both.model.codec
    found = relevance(both.program, codec, codec.encode(["ab", "a"]))
    assert found.sensitivity[0].all()
    assert found.shapley[0].tolist() == [[0.375, 0.375]] * 2
    # Alone, the second output has no value on either input.
    assert found.sensitivity[1].tolist() == [[True, False], [False, False]]
    assert found.shapley[1].tolist() == [[0.5, 0.0], [0.0, 0.0]]


def test_none_is_an_answer_like_any_other():
    where = rasp.Select(rasp.tokens, rasp.indices, lambda key, query: key == "b")
    found_b = rasp.Aggregate(where, rasp.tokens, default=None)
    compiled = compile_program(found_b, "ab", 2)
    codec = compiled.model.codec
    found = relevance(compiled.program, codec, codec.encode(["aa", "ab", "bb"]))
    assert compiled("aa") == [None, None]
    assert found.baseline[:, 0].tolist() == [0.25, 0.75, 0.75]
    assert found.sensitivity[:, 0].tolist() == [[True, True], [False, True], [False, False]]
    assert found.rankable[:, 0].tolist() == [False, True, False]
    assert (found.n_rankable, found.n_excluded) == (2, 4)


def test_a_single_token_leaves_nothing_to_draw():
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    compiled = compile_program(rasp.SelectorWidth(same), "a", 30)
    codec = compiled.model.codec
    found = relevance(compiled.program, codec, codec.encode(["a" * 30, "a"]))
    assert not found.shapley.any() and not found.sensitivity.any()
    assert (found.baseline == found.real).all()


def test_one_position_and_many_tokens():
    """One half of the positions is empty."""
    tokens = [f"t{index:03}" for index in range(300)]
    compiled = compile_program(rasp.Map(lambda x: x < "t100", rasp.tokens), tokens, 1)
    codec = compiled.model.codec
    found = relevance(compiled.program, codec, codec.encode([["t000"], ["t200"]]))
    assert found.shapley.ravel().tolist() == [200 / 300, 100 / 300]
    assert found.baseline.ravel().tolist() == [100 / 300, 200 / 300]


def test_beyond_the_limit_there_is_sensitivity_alone():
    compiled = compile_program(rasp.tokens, range(2), 21)
    codec = compiled.model.codec
    tokens = codec.encode([[0, 1] * 10, [1]])
    found = relevance(compiled.program, codec, tokens)
    assert found.shapley is None and found.baseline is None
    assert found.omitted == (
        "there are no Shapley values, since 2 tokens form more than 1,048,576 sequences of "
        "length 21"
    )
    np.testing.assert_array_equal(found.sensitivity[0, :20, :20], np.eye(20, dtype=bool))
    assert found.sensitivity[1].sum() == 1
    assert (found.n_rankable, found.n_excluded) == (20, 1)


def test_the_limit_is_reached(monkeypatch):
    case = case_of("parity")
    assert case.found.omitted == ""
    monkeypatch.setattr(module, "SEQUENCE_LIMIT", 2**5)
    assert relevance(case.program, case.codec, case.tokens).shapley is not None
    monkeypatch.setattr(module, "SEQUENCE_LIMIT", 2**5 - 1)
    assert relevance(case.program, case.codec, case.tokens).shapley is None


def same_bytes(one: Relevance, other: Relevance) -> bool:
    return all(
        np.asarray(getattr(one, field.name)).tobytes()
        == np.asarray(getattr(other, field.name)).tobytes()
        for field in fields(one)
    )


@pytest.mark.parametrize("name", ["sort", "frac_prevs", "parity"])
def test_neither_chunks_nor_other_rows_change_a_byte(monkeypatch, name):
    case = case_of(name)
    order = np.random.default_rng(1).permutation(len(case.tokens))
    shuffled = relevance(case.program, case.codec, case.tokens[order])
    for field in ("lengths", "sensitivity", "shapley", "baseline"):
        expected = getattr(case.found, field)[order]
        assert getattr(shuffled, field).tobytes() == expected.tobytes()
    assert same_bytes(relevance(case.program, case.codec, case.tokens), case.found)
    monkeypatch.setattr(bounded_interpretation, "_BYTES", 1000)
    monkeypatch.setattr(shapley_counting, "_COUNT_ELEMENTS", 1000)
    assert same_bytes(relevance(case.program, case.codec, case.tokens), case.found)


def test_no_rows():
    case = case_of("sort")
    found = relevance(case.program, case.codec, case.tokens[:0])
    assert found.shapley.shape == (0, 3, 3)
    assert found.n_rankable == found.n_excluded == 0


def test_largest_coefficients_are_exact():
    """Parity of twenty bits: any coalition but that of all leaves it to chance.

    So each position has a twentieth of what is missing.
    """
    z = np.arange(2**20)
    parity = np.zeros(2**20, dtype=np.int8)
    for bit in range(20):
        parity ^= (z >> bit & 1).astype(np.int8)
    answers = np.broadcast_to(parity, (20, 2**20))
    row = np.arange(20)[None] % 3 % 2
    values, baseline = shapley_values(answers, 2, row)
    assert (values == 0.5 / 20).all()
    assert (baseline == 0.5).all()


def test_rows_that_are_no_inputs_are_refused():
    case = case_of("reverse")  # Two tokens, BOS 2, padding 3.
    good = [2, 0, 1, 3, 3]
    wrong = [
        [0, 0, 1, 3, 3],
        [2, 0, 3, 1, 3],
        [2, 3, 3, 3, 3],
        [2, 0, 2, 3, 3],
        [2, -1, 1, 3, 3],
        [2, 0, 4, 3, 3],
    ]
    with pytest.raises(InputError) as error:
        relevance(case.program, case.codec, np.array([good, *wrong]))
    assert str(error.value) == "\n".join(
        [
            "Token ids must be BOS (2), at least one token (0 to 1), then padding (3); encode "
            "sequences with Codec.encode:",
            *(f"  - row {row}: got {ids}" for row, ids in enumerate(wrong, start=1)),
        ]
    )
    with pytest.raises(InputError) as error:
        relevance(case.program, case.codec, np.array([good[:-1]]))
    assert str(error.value) == (
        "Token ids must have 5 columns, BOS and 4 positions, got 4; encode sequences with "
        "Codec.encode"
    )
