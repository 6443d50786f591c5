"""An attempt: a matrix that a recipe offers, for whoever asked to measure."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Attempt:
    """What one attempt of a recipe came to.

    Attributes:
        W: the matrix.
        loss: its loss over the inputs that it was trained on.
        steps: how many steps were tried for it.
    """

    W: Float[np.ndarray, "d d_model"]
    loss: float
    steps: int
