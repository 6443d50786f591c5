"""The toy model of superposition: more features than dimensions, and how they share them.

    h = W x,    x' = ReLU(W^T h + b)

(Elhage et al. 2022, "Toy Models of Superposition", transformer-circuits.pub). Each feature `x_i`
is zero with probability `sparsity`, else uniform on [0, 1], whatever the others are. `W` and `b`
are trained to make the mean over inputs and features of

    importance_i (x_i - x'_i)^2

small. Column `W_i` is the direction of feature `i`; a feature that is given up has none.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..errors import TaskError, listing

REPRESENTED = 0.5
"""A feature counts as represented where its column is longer than this."""


@dataclass(frozen=True)
class ToySetting:
    """What a toy model is trained for.

    Attributes:
        d: the dimensions of the hidden layer.
        sparsity: the probability that a feature is zero; at least 0, below 1.
        importance: the weight of each feature in the loss, positive.

    Raises:
        TaskError: one of them is out of range; all problems are listed.
    """

    d: int
    sparsity: float
    importance: tuple[float, ...]

    def __post_init__(self) -> None:
        problems = []
        if not 1 <= self.d <= self.n:
            problems.append(f"d must be from 1 to the number of features, {self.n}, got {self.d}")
        if not 0 <= self.sparsity < 1:
            problems.append(f"sparsity must be at least 0 and below 1, got {self.sparsity:g}")
        problems += [
            f"importance must be positive and finite, got {one:g} for feature {i}"
            for i, one in enumerate(self.importance)
            if not 0 < one < float("inf")
        ]
        if problems:
            raise TaskError(listing("A toy model cannot be trained so; mend:", problems))

    @classmethod
    def decaying(cls, n: int, d: int, sparsity: float, ratio: float = 1.0) -> "ToySetting":
        """Return a setting in which the importance of feature `i`, from 0 on, is `ratio ** i`.

        Example:
            >>> ToySetting.decaying(3, 2, 0.9, ratio=0.5).importance
            (1.0, 0.5, 0.25)
        """
        return cls(d, sparsity, tuple(float(ratio) ** i for i in range(n)))

    @property
    def n(self) -> int:
        """How many features there are."""
        return len(self.importance)

    @property
    def density(self) -> float:
        """The probability that a feature is not zero."""
        return 1 - self.sparsity


def draw_inputs(
    n: int, size: int, sparsity: float, rng: np.random.Generator
) -> Float[np.ndarray, "size n"]:
    """Return inputs: every feature zero with probability `sparsity`, else uniform on [0, 1]."""
    active = rng.random((size, n)) >= sparsity
    return np.where(active, rng.random((size, n)), 0.0)


def reconstruct(
    W: Float[np.ndarray, "*toys d n"],
    b: Float[np.ndarray, "*toys n"],
    x: Float[np.ndarray, "*toys batch n"],
) -> Float[np.ndarray, "*toys batch n"]:
    """Return `x' = ReLU(W^T W x + b)`."""
    hidden = x @ np.swapaxes(W, -1, -2)
    return np.maximum(hidden @ W + b[..., None, :], 0.0)


def reconstruction_loss(
    W: Float[np.ndarray, "d n"],
    b: Float[np.ndarray, " n"],
    x: Float[np.ndarray, "batch n"],
    importance: Float[np.ndarray, " n"],
) -> float:
    """Return the mean over inputs and features of `importance (x - x')^2`.

    Example:
        >>> reconstruction_loss(np.eye(2), np.zeros(2), np.ones((1, 2)), np.ones(2))
        0.0
    """
    return float((importance * np.square(x - reconstruct(W, b, x))).mean())


def column_norms(W: Float[np.ndarray, "*toys d n"]) -> Float[np.ndarray, "*toys n"]:
    """Return `|W_i|`: near 1 where feature `i` is represented, near 0 where it is given up."""
    return np.asarray(np.linalg.norm(W, axis=-2))


def overlaps(W: Float[np.ndarray, "*toys d n"]) -> Float[np.ndarray, "*toys n n"]:
    """Return `(w_i . W_j)^2` at row i and column j, `w_i` the unit vector along `W_i`.

    Rows of columns that are zero are zero.
    """
    lengths = column_norms(W)[..., :, None]
    products = np.swapaxes(W, -1, -2) @ W
    unit = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return np.asarray(np.square(unit))


def interference(W: Float[np.ndarray, "*toys d n"]) -> Float[np.ndarray, "*toys n"]:
    """Return the sum over other features j of `(w_i . W_j)^2`: 0 for who shares with nobody.

    Example:
        >>> interference(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]))
        array([1., 1., 0.])
    """
    found = overlaps(W)
    return np.asarray(found.sum(axis=-1) - np.diagonal(found, axis1=-2, axis2=-1))


def dimensionality(W: Float[np.ndarray, "*toys d n"]) -> Float[np.ndarray, "*toys n"]:
    """Return `D_i = |W_i|^2 / sum_j (w_i . W_j)^2`, the fraction of a dimension of feature i.

    1 for a dimension of its own, 1/2 for one of an antipodal pair, 2/5 in a pentagon, 0 for
    a feature that is given up. (Elhage et al. 2022, "The Geometry of Superposition".)

    Example:
        >>> dimensionality(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]))
        array([0.5, 0.5, 1. ])
    """
    squares = np.square(column_norms(W))
    total = overlaps(W).sum(axis=-1)
    return np.divide(squares, total, out=np.zeros_like(squares), where=total > 0)


def n_represented(W: Float[np.ndarray, "*toys d n"]) -> Int[np.ndarray, "*toys"]:
    """Return how many features have a column longer than `REPRESENTED`."""
    return np.asarray((column_norms(W) > REPRESENTED).sum(axis=-1))


def dimensions_per_feature(W: Float[np.ndarray, "*toys d n"]) -> Float[np.ndarray, "*toys"]:
    """Return `d / |W|_F^2`, how many dimensions a represented feature has in the mean.

    Its inverse is the features per dimension. (Elhage et al. 2022, "The Geometry of
    Superposition".)
    """
    return np.asarray(W.shape[-2] / np.square(W).sum(axis=(-2, -1)))
