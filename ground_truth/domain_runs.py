"""Domain runs: forward passes over the inputs of a task, made once where they are few."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from jaxtyping import Int

from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import Run, run
from ..compiler.weights import Weights

MOST_RUN_BYTES = 2**30
"""What a run may hold at a time."""

_CHUNK = 256
_STAGES = 4
"""How many arrays a block holds at once: scores, exponentials, and the like."""


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
        """Whether one run of all inputs is kept."""
        return len(self.tokens) * self.input_bytes <= MOST_RUN_BYTES

    @property
    def input_bytes(self) -> int:
        """What the run of one input holds: contributions, and what one block computes."""
        weights, n_ctx = self.weights, self.tokens.shape[1]
        kept = weights.d_model * len(self.graph.writers)
        in_a_block = max(weights.n_heads * n_ctx, weights.d_mlp)
        return 8 * n_ctx * (kept + _STAGES * in_a_block)

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
        step = min(_CHUNK, MOST_RUN_BYTES // self.input_bytes or 1)
        for start in range(0, len(self.tokens), step):
            some = slice(start, start + step)
            yield some, run(self.weights, self.tokens[some], graph=self.graph)

    @cached_property
    def _everything(self) -> Run:
        return run(self.weights, self.tokens, graph=self.graph)
