"""Ordinary transformers: the architecture of models that are trained, with GELU and random weights.

Sizes are chosen and not derived from a program. Heads have their own query, key and value
matrices, scores are divided by the square root of `d_head` (folded into the first weights, so that
`Weights` keeps one formula), and a LayerNorm can stand before whatever reads the stream.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .least_one import below_one
from .model import Codec
from .weights import Weights

_EMBEDDING = 0.5


@dataclass(frozen=True)
class Architecture:
    """The sizes of a transformer.

    Attributes:
        d_model: the width of the residual stream.
        n_layers: layers, each of attention and an MLP.
        n_heads: heads in each layer.
        d_head: the width of a head.
        d_mlp: neurons in each layer.
        causal: whether attention sees no later positions.
        layer_norm: whether a LayerNorm stands before whatever reads the stream.
    """

    d_model: int
    n_layers: int
    n_heads: int
    d_head: int
    d_mlp: int
    causal: bool = False
    layer_norm: bool = False

    @property
    def problems(self) -> Iterator[str]:
        """Why there is no such transformer; nothing if there is."""
        yield from below_one(self, "d_model", "n_layers", "n_heads", "d_head", "d_mlp")

    def initial(self, codec: Codec, seed: int) -> Weights:
        """Return random weights for the inputs and outputs of a codec.

        Matrices are normal with a variance of one over the number of their inputs, biases zero.
        """
        rng = np.random.default_rng(seed)
        layers, heads, d = self.n_layers, self.n_heads, self.d_model
        d_out = sum(readout.width for readout in codec.readouts)

        def normal(*shape: int, scale: float) -> np.ndarray:
            return rng.normal(size=shape) * scale

        per_head, reads = (layers, heads, d, self.d_head), 1 / math.sqrt(d)
        scores = reads / self.d_head**0.25
        return Weights(
            W_E=normal(codec.pad + 1, d, scale=_EMBEDDING),
            W_pos=normal(codec.max_length + 1, d, scale=_EMBEDDING),
            W_Q=normal(*per_head, scale=scores),
            b_Q=np.zeros((layers, heads, self.d_head)),
            W_K=normal(*per_head, scale=scores),
            W_V=normal(*per_head, scale=reads),
            W_O=normal(layers, heads, self.d_head, d, scale=1 / math.sqrt(heads * self.d_head)),
            W_in=normal(layers, d, self.d_mlp, scale=reads),
            b_in=np.zeros((layers, self.d_mlp)),
            W_out=normal(layers, self.d_mlp, d, scale=1 / math.sqrt(self.d_mlp)),
            b_out=np.zeros((layers, d)),
            W_U=normal(d, d_out, scale=reads),
            causal=self.causal,
            activation="gelu",
            layer_norm=self.layer_norm,
        )
