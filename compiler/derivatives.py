"""Derivatives: of what stands between the matrices of a model, its LayerNorm and its neurons."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from .executor import GELU_CUBIC, GELU_SCALE
from .weights import LAYER_NORM_EPSILON, Weights


class LayerNormed(NamedTuple):
    """A stream after LayerNorm, with what its derivative needs.

    Attributes:
        normal: what readers get.
        scale: by what the stream less its mean was multiplied.
    """

    normal: Float[np.ndarray, "*rows d_model"]
    scale: Float[np.ndarray, "*rows 1"]

    @classmethod
    def of(cls, stream: Float[np.ndarray, "*rows d_model"]) -> "LayerNormed":
        """Return the LayerNorm of a stream."""
        centred = stream - stream.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        scale = 1.0 / np.sqrt(variance + LAYER_NORM_EPSILON)
        return cls(centred * scale, scale)

    def derivative(self, change: np.ndarray) -> np.ndarray:
        """Return the derivative along some changes of the stream `[..., *rows, d_model]`.

        With `n` for what readers get it is `scale * (change - mean(change) - n mean(n change))`.
        The matrix of this is symmetric: of a gradient at `n` it is the gradient at the stream.
        """
        along = (self.normal * change).mean(axis=-1, keepdims=True)
        centred = change - change.mean(axis=-1, keepdims=True)
        return np.asarray(self.scale * (centred - self.normal * along))


def activation_slope(
    weights: Weights, hidden: Float[np.ndarray, "*rows neurons"], kink: float = 0.0
) -> Bool[np.ndarray, "*rows neurons"] | Float[np.ndarray, "*rows neurons"]:
    """Return the derivative of the activations of neurons, by what enters them.

    Args:
        weights: say which activation they have.
        hidden: what enters.
        kink: up to here a ReLU has the derivative 0.
    """
    if weights.activation == "relu":
        return hidden > kink
    square = np.square(hidden)
    tanh = np.tanh(GELU_SCALE * hidden * (1.0 + GELU_CUBIC * square))
    inner = GELU_SCALE * (1.0 + 3.0 * GELU_CUBIC * square)
    return np.asarray(0.5 * (1.0 + tanh + hidden * (1.0 - np.square(tanh)) * inner))
