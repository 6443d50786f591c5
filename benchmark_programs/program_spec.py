"""ProgramSpec: a RASP program with all that is needed to make a task of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from reprlib import Repr
from types import MappingProxyType
from typing import Any, NamedTuple

from ..compiler import rasp
from ..compiler.values import Value
from ..errors import ProgramError, TaskError, listing
from .suggestion import unknown_name

Oracle = Callable[[list[Any]], list[Value]]

VOCAB = "vocab"
LENGTH = "length"

Size = tuple[int, int]
"""A number of tokens, and the greatest length of a sequence."""


class Sizes(NamedTuple):
    """The named sizes of a program, each larger than the one before.

    Attributes:
        tiny: for a look by hand; every input can be tried in no time.
        small: the default; every input can still be tried.
        medium: with some thousands of inputs or more.
        large: as large as the program is meant to be run.
    """

    tiny: Size
    small: Size
    medium: Size
    large: Size


_SHORT = Repr()
_SHORT.maxother = _SHORT.maxstring = 80


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_sizes(value: object) -> bool:
    return isinstance(value, Sizes) and all(
        isinstance(size, tuple) and len(size) == 2 and all(map(_is_integer, size)) for size in value
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, str) for one in value)


_RULES: tuple[tuple[tuple[str, ...], Callable[[object], bool], str], ...] = (
    (
        ("name", "family", "description", "why", "citation", "control", "licence"),
        lambda value: isinstance(value, str),
        "a text",
    ),
    (("version", "least_vocab"), _is_integer, "an integer"),
    (("build", "vocabulary", "oracle"), callable, "a function"),
    (("sizes",), _are_sizes, "Sizes(tiny, small, medium, large), each a tuple (vocab, length)"),
    (("tags",), _are_texts, 'a tuple of texts, such as ("sorting",)'),
    (("causal",), lambda value: isinstance(value, bool), "True or False"),
)
"""What the fields of a `ProgramSpec` must be: their names, the test, and the test in words."""


@dataclass(frozen=True, kw_only=True)
class ProgramSpec:
    """A program of the library, for every size it can be built in.

    Attributes:
        name: how task ids call it: lower-case letters, digits and underscores.
        version: raised whenever the meaning, a size or the expression changes.
        family: the kind of program, such as `counting`.
        build: returns the RASP expression for a vocabulary and a greatest length.
        vocabulary: returns the tokens for a number of tokens.
        oracle: the same function of sequences in plain Python, written without
            RASP. It gives the value at each position, for every non-empty
            sequence over the vocabulary; `None` where the program has no value.
        sizes: the named sizes; `small` is the default.
        least_vocab: the fewest tokens with which the program makes sense.
        description: what it computes, in one sentence.
        why: what makes it worth studying.
        citation: where the algorithm comes from; empty if from nowhere in particular.
        tags: what it is about, for choosing programs. What can be seen of the
            expression needs no tag: see `traits`.
        causal: whether its model attends backwards only.
        control: empty, or why the right answer of a tool is "none" on some question:
            the output is constant, or does not depend on what seems to matter.
        licence: an SPDX identifier.

    Raises:
        ProgramError: fields are of another type; every one is listed.
    """

    name: str
    version: int = 1
    family: str
    build: Callable[[tuple[Value, ...], int], rasp.SOp] = field(repr=False)
    vocabulary: Callable[[int], tuple[Value, ...]] = field(repr=False)
    oracle: Oracle = field(repr=False)
    sizes: Sizes
    least_vocab: int = 1
    description: str = field(repr=False)
    why: str = field(repr=False)
    citation: str = field(default="", repr=False)
    tags: tuple[str, ...] = field(repr=False)
    causal: bool = False
    control: str = field(default="", repr=False)
    licence: str = field(default="Apache-2.0", repr=False)

    def __post_init__(self) -> None:
        problems = [
            f"{name}: must be {what}, got {type(value).__name__} {_SHORT.repr(value)}"
            for names, holds, what in _RULES
            for name in names
            if not holds(value := getattr(self, name))
        ]
        if problems:
            heading = f"The ProgramSpec {_SHORT.repr(self.name)} must be mended in these fields:"
            raise ProgramError(listing(heading, problems))

    @property
    def id(self) -> str:
        """The name and the version, as they stand in task ids."""
        return f"{self.name}-v{self.version}"

    @property
    def vocab(self) -> int:
        """The default number of tokens."""
        return self.sizes.small[0]

    @property
    def length(self) -> int:
        """The default greatest length of a sequence."""
        return self.sizes.small[1]

    @property
    def defaults(self) -> Mapping[str, int]:
        """The size parameters of a task in their canonical order, with their defaults."""
        return MappingProxyType({VOCAB: self.vocab, LENGTH: self.length})

    def problems(self, chosen: Mapping[str, int]) -> list[str]:
        """Return what is wrong with a choice of size parameters, one text each."""
        least = {VOCAB: self.least_vocab, LENGTH: 1}
        found = []
        for name, value in chosen.items():
            if name not in self.defaults:
                found.append(unknown_name("size parameter", name, self.defaults))
            elif value < least[name]:
                found.append(
                    f"{name} of {self.name!r} must be at least {least[name]}, got {value}."
                )
        return found

    def parameters(self, chosen: Mapping[str, int]) -> dict[str, int]:
        """Return all size parameters in canonical order: those `chosen`, the rest by default.

        Raises:
            TaskError: a parameter is unknown or too small; every problem is listed.

        Example:
            >>> from glassbench.benchmark_programs import get_program
            >>> get_program("histogram").parameters({"length": 8})
            {'vocab': 4, 'length': 8}
        """
        problems = self.problems(chosen)
        if problems:
            raise TaskError(listing(f"{self.name!r} cannot be built in this size:", problems))
        return {name: chosen.get(name, default) for name, default in self.defaults.items()}

    def expression(self, vocab: int | None = None, length: int | None = None) -> rasp.SOp:
        """Return the RASP expression for a number of tokens and a greatest length.

        Raises:
            TaskError: the size is too small.
        """
        sizes = {VOCAB: vocab, LENGTH: length}
        chosen = {name: value for name, value in sizes.items() if value is not None}
        parameters = self.parameters(chosen)
        return self.build(self.vocabulary(parameters[VOCAB]), parameters[LENGTH])
