"""Fresh programs: what a name stands for, and that it stands for it everywhere."""

import json
import os
import re
import subprocess
import sys

import pytest

from glassbench.benchmark_programs import TaskId, check_program, get_program, programs
from glassbench.benchmark_programs.behaviour import behaviour, library_behaviours
from glassbench.benchmark_programs.constructs import constructs
from glassbench.benchmark_programs.fresh import (
    DIFFICULTIES,
    GENERATOR_VERSION,
    FreshName,
    candidate,
)
from glassbench.benchmark_programs.random_draws import Draws
from glassbench.benchmark_programs.traits import hops
from glassbench.compiler import compile_program, rasp, read_rasp, write_rasp
from glassbench.compiler.trace import trace
from glassbench.errors import TaskError

KNOWN = """\
previous_index = indices - 1;
at_previous = select(indices, previous_index, ==);
fresh_easy_3_1 = aggregate(at_previous, tokens, 0);
"""
DRAWS = range(20)
ALL = [FreshName(difficulty, 3, draw) for difficulty in DIFFICULTIES for draw in DRAWS]


@pytest.fixture(scope="module")
def good():
    """The candidates that are programs."""
    return [candidate(name) for name in ALL if not candidate(name).defect]


def text_of(name):
    spec = candidate(FreshName.parse(name)).spec
    return write_rasp(spec.build(spec.vocabulary(spec.vocab), spec.length)) + spec.description


def test_a_stream_is_known_for_good():
    """Another stream would give every name another program."""
    draws = Draws("glassbench", 1)
    assert [draws.below(1000) for _ in range(4)] == [369, 467, 727, 82]
    assert [Draws("a", 1).below(2**60)] != [Draws("a", 2).below(2**60)]


def test_a_program_is_known_for_good():
    """A change of the generator must raise GENERATOR_VERSION, and mend this test."""
    assert GENERATOR_VERSION == 1
    spec = get_program("fresh_easy_3_1")
    assert write_rasp(spec.expression()) == KNOWN


def test_programs_are_the_same_in_every_process(tmp_path):
    names = [str(name) for name in ALL[::30]]
    code = (
        "import json, sys\n"
        "from glassbench.benchmark_programs.fresh import FreshName, candidate\n"
        "from glassbench.compiler import write_rasp\n"
        "found = {}\n"
        f"for name in {names!r}:\n"
        "    spec = candidate(FreshName.parse(name)).spec\n"
        "    text = write_rasp(spec.build(spec.vocabulary(spec.vocab), spec.length))\n"
        "    found[name] = text + spec.description\n"
        "print(json.dumps(found))"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        assert json.loads(done.stdout) == {name: text_of(name) for name in names}


def test_most_candidates_are_programs(good):
    assert len(good) > len(ALL) / 2


def test_programs_take_the_hops_of_their_difficulty(good):
    for one in good:
        least = DIFFICULTIES[one.spec.name.split("_")[1]].hops
        assert hops(one.program) >= least


def test_the_text_of_a_program_is_the_program(good):
    for one in good[::6]:
        spec = one.spec
        vocabulary = spec.vocabulary(spec.vocab)
        text = write_rasp(spec.build(vocabulary, spec.length))
        (read,) = read_rasp(text).outputs
        program = trace([read], vocabulary, spec.length, causal=spec.causal).program
        assert behaviour(program) == behaviour(one.program)
        assert len(text.splitlines()) == len({line.split(" = ")[0] for line in text.splitlines()})


def test_programs_do_not_depend_on_the_size(good):
    """In a larger size they do the same on the same sequences."""
    for one in good[::6]:
        spec = one.spec
        (vocab, length), (more, longer) = spec.sizes.small, spec.sizes.large
        small = spec.build(spec.vocabulary(vocab), length)
        large = spec.build(spec.vocabulary(more), longer)
        for sequence in sequences(spec.vocabulary(vocab)):
            expected = rasp.evaluate(small, sequence, causal=spec.causal)
            assert rasp.evaluate(large, sequence, causal=spec.causal) == expected
            assert spec.oracle(list(sequence)) == expected


def sequences(vocabulary):
    a, b, c = vocabulary[:3]
    return [(a,), (b, b, a), (c, a, c), (a, b, c, a), (c, c, c, b)]


@pytest.mark.parametrize("difficulty", ["easy", "medium"])
def test_fresh_programs_keep_the_rules_of_the_library(good, difficulty):
    spec = next(
        one.spec for one in good if one.spec.name.split("_")[1] == difficulty and is_exact(one.spec)
    )
    assert not [finding for finding in check_program(spec) if not finding.holds]


def is_exact(spec):
    tokens = spec.vocabulary(spec.sizes.large[0])
    program = spec.build(tokens, spec.sizes.large[1])
    return compile_program(program, tokens, 8, causal=spec.causal).margins.float32 >= 1


def test_constructs_are_spread(good):
    used = {
        name for one in good for name in constructs(one.spec.expression(), causal=one.spec.causal)
    }
    assert used >= {
        "and, or, not",
        "arithmetic",
        "causal attention",
        "choice",
        "comparison",
        "lookup",
        "map",
        "mean",
        "membership",
        "other keys than queries",
        "select <",
        "select ==",
        "selector and",
        "selector not",
        "selector or",
        "selector width",
        "sequence map",
    }


def test_names_stand_for_programs():
    spec = get_program("fresh_easy_3_1")
    assert spec.id == "fresh_easy_3_1-v1"
    assert spec.expression().name == spec.name
    assert str(TaskId.parse("fresh_easy_3_1/scrambled")) == "fresh_easy_3_1-v1/scrambled[seed=0]"
    assert TaskId.parse("fresh_easy_3_1[vocab=4,length=5]").spec.name == spec.name
    assert "fresh_easy_3_1" not in programs()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fresh_easy_3", "named fresh_<difficulty>_<seed>_<draw>, such as 'fresh_medium_7_13'"),
        ("fresh_easy_03_1", "got 'fresh_easy_03_1'"),
        ("fresh_eesy_3_1", "There is no difficulty 'eesy'. Did you mean 'easy'?"),
        ("fresh_easy_3_1-v2", "There is no version 2 of program 'fresh_easy_3_1'"),
    ],
)
def test_names_that_stand_for_nothing(name, message):
    with pytest.raises(TaskError, match=re.escape(message)):
        TaskId.parse(name)


def test_candidates_that_are_no_programs_are_refused_by_name():
    bad = next(name for name in ALL if candidate(name).defect)
    with pytest.raises(TaskError, match=r"is no program: .*Take another draw"):
        get_program(str(bad))


def test_behaviours_are_compared_with_the_library():
    spec = get_program("histogram")
    program = trace([spec.expression(3, 4)], "abc", 4).program
    assert behaviour(program) in library_behaviours(("a", "b", "c"), 4)
    assert behaviour(program) not in library_behaviours((0, 1, 2), 4)
    other = trace([spec.expression(3, 4) * 2], "abc", 4).program
    assert behaviour(other) not in library_behaviours(("a", "b", "c"), 4)


@pytest.mark.parametrize("letter", "abc")
def test_programs_of_the_library_are_known_when_their_letters_are_renamed(letter):
    holds = rasp.numerical(rasp.tokens == letter)  # `frac_prevs` counts the letter x
    earlier = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ)
    share = rasp.numerical(rasp.Aggregate(earlier, holds, default=0)).named("share")
    program = trace([share], ["a", "b", "c"], 4).program
    assert behaviour(program) in library_behaviours(("a", "b", "c"), 4)
