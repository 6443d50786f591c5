"""RASP texts stand for the expressions that the language says."""

import pytest

from glassbench.compiler import rasp
from glassbench.compiler.rasp_text import read_rasp


def value(text, xs):
    """Return what the output of a program is worth on an input."""
    return read_rasp(text).outputs[0](xs)


# -- elementwise -------------------------------------------------------------------

ELEMENTWISE = {
    "tokens + 1": [2, 3, 4],
    "1 + tokens": [2, 3, 4],
    "tokens - indices": [1, 1, 1],
    "10 - tokens": [9, 8, 7],
    "tokens * tokens": [1, 4, 9],
    "tokens / 2": [0.5, 1, 1.5],
    "tokens % 2": [1, 0, 1],
    "7 % tokens": [0, 1, 1],
    "tokens ^ 2": [1, 4, 9],
    "2 ^ tokens": [2, 4, 8],
    "-tokens": [-1, -2, -3],
    "+tokens": [1, 2, 3],
    "tokens == 2": [False, True, False],
    "tokens != 2": [True, False, True],
    "tokens < 2": [True, False, False],
    "tokens <= 2": [True, True, False],
    "tokens > indices + 1": [False, False, False],
    "2 >= tokens": [True, True, False],
    "tokens > 1 and tokens < 3": [False, True, False],
    "tokens == 1 or tokens == 3": [True, False, True],
    "not (tokens == 1)": [False, True, True],
    "not not (tokens == 1)": [True, False, False],
    "1 + 2 * tokens": [3, 5, 7],
    "tokens + 1 * 2 ^ 3": [9, 10, 11],
    "tokens - 1 - 1": [-1, 0, 1],
    "round(tokens / 2)": [0, 1, 2],
    "abs(tokens - 2)": [1, 0, 1],
    "indicator(tokens > 1)": [0, 1, 1],
    "min(tokens, 2)": [1, 2, 2],
    "max(indices, tokens)": [1, 2, 3],
    "tokens in [1, 3]": [True, False, True],
    "tokens not in [1, 3]": [False, True, False],
    "tokens + 1 in [2]": [True, False, False],
    "2 in tokens": [True, True, True],
    "5 in tokens": [False, False, False],
    "(5 in tokens) or tokens == 1": [True, False, False],
    '"a" if tokens == 2 else "b"': ["b", "a", "b"],
    '"a" if tokens == 2 else tokens': [1, "a", 3],
    'tokens if tokens == 2 else "b"': ["b", 2, "b"],
    "tokens * 2 if tokens == 2 else indices": [0, 4, 2],
    "tokens == 1.0": [True, False, False],
    "tokens + 0.5": [1.5, 2.5, 3.5],
    "tokens + 1e-1": [1.1, 2.1, 3.1],
    "tokens[0]": [1, 1, 1],
    "tokens[-1]": [3, 3, 3],
    "tokens[7]": [None, None, None],
    "length": [3, 3, 3],
    "length - 1 - indices": [2, 1, 0],
    "tokens_str": ["1", "2", "3"],
    "tokens_int": [1, 2, 3],
    "tokens_float": [1, 2, 3],
    "tokens_bool": [True, True, True],
    "tokens_asis": [1, 2, 3],
    "str(tokens + 1)": ["2", "3", "4"],
    'tokens_str + "!"': ["1!", "2!", "3!"],
    "full(7)": [7, 7, 7],
    "full(None) + tokens": [None, None, None],
    "linear(tokens, indices, 2, -1)": [2, 3, 4],
    '("a", 1) if tokens == 1 else ()': [("a", 1), (), ()],
    "where(tokens > 1, indices)": [(), (1,), (2,)],
    "otherwise(where(tokens > 1, indices), tokens)": [1, 1, 2],
    '{"a": tokens, 2: indices}[2]': [0, 1, 2],
    "[tokens + i for i in range(3)][2]": [3, 4, 5],
    "[a + b for a, b in zip([1, 2], [tokens, indices])][1]": [2, 3, 4],
    "{i: tokens + i for i in [5]}[5]": [6, 7, 8],
    "tokens + len([1, 2])": [3, 4, 5],
    "tokens + [5, 6, 7][-1]": [8, 9, 10],
    'tokens_str == "123"[1]': [False, True, False],
}


@pytest.mark.parametrize("text", ELEMENTWISE)
def test_elementwise(text):
    assert value(f"out = {text};", [1, 2, 3]) == ELEMENTWISE[text]


def test_a_constant_condition_leaves_the_other_branch_unread():
    assert value("(tokens if 2 > 1 else nowhere) + 0;", [1, 2]) == [1, 2]


def test_literals():
    literals = {
        '"a"': "a",
        "'a'": "a",
        r'"\"\\\n\t\u00e9"': '"\\\n\té',
        r"'it\'s'": "it's",
        '"# no comment"': "# no comment",
        "'\"'": '"',
        "True": True,
        "None": None,
        "007": 7,
        "2.50": 2.5,
        "-3": -3,
        "1 + 2 * 3": 7,
        "2 ^ 10": 1024,
        "7 / 2": 3.5,
        "6 / 2": 3,
        "(1, -2)": (1, -2),
        "(1,)": (1,),
        "()": (),
        "((1, 'a'), None)": ((1, "a"), None),
    }
    for text, expected in literals.items():
        output = read_rasp(f"full({text});").outputs[0]
        assert (output.fill, type(output.fill)) == (expected, type(expected))


# -- attention ---------------------------------------------------------------------

SELECTORS = {
    "select(indices, indices, <)": lambda k, q: k < q,
    "select(indices, indices, <=)": lambda k, q: k <= q,
    "select(indices, indices, >)": lambda k, q: k > q,
    "select(indices, indices, >=)": lambda k, q: k >= q,
    "select(indices, indices, ==)": lambda k, q: k == q,
    "select(indices, indices, !=)": lambda k, q: k != q,
    "select(indices, 0, ==)": lambda k, q: k == 0,
    "select(2, indices, ==)": lambda k, q: q == 2,
    "select(1, 1, ==)": lambda k, q: True,
    "select(indices, indices, True)": lambda k, q: True,
    "select(indices, indices, False)": lambda k, q: False,
    "not select(indices, indices, <)": lambda k, q: k >= q,
    "select(indices, 0, ==) or select(indices, indices, ==)": lambda k, q: k in (0, q),
    "select(indices, indices, <) and not select(indices, 0, ==)": lambda k, q: 0 < k < q,
}


@pytest.mark.parametrize("text", SELECTORS)
def test_selectors(text):
    source = read_rasp(f"s = {text}; selector_width(s);")
    expected = [[SELECTORS[text](k, q) for k in range(3)] for q in range(3)]
    assert source.names["s"]("abc") == expected
    assert source.outputs[0]("abc") == [sum(row) for row in expected]


def test_aggregates():
    before = "before = select(indices, indices - 1, ==);"
    assert value(f"{before} aggregate(before, tokens);", "abc") == [None, "a", "b"]
    assert value(f"{before} aggregate(before, tokens, '-');", "abc") == ["-", "a", "b"]
    assert value(f"{before} aggregate(before, tokens, default='-');", "abc") == ["-", "a", "b"]
    assert value(f"{before} aggregate(before, 1, 0);", "abc") == [0, 1, 1]
    assert value("aggregate(select(1, 1, ==), indices);", "abcd") == [1.5] * 4


def test_none_passes_through_maps():
    text = """
    previous = aggregate(select(indices, indices - 1, ==), tokens);
    is_a = previous == "a";
    has_value = True if is_a else False;
    width = selector_width(select(previous, previous, ==));
    """
    assert read_rasp(text, ["is_a"]).outputs[0]("ab") == [None, True]
    assert read_rasp(text, ["has_value"]).outputs[0]("ab") == [None, True]
    assert read_rasp(text, ["width"]).outputs[0]("ab") == [0, 1]


# -- statements --------------------------------------------------------------------


def test_the_line_of_the_paper():
    text = """is_x = (tokens == "x"); prevs = select(indices, indices, <=);
    frac_prevs = aggregate(prevs, is_x);"""
    source = read_rasp(text)
    assert source.text == text
    assert source.outputs[0]("xaxx") == [1, 1 / 2, 2 / 3, 3 / 4]
    assert list(source.names) == ["is_x", "prevs", "frac_prevs"]
    assert source.outputs == (source.names["frac_prevs"],)
    assert [expression.name for expression in source.names.values()] == list(source.names)


def test_comments_and_line_breaks_are_free():
    assert value("# first\r\nout\n =\ttokens # second; not this\n+\n1;#last", [1]) == [2]


def test_functions():
    text = """
    def twice(x) { return 2 * x; }
    def both(x, y) { swapped = [y, x]; return swapped[0], swapped[1]; }
    def nested(x) { def inner(y) { return y + x; } return inner(1); }
    def constant() { return 4; }
    def factorial(n) { return 1 if n == 0 else n * factorial(n - 1); }
    a, b = both(tokens, indices);
    c = twice(nested(a)) + constant() + factorial(3);
    """
    source = read_rasp(text)
    assert source.names["a"]([5, 6]) == [0, 1]
    assert source.names["b"]([5, 6]) == [5, 6]
    assert source.outputs[0]([5, 6]) == [12, 14]
    assert "twice" not in source.names


def test_keywords_and_functions_as_values():
    text = "def f(x, y) { return x - y; } def g(h) { return h(y=1, x=tokens); } g(f);"
    assert value(text, [5]) == [4]


def test_names_in_functions_stay_inside():
    text = "x = tokens; def f() { x = indices; return x + 1; } y = f(); x + 0;"
    source = read_rasp(text)
    assert source.outputs[0]("") == []
    assert source.outputs[0]([7, 8]) == [7, 8]
    assert source.names["y"]([7, 8]) == [1, 2]


def test_loops():
    text = "total = 0; for a, b in [[1, 2], [3, 4]] { c = a * b; total = total + c * tokens; }"
    assert value(text, [1, 10]) == [14, 140]
    assert value("for i in range(1, 6, 2) { x = tokens + i; }", [0]) == [5]
    assert value("for k in {'a': 1, 'b': 2} { x = tokens == k; }", "ab") == [False, True]


def test_functions_that_are_no_words_of_rasp_can_be_defined_anew():
    text = "def max(a, b) { return a if a > b else b; } tokens = tokens_str; max(tokens, 'b');"
    assert value(text, "abc") == ["b", "b", "c"]


# -- outputs -----------------------------------------------------------------------


def test_the_last_statement_that_gives_a_sequence_is_the_output():
    assert value(
        "a = tokens; b = a + 1; s = select(a, a, ==); def f() { return 1; } n = 3;", [4]
    ) == [5]
    assert value("b = tokens + 1; tokens + 2;", [1]) == [3]
    assert value("tokens;", [1]) == [1]


def test_several_outputs():
    outputs = read_rasp("a = tokens + 1; b = a * 2; [b, a];").outputs
    assert [output([1]) for output in outputs] == [[4], [2]]
    source = read_rasp("a = tokens + 1; b = a * 2; c = b - 1;", ["a", "b"])
    assert source.outputs == (source.names["a"], source.names["b"])


# -- names and identity ------------------------------------------------------------


def distinct(source):
    """Return how many expressions the outputs of a program are made of."""
    return len(rasp.topological_order(*source.outputs))


def test_what_is_used_twice_is_one_expression():
    source = read_rasp(
        "a = aggregate(select(indices, 0, ==), tokens); b = a; c = b + a; d = c * c;"
    )
    assert source.names["b"] is source.names["a"]
    assert source.names["c"].fst is source.names["c"].snd is source.names["a"]
    assert source.names["b"].name == "a"
    assert source.names["d"].fst is source.names["d"].snd is source.names["c"]


@pytest.mark.parametrize(
    "text",
    [
        "x = tokens + 1; y = x + indices; z = x * y;",
        "def f(x) { y = x; z = x + indices; return y * z; } f(tokens + 1);",
        "def f(x) { z = x + indices; y = x; return y * z; } f(tokens + 1);",
        "l = [tokens + 1]; a = l[0]; z = a + indices; l[0] * z;",
        "d = {1: tokens + 1}; a = d[1]; z = d[1] + indices; a * z;",
        "for x in [tokens + 1] { z = x + indices; y = x; } y * z;",
        "def same(x) { return x; } a = same(tokens + 1); a * (a + indices);",
    ],
)
def test_no_way_of_naming_copies_an_expression(text):
    assert distinct(read_rasp(text)) == 5  # tokens, tokens + 1, indices, and two more


def test_maps_of_an_anonymous_map_are_merged_and_named_ones_stay():
    merged = read_rasp("b = not (tokens == 1);").outputs[0]
    assert merged.inner is rasp.tokens
    kept = read_rasp("a = tokens == 1; b = not a;").outputs[0]
    assert kept.inner.name == "a"
    encoded = read_rasp("b = numerical(tokens == 1) * 2;").outputs[0]
    assert rasp.is_numerical(encoded.inner)


def test_selectors_of_one_expression_are_merged_and_named_ones_stay():
    merged = read_rasp(
        "s = select(tokens, 'a', ==) and select(tokens, tokens, <); selector_width(s);"
    )
    assert isinstance(merged.names["s"], rasp.Select)
    kept = read_rasp("a = select(tokens, 'a', ==); s = a and not a; selector_width(s);")
    assert isinstance(kept.names["s"], rasp.SelectorAnd)
    assert kept.names["s"].fst is kept.names["a"]


def test_inputs_keep_their_names():
    source = read_rasp("a = tokens; b = a + indices;")
    assert source.names["a"] is rasp.tokens
    assert source.outputs[0].snd is rasp.indices


def test_encodings_are_chosen_only_when_the_text_does():
    source = read_rasp("a = tokens + 1; b = numerical(a); c = categorical(tokens + 2); [a, b, c];")
    a, b, c = source.outputs
    assert not rasp.is_annotated(a)
    assert rasp.is_annotated(b) and rasp.is_numerical(b) and b.name == "b"
    assert rasp.is_annotated(c) and rasp.is_categorical(c)
