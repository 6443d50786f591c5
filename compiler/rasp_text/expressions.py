"""The meaning of the expressions of a text: syntax tree -> part, given what names stand for."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lark import Token, Tree

from ...errors import ProgramError
from .. import rasp
from ..effort import STEP, Effort
from .building import OPERATIONS, PREFIX_OPERATIONS, Builder
from .functions import Builtin
from .parsing import INTERACTIVE, interactive
from .parts import CONSTANTS, Part, kind
from .precedence import Syntax, SyntaxTree
from .scope import Scope
from .source_text import LocatedError, Place, suggestion

if TYPE_CHECKING:
    from .statements import Statements

_CONSTANTS = {"True": True, "False": False, "None": None}
_ESCAPES = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")


class SpoiledError(Exception):
    """A name is used whose own value could not be read, which has been told already."""


SPOILED = object()


@dataclass(frozen=True, eq=False)
class Function:
    """A function defined in the text, with the scope around its definition."""

    name: str
    parameters: tuple[str, ...]
    body: Syntax
    result: SyntaxTree
    scope: Scope


def tokens_of(names: Syntax | None) -> list[Token]:
    """Return the names in a list of names, with their places."""
    children = names.children if isinstance(names, Tree) else ()
    return [child for child in children if isinstance(child, Token)]


def place_of(syntax: Syntax) -> Place:
    """Return where a part of the text begins."""
    marks: Any = syntax.meta if isinstance(syntax, Tree) else syntax
    return Place(getattr(marks, "line", 1), getattr(marks, "column", 1))


@contextmanager
def problems_at(syntax: Syntax) -> Iterator[None]:
    """Give the place of `syntax` to errors of building expressions."""
    try:
        yield
    except ProgramError as error:
        raise LocatedError(place_of(syntax), str(error)) from None


class Expressions:
    """Finds what expressions are worth; lives for one text.

    Args:
        builder: makes them.
        statements: carries out the functions that they call.
        effort: what that may take.

    Attributes:
        places: where in the text each was written.
    """

    def __init__(self, builder: Builder, statements: "Statements", effort: Effort) -> None:
        self.places: dict[rasp.RASPExpr, Place] = {}
        self._builder = builder
        self._statements = statements
        self._effort = effort

    def note(self, part: Part, syntax: Syntax) -> None:
        """Note where an expression is written, unless that is known."""
        if isinstance(part, rasp.RASPExpr):
            self.places.setdefault(part, place_of(syntax))

    def value(self, syntax: Syntax, scope: Scope) -> Part:
        """Return what an expression is worth."""
        self._effort.spend(STEP)
        part = self._value(syntax, scope)
        if isinstance(part, list):
            self._effort.spend(len(part))
        self.note(part, syntax)
        return part

    def _value(self, syntax: Syntax, scope: Scope) -> Part:
        build = self._builder
        match syntax:
            case Token():
                return self._word(syntax, scope)
            case Tree("parenthesised", [inner]):
                return self.value(inner, scope)
            case Tree("binary", [left, Token() as operator, right]):
                fst, snd = self.value(left, scope), self.value(right, scope)
                with problems_at(operator):
                    return build.operate(OPERATIONS[operator], fst, snd)
            case Tree("unary", [Token() as operator, operand]):
                return self._unary(operator, self.value(operand, scope))
            case Tree("contained" | "not_contained" as rule, [item, container]):
                part, items = self.value(item, scope), self.value(container, scope)
                with problems_at(syntax):
                    found = build.contained(part, items)
                    return build.apply(PREFIX_OPERATIONS["not"], found) if "_" in rule else found
            case Tree("conditional", [chosen, condition, otherwise]):
                return self._conditional(chosen, condition, otherwise, scope)
            case Tree("select", [keys, queries, Tree("relation", [Token() as relation])]):
                both = self.value(keys, scope), self.value(queries, scope)
                with problems_at(syntax):
                    return build.select(*both, str(relation))
            case Tree("call", [function, None | Tree() as arguments]):
                return self._call(function, arguments, scope)
            case Tree("element", [whole, index]):
                part, place = self.value(whole, scope), self.value(index, scope)
                with problems_at(syntax):
                    return build.element(part, place)
        return self._collection(syntax, scope)

    def values(self, syntax: SyntaxTree | None, scope: Scope) -> list[Part]:
        """Return what each of several expressions is worth."""
        return [self.value(item, scope) for item in syntax.children] if syntax else []

    def _word(self, token: Token, scope: Scope) -> Part:
        match token:
            case Token("NUMBER"):
                return _number(token)
            case Token("STRING"):
                return _string(token)
            case Token("NAME"):
                return self._named(token, scope)
        return _CONSTANTS[token]

    def _named(self, token: Token, scope: Scope) -> Part:
        try:
            part = scope.find(token)
        except KeyError:
            self._effort.spend(STEP * len(list(scope)))  # to find the nearest
            if token in INTERACTIVE:
                message = interactive(str(token))
            else:
                message = (
                    f"There is no name {str(token)!r}.{suggestion(token, scope)} A name must be "
                    "assigned or defined before it is used."
                )
            raise LocatedError(place_of(token), message) from None
        if part is SPOILED:
            raise SpoiledError
        return part

    def _unary(self, operator: Token, part: Part) -> Part:
        with problems_at(operator):
            if operator == "+":
                self._builder.operate(OPERATIONS["+"], part, 0)
                return part
            return self._builder.apply(PREFIX_OPERATIONS[operator], part)

    def _conditional(
        self, chosen: Syntax, condition: Syntax, otherwise: Syntax, scope: Scope
    ) -> Part:
        """Return a choice; a constant condition leaves what is not chosen unread."""
        test = self.value(condition, scope)
        if isinstance(test, CONSTANTS):
            return self.value(chosen if test else otherwise, scope)
        if not isinstance(test, rasp.SOp):
            raise LocatedError(
                place_of(condition),
                f"The condition must be a sequence or a constant, got {kind(test)}.",
            )
        both = self.value(chosen, scope), self.value(otherwise, scope)
        with problems_at(condition):
            return self._builder.choose(test, *both)

    def _collection(self, syntax: SyntaxTree, scope: Scope) -> Part:
        match syntax:
            case Tree("tuple", items):
                parts = tuple(self.value(item, scope) for item in items)
                if not all(isinstance(part, CONSTANTS) for part in parts):
                    raise LocatedError(
                        place_of(syntax),
                        f"A tuple must hold constants, got {', '.join(map(kind, parts))}. "
                        "Write `[...]` for several sequences.",
                    )
                self._effort.spend(_n_items(parts))
                return parts
            case Tree("list", [None | Tree() as items]):
                return [self._builder.settle(part) for part in self.values(items, scope)]
            case Tree("dictionary", pairs):
                return dict(self._pair(pair, scope) for pair in pairs if isinstance(pair, Tree))
            case Tree("list_comprehension", [item, Tree() as names, items]):
                inner = self._iterated(names, items, scope)
                return [self._builder.settle(self.value(item, each)) for each in inner]
            case Tree("dictionary_comprehension", [Tree() as pair, Tree() as names, items]):
                return dict(self._pair(pair, each) for each in self._iterated(names, items, scope))
        raise AssertionError(syntax)

    def _pair(self, pair: SyntaxTree, scope: Scope) -> tuple[Part, Part]:
        key, value = self.values(pair, scope)
        if not isinstance(key, CONSTANTS):
            raise LocatedError(place_of(pair), f"A key must be a constant, got {kind(key)}.")
        return key, self._builder.settle(value)

    def _iterated(self, names: SyntaxTree, items: Syntax, scope: Scope) -> Iterator[Scope]:
        """Yield a scope for each item of a list, in which `names` stand for it."""
        for item in self.items(items, scope):
            inner = scope.inside()
            self._statements.bind(tokens_of(names), item, inner)
            yield inner

    def items(self, syntax: Syntax, scope: Scope) -> Sequence[Part]:
        """Return what a loop runs over: the items of a list, or the keys of a dictionary."""
        found = self.value(syntax, scope)
        if not isinstance(found, list | dict):
            raise LocatedError(
                place_of(syntax),
                f"A loop must run over a list, a dictionary or a range, got {kind(found)}.",
            )
        return list(found)

    def _call(self, callee: Syntax, arguments: SyntaxTree | None, scope: Scope) -> Part:
        function = self.value(callee, scope)
        positional: list[Part] = []
        keywords: dict[str, Part] = {}
        for argument in arguments.children if arguments else ():
            if isinstance(argument, Tree) and argument.data == "keyword":
                name, value = argument.children
                keywords[str(name)] = self.value(value, scope)
            elif keywords:
                raise LocatedError(
                    place_of(argument), "Arguments without a name must stand before those with one."
                )
            else:
                positional.append(self.value(argument, scope))
        if isinstance(function, Builtin):
            with problems_at(callee):
                return function(self._builder, positional, keywords)
        if isinstance(function, Function):
            return self._statements.call(function, callee, positional, keywords)
        message = f"Only a function can be called, got {kind(function)}."
        if isinstance(function, rasp.RASPExpr):
            message += " A program holds no inputs; evaluate the expression from Python."
        raise LocatedError(place_of(callee), message)


def _n_items(parts: tuple[Part, ...]) -> int:
    """Return how many constants a tuple holds, those in its tuples too."""
    return sum(_n_items(part) if isinstance(part, tuple) else 1 for part in parts)


def _number(token: Token) -> int | float:
    try:
        number = int(token) if token.isdecimal() else float(token)
    except ValueError:
        number = math.inf
    if math.isinf(number):
        raise LocatedError(place_of(token), "The number is too large.")
    return number


def _string(token: Token) -> str:
    def character(match: re.Match[str]) -> str:
        escape = match[0]
        if escape in ("\\'", "\\/"):
            return escape[1]
        try:
            return str(json.loads(f'"{escape}"'))
        except json.JSONDecodeError:
            raise LocatedError(
                place_of(token),
                f"There is no `{escape}` in strings; a backslash is written `\\\\`, and the others "
                "are \\\" \\' \\n \\t \\r \\b \\f and \\uXXXX.",
            ) from None

    return _ESCAPES.sub(character, token[1:-1])
