"""The meaning of the statements of a text: assignments, definitions, loops and calls."""

from collections.abc import Mapping, Sequence

from lark import Token, Tree

from .. import rasp
from ..effort import STEP, Effort
from .building import INPUTS, Builder
from .expressions import SPOILED, Expressions, Function, SpoiledError, place_of, tokens_of
from .functions import BUILTINS
from .parts import Part, kind
from .precedence import Syntax, SyntaxTree
from .scope import Scope
from .source_text import LocatedError, Place
from .words import RESERVED


class Statements:
    """Carries out statements; lives for one text.

    Args:
        effort: what that may take.

    Attributes:
        problems: what is wrong, found so far. A name whose value has a problem is spoiled: what
            uses it is passed over in silence, so that each problem is told once.
        scope: the names at the top of the text.
        outputs: what the last statement gives that gives a sequence, or lists several of them.
    """

    def __init__(self, effort: Effort) -> None:
        self.problems: list[LocatedError] = []
        self.scope = Scope.of({**INPUTS, **BUILTINS}).inside()
        self.outputs: tuple[rasp.SOp, ...] = ()
        self._builder = Builder()
        self._effort = effort
        self._expressions = Expressions(self._builder, self, effort)

    @property
    def places(self) -> Mapping[rasp.RASPExpr, Place]:
        """Where in the text each expression was written."""
        return self._expressions.places

    def run_all(self, program: SyntaxTree) -> None:
        """Carry out the statements at the top of a text, each for itself."""
        for statement in _statements_of(program.children[0]):
            try:
                self._run(statement, self.scope)
                continue
            except LocatedError as problem:
                self.problems.append(problem)
            except SpoiledError:
                pass
            except RecursionError:
                message = (
                    "It is nested too deeply, or a function in it calls itself without end; write "
                    "it in several statements."
                )
                self.problems.append(LocatedError(place_of(statement), message))
            self.scope.own.update(dict.fromkeys(_assigned(statement), SPOILED))

    def _run(self, statement: SyntaxTree, scope: Scope) -> None:
        match statement:
            case Tree("assignment", [Tree() as names, Tree() as values]):
                parts = self._expressions.values(values, scope)
                part = parts[0] if len(parts) == 1 else parts
                self.bind(tokens_of(names), part, scope)
                self._note_outputs([scope.own[tokens_of(names)[-1]]], scope)
            case Tree("evaluation", [expression]):
                part = self._expressions.value(expression, scope)
                self._note_outputs(part if isinstance(part, list) else [part], scope)
            case Tree("definition", [Token() as name, None | Tree() as names, body, values]):
                parameters = tuple(map(str, tokens_of(names)))
                for word in (name, *tokens_of(names)):
                    _require_free(word)
                if len(set(parameters)) < len(parameters):
                    raise LocatedError(
                        place_of(name), f"Parameters must differ, got {', '.join(parameters)}."
                    )
                assert isinstance(values, Tree)
                scope.own[str(name)] = Function(str(name), parameters, body, values, scope)
            case Tree("loop", [Tree() as names, items, body]):
                for item in self._expressions.items(items, scope):
                    self.bind(tokens_of(names), item, scope)
                    self._run_block(body, scope)

    def _run_block(self, block: Syntax, scope: Scope) -> None:
        for statement in _statements_of(block):
            self._run(statement, scope)

    def _note_outputs(self, parts: Sequence[Part], scope: Scope) -> None:
        if scope is self.scope and parts and all(isinstance(part, rasp.SOp) for part in parts):
            self.outputs = tuple(parts)

    def bind(self, names: Sequence[Token], part: Part, scope: Scope) -> None:
        """Let one name stand for a part, or several names for the items of a list."""
        self._effort.spend(STEP)
        for name in names:
            _require_free(name)
        if len(names) == 1:
            scope.own[str(names[0])] = self._named(part, names[0])
            return
        items = part if isinstance(part, list) else [part]
        if len(items) != len(names):
            raise LocatedError(
                place_of(names[0]),
                f"There must be one value for each of {len(names)} names, got {len(items)}"
                f"{f' ({kind(part)})' if items is not part else ''}.",
            )
        for name, item in zip(names, items, strict=True):
            scope.own[str(name)] = self._named(item, name)

    def _named(self, part: Part, name: Token) -> Part:
        """Return a part under a name; an expression is written where it gets its name."""
        named = self._builder.name(part, str(name))
        if named is not part:
            self._expressions.note(named, name)
        return named

    def call(
        self,
        function: Function,
        callee: Syntax,
        positional: Sequence[Part],
        keywords: Mapping[str, Part],
    ) -> Part:
        """Return the result of calling a function of the text."""
        parameters = function.parameters
        given = dict(zip(parameters, positional, strict=False)) | dict(keywords)
        n_given = len(positional) + len(keywords)
        if given.keys() != set(parameters) or n_given != len(parameters):
            raise LocatedError(
                place_of(callee),
                f"It must be called as `{function.name}({', '.join(parameters)})`, got {n_given} "
                f"argument{'' if n_given == 1 else 's'}.",
            )
        scope = function.scope.inside()
        for name, part in given.items():
            scope.own[name] = self._builder.name(part, name)
        try:
            self._run_block(function.body, scope)
            results = self._expressions.values(function.result, scope)
        except LocatedError as problem:
            line = place_of(callee).line
            calls = (*problem.calls, f"in {function.name}, called on line {line}")
            raise LocatedError(problem.place, problem.message, calls) from None
        return results[0] if len(results) == 1 else results


def _statements_of(block: Syntax) -> list[SyntaxTree]:
    children = block.children if isinstance(block, Tree) else ()
    return [statement for statement in children if isinstance(statement, Tree)]


def _require_free(name: Token) -> None:
    if name in RESERVED:
        raise LocatedError(
            place_of(name), f"`{name}` is a word of the language and cannot be a name."
        )


def _assigned(statement: SyntaxTree) -> list[str]:
    """Return the names that a statement would have assigned."""
    names: list[str] = []
    for part in statement.iter_subtrees():
        if part.data in ("assignment", "loop"):
            names.extend(map(str, tokens_of(part.children[0])))
        elif part.data == "definition":
            return [str(part.children[0])] if part is statement else names
    return names
