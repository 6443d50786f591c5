"""Operators that read one way in RASP and another way in Python, side by side.

In RASP `not` and `-` bind tighter than any operator between two operands, `and` and
`or` bind equally, `*` and `/` bind tighter than `%`, `^` groups from the left, and
`in` binds loosest of all. A reader who knows Python takes `not x == y` for something
else, and nothing would tell. So whatever differs must be parenthesised.
"""

from collections.abc import Iterator
from typing import TypeAlias

from lark import Token, Tree

from .source_text import LocatedError, Place

SyntaxTree: TypeAlias = Tree[Token]
Syntax: TypeAlias = Tree[Token] | Token

_LOGICAL = frozenset({"and", "or"})
_COMPARISONS = frozenset({"==", "!=", "<=", ">=", "<", ">"})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})
_LOOSE = _LOGICAL | _COMPARISONS | {"in", "if"}

# For each operator, the operators that may not stand bare on its left and on its right.
_BARE_LEFT: dict[str, frozenset[str]] = {
    "and": frozenset({"or"}),
    "or": frozenset({"and"}),
    "^": frozenset({"^", "unary -", "unary +", "unary not"}),
    "in": _LOOSE | {"unary not"},
    "if": frozenset({"if"}),
    **dict.fromkeys(_COMPARISONS, _COMPARISONS | {"unary not"}),
    **dict.fromkeys(_ARITHMETIC - {"^"}, frozenset({"unary not"})),
}
_BARE_RIGHT: dict[str, frozenset[str]] = {"%": frozenset({"*", "/"}), "in": _LOOSE}


def precedence_problems(tree: SyntaxTree) -> Iterator[LocatedError]:
    """Yield a problem for each operand that RASP and Python would take for different things."""
    for part in tree.iter_subtrees_topdown():
        operator, operands = _operator(part), _operands(part)
        for operand, refused in zip(operands, (_BARE_LEFT, _BARE_RIGHT), strict=False):
            inner = _operator(operand)
            if inner in refused.get(operator, ()):
                place = Place(part.meta.line, part.meta.column)
                yield LocatedError(
                    place,
                    f"`{inner.removeprefix('unary ')}` beside `{operator}` reads one way in RASP "
                    "and another in Python; put parentheses around what belongs together.",
                )


def _operator(syntax: Syntax | None) -> str:
    """Return the operator of an expression without parentheses around it, or nothing."""
    match syntax:
        case Tree("binary", [_, Token() as operator, _]):
            return str(operator)
        case Tree("unary", [Token() as operator, _]):
            return f"unary {operator}"
        case Tree("contained" | "not_contained"):
            return "in"
        case Tree("conditional"):
            return "if"
    return ""


def _operands(tree: SyntaxTree) -> list[Syntax]:
    """Return the first and the last operand of an operator between operands."""
    if tree.data in ("binary", "contained", "not_contained", "conditional"):
        return [tree.children[0], tree.children[-1]]
    return []
