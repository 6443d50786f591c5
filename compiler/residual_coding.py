"""How the values of a variable are written into the residual stream."""

import numpy as np

from .values import Domain, Encoding


def encode_rows(domain: Domain, encoding: Encoding, table: np.ndarray) -> np.ndarray:
    """Return the residual coefficients of the values at positions `table`; zero for -1.

    Args:
        domain: the values.
        encoding: how they are written.
        table: int64 `[rows]`.

    Returns:
        float64 `[rows, width]`.
    """
    if encoding is Encoding.NUMERICAL:
        return np.append(domain.numbers, 0.0)[table][:, None]
    rows = np.zeros((len(table), len(domain)))
    present = np.flatnonzero(table >= 0)
    rows[present, table[present]] = 1.0
    return rows
