"""The examples and the documentation hold programs that do what is said of them."""

import ast
import doctest
import itertools
import re
from collections import Counter
from pathlib import Path

import pytest

from glassbench.compiler import compile_program, rasp
from glassbench.compiler.rasp_text import read_rasp, write_rasp

ROOT = Path(__file__).resolve().parents[3]
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in ROOT.glob("examples/*.rasp")}
SAID = re.compile(r'^# (\w+)\("(.*?)"\) is (\[.*?\])', re.MULTILINE)
PAGE = (ROOT / "docs/rasp.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```rasp\n(.*?)```", PAGE, re.DOTALL)


def histogram(xs):
    return [Counter(xs)[x] for x in xs]


def most_freq(xs):
    counts = Counter(xs)
    order = sorted(counts, key=lambda x: (-counts[x], xs.index(x)))
    return order + ["-"] * (len(xs) - len(order))


def dyck1(xs):
    result = []
    for end in range(1, len(xs) + 1):
        depths = [xs[:i].count("(") - xs[:i].count(")") for i in range(1, end + 1)]
        result.append("F" if min(depths) < 0 else "T" if depths[-1] == 0 else "P")
    return result


def shuffle_dyck(xs):
    fine = True
    for opener, closer in ["()", "{}"]:
        depths = [xs[:i].count(opener) - xs[:i].count(closer) for i in range(1, len(xs) + 1)]
        fine = fine and min(depths) >= 0 and depths[-1] == 0
    return [fine] * len(xs)


# vocabulary and oracle; what stands before every input, if something must
ORACLES = {
    "histogram": ("abc", histogram, ""),
    "histogram_from_fractions": ("abc", lambda xs: [0, *histogram(xs[1:])], "^"),
    "reverse": ("abc", lambda xs: xs[::-1], ""),
    "sort": ("bca", sorted, ""),
    "double_histogram": (
        "abc",
        lambda xs: [list(Counter(xs).values()).count(n) for n in histogram(xs)],
        "",
    ),
    "most_freq": ("abc", most_freq, ""),
    "records": ("0123", lambda xs: [max(["", *xs[:i]]) < x for i, x in enumerate(xs)], ""),
    "dyck1": ("()", dyck1, ""),
    "shuffle_dyck": ("(){}", shuffle_dyck, ""),
    "previous_token": ("abc", lambda xs: ["-", *xs[:-1]], ""),
}


def test_every_example_has_an_oracle():
    assert TEXTS.keys() == ORACLES.keys()


@pytest.mark.parametrize("name", TEXTS)
def test_examples_do_what_their_comments_say(name):
    ((said, given, result),) = SAID.findall(TEXTS[name])
    assert said == name
    source = read_rasp(TEXTS[name])
    assert source.outputs == (source.names[name],)
    assert rasp.evaluate(source.outputs[0], given) == ast.literal_eval(result)


@pytest.mark.parametrize("name", TEXTS)
def test_examples_agree_with_plain_python(name):
    vocabulary, oracle, start = ORACLES[name]
    output = read_rasp(TEXTS[name]).outputs[0]
    text = write_rasp(output)
    again = read_rasp(text).outputs[0]
    assert write_rasp(again) == text
    for length in range(1, 7 - len(vocabulary) // 2):
        for rest in itertools.product(vocabulary, repeat=length):
            xs = [*start, *rest]
            assert output(xs) == again(xs) == oracle(xs), xs


@pytest.mark.parametrize("name", TEXTS)
def test_examples_compile(name):
    vocabulary, _, start = ORACLES[name]
    output = read_rasp(TEXTS[name]).outputs[0]
    compiled = compile_program(output, [*vocabulary, *start], max_length=3)
    for xs in itertools.product(vocabulary, repeat=3 - len(start)):
        assert compiled([*start, *xs]) == output([*start, *xs])


def test_programs_of_the_documentation_run():
    assert len(BLOCKS) > 5
    for block in BLOCKS:
        source = read_rasp(block)
        for given, result in re.findall(r"^# on (\[.*?\]): (\[.*\])$", block, re.MULTILINE):
            assert source.outputs[0](ast.literal_eval(given)) == ast.literal_eval(result), block


def test_python_of_the_documentation_runs():
    (block,) = re.findall(r"```pycon\n(.*?)```", PAGE, re.DOTALL)
    session = doctest.DocTestParser().get_doctest(block, {}, "rasp.md", "docs/rasp.md", 0)
    report: list[str] = []
    results = doctest.DocTestRunner().run(session, out=report.append)
    assert results.attempted > 3
    assert results.failed == 0, "".join(report)


def test_the_error_in_the_documentation_is_the_real_one():
    ((text, shown),) = re.findall(r"```text\n(.*?)\n\n(The RASP text.*?)\n```", PAGE, re.DOTALL)
    with pytest.raises(Exception, match="line 2") as caught:
        read_rasp(text)
    assert str(caught.value) == shown
