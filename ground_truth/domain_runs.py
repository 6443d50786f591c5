"""Domain runs: forward passes over the inputs of a task, made once where they are few."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from jaxtyping import Int

from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import Run, run
from ..compiler.weights import Weights

MOST_BYTES = 2**30
_CHUNK = 256


class DomainRuns:
    """The forward passes of one model over the inputs of its domain.

    Args:
        weights: the model.
        tokens: the inputs, as token ids `[inputs, position]`.
    """

    def __init__(self, weights: Weights, tokens: Int[np.ndarray, "inputs position"]) -> None:
        self.weights = weights
        self.graph = ComponentGraph.of(weights)
        self.tokens = tokens

    @property
    def are_few(self) -> bool:
        """Whether one run of all inputs is kept: its contributions fit in a gigabyte."""
        size = self.tokens.size * self.weights.d_model * len(self.graph.writers)
        return 8 * size <= MOST_BYTES

    def at(self, rows: Int[np.ndarray, " taken"]) -> Run:
        """Return the run of some inputs, by their places in the domain."""
        if self.are_few:
            return self._everything.take(rows)
        return run(self.weights, self.tokens[rows], graph=self.graph)

    def chunks(self) -> Iterator[tuple[slice, Run]]:
        """Yield the runs of all inputs, in order, and which inputs they are of."""
        if self.are_few:
            yield slice(0, len(self.tokens)), self._everything
            return
        for start in range(0, len(self.tokens), _CHUNK):
            some = slice(start, start + _CHUNK)
            yield some, run(self.weights, self.tokens[some], graph=self.graph)

    @cached_property
    def _everything(self) -> Run:
        return run(self.weights, self.tokens, graph=self.graph)
