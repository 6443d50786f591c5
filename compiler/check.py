"""Check: whether a program has a meaning on every input.

An aggregate that selects positions with different values has none, unless they are all
numbers, whose mean it is. Where its form does not rule that out, it is decided by
running the interpreter over the whole input space where that has at most `limit`
sequences, and over a sample of it otherwise.
"""

from dataclasses import dataclass

import numpy as np

from . import program as ir
from .input_space import InputSpace
from .interpreter import interpret
from .program import Program
from .selector_facts import always_agree, at_most_one
from .values import as_argument

CHECK_LIMIT = 50_000
SAMPLE = 4_096
_SAMPLED_PAIRS = 2**21
_BATCH_PAIRS = 2**18


@dataclass(frozen=True)
class Reason:
    """Why one expression cannot be compiled exactly, and what to write instead.

    Attributes:
        place: the position of its node.
        expression: its name.
        reason: what is wrong.
        advice: what to do.
    """

    place: int
    expression: str
    reason: str
    advice: str

    def __str__(self) -> str:
        """Return the reason as one line."""
        return f"{self.expression}: {self.reason}; {self.advice}"


@dataclass(frozen=True)
class Checked:
    """What `check` found.

    Attributes:
        reasons: empty when the program has a meaning on every input that was tried.
        n_inputs: sequences on which the interpreter was run, 0 if none was needed.
        exhaustive: whether those were all, or no run was needed; of sums it tells nothing.
    """

    reasons: tuple[Reason, ...]
    n_inputs: int
    exhaustive: bool


def check(program: Program, *, limit: int = CHECK_LIMIT) -> Checked:
    """Return every reason why a program cannot be compiled exactly, and how that was seen.

    Args:
        program: to be compiled.
        limit: up to so many inputs all are run, beyond that a sample.
    """
    reasons = [
        Reason(place, node.name, "it is always None", "give it a value on at least one input")
        for place, node in enumerate(program.nodes)
        if not node.is_selector and len(node.domain) == 0
    ]
    doubtful = [place for place, node in enumerate(program.nodes) if _may_conflict(program, node)]
    if not doubtful:
        return Checked(tuple(reasons), 0, True)
    space = InputSpace(len(program.vocabulary), program.max_length)
    exhaustive = space.size <= limit
    sample = min(SAMPLE, _SAMPLED_PAIRS // program.max_length**2)
    tokens = space.everything() if exhaustive else space.sample(max(1, sample), seed=0)
    for place, (row, position) in _conflicts(program, tokens, doubtful).items():
        ids = [i for i in tokens[row, 1:].tolist() if i < len(program.vocabulary)]
        sequence = [as_argument(program.vocabulary.values[i]) for i in ids]
        node, on = program.nodes[place], f"on input {sequence}"
        if node.is_numerical:
            reason = f"a mean must be of numbers, and {on} None is selected at position {position}"
            advice = "select only positions with a value, or map None to a number first"
        else:
            reason = (
                f"a categorical aggregate must select one value, and {on} it selects different "
                f"values at position {position}"
            )
            advice = (
                "select one position, or aggregate numbers that are not annotated as categorical, "
                "whose mean is taken"
            )
        reasons.append(Reason(place, node.name, reason, advice))
    return Checked(tuple(reasons), len(tokens), exhaustive)


def _may_conflict(program: Program, node: ir.Node) -> bool:
    """Whether an aggregate could select what it cannot combine, as far as one can see."""
    if not isinstance(node.operation, ir.Aggregate):
        return False
    source = program.nodes[node.operation.value]
    if len(source.domain) == 1 and not source.optional:
        return False
    if node.is_numerical:
        table = node.operation.table
        return source.optional or bool((table < 0).any())
    return not (
        always_agree(program.nodes, node.operation)
        or at_most_one(program.nodes, node.operation.selector, causal=program.causal)
    )


def _conflicts(
    program: Program, tokens: np.ndarray, places: list[int]
) -> dict[int, tuple[int, int]]:
    """Return for each aggregate that selects different values the first row and position of it."""
    first: dict[int, tuple[int, int]] = {}
    step = max(1, _BATCH_PAIRS // tokens.shape[1] ** 2)
    for start in range(0, len(tokens), step):
        found = interpret(program, tokens[start : start + step], places).conflicts
        for place, where in found.items():
            row, position = np.argwhere(where)[0].tolist()
            first.setdefault(place, (start + row, position))
    return first
