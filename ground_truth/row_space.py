"""Row space: an orthonormal basis of what some rows span."""

import numpy as np
from jaxtyping import Float

_ROUNDING = 1e-9


def row_space(rows: Float[np.ndarray, "k d_model"]) -> Float[np.ndarray, "r d_model"]:
    """Return an orthonormal basis of what rows span; none if all are zero.

    Rows that are a sum of the others to within a billionth are not counted.

    Example:
        >>> len(row_space(np.array([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 1.0, 0.0]])))
        2
    """
    if not rows.any():
        return np.zeros((0, rows.shape[1]))
    _, sizes, axes = np.linalg.svd(rows, full_matrices=False)
    return axes[sizes > _ROUNDING * sizes[0]]
