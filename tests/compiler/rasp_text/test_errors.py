"""What is wrong with a text is told by its place, and by what to write there."""

import contextlib
import re

import pytest

from glassbench.compiler.rasp_text import read_rasp
from glassbench.errors import ProgramError


def message(text, outputs=()):
    with pytest.raises(ProgramError) as caught:
        read_rasp(text, outputs)
    return str(caught.value)


def test_the_form_of_a_message():
    assert message("a = tokens;\n\tb = a + indeces; # typo") == (
        "The RASP text cannot be read:\n"
        "  - line 2, column 10: There is no name 'indeces'. Did you mean 'indices'? A name must be "
        "assigned or defined before it is used.\n"
        "       b = a + indeces; # typo\n"
        "               ^"
    )


def test_what_is_no_text_is_refused():
    with pytest.raises(ProgramError, match="A RASP program must be a text, got None"):
        read_rasp(None)


def test_every_statement_is_checked_and_each_problem_told_once():
    text = "a = tokenz;\nb = a + 1;\nfor i in [b] { c = i; }\nd = 1 / 0;\ne = d + c;\nf = e + nil;"
    lines = re.findall(r"line (\d+)", message(text))
    assert lines == ["1", "4"]


def test_problems_inside_functions_say_who_called():
    text = "def f(x) { return g(x); }\ndef g(x) { return y; }\na = f(1);\n"
    assert (
        "line 2, column 19: There is no name 'y'. A name must be assigned or defined before it is "
        "used. (in g, called on line 1) (in f, called on line 3)"
    ) in message(text)


def test_long_lines_are_cut_around_the_place():
    shown = message(f"a = {'1 + ' * 200}x{' + 1' * 200};").splitlines()
    assert "column 805" in shown[1]
    assert len(shown[2]) < 110
    assert shown[2][shown[3].index("^")] == "x"


MESSAGES = {
    # syntax
    "x = tokens & 1;": "1:12 There is a '&'. RASP has no `&`; write `and`.",
    "x = tokens && 1;": "1:12 There is a '&'. RASP has no `&`; write `and`.",
    "x = tokens | 1;": "1:12 There is a '|'. RASP has no `|`; write `or`.",
    "x = ~tokens;": "1:5 There is a '~'. RASP has no `~`; write `not`.",
    "x = !tokens;": "1:5 There is a '!'. RASP has no `!`; write `not`, or `!=` between two values.",
    "x = tokens ** 2;": (
        "1:13 Expected an expression, got `*`. RASP has no `**`; a power is written `x ^ y`."
    ),
    "x = tokens // 2;": (
        "1:13 Expected an expression, got `/`. RASP has no `//`; write `(x - x % y) / y` for a "
        "quotient without its remainder. Comments start with `#`."
    ),
    "x = tokens; // the input": "1:13 Comments start with `#` and end with the line.",
    "x = tokens /* the input */;": "1:12 Comments start with `#` and end with the line.",
    "x = tokens; x += 1;": "1:15 RASP has no `+=`; write `x = x + 1`.",
    "x = tokens; x -= (1 + 2);": "1:15 RASP has no `-=`; write `x = x - (...)`.",
    "x = tokens; if x == 1 { y = 2; }": (
        "1:13 Expected a statement, got `if`. RASP has no `if` statement; write `x if c else y`, "
        "as in `out = x if c else y;`."
    ),
    "x = 1; while (x < 3) { x = x + 1; }": (
        "1:8 RASP has no `while`; write `x if c else y` to choose between values, and `for name "
        "in list { ... }` to repeat statements."
    ),
    "x = tokens = 1;": "`=` gives a name to a value, at the start of a statement; write `==`",
    'x = "ab;\ny = 1;': "1:5 There is a '\"'. A string must end on the line where it begins",
    r'x = "\q";': r"1:5 There is no `\q` in strings; a backslash is written `\\`",
    "x = .5;": "1:5 There is a '.'. RASP has no `.`; a number must have digits on both sides",
    "x = tokens § 2;": "1:12 There is a '§'. It has no meaning in RASP outside of strings.",
    "x = tokens\ny = 2;": "1:11 A statement must end with `;`, got `y`; write `;` here.",
    "x = tokens": "1:11 A statement must end with `;`, got the end of the text; write `;` here.",
    "x = (tokens;": "1:12 Expected `)` or `,`, got `;`.",
    "x = tokens 2;": "1:12 Expected an operator or `,` or `;`, got `2`.",
    "x = ;": "1:5 Expected an expression, got `;`.",
    "x = f(": "1:7 Expected an expression or `)`, got the end of the text.",
    "def f() { x = 1; }": (
        "1:18 Expected `return`, got `}`. The block of a `def` must end with `return ...;`."
    ),
    "return 1;": "1:1 Expected a statement, got `return`. `return` ends the block of a `def`.",
    "def f() { return 1; };": "Leave it out: nothing follows the `}` of a block.",
    "x = 1 : 2;": "RASP has no `:` outside of dictionaries; blocks stand in `{` and `}`.",
    "x = select(tokens, tokens);": "1:26 Expected `,`, got `)`.",
    "x = select(tokens, tokens, 3);": "Expected a comparison, one of == != < <= > >=, got `3`.",
    "def for(x) { return x; }": "`for` is a word of the language and cannot be a name.",
    # one way in RASP, another in Python
    "x = not tokens == 1;": (
        "1:5 `not` beside `==` reads one way in RASP and another in Python; put parentheses around "
        "what belongs together."
    ),
    "x = 1 < tokens < 3;": "1:5 `<` beside `<` reads one way in RASP and another in Python",
    "x = tokens or tokens and 1;": "1:5 `or` beside `and` reads one way",
    "x = -tokens ^ 2;": "1:5 `-` beside `^` reads one way",
    "x = 2 ^ tokens ^ 2;": "1:5 `^` beside `^` reads one way",
    "x = tokens % 2 * 3;": "1:5 `*` beside `%` reads one way",
    "x = tokens in [1] and True;": "1:5 `and` beside `in` reads one way",
    "x = not tokens in [1];": "1:5 `not` beside `in` reads one way",
    "x = 1 if tokens else 2 if indices else 3;": "1:5 `if` beside `if` reads one way",
    # the interactive interpreter
    'set example "hello"': (
        "1:1 `set` is a command of an interactive interpreter, which a program cannot hold; leave "
        "it out, and evaluate an expression by calling it from Python."
    ),
    'x = tokens;\nload "lib";': "2:1 `load` is a command of an interactive interpreter",
    "show example": "1:1 `show` is a command of an interactive interpreter",
    "examples off": "1:1 `examples` is a command of an interactive interpreter",
    "draw(tokens);": "1:1 `draw` is a command of an interactive interpreter",
    'tokens("hello");': (
        "1:1 Only a function can be called, got a sequence. A program holds no inputs; evaluate "
        "the expression from Python."
    ),
    # names
    "indices = 3;": "1:1 `indices` is a word of the language and cannot be a name.",
    "def f(len) { return 1; }": "1:7 `len` is a word of the language and cannot be a name.",
    "def f(a, a) { return 1; }": "1:5 Parameters must differ, got a, a.",
    "a, b = [1, 2, 3];": "1:1 There must be one value for each of 2 names, got 3.",
    "a, b = tokens;": "1:1 There must be one value for each of 2 names, got 1 (a sequence).",
    # kinds of values
    "x = select(1, 1, ==) + 1;": (
        "1:22 `+` must be given sequences and constants, got a selector. Turn it into a sequence "
        "with `selector_width` or `aggregate`."
    ),
    "x = select(1, 1, ==) and tokens;": (
        "1:22 `and` must stand between two selectors or between two sequences, got a selector and "
        "a sequence. Turn the selector into a sequence with `selector_width(s) > 0`, or the "
        "sequence into a selector with `select(x, True, ==)`."
    ),
    "x = [1] + 1;": "1:9 `+` must be given sequences and constants, got a list.",
    "x = aggregate(tokens, 1);": (
        "1:5 `aggregate` must be given a selector first, got a sequence. Write `select(keys, "
        "queries, ==)`."
    ),
    "x = aggregate(select(1, 1, ==), 1, tokens);": (
        "1:5 The default of `aggregate` must be a constant, got a sequence."
    ),
    "x = selector_width();": ("1:5 It must be called as `selector_width(selector)`, got nothing."),
    "x = aggregate(1, 2, 3, 4);": (
        "1:5 It must be called as `aggregate(selector, sequence, default=...)`, got the constant "
        "1, the constant 2, the constant 3, the constant 4."
    ),
    "x = round(tokens, digits=1);": "1:5 It must be called as `round(x)`, got a sequence, digits=",
    "x = round(x=tokens, 1);": "1:21 Arguments without a name must stand before those with one.",
    "x = selector_width(select(1, 1, ==), assume_bos=True);": (
        "1:5 `assume_bos` is not needed: the compiler puts a BOS token before every input and uses "
        "it by itself. Leave it out."
    ),
    "def f(a, b) { return a; } f(1);": "1:27 It must be called as `f(a, b)`, got 1 argument.",
    "x = 1(2);": "1:5 Only a function can be called, got the constant 1.",
    "x = 1 / 0;": (
        "1:7 `/` must accept the constants that it is given; on (1, 0) it raised "
        "ZeroDivisionError: division by zero."
    ),
    "x = 10 ^ 10 ^ 10;": "1:5 `^` beside `^` reads one way",
    "x = 10 ^ (10 ^ 10);": "OverflowError: the power is too large.",
    "x = 1e999;": "1:5 The number is too large.",
    "x = (tokens, 1);": (
        "A tuple must hold constants, got a sequence, the constant 1. Write `[...]` for several "
        "sequences."
    ),
    "x = tokens in tokens;": (
        "1:5 `in` must be followed by a list of constants, or stand between a constant and a "
        "sequence; got a sequence in a sequence."
    ),
    "x = 1 if select(1, 1, ==) else 2;": (
        "1:10 The condition must be a sequence or a constant, got a selector."
    ),
    "for i in tokens { x = i; }": (
        "1:10 A loop must run over a list, a dictionary or a range, got a sequence."
    ),
    "for i in range(10 ^ 9) { x = i; }": "1:10 `range` must hold at most 10000 numbers",
    "x = range(1.5);": "1:5 `range` must be given whole numbers, and a step other than 0, got",
    "x = [1, 2][5];": "1:5 The index must be below 2, got 5.",
    "x = {1: 2}[3];": "1:5 The dictionary must hold the key, got the constant 3.",
    "x = {tokens: 2};": "1:6 A key must be a constant, got a sequence.",
    "x = tokens[tokens];": "1:5 Lists, strings and sequences have elements `x[i]`",
    "x = len(tokens);": "1:5 `len` must be given a list, got a sequence. Write `length`.",
    "x = zip([1], [1, 2]);": "1:5 `zip` must be given two lists of one length",
    "x = full(tokens);": "1:5 `full` must be given a constant, got a sequence.",
    "x = linear(tokens, 1, 2, 3);": "1:5 `linear` must be given two sequences and two numbers",
    "x = numerical(1);": "1:5 `numerical` must be given a sequence, got the constant 1.",
    # without end
    f"x = {'(' * 3000}1{')' * 3000};": "1:1 It is nested too deeply",
    "def f(x) { return f(x); }\nf(1);": "2:1 It is nested too deeply, or a function in it calls",
}


@pytest.mark.parametrize("text", MESSAGES, ids=lambda text: text[:40])
def test_messages(text):
    place = re.match(r"(\d+):(\d+) (.*)", MESSAGES[text])
    expected = (
        f"line {place[1]}, column {place[2]}: {place[3]}" if place is not None else MESSAGES[text]
    )
    assert expected in message(text)


def test_outputs():
    assert message("") == (
        "A RASP program must give a sequence, got none: no statement of it does. End it with a "
        "statement such as `out = aggregate(s, tokens);`."
    )
    assert "got none: no statement of it does." in message("select(tokens, tokens, ==);")
    assert "got none: the last name is a selector." in message("s = select(1, 1, ==);")
    assert "got none: the last name is a function." in message("def f() { return 1; }")
    text = "s = select(1, 1, ==); def f() { return 1; } n = 1; out = tokens + 1;"
    assert message(text, ["s", "f", "n", "outt", "out"]) == (
        "The outputs must be names of sequences:\n"
        "  - 's' is a selector; take its selector_width or aggregate over it\n"
        "  - 'f' is a function; call it\n"
        "  - 'n' is the constant 1; write full(...) for a constant\n"
        "  - there is no name 'outt' in the program. Did you mean 'out'?"
    )
    assert message(text, "out") == "The outputs must be a list of names, got 'out' alone."


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_a_program_with_a_gap_raises_no_other_error(cut):
    text = (
        'def f(x, y) { z = x if y > 0 else "a"; return [z, {1: (2, 3)}[1][0]]; } # comment\n'
        "a, b = f(tokens, indices); for i in range(2) { s = select(a, i, <=) and not select(1, 1, "
        "==); }\nout = aggregate(s, a, default=1) in ['x'];"
    )
    with contextlib.suppress(ProgramError):
        read_rasp(text[:cut] + text[cut + 3 :])


def test_long_constants_are_told_in_short():
    long = "x = 'a';" + "x = x + x;" * 14
    assert re.search(r"the last name is the constant 'a{12}\.{3}a{13}'\.", message(long))
    assert len(message(f"{long} y = x ^ x;")) < 600
