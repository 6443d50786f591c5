"""Text -> syntax tree, by the grammar in `grammar.lark`.

Everything wrong with the syntax is told in terms of RASP: the parser stops at the
first thing it cannot read, and this file says what stood there and what to write.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from .precedence import SyntaxTree, precedence_problems
from .source_text import LocatedError, Place, text_error

INTERACTIVE = frozenset({"draw", "examples", "exit", "full", "load", "quit", "set", "show"})

_CHARACTERS = {
    "&": "RASP has no `&`; write `and`.",
    "|": "RASP has no `|`; write `or`.",
    "~": "RASP has no `~`; write `not`.",
    "!": "RASP has no `!`; write `not`, or `!=` between two values.",
    '"': 'A string must end on the line where it begins; close it with `"`.',
    "'": "A string must end on the line where it begins; close it with `'`.",
    ".": "RASP has no `.`; a number must have digits on both sides of it, as in `0.5`.",
}
_TOKENS = {
    "STAR": "RASP has no `**`; a power is written `x ^ y`.",
    "SLASH": "RASP has no `//`; write `(x - x % y) / y` for a quotient without its remainder. "
    "Comments start with `#`.",
    "EQUAL": "`=` gives a name to a value, at the start of a statement; write `==` to compare.",
    "COLON": "RASP has no `:` outside of dictionaries; blocks stand in `{` and `}`.",
    "IF": "RASP has no `if` statement; write `x if c else y`, as in `out = x if c else y;`.",
    "LBRACE": "`{` opens the block of a `def` or a `for`; group expressions with `(` and `)`.",
}
_WORDS = {
    "SEMICOLON": "`;`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "LPAR": "`(`",
    "LBRACE": "`{`",
    "COMMA": "`,`",
    "ELSE": "`else`",
    "IN": "`in`",
    "EQUAL": "`=`",
    "COLON": "`:`",
    "NAME": "a name",
    "RETURN": "`return`",
    "COMPARISON": "a comparison, one of == != < <= > >=",
}

_WHILE = (
    "RASP has no `while`; write `x if c else y` to choose between values, and `for name in list "
    "{ ... }` to repeat statements."
)
_UPDATE = re.compile(r"(?P<name>\w+)\s*(?P<operator>[-+*/%^])=\s*(?P<value>\w+(?=\s*;))?", re.ASCII)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", propagate_positions=True)


def parse(text: str) -> SyntaxTree:
    """Return the syntax tree of a RASP program.

    Raises:
        ProgramError: the text is not RASP; the message shows the place.
    """
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise text_error(text, [_problem(text, error)]) from None
    problems = list(precedence_problems(tree))
    if problems:
        raise text_error(text, problems)
    return tree


def _problem(text: str, error: UnexpectedInput) -> LocatedError:
    place = Place(error.line, error.column)
    if isinstance(error, UnexpectedCharacters):
        character = text[error.pos_in_stream or 0]
        advice = _CHARACTERS.get(character, "It has no meaning in RASP outside of strings.")
        return LocatedError(place, f"There is a {character!r}. {advice}")
    assert isinstance(error, UnexpectedToken)
    last = _last_read(error)
    if isinstance(last, Token) and last.type == "NAME" and last.value in INTERACTIVE:
        return LocatedError(Place(last.line or 1, last.column or 1), interactive(last.value))
    special = _of_another_language(text, error.token)
    if special is not None:
        return special
    expected = set(error.accepts or error.expected)
    found: Token = error.token
    if "SEMICOLON" in expected and last is not None and _next_statement(found, last):
        return LocatedError(
            _end(last), f"A statement must end with `;`, got {_shown(found)}; write `;` here."
        )
    if found.type == "$END":
        lines = text.rstrip().split("\n")
        place = Place(len(lines), len(lines[-1]) + 1)
    advice = _advice(found, expected)
    return LocatedError(place, f"Expected {_listed(expected)}, got {_shown(found)}.{advice}")


def _of_another_language(text: str, found: Token) -> LocatedError | None:
    """Return what is wrong where a statement or a comment is written as other languages do."""
    lines = text.split("\n")
    if found.line is None or found.column is None or found.line > len(lines):
        return None
    line, column = lines[found.line - 1], found.column
    before, rest = line[: column - 1], line[column - 1 :]
    if rest.startswith(("//", "/*")) or (found.type == "STAR" and before.endswith("/")):
        start = Place(found.line, column if rest.startswith("/") else column - 1)
        return LocatedError(start, "Comments start with `#` and end with the line.")
    loop = re.match(r"(?:.*[;{}])?\s*(while)\b", before)
    if loop and found.type in ("LBRACE", "NAME", "NUMBER", "NOT", "COLON", "TRUE"):
        return LocatedError(Place(found.line, loop.start(1) + 1), _WHILE)
    updates = _UPDATE.finditer(line) if found.type == "EQUAL" else iter(())
    for update in updates:
        if update.end("operator") == column - 1:
            name, operator, value = update.group("name", "operator", "value")
            advice = f"write `{name} = {name} {operator} {value or '(...)'}`."
            return LocatedError(
                Place(found.line, column - 1), f"RASP has no `{operator}=`; {advice}"
            )
    return None


def interactive(command: str) -> str:
    """Return the message about a command of the interactive interpreter."""
    return (
        f"`{command}` is a command of an interactive interpreter, which a program cannot hold; "
        "leave it out, and evaluate an expression by calling it from Python."
    )


def _last_read(error: UnexpectedToken) -> Token | SyntaxTree | None:
    """Return what the parser read before the token that it could not read."""
    parser: Any = error.interactive_parser
    stack = parser.parser_state.value_stack
    found = next((item for item in reversed(stack) if _end(item) != Place(1, 1)), None)
    return found if isinstance(found, Token | Tree) else None


def _end(item: Any) -> Place:
    """Return where a token or a tree ends; the start of the text for what is empty."""
    marks = item.meta if isinstance(item, Tree) else item
    line, column = getattr(marks, "end_line", None), getattr(marks, "end_column", None)
    return Place(line or 1, column or 1)


def _next_statement(found: Token, last: Any) -> bool:
    """Whether a token looks like the start of another statement rather than a slip in this one."""
    if found.type in ("$END", "RBRACE", "RETURN", "DEF", "FOR"):
        return True
    return found.type == "NAME" and (found.line or 1) > _end(last).line


def _shown(found: Token) -> str:
    return "the end of the text" if found.type == "$END" else f"`{found.value}`"


def _advice(found: Token, expected: set[str]) -> str:
    if found.type in ("DEF", "FOR", "IF", "ELSE", "IN", "AND", "OR", "SELECT", "RETURN"):
        if found.type == "IF" and "DEF" in expected:
            return f" {_TOKENS['IF']}"
        if found.type == "RETURN":
            return " `return` ends the block of a `def`."
        if "NAME" in expected and "NUMBER" not in expected:
            return f" `{found.value}` is a word of the language and cannot be a name."
    if found.type == "RBRACE" and "RETURN" in expected:
        return " The block of a `def` must end with `return ...;`."
    if found.type == "SEMICOLON" and "$END" in expected:
        return " Leave it out: nothing follows the `}` of a block."
    return f" {_TOKENS[found.type]}" if found.type in _TOKENS else ""


def _listed(expected: set[str]) -> str:
    """Return in words what could have stood there."""
    if "NUMBER" in expected:
        closing = sorted(_WORDS[name] for name in expected & {"RPAR", "RSQB", "RBRACE"})
        if "DEF" in expected:
            return " or ".join(["a statement", *closing])
        return " or ".join(["an expression", *closing])
    words = sorted(_WORDS[name] for name in expected if name in _WORDS)
    if "PLUS" in expected:
        closing = [word for word in words if word not in ("`(`", "a comparison", "`in`")]
        words = ["an operator", *(w for w in closing if not w.startswith("a comparison"))]
    return " or ".join(words) if words else "something else"
