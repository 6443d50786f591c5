"""Seen: what weights and program do on inputs, at hand for interchanges between them."""

from dataclasses import dataclass

import numpy as np

from ..compiler.executor import Run
from .prediction import Values


@dataclass(frozen=True, eq=False)
class Seen:
    """What weights and program do on inputs.

    Attributes:
        tokens: token ids `[inputs, n_ctx]`.
        run: the forward pass on the weights.
        values: the residual coefficients of the program's variables, by name.
        answers: the decoded outputs of the weights, `[inputs, n_ctx]`.
    """

    tokens: np.ndarray
    run: Run
    values: Values
    answers: np.ndarray

    def take(self, rows: np.ndarray) -> "Seen":
        """Return what is seen of some of the inputs."""
        values = {name: value[rows] for name, value in self.values.items()}
        return Seen(self.tokens[rows], self.run.take(rows), values, self.answers[rows])
