"""Every program agrees with its oracle, and says what it is."""

import itertools
from fractions import Fraction

import pytest

from glassbench.benchmark_programs import ProgramSpec, get_program, programs
from glassbench.benchmark_programs.vocabularies import letters
from glassbench.compiler import rasp
from glassbench.errors import TaskError

NAMES = (
    "histogram",
    "count",
    "length",
    "sort",
    "sort_unique",
    "most_frequent",
    "reverse",
    "frac_prevs",
    "pair_balance",
    "shuffle_dyck1",
    "shuffle_dyck2",
    "detect_pattern",
)


def sequences(vocabulary, max_length):
    for length in range(1, max_length + 1):
        yield from map(list, itertools.product(vocabulary, repeat=length))


def test_the_library_holds_these_programs():
    assert tuple(programs()) == NAMES
    assert all(isinstance(spec, ProgramSpec) for spec in programs().values())


@pytest.mark.parametrize("name", NAMES)
def test_program_agrees_with_oracle(name):
    spec = get_program(name)
    length = 4 if spec.vocab > 3 else 5
    program = spec.expression(length=length)
    for xs in sequences(spec.vocabulary(spec.vocab), length):
        assert rasp.evaluate(program, xs, causal=spec.causal) == spec.oracle(list(xs)), xs


@pytest.mark.parametrize("name", NAMES)
def test_program_agrees_with_oracle_in_another_size(name):
    spec = get_program(name)
    vocab = spec.least_vocab + 2
    program = spec.expression(vocab=vocab, length=4)
    for xs in itertools.islice(sequences(spec.vocabulary(vocab), 4), 0, None, 11):
        assert rasp.evaluate(program, xs, causal=spec.causal) == spec.oracle(list(xs)), xs


@pytest.mark.parametrize("name", NAMES)
def test_default_domains_can_be_tried_in_full(name):
    spec = get_program(name)
    vocabulary = spec.vocabulary(spec.vocab)
    assert len(set(vocabulary)) == spec.vocab
    assert 1000 <= sum(len(vocabulary) ** n for n in range(1, spec.length + 1)) <= 6000
    for size in (spec.least_vocab, 40):
        assert len(set(spec.vocabulary(size))) == size
        assert all(isinstance(token, int) or len(token) == 1 for token in spec.vocabulary(size))


@pytest.mark.parametrize("name", NAMES)
def test_outputs_vary_over_the_default_domain(name):
    spec = get_program(name)
    outputs = {
        value
        for xs in sequences(spec.vocabulary(spec.vocab), spec.length)
        for value in spec.oracle(xs)
    }
    assert len(outputs) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_program_says_what_it_is(name):
    spec = get_program(name)
    for text in (spec.description, spec.why):
        assert text.endswith(".")
    assert "arXiv:" in spec.citation
    assert spec.tags
    assert spec.licence == "Apache-2.0"
    assert spec.expression().name == name


@pytest.mark.parametrize(
    ("name", "inputs", "expected"),
    [
        ("histogram", "abac", [2, 1, 2, 1]),
        ("count", "abac", [2, 2, 2, 2]),
        ("length", "abac", [4, 4, 4, 4]),
        ("sort", [2, 0, 3, 2], [0, 2, 2, 3]),
        ("sort_unique", [2, 0, 3, 2], [0, 2, None, 3]),
        ("most_frequent", "cbabc", ["c", "b", "b", "c", "a"]),
        ("reverse", "abac", ["c", "a", "b", "a"]),
        ("frac_prevs", "bab", [0, 1 / 2, 1 / 3]),
        ("pair_balance", "(a))", [1, 1 / 2, 0, -1 / 4]),
        ("shuffle_dyck1", "(()a)", [True] * 5),
        ("shuffle_dyck1", ")(", [False] * 2),
        ("shuffle_dyck2", "({)}", [True] * 4),
        ("shuffle_dyck2", "({}", [False] * 3),
        ("detect_pattern", "aabc", [None, None, False, True]),
    ],
)
def test_known_outputs(name, inputs, expected):
    spec = get_program(name)
    assert spec.expression(length=6)(inputs) == expected
    assert spec.oracle(list(inputs)) == expected


def test_sort_takes_integers_of_either_sign():
    from glassbench.benchmark_programs.sorting import sort_by_keys

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
    with pytest.raises(
        TaskError, match=r"There is no program 'zzz'\. Known: count, detect_pattern"
    ):
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
