"""Spread directions: unit vectors whose lines are as far from each other as so many can be.

They are found by a few hundred steps that push apart lines from a random start, down the sum of
`exp(3 (cos² - 1))` over all pairs. Such a sum is least at the lines of a best packing (Conway,
Hardin and Sloane 1996) where these are the best for every potential of the kind, as the six
diagonals of an icosahedron are (Cohn and Kumar 2007); elsewhere it comes near one. The lengths of
the steps are fixed beforehand and nothing is chosen on the way, so that rounding, which differs
from machine to machine, stays rounding.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

SHARPNESS = 3.0
STEPS = 300
LARGEST_STEP = 0.5


@lru_cache(maxsize=64)
def spread_directions(n: int, d: int) -> Float[np.ndarray, "n d"]:
    """Return `n` unit vectors in `d` dimensions, spread evenly; the same ones at every call.

    Args:
        n: how many, at least one.
        d: dimensions, at least one.

    Returns:
        One a row, in an array that cannot be written to.

    Example:
        >>> six = spread_directions(6, 3)  # the diagonals of an icosahedron
        >>> np.abs(six @ six.T)[~np.eye(6, dtype=bool)].round(3).max()
        np.float64(0.447)
    """
    found = np.random.default_rng([n, d]).normal(size=(n, d))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    step = min(LARGEST_STEP, d / n)  # the push of the others grows with how many there are
    for number in range(STEPS):
        cosines = found @ found.T
        np.fill_diagonal(cosines, 0.0)
        push = (cosines * np.exp(SHARPNESS * (np.square(cosines) - 1))) @ found
        found = found - step * (1 - number / STEPS) * push
        found /= np.linalg.norm(found, axis=1, keepdims=True)
    found.flags.writeable = False
    return found
