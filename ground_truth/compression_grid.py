"""The grid of compressions: the numbers that a matrix which compresses may hold.

They are whole multiples of 2^-20. A matrix is rounded to them before it is measured, so that
what is measured is what is kept, and is kept as integers: the same on every machine.
"""

import numpy as np
from jaxtyping import Float, Int

STEPS = 2**20
"""How many numbers of the grid there are from 0 to 1."""
_MOST = 2**31 - 1

Matrix = Float[np.ndarray, "d d_model"]
Steps = Int[np.ndarray, "d d_model"]


def on_grid(W: Matrix) -> Matrix:
    """Return the matrix whose numbers are the nearest of the grid, at most 2^31 steps from 0.

    Example:
        >>> on_grid(np.array([[0.1, 2.0**-20]])) * STEPS
        array([[1.04858e+05, 1.00000e+00]])
    """
    return np.clip(np.rint(W * STEPS), -_MOST, _MOST) / STEPS


def steps_of(W: Matrix) -> Steps:
    """Return the numbers of a matrix that is on the grid as 32-bit integers, in steps from 0."""
    assert np.array_equal(W, on_grid(W))
    return (W * STEPS).astype("<i4")


def matrix_of(steps: Steps) -> Matrix:
    """Return the matrix whose numbers are so many steps from 0."""
    return steps.astype(np.float64) / STEPS
