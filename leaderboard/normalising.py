"""Normalising whole columns: 0 at the floor of the task, 1 at its ceiling."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    import pandas as pd

_TOLERANCE = 1e-12


def normalised_column(values: "pd.Series", scale: "pd.DataFrame") -> Float[np.ndarray, " row"]:
    """Return `(value - floor) / (ceiling - floor)` row by row; NaN where one is not known.

    Where the floor reaches the ceiling nothing can be earned by looking, and 0 is returned.

    Args:
        values: of a metric.
        scale: its `floor` and `ceiling`, in the same rows.
    """
    floor = scale["floor"].to_numpy(dtype=np.float64)
    width = scale["ceiling"].to_numpy(dtype=np.float64) - floor
    above = values.to_numpy(dtype=np.float64) - floor
    flat = np.abs(width) < _TOLERANCE
    return np.where(flat & ~np.isnan(above), 0.0, above / np.where(flat, 1.0, width))


def random_normalised(scale: "pd.DataFrame") -> Float[np.ndarray, " row"]:
    """Return what a random answer earns, normalised; NaN where no floor is known."""
    return normalised_column(scale["random"], scale)
