"""What counts as an array of real numbers in an answer, of whatever library it is."""

from typing import Any

import numpy as np

_REAL = "biuf"


def why_not_real(given: Any, array: np.ndarray) -> str:
    """Return why what was given is no array of real numbers; empty if it is.

    Args:
        given: by a tool.
        array: the same in NumPy.
    """
    if isinstance(given, np.ma.MaskedArray):
        return "it must hide no numbers behind a mask"
    if array.dtype.kind not in _REAL:
        return f"it must hold real numbers, got {type(given).__name__} of dtype {array.dtype}"
    return ""


def real_numbers(given: Any) -> np.ndarray:
    """Return an array of real numbers as NumPy has it.

    Raises:
        TypeError: it is none.
    """
    array = np.asarray(given)
    if why := why_not_real(given, array):
        raise TypeError(why)
    return array
