"""Quotients: rows of a table that are alike, so that they need not be told apart."""

import math

import numpy as np


def classes(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes of equal rows, in the order in which they first appear.

    Args:
        rows: any array `[n, ...]`.

    Returns:
        The first row of each class, int64 `[n_classes]`, ascending, and the class of
        each row, int64 `[n]`.

    Example:
        >>> first, member_of = classes(np.array([[5, 5], [1, 2], [5, 5]]))
        >>> first.tolist(), member_of.tolist()
        ([0, 1], [0, 1, 0])
    """
    flat = rows.reshape(len(rows), math.prod(rows.shape[1:]))
    if flat.shape[1] == 0:
        flat = np.zeros((len(rows), 1), dtype=bool)
    flat = np.ascontiguousarray(np.packbits(flat, axis=1) if flat.dtype == bool else flat)
    keys = flat.view(np.dtype((np.void, flat.shape[1] * flat.itemsize))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return first[order], np.argsort(order)[inverse]


def membership(member_of: np.ndarray, n_classes: int) -> np.ndarray:
    """Return float64 `[n, n_classes]`: one where a row is in a class; -1 is in none."""
    rows = np.zeros((len(member_of), n_classes))
    present = np.flatnonzero(member_of >= 0)
    rows[present, member_of[present]] = 1.0
    return rows
