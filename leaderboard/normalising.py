"""Normalising whole columns: 0 at the floor of the task, 1 at its ceiling, and at least -1.

Where a floor leaves little to earn, an answer that earns less than it is many times as far below
as a perfect one is above. Without a bound such a task would decide a mean alone.
"""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    import pandas as pd

LEAST = -1.0
_TOLERANCE = 1e-12


def normalised_column(values: "pd.Series", scale: "pd.DataFrame") -> Float[np.ndarray, " row"]:
    """Return `(value - floor) / (ceiling - floor)`, at least -1; NaN where one is not known.

    Where the floor reaches the ceiling nothing can be earned by looking, and 0 is returned.

    Args:
        values: of a metric.
        scale: its `floor` and `ceiling`, in the same rows.
    """
    floor = scale["floor"].to_numpy(dtype=np.float64)
    width = scale["ceiling"].to_numpy(dtype=np.float64) - floor
    above = values.to_numpy(dtype=np.float64) - floor
    flat = np.abs(width) < _TOLERANCE
    earned = np.maximum(above / np.where(flat, 1.0, width), LEAST)
    return np.where(flat & ~np.isnan(above), 0.0, earned)


def random_normalised(scale: "pd.DataFrame") -> Float[np.ndarray, " row"]:
    """Return what a random answer earns, normalised; NaN where no floor is known."""
    return normalised_column(scale["random"], scale)
