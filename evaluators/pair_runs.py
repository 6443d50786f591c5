"""Pair runs: what a gated model does on pairs of inputs, as many at a time as memory holds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from .circuit_problem import CircuitProblem
from .gated_model import GatedModel, GatedRun

MOST_BYTES = 2**25
"""What the contributions of the circuits that are run at once may hold."""


@dataclass(frozen=True, eq=False)
class PairRuns:
    """The runs of some pairs.

    Attributes:
        rows: which pairs of all.
        real: which positions of the bases hold a token.
        base: the run of the bases, with nothing interchanged.
        source: what every writer contributes on the sources.
        source_logits: the logits there.
    """

    rows: slice
    real: Bool[np.ndarray, "pair position"]
    base: GatedRun
    source: Float[np.ndarray, "writer pair position d_model"]
    source_logits: Float[np.ndarray, "pair position d_out"]

    @property
    def contributions(self) -> Float[np.ndarray, "writer pair position d_model"]:
        """What every writer contributes on the bases."""
        return self.base.contrasts[0]

    @property
    def logits(self) -> Float[np.ndarray, "pair position d_out"]:
        """The logits on the bases."""
        return self.base.logits[0]

    @property
    def change(self) -> Float[np.ndarray, "writer pair position d_model"]:
        """What an interchange changes of each writer's contribution."""
        return self.source - self.contributions

    def distance(
        self, logits: Float[np.ndarray, "circuit pair position d_out"]
    ) -> Float[np.ndarray, " circuit"]:
        """Return the squared distance to the logits on the bases, over real positions."""
        moved = np.square(logits - self.logits).sum(axis=-1)
        return np.asarray((moved * self.real).sum(axis=(1, 2)))

    @classmethod
    def of(
        cls,
        model: GatedModel,
        problem: CircuitProblem,
        *,
        circuits: int = 1,
        most_pairs: int | None = None,
    ) -> Iterator["PairRuns"]:
        """Yield the runs of all pairs, some at a time.

        Args:
            model: that of the problem.
            problem: holds the pairs.
            circuits: how many circuits will be run on the pairs at once.
            most_pairs: at most so many pairs at a time.
        """
        n_pairs, positions = problem.base.shape
        components = len(model.graph.writers) + len(model.graph.readers)
        bytes_each = 8 * circuits * components * positions * problem.model.weights.d_model
        step = max(1, min(most_pairs or n_pairs, MOST_BYTES // bytes_each))
        for start in range(0, n_pairs, step):
            rows = slice(start, start + step)
            yield cls.at(model, problem, rows)

    @classmethod
    def at(cls, model: GatedModel, problem: CircuitProblem, rows: slice) -> "PairRuns":
        """Return the runs of some pairs."""
        base, source = problem.base[rows], problem.source[rows]
        there = model.plain_run(source)
        real = problem.model.codec.is_real(base)
        return cls(rows, real, model.plain_run(base), there.contrasts[0], there.logits[0])
