"""Every program agrees with its oracle, and says what it is."""

import itertools
from collections import Counter
from fractions import Fraction

import pytest

from glassbench.benchmark_programs import get_program, library, programs
from glassbench.benchmark_programs.vocabularies import letters
from glassbench.compiler import rasp
from glassbench.errors import TaskError


def sequences(vocabulary, max_length):
    for length in range(1, max_length + 1):
        yield from map(list, itertools.product(vocabulary, repeat=length))


def test_the_library_is_large_and_broad():
    specs = library()
    assert len(specs) >= 100
    families = Counter(spec.family for spec in specs)
    assert len(families) >= 10
    assert min(families.values()) >= 8
    assert len({spec.why for spec in specs}) == len(specs)
    assert len({spec.description for spec in specs if not spec.control}) >= len(specs) - 20


@pytest.mark.parametrize("name", programs())
def test_rasp_agrees_with_oracle(name):
    """The expression itself; that the weights agree too is a rule of conformance."""
    spec = get_program(name)
    vocab, length = spec.sizes.tiny
    program = spec.expression(vocab=vocab, length=length)
    for xs in itertools.islice(sequences(spec.vocabulary(vocab), length), 0, None, 3):
        given = rasp.evaluate(program, xs, causal=spec.causal)
        assert given == pytest.approx(spec.oracle(list(xs)), abs=1e-9), xs


@pytest.mark.parametrize(
    ("name", "inputs", "expected"),
    [
        ("histogram", "abac", [2, 1, 2, 1]),
        ("count", "abac", [2, 2, 2, 2]),
        ("length", "abac", [4, 4, 4, 4]),
        ("sort", [2, 0, 3, 2], [0, 2, 2, 3]),
        ("sort_unique", [2, 0, 3, 2], [0, 2, None, 3]),
        ("sort_by_frequency", "cbabc", ["c", "b", "b", "c", "a"]),
        ("reverse", "abac", ["c", "a", "b", "a"]),
        ("frac_prevs", "bab", [0, 1 / 2, 1 / 3]),
        ("pair_balance", "(a))", [1, 1 / 2, 0, -1 / 4]),
        ("shuffle_dyck1", "(()a)", [True] * 5),
        ("shuffle_dyck1", ")(", [False] * 2),
        ("shuffle_dyck2", "({)}", [True] * 4),
        ("shuffle_dyck2", "({}", [False] * 3),
        ("detect_pattern", "aabc", [None, None, False, True]),
        ("most_frequent", "abbddd", ["d", "b", "a", None, None, None]),
        ("sort_by_key", [2, 1, 0, 3, 2], [2, 0, 2, 1, 3]),
        ("sort_descending", [2, 0, 3, 2], [3, 2, 2, 0]),
        ("top_k", [2, 0, 3, 2], [3, 2, 2, None]),
        ("running_mean", [2, "_", 1, 0], [2, 2, 3 / 2, 1]),
        ("sum_mod", [2, 3, 2], [1, 1, 1]),
        ("shift", "abc", ["a", "a", "b"]),
        ("rotate_by_constant", "abcd", ["c", "d", "a", "b"]),
        ("occurs_once", "abac", [False, True, False, True]),
        ("membership", "bca", [True] * 3),
        ("edit_of_halves", "abcac", [True] * 5),
        ("edit_of_halves", "abba", [False] * 4),
        ("count_pattern", "ababa", [2] * 5),
        ("depth", "(()))(", [1, 2, 1, 0, -1, 0]),
        ("shuffle_dyck3", "({[)}]", [True] * 6),
        ("capitals", " ab. a", [False, True, False, False, False, True]),
        (
            "subject_verb_agreement",
            ["cats", "near", "cat", "sleep", "sleeps"],
            [None, None, None, True, False],
        ),
    ],
)
def test_known_outputs(name, inputs, expected):
    spec = get_program(name)
    given = rasp.evaluate(spec.expression(length=6), list(inputs), causal=spec.causal)
    assert given == expected
    assert spec.oracle(list(inputs)) == expected


def test_sort_takes_integers_of_either_sign():
    from glassbench.benchmark_programs.idioms import sort_by_keys

    program = sort_by_keys(rasp.tokens, rasp.tokens, 4)
    for xs in sequences((-7, -1, 0, 100), 4):
        assert program(xs) == sorted(xs)


def test_equal_fractions_are_one_value():
    spec = get_program("pair_balance")
    program = spec.expression()
    values = {v for xs in sequences("()", 6) for v in program(xs)}
    assert values == {float(Fraction(s, n)) for n in range(1, 7) for s in range(-n, n + 1, 2)}


def test_an_unknown_program_is_answered_with_the_nearest():
    with pytest.raises(
        TaskError, match=r"There is no program 'histgram'\. Did you mean 'histogram'"
    ):
        get_program("histgram")
    with pytest.raises(TaskError, match=r"There is no program 'zzz'\. See: glassbench list\."):
        get_program("zzz")
    with pytest.raises(TaskError, match=r"no version 9 of program 'sort'\. Known: sort-v1"):
        get_program("sort", version=9)


def test_all_wrong_sizes_are_reported():
    with pytest.raises(TaskError) as caught:
        get_program("shuffle_dyck2").parameters({"vocab": 3, "length": 0, "lenght": 3})
    message = str(caught.value)
    assert "vocab of 'shuffle_dyck2' must be at least 4, got 3." in message
    assert "length of 'shuffle_dyck2' must be at least 1, got 0." in message
    assert "There is no size parameter 'lenght'. Did you mean 'length'?" in message


def test_there_are_only_so_many_letters():
    with pytest.raises(TaskError, match="at most 450 for letters, got 1000"):
        letters(1000)
