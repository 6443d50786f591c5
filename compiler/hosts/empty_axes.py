"""Empty axes: give weights without heads, neurons or layers one that is all zero."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..weights import Weights


def fill_empty_axes(weights: Weights) -> Weights:
    """Return `weights` with every axis of length 0 replaced by one of length 1.

    A program may need no attention head or no MLP. Frameworks refuse layers of
    size 0, warn about them, or read the size as "use the default"; a head or
    neuron of zeros adds exactly nothing and avoids all three.
    """
    filled: dict[str, Any] = {
        name: np.zeros([max(size, 1) for size in array.shape])
        for name, array in weights.arrays()
        if not array.size
    }
    return replace(weights, **filled)
