"""The functions of the language, and how a call is matched with their parameters.

Those of RASP are `aggregate`, `selector_width`, `indicator`, `round`, `range`, `zip`
and `len`. The others are extensions, so that every program of operators can be
written (`full`, `linear`, `where`, `otherwise`, the conversions), and to say how a
variable is encoded (`numerical`, `categorical`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...errors import ProgramError
from .. import rasp
from ..values import Encoding, is_number
from .building import OPERATIONS, PREFIX_OPERATIONS, Builder
from .parts import Part, is_constant, kind

LONGEST_RANGE = 10_000


@dataclass(frozen=True)
class Builtin:
    """A function of the language.

    Attributes:
        parameters: their names, in order.
        n_required: how many of them must be given.
        call: the function, of a builder and the arguments.
    """

    name: str
    parameters: tuple[str, ...]
    n_required: int
    call: Callable[..., Part]

    def __call__(
        self, builder: Builder, positional: Sequence[Part], keywords: Mapping[str, Part]
    ) -> Part:
        """Return the result of a call."""
        if "assume_bos" in keywords:
            raise ProgramError(
                "`assume_bos` is not needed: the compiler puts a BOS token before every input and "
                "uses it by itself. Leave it out."
            )
        unknown = [name for name in keywords if name not in self.parameters[len(positional) :]]
        given = dict(zip(self.parameters, positional, strict=False)) | dict(keywords)
        missing = [name for name in self.parameters[: self.n_required] if name not in given]
        if unknown or missing or len(positional) > len(self.parameters):
            got = [*(kind(part) for part in positional), *(f"{name}=..." for name in keywords)]
            raise ProgramError(
                f"It must be called as `{self.signature}`, got {', '.join(got) or 'nothing'}."
            )
        return self.call(builder, **given)

    @property
    def signature(self) -> str:
        """The call as documentation writes it.

        Example:
            >>> BUILTINS["aggregate"].signature
            'aggregate(selector, sequence, default=...)'
        """
        names = [
            name if place < self.n_required else f"{name}=..."
            for place, name in enumerate(self.parameters)
        ]
        return f"{self.name}({', '.join(names)})"


def _aggregate(builder: Builder, selector: Part, sequence: Part, default: Part = None) -> Part:
    return builder.aggregate(selector, sequence, default)


def _selector_width(builder: Builder, selector: Part) -> Part:
    return builder.selector_width(selector)


def _full(_builder: Builder, value: Part) -> Part:
    if not is_constant(value):
        raise ProgramError(f"`full` must be given a constant, got {kind(value)}.")
    return rasp.Full(value)


def _linear(
    _builder: Builder, x: Part, y: Part, x_factor: Part, y_factor: Part
) -> rasp.LinearSequenceMap:
    are_sequences = all(isinstance(part, rasp.SOp) for part in (x, y))
    if not (are_sequences and is_number(x_factor) and is_number(y_factor)):
        raise ProgramError(
            "`linear` must be given two sequences and two numbers, got "
            f"{', '.join(map(kind, (x, y, x_factor, y_factor)))}."
        )
    return rasp.LinearSequenceMap(x, y, x_factor, y_factor)


def _encoded(encoding: Encoding) -> Builtin:
    def call(_builder: Builder, sequence: Part) -> Part:
        if not isinstance(sequence, rasp.SOp):
            raise ProgramError(
                f"`{encoding.value}` must be given a sequence, got {kind(sequence)}."
            )
        return rasp.annotate(sequence, encoding=encoding)

    return Builtin(encoding.value, ("sequence",), 1, call)


def _range(_builder: Builder, start: Part, stop: Part = None, step: Part = 1) -> Part:
    bounds = (0, start, step) if stop is None else (start, stop, step)
    if not all(type(bound) is int for bound in bounds) or step == 0:
        raise ProgramError(
            "`range` must be given whole numbers, and a step other than 0, got "
            f"{', '.join(map(kind, bounds))}."
        )
    numbers = range(*bounds)
    if len(numbers) > LONGEST_RANGE:
        raise ProgramError(
            f"`range` must hold at most {LONGEST_RANGE} numbers, got {len(numbers)}."
        )
    return list(numbers)


def _len(_builder: Builder, items: Part) -> Part:
    if not isinstance(items, list):
        advice = " Write `length`." if isinstance(items, rasp.SOp) else ""
        raise ProgramError(f"`len` must be given a list, got {kind(items)}.{advice}")
    return len(items)


def _zip(_builder: Builder, fst: Part, snd: Part) -> Part:
    lists = (fst, snd)
    if not all(isinstance(items, list) for items in lists) or len(fst) != len(snd):
        raise ProgramError(
            f"`zip` must be given two lists of one length, got {kind(fst)} and {kind(snd)}."
        )
    return [list(items) for items in zip(*lists, strict=True)]


def _elementwise() -> list[Builtin]:
    """Return the functions that work position by position."""
    builtins = []
    for prefix in PREFIX_OPERATIONS.values():
        if prefix.is_call:

            def apply(builder: Builder, x: Part, prefix: Part = prefix) -> Part:
                return builder.apply(prefix, x)

            builtins.append(Builtin(prefix.symbol, ("x",), 1, apply))
    for operation in OPERATIONS.values():
        if operation.is_call:

            def operate(builder: Builder, x: Part, y: Part, operation: Part = operation) -> Part:
                return builder.operate(operation, x, y)

            builtins.append(Builtin(operation.symbol, ("x", "y"), 2, operate))
    return builtins


BUILTINS = {
    builtin.name: builtin
    for builtin in (
        Builtin("aggregate", ("selector", "sequence", "default"), 2, _aggregate),
        Builtin("selector_width", ("selector",), 1, _selector_width),
        Builtin("full", ("value",), 1, _full),
        Builtin("linear", ("x", "y", "x_factor", "y_factor"), 4, _linear),
        Builtin("range", ("start", "stop", "step"), 1, _range),
        Builtin("len", ("items",), 1, _len),
        Builtin("zip", ("fst", "snd"), 2, _zip),
        _encoded(Encoding.NUMERICAL),
        _encoded(Encoding.CATEGORICAL),
        *_elementwise(),
    )
}
