"""Digest: the sha256 of weights, the same for the same numbers on every machine."""

import hashlib

import numpy as np

from ..compiler.weights import Weights


def weights_digest(weights: Weights) -> str:
    """Return the sha256 over names, shapes and little-endian float64 bytes of all arrays."""
    digest = hashlib.sha256(b"causal" if weights.causal else b"bidirectional")
    for name, array in weights.arrays():
        digest.update(f"{name}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()
