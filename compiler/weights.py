"""Weights: the arrays of a transformer, and nothing else.

The architecture is a decoder or encoder::

    x_0     = W_E[token] + W_pos[position]
    x      += sum over heads h of softmax(s_h) n(x) W_V[l,h] W_O[l,h]
              where s_h = (n(x) W_Q[l,h] + b_Q[l,h]) (n(x) W_K[l,h])^T    (no 1/sqrt(d_head))
    x      += f(n(x) W_in[l] + b_in[l]) W_out[l] + b_out[l]
    logits  = n(x) W_U

In a compiled model `n(x) = x` and `f` is the ReLU. A trained model can have the GELU (Hendrycks
and Gimpel 2016, arXiv:1606.08415, in the form with tanh), and a LayerNorm before whatever reads
the stream, `n(x) = (x - mean) / sqrt(variance + 1e-5)`; scale and shift of its own it has none,
since what reads it has them.

Attention runs over all positions, or over positions up to the query's own when `causal`. BOS is
token `d_vocab - 2` at position 0, padding is token `d_vocab - 1`; both are handled by the
weights, so no attention mask is needed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

Activation = Literal["relu", "gelu"]
LAYER_NORM_EPSILON = 1e-5

WRITES = ("W_E", "W_pos", "W_O", "W_out", "b_out")
"""The arrays whose last axis is that of the residual stream."""
READS = ("W_Q", "W_K", "W_V", "W_in", "W_U")
"""The arrays whose last axis but one is that of the residual stream."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Every array of a model, float64, and which functions stand between them."""

    W_E: Float[np.ndarray, "d_vocab d_model"]
    W_pos: Float[np.ndarray, "n_ctx d_model"]
    W_Q: Float[np.ndarray, "n_layers n_heads d_model d_head"]
    b_Q: Float[np.ndarray, "n_layers n_heads d_head"]
    W_K: Float[np.ndarray, "n_layers n_heads d_model d_head"]
    W_V: Float[np.ndarray, "n_layers n_heads d_model d_head"]
    W_O: Float[np.ndarray, "n_layers n_heads d_head d_model"]
    W_in: Float[np.ndarray, "n_layers d_model d_mlp"]
    b_in: Float[np.ndarray, "n_layers d_mlp"]
    W_out: Float[np.ndarray, "n_layers d_mlp d_model"]
    b_out: Float[np.ndarray, "n_layers d_model"]
    W_U: Float[np.ndarray, "d_model d_out"]
    causal: bool
    activation: Activation = "relu"
    layer_norm: bool = False

    @property
    def n_layers(self) -> int:
        """Number of layers, each an attention sublayer followed by an MLP."""
        return self.W_Q.shape[0]

    @property
    def n_heads(self) -> int:
        """Attention heads per layer; heads that a layer does not use are all zero."""
        return self.W_Q.shape[1]

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return self.W_E.shape[1]

    @property
    def d_head(self) -> int:
        """Width of a head, shared by its query-key and its value side."""
        return self.W_Q.shape[3]

    @property
    def d_mlp(self) -> int:
        """Number of MLP neurons per layer."""
        return self.W_in.shape[2]

    @property
    def d_vocab(self) -> int:
        """Number of token ids, BOS and padding included."""
        return self.W_E.shape[0]

    @property
    def n_ctx(self) -> int:
        """Number of positions, BOS included."""
        return self.W_pos.shape[0]

    @property
    def d_out(self) -> int:
        """Number of logits: one per output value, or one for a numerical output."""
        return self.W_U.shape[1]

    @property
    def is_piecewise_linear(self) -> bool:
        """Whether all but the softmax is linear in pieces, as in every compiled model.

        Then what a reader's matrix annihilates the reader does not see, and neurons have kinks.
        """
        return self.activation == "relu" and not self.layer_norm

    @property
    def n_parameters(self) -> int:
        """Total number of array entries."""
        return sum(array.size for _, array in self.arrays())

    def with_arrays(self, changed: Mapping[str, np.ndarray]) -> "Weights":
        """Return these weights with some arrays replaced, by name."""
        return replace(self, **changed)  # type: ignore[arg-type]

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (name, array) in the order of declaration."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                yield field.name, value
