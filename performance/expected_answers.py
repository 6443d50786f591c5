"""What both sides must answer: inputs, the oracle's outputs, and how to count errors."""

import bisect
import math
import random
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from glassbench.benchmark_programs import get_program
from glassbench.compiler import InputSpace


@dataclass(frozen=True)
class Expected:
    """Inputs of a program with what the plain-Python oracle gives for them.

    Attributes:
        sequences: the inputs.
        outputs: the value at each position of each, `None` where there is none.
        exhaustive: whether they are all inputs.
    """

    sequences: list[list[Any]]
    outputs: list[list[Any]]
    exhaustive: bool

    @classmethod
    def of(cls, program: str, vocab: int, length: int, limit: int) -> "Expected":
        """Return every input up to `limit`, else a sample of that size."""
        spec = get_program(program)
        tokens = spec.vocabulary(vocab)
        ids, exhaustive = InputSpace(vocab, length).all_or_sample(limit, seed=0)
        sequences = [[tokens[i] for i in row if i < vocab] for row in ids[:, 1:].tolist()]
        return cls(sequences, [spec.oracle(sequence) for sequence in sequences], exhaustive)

    def some(self, size: int) -> "Expected":
        """Return at most `size` of them, shuffled, lengths as equally frequent as can be."""
        by_length: dict[int, list[int]] = {}
        for place, sequence in enumerate(self.sequences):
            by_length.setdefault(len(sequence), []).append(place)
        chosen: list[int] = []
        for turn, places in enumerate(sorted(by_length.values(), key=len)):
            count = min(len(places), (size - len(chosen)) // (len(by_length) - turn))
            chosen += [places[i * len(places) // count] for i in range(count)]
        random.Random(0).shuffle(chosen)
        return Expected(
            [self.sequences[i] for i in chosen],
            [self.outputs[i] for i in chosen],
            self.exhaustive and len(chosen) == len(self.sequences),
        )

    def wrong(self, found: list[list[Any]]) -> int:
        """Count the differences among the answers that were found, `None` included."""
        return sum(a != b for a, b in zip(self.outputs, found, strict=False))

    def wrong_values(self, found: list[list[Any]], numbers: list[float] | None) -> int:
        """Count the inputs on which there is a value and another was found.

        This is for a side that cannot say `None`: such positions are left out.

        Args:
            found: the answers to as many of the inputs as were run.
            numbers: the values that a numerical output can take: what was found counts
                as the nearest of them. `None` for a categorical output.
        """
        numbers = sorted(numbers or [])
        middles = [(a + b) / 2 for a, b in pairwise(numbers)]

        def decoded(value: Any) -> Any:
            if not numbers:
                return value
            return math.nan if math.isnan(value) else numbers[bisect.bisect(middles, value)]

        return sum(
            any(a is not None and a != decoded(b) for a, b in zip(*rows, strict=True))
            for rows in zip(self.outputs, found, strict=False)
        )

    @property
    def n_with_none(self) -> int:
        """The number of inputs with a position that has no value."""
        return sum(None in row for row in self.outputs)
