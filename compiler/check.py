"""Check: every reason why a program cannot be compiled exactly.

Two things can stand in the way once a program is traced. Numbers that lie so
close together that float32 would confuse them, and categorical aggregates that
select positions with different values, which have no meaning. The second is
decided by running the interpreter over the whole input space where that has at
most `limit` sequences, and over a stated sample of it otherwise.
"""

from dataclasses import dataclass

import numpy as np

from . import program as ir
from .input_space import InputSpace
from .interpreter import interpret
from .program import Program
from .values import Encoding, as_argument

CHECK_LIMIT = 50_000
SAMPLE = 4_096
RELATIVE_GAP = 1e-6


@dataclass(frozen=True)
class Reason:
    """Why one expression cannot be compiled exactly, and what to write instead."""

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
        reasons: empty when the program can be compiled exactly.
        n_inputs: sequences on which the interpreter was run, 0 if none was needed.
        exhaustive: whether those were all, or no run was needed.
    """

    reasons: tuple[Reason, ...]
    n_inputs: int
    exhaustive: bool


def check(program: Program, *, limit: int = CHECK_LIMIT) -> Checked:
    """Return every reason why `program` cannot be compiled exactly."""
    reasons = [reason for node in program.nodes for reason in _static_reasons(node)]
    if not any(_may_conflict(program, node) for node in program.nodes):
        return Checked(tuple(reasons), 0, True)
    space = InputSpace(len(program.vocabulary), program.max_length)
    exhaustive = space.size <= limit
    tokens = space.everything() if exhaustive else space.sample(SAMPLE, seed=0)
    conflicts = interpret(program, tokens).conflicts
    for place, where in conflicts.items():
        row, position = np.argwhere(where)[0].tolist()
        ids = [i for i in tokens[row, 1:].tolist() if i < len(program.vocabulary)]
        sequence = [as_argument(program.vocabulary.values[i]) for i in ids]
        reasons.append(
            Reason(
                program.nodes[place].name,
                f"a categorical aggregate must select one value, and on input {sequence} it "
                f"selects different values at position {position}",
                "select one position, or annotate it and its operand with rasp.numerical",
            )
        )
    return Checked(tuple(reasons), len(tokens), exhaustive)


def _static_reasons(node: ir.Node) -> list[Reason]:
    """Return what can be seen from one node alone."""
    if node.is_selector:
        return []
    if len(node.domain) == 0:
        return [Reason(node.name, "it is always None", "give it a value on at least one input")]
    if node.encoding is Encoding.CATEGORICAL:
        return []
    numbers = node.domain.numbers
    scale = max(1.0, float(np.abs(numbers).max()))
    gap = node.domain.smallest_gap
    if gap >= RELATIVE_GAP * scale:
        return []
    at = int(np.diff(numbers).argmin())
    return [
        Reason(
            node.name,
            f"its values {numbers[at].item()} and {numbers[at + 1].item()} are too close for "
            f"float32, which needs {RELATIVE_GAP:g} of the largest value between neighbours",
            "round the values, or map them to fewer",
        )
    ]


def _may_conflict(program: Program, node: ir.Node) -> bool:
    """Whether a categorical aggregate could select different values, as far as one can see.

    It cannot when every query selects at most one position: each query value
    matches at most one key value, and the keys are the positions themselves.
    """
    if not isinstance(node.operation, ir.Aggregate) or node.encoding is Encoding.NUMERICAL:
        return False
    select = program.nodes[node.operation.selector].operation
    assert isinstance(select, ir.Select)
    keys_are_positions = isinstance(program.nodes[select.keys].operation, ir.Indices)
    at_most_one = bool((select.table.sum(axis=1) <= 1).all())
    return not (keys_are_positions and at_most_one)
