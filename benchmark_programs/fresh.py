"""Fresh programs: library programs that are made on demand, by name.

    fresh_<difficulty>_<seed>_<draw>

The name is all that is needed: `get_program("fresh_medium_7_13")` draws the program, which
is a `ProgramSpec` like any other. Candidates that are no programs worth the name, such as
those with a constant output, are refused by name; which of the others become tasks is
decided where they are certified, by `sample_tasks`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..compiler import rasp
from ..compiler.input_space import InputSpace
from ..compiler.interpreter import interpret
from ..compiler.program import Program
from ..compiler.trace import trace
from ..compiler.values import Value, as_argument
from ..errors import ProgramError, TaskError
from .program_spec import ProgramSpec, Size, Sizes
from .random_draws import Draws
from .random_pieces import Kind
from .random_programs import LEAST_VOCAB, Grammar
from .suggestion import unknown_name
from .vocabularies import digits, letters

GENERATOR_VERSION = 1
"""Raised whenever a name comes to stand for another program."""

FAMILY = "fresh"
COMMONEST = 0.95
"""The greatest share of positions at which an output may have its commonest value."""

_PREFIX = "fresh_"
_NAME = re.compile(r"fresh_([a-z]+)_(0|[1-9][0-9]{0,39})_(0|[1-9][0-9]{0,8})", re.ASCII)
_CAUSAL = 30
_VOCABULARIES = (("letters", letters), ("digits", digits))


@dataclass(frozen=True)
class Difficulty:
    """What the programs of a difficulty have at least, and how large they are.

    Attributes:
        hops: causal heads on one way from input to output, the least number.
        most_hops: how many attention layers a program is drawn with at most.
        heads: causal heads, the least number.
        edges: causal edges, the least number.
        most_edges: live edges of the program alone, the greatest number.
        sizes: the named sizes of its programs.
    """

    hops: int
    most_hops: int
    heads: int
    edges: int
    most_edges: int
    sizes: Sizes


DIFFICULTIES = {
    "easy": Difficulty(1, 2, 1, 4, 16, Sizes((3, 3), (3, 4), (4, 5), (6, 8))),
    "medium": Difficulty(2, 3, 2, 8, 20, Sizes((3, 3), (3, 5), (4, 6), (6, 8))),
    "hard": Difficulty(3, 4, 4, 14, 40, Sizes((3, 3), (3, 6), (4, 6), (6, 8))),
}
"""The difficulties, by name."""


@dataclass(frozen=True)
class FreshName:
    """The name of a fresh program.

    Attributes:
        difficulty: one of `DIFFICULTIES`.
        seed: the seed of the sample that it belongs to.
        draw: the number of the candidate.
    """

    difficulty: str
    seed: int
    draw: int

    @classmethod
    def parse(cls, name: str) -> "FreshName":
        """Return the parts of a name.

        Raises:
            TaskError: the name is not one of a fresh program.

        Example:
            >>> FreshName.parse("fresh_medium_7_13")
            FreshName(difficulty='medium', seed=7, draw=13)
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise TaskError(
                "A fresh program is named fresh_<difficulty>_<seed>_<draw>, such as "
                f"'fresh_medium_7_13', got {name!r}."
            )
        check_difficulty(match[1])
        return cls(match[1], int(match[2]), int(match[3]))

    def __str__(self) -> str:
        return f"{_PREFIX}{self.difficulty}_{self.seed}_{self.draw}"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fresh program, and what is wrong with it.

    Attributes:
        spec: the program.
        program: what it computes in its default size; `None` where that has no exact form.
        defect: why it is no program worth the name, in a few words; empty if it is.
    """

    spec: ProgramSpec
    program: Program | None
    defect: str


def check_difficulty(name: str) -> None:
    """Raise if there is no such difficulty.

    Raises:
        TaskError: there is none; the known ones are named.
    """
    if name not in DIFFICULTIES:
        raise TaskError(unknown_name("difficulty", name, DIFFICULTIES))


def is_fresh(name: str) -> bool:
    """Whether a name is meant to be one of a fresh program."""
    return name.startswith(_PREFIX)


def fresh_program(name: str, version: int | None = None) -> ProgramSpec:
    """Return a fresh program by name.

    Raises:
        TaskError: the name is malformed, the generator has another version, or the
            candidate is no program worth the name.

    Example:
        >>> fresh_program("fresh_easy_0_1").id
        'fresh_easy_0_1-v1'
    """
    parsed = FreshName.parse(name)
    if version not in (None, GENERATOR_VERSION):
        raise TaskError(
            f"There is no version {version} of program {name!r}: this Glassbench draws fresh "
            f"programs of version {GENERATOR_VERSION}. Known: {name}-v{GENERATOR_VERSION}."
        )
    found = candidate(parsed)
    if found.defect:
        raise TaskError(f"{name!r} is no program: {found.defect}. Take another draw.")
    return found.spec


@lru_cache(maxsize=512)
def candidate(name: FreshName) -> Candidate:
    """Return a candidate and its first defect; nothing is compiled."""
    spec = _spec(name)
    vocabulary = spec.vocabulary(spec.vocab)
    expression = spec.build(vocabulary, spec.length)
    try:
        program = trace([expression], vocabulary, spec.length, causal=spec.causal).program
    except ProgramError:
        return Candidate(spec, None, "it has no exact form")
    return Candidate(spec, program, _defect(program))


def _spec(name: FreshName) -> ProgramSpec:
    """Return the program of a name, whatever it is worth."""
    difficulty = DIFFICULTIES[name.difficulty]
    settings = _draws(name, "settings")
    word, vocabulary = settings.among(_VOCABULARIES)
    causal = settings.chance(_CAUSAL)
    kind = settings.among(tuple(Kind))
    hops = difficulty.hops + settings.below(difficulty.most_hops - difficulty.hops + 1)

    def grown(tokens: tuple[Value, ...], length: int) -> tuple[rasp.SOp, str]:
        grammar = Grammar(_draws(name, "program"), tokens, length)
        piece = grammar.piece(kind, hops)
        return piece.sop.named(str(name)), grammar.described(piece)

    def build(tokens: tuple[Value, ...], length: int) -> rasp.SOp:
        return grown(tokens, length)[0]

    _, description = grown(vocabulary(LEAST_VOCAB), difficulty.sizes.small[1])
    return ProgramSpec(
        name=str(name),
        version=GENERATOR_VERSION,
        family=FAMILY,
        build=build,
        vocabulary=vocabulary,
        oracle=_Oracle(build, vocabulary, difficulty.sizes.large, causal),
        sizes=difficulty.sizes,
        least_vocab=LEAST_VOCAB,
        description=description,
        why=(
            "Drawn at random, so that nobody has seen its circuit, and no method can have been "
            "tuned on it."
        ),
        citation="a program drawn at random",
        tags=("random", word, kind.value),
        causal=causal,
    )


def _draws(name: FreshName, purpose: str) -> Draws:
    return Draws("glassbench", GENERATOR_VERSION, name.difficulty, name.seed, name.draw, purpose)


class _Oracle:
    """The RASP evaluator as oracle: it runs expressions, and knows nothing of weights."""

    def __init__(self, build: Any, vocabulary: Any, large: Size, causal: bool) -> None:
        self._build, self._vocabulary, self._large, self._causal = build, vocabulary, large, causal
        self._expressions: dict[int, rasp.SOp] = {}

    def __call__(self, sequence: list[Any]) -> list[Value]:
        """Return the value at each position."""
        length = max(len(sequence), self._large[1])
        if length not in self._expressions:
            self._expressions[length] = self._build(self._vocabulary(self._large[0]), length)
        return rasp.evaluate(self._expressions[length], sequence, causal=self._causal)


def _defect(program: Program) -> str:
    """Return why a program is not worth the name, as far as its values on all inputs tell."""
    space = InputSpace(len(program.vocabulary), program.max_length)
    tokens = space.everything()
    found = interpret(program, tokens)
    if found.conflicts:
        return "it looks up one value where there are several"
    (output,) = program.outputs
    real = tokens[:, 1:] < len(program.vocabulary)
    counts = np.bincount(found.values[output][real] + 1)
    if np.count_nonzero(counts) == 1:
        return "its output is constant"
    if counts.max() > COMMONEST * counts.sum():
        return "its output is nearly constant"
    answers = _decoded(program, output, found.values[output])[real]
    for place, node in enumerate(program.nodes):
        if node.is_selector or place == output:
            continue
        values = found.values[place][real]
        if values.min() == values.max() and len(node.domain) > 1:
            return "a part of it is constant"
        if np.array_equal(answers, _decoded(program, place, found.values[place])[real]):
            return "a part of it gives the same as the whole"
    return ""


def _decoded(program: Program, place: int, values: np.ndarray) -> np.ndarray:
    """Return the values of a node as objects that compare by value."""
    domain = [as_argument(value) for value in program.nodes[place].domain.values]
    return np.array([*domain, None], dtype=object)[values]
