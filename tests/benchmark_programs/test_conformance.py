"""Every registered program keeps every rule, and each rule notices what breaks it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from glassbench.benchmark_programs import Sizes, check_program, get_program, programs
from glassbench.benchmark_programs.conformance import spread_sample
from glassbench.compiler import InputSpace, rasp, trace

HISTOGRAM = get_program("histogram")
EVERYWHERE = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.TRUE)


@pytest.mark.parametrize("name", programs())
def test_every_program_keeps_every_rule(name):
    broken = [finding for finding in check_program(get_program(name)) if not finding.holds]
    assert not broken


def broken(**changes):
    """Return the problems of a histogram that differs in some of what it says."""
    found = check_program(replace(HISTOGRAM, **changes))
    return [f"{finding.rule} {finding.problem}" for finding in found if not finding.holds]


def build(expression):
    return lambda _vocabulary, _length: expression.named("histogram")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "Histogram"}, "The name is of lower-case words joined by underscores."),
        ({"name": "histogram_v2"}, "The name is of lower-case words joined by underscores."),
        ({"version": 0}, "The version is an integer from 1 on. got 0"),
        ({"description": "counts tokens"}, "The description is a sentence"),
        ({"why": ""}, "The why is a sentence, or a few, on one line. got ''"),
        ({"tags": ()}, "at least one tag"),
        ({"tags": ("Counting",)}, "in lower case"),
        ({"family": ""}, "It has a family"),
        ({"licence": "as you like"}, "The licence is an SPDX identifier."),
        (
            {"sizes": Sizes((4, 5), (4, 5), (6, 8), (8, 16))},
            "Sizes grow from tiny to large; tiny and small have at most 6,000 inputs. small (4, 5)",
        ),
        ({"sizes": Sizes((2, 4), (6, 8), (7, 8), (8, 16))}, "small has 2,015,538 inputs"),
        ({"least_vocab": 3}, "vocab of 'histogram' must be at least 3, got 2."),
        (
            {"vocabulary": lambda size: ("a", "b", "c")[:size] * 2},
            "tiny: the vocabulary has as many different tokens as it should. asked for 2",
        ),
        ({"vocabulary": lambda size: 1 / 0}, "ZeroDivisionError"),
        ({"oracle": lambda xs: 1 / 0}, "the oracle raised ZeroDivisionError"),
        (
            {"oracle": lambda xs: [1] * len(xs)},
            "tiny: the weights give what the oracle gives. on ['a', 'a'] the weights give [2, 2], "
            "the oracle [1, 1]",
        ),
        ({"oracle": lambda xs: [1]}, "the weights give what the oracle gives."),
        ({"build": lambda vocabulary, length: 1 / 0}, "ZeroDivisionError"),
        (
            {"build": build(rasp.Aggregate(EVERYWHERE, rasp.tokens))},
            "selects different values",
        ),
        (
            {"build": lambda _vocabulary, _length: rasp.tokens == "a"},
            "end the expression with .named('histogram')",
        ),
        (
            {
                "build": build(rasp.Map(lambda token: 0, rasp.tokens)),
                "oracle": lambda xs: [0] * len(xs),
            },
            "the output is constant in a control that says so, and varies elsewhere. it is {0}",
        ),
    ],
)
def test_what_breaks_a_rule_is_told(changes, expected):
    assert any(expected in problem for problem in broken(**changes)), broken(**changes)


def notes(spec):
    """Return what the answers of every size were compared on."""
    rule = "the weights give what the oracle gives."
    return [finding.note for finding in check_program(spec) if rule in finding.rule]


def test_rare_answers_are_in_the_sample():
    brackets = get_program("shuffle_dyck1")
    vocab, length = brackets.sizes.large
    tokens = brackets.vocabulary(vocab)
    program = trace([brackets.build(tokens, length)], tokens, length).program
    space = InputSpace(vocab, length)

    def balanced(ids):
        answers = [brackets.oracle([tokens[i] for i in row if i < vocab]) for row in ids[:, 1:]]
        return np.mean([answer[-1] for answer in answers])

    sampled = spread_sample(program, space)
    assert len(np.unique(sampled, axis=0)) == len(sampled) == 600
    assert np.array_equal(sampled, spread_sample(program, space))
    lengths = np.bincount((sampled < vocab).sum(axis=1))[1:]
    assert lengths[-8:].max() - lengths[-8:].min() <= 1
    assert balanced(sampled) > 2 * balanced(space.sample(600, seed=0))


def test_what_it_was_checked_on_is_told():
    tiny, small, medium, large = notes(get_program("shuffle_dyck1"))
    assert (tiny, small[:6]) == ("on all 30 inputs", "on all")
    for note in (medium, large):
        share = re.fullmatch(
            r"on a sample of 600 inputs; the commonest value is (\d+)% of all", note
        )
        assert share
        assert int(share[1]) < 90


def test_a_control_may_be_constant():
    nothing = {
        "build": build(rasp.Map(lambda token: 0, rasp.tokens)),
        "oracle": lambda xs: [0] * len(xs),
        "control": "It is always 0.",
    }
    assert not broken(**nothing)


def test_a_program_that_is_another_each_time_is_told():
    drawn = iter(range(100))

    def build_differently(_vocabulary, _length):
        shift = next(drawn)
        return rasp.Map(lambda n: n + 0 * shift, rasp.tokens == "a").named(f"histogram{shift}")

    assert any("gives two programs" in problem for problem in broken(build=build_differently))
