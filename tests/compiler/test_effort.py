"""Programs that would never end to be read, or fill the memory, are refused in a moment."""

import time

import pytest

from glassbench.compiler import rasp
from glassbench.compiler.effort import STEP, Effort
from glassbench.compiler.rasp_text import read_rasp
from glassbench.compiler.trace import trace
from glassbench.compiler.traced_program import traced_program
from glassbench.errors import EffortError, ProgramError

ALLOWED = 2**20

DOUBLING = "def f0(x) { return x + x; }\n" + "".join(
    f"def f{n}(x) {{ return f{n - 1}(x) + f{n - 1}(x); }}\n" for n in range(1, 60)
)
ENDLESS = {
    "loops in loops": "for i in range(9999) { for j in range(9999) { x = i; } } tokens;",
    "empty loops": "for i in range(9999) { for j in range(9999) { } } tokens;",
    "lists in loops": "for i in range(9999) { x = range(9999); } tokens;",
    "lists of lists": "x = [[i for i in range(9999)] for j in range(9999)]; tokens;",
    "dictionaries": "x = [{i: i for i in range(9999)} for j in range(9999)]; tokens;",
    "functions that call two": DOUBLING + "f59(indices);",
    "tuples of tuples": "t = (1, 1); for i in range(99) { t = (t, t); } tokens;",
    "names that are not there": "".join(
        [*(f"a{n} = 1;" for n in range(3000)), *(f"b{n} = zz{n};" for n in range(3000))]
    ),
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_reading_that_does_not_end(text):
    started = time.perf_counter()
    with pytest.raises(EffortError, match=r"at most 1,048,576 entries as tables, a step of"):
        read_rasp(text, effort=Effort(ALLOWED))
    assert time.perf_counter() - started < 20  # some seconds on a slow machine, and not hours


LARGE = {
    "strings": 's = "ab"; for i in range(99) { s = s + s; } tokens;',
    "repeated strings": 's = "ab" * 999999999; tokens;',
    "tuples": "t = (1, 2); for i in range(99) { t = t + t; } tokens;",
    "integers": "n = 9; for i in range(99) { n = n * n; } tokens;",
    "powers": "n = 9 ^ 9 ^ 9; tokens;",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_constants_that_do_not_end(text):
    with pytest.raises(ProgramError, match="line 1, column "):
        read_rasp(text, effort=Effort(ALLOWED))


def traced(text, vocabulary="abcd", length=4, allowed=ALLOWED):
    source = read_rasp(text)
    return traced_program(source.outputs, vocabulary, length, effort=Effort(allowed))


TABLES = {
    "sequence maps": "x = indices; for i in range(99) { x = 2 * x + indices; y = x * x - x; } y;",
    "selectors": (
        "s = select(tokens, tokens, ==);"
        "for i in range(99) {"
        "s = select(indices + i, indices, <) or (s and select(indices, i, <)); }"
        "selector_width(s);"
    ),
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_tables_that_do_not_end(text):
    with pytest.raises((EffortError, ProgramError)):
        traced(text, range(60), 60)


@pytest.mark.parametrize("text", ["tokens * 999999999;", 'x = tokens + "a";' + "x = x + x;" * 40])
def test_values_that_do_not_end(text):
    with pytest.raises(ProgramError, match="OverflowError: a string must have at most"):
        traced(text)


def test_work_is_counted_before_it_is_done():
    text = "x = indices + tokens; y = x + indices;"
    entries = 5 * 6 + len({i + j for i in range(5) for j in range(6)}) * 5
    constants = 2 * 5  # the selectors' and inputs' own
    traced(text, range(6), 5, allowed=entries + constants)
    with pytest.raises(EffortError):
        traced(text, range(6), 5, allowed=entries - 1)


def test_no_limit_by_default():
    assert read_rasp("for i in range(9999) { x = i; } tokens;").outputs
    effort = Effort()
    effort.spend(10**30)


def test_reading_counts_every_part():
    effort = Effort(STEP * 5)
    read_rasp("x = tokens + 1;", effort=effort)
    with pytest.raises(EffortError):
        read_rasp("x = tokens + 1;", effort=effort)


def test_problems_are_called_as_the_caller_likes():
    source = read_rasp("x = tokens < 3;\ny = x;")
    with pytest.raises(ProgramError, match=r"  - here, x: its function must be defined"):
        trace(source.outputs, "ab", 2, label=lambda expression: f"here, {expression.name}")


def test_places_of_expressions():
    source = read_rasp("x =\n  tokens;\ny = (x == 1)\n and x;")
    (output,) = source.outputs
    assert source.places[output] == (3, 1)
    compared = output.fst
    assert isinstance(compared, rasp.Map)
    assert source.places[compared] == (3, 6)
