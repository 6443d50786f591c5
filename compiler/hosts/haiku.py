"""The Haiku host: a compiled model as a pure function and a parameter pytree.

The parameters are laid out as in the transformer of Haiku's examples, which
Tracr also uses (arXiv:2301.05062)::

    token_embed, pos_embed                            embeddings
    transformer/layer_{l}/attn/query                  w, b
    transformer/layer_{l}/attn/{key, value, linear}   w
    transformer/layer_{l}/mlp/{linear_1, linear_2}    w, b
    unembed                                           w

The columns of `query`, `key` and `value` and the rows of `linear` run over heads
and then over the width of a head.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.typing import DTypeLike

from ...errors import GlassbenchError
from ..model import Model
from ..weights import LAYER_NORM_EPSILON, Activation, Weights
from .empty_axes import fill_empty_axes

Params = Mapping[str, Mapping[str, jax.Array]]

# Attention saturates and MLP steps are steep: the shortened products that
# accelerators use by default would change answers.
PRECISION = jax.lax.Precision.HIGHEST

_ALIGNMENT = 64


class Output(NamedTuple):
    """What the exported function returns.

    Attributes:
        logits: the output before decoding, `[..., position, d_out]`.
        streams: the residual stream, `[2 * n_layers + 1, ..., position, d_model]`:
            after the embeddings, then after every attention and MLP sublayer, so
            that `streams[depth]` is what a `Reader` of that depth reads.
    """

    logits: Float[Array, "*batch position d_out"]
    streams: Float[Array, "sublayer *batch position d_model"]


class HaikuModel(NamedTuple):
    """A compiled model for jax.

    Attributes:
        apply: the pure function `apply(params, tokens)`, where `tokens` are the
            ids `[..., position]` that `model.codec.encode` makes. It is compiled
            once for each shape of its input; `jit`, `vmap` and `grad` take it.
        params: the parameters, `{module: {name: array}}`.
    """

    apply: Callable[[Params, Int[Array, "*batch position"]], Output]
    params: Params


class Attention(hk.Module):
    """Multi-head attention with unscaled scores, and a bias on the queries only."""

    def __init__(self, n_heads: int, d_head: int, causal: bool, name: str) -> None:
        """Set the sizes, and whether attention sees no later positions."""
        super().__init__(name=name)
        self.n_heads = n_heads
        self.d_head = d_head
        self.causal = causal

    def __call__(self, stream: jax.Array) -> jax.Array:
        """Return what all heads together write, `[..., position, d_model]`."""
        position, d_model = stream.shape[-2:]

        def heads(name: str, with_bias: bool = False) -> jax.Array:
            linear = hk.Linear(self.n_heads * self.d_head, with_bias, name=name)
            projected = linear(stream, precision=PRECISION)
            return projected.reshape(*stream.shape[:-1], self.n_heads, self.d_head)

        query, key, value = heads("query", with_bias=True), heads("key"), heads("value")
        scores = jnp.einsum("...qhd,...khd->...hqk", query, key, precision=PRECISION)
        if self.causal:
            scores = jnp.where(np.tri(position, dtype=bool), scores, -jnp.inf)
        pattern = jax.nn.softmax(scores, axis=-1)
        mixed = jnp.einsum("...hqk,...khd->...qhd", pattern, value, precision=PRECISION)
        flat = mixed.reshape(*stream.shape[:-1], self.n_heads * self.d_head)
        return hk.Linear(d_model, with_bias=False, name="linear")(flat, precision=PRECISION)


class MLP(hk.Module):
    """A hidden layer of neurons."""

    def __init__(self, d_mlp: int, activation: Activation, name: str) -> None:
        """Set the number of neurons, and what each does."""
        super().__init__(name=name)
        self.d_mlp = d_mlp
        self.activation = jax.nn.gelu if activation == "gelu" else jax.nn.relu

    def __call__(self, stream: jax.Array) -> jax.Array:
        """Return what the neurons together write, `[..., position, d_model]`."""
        hidden = hk.Linear(self.d_mlp, name="linear_1")(stream, precision=PRECISION)
        return hk.Linear(stream.shape[-1], name="linear_2")(
            self.activation(hidden), precision=PRECISION
        )


class Layer(hk.Module):
    """Attention, then an MLP, each added to the residual stream."""

    def __init__(self, weights: Weights, name: str) -> None:
        """Take the sizes, not the values, of `weights`."""
        super().__init__(name=name)
        self.attention = (weights.n_heads, weights.d_head, weights.causal)
        self.mlp = (weights.d_mlp, weights.activation)
        self.read = layer_norm if weights.layer_norm else lambda stream: stream

    def __call__(self, stream: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return the stream after the attention and after the MLP."""
        middle = stream + Attention(*self.attention, name="attn")(self.read(stream))
        return middle, middle + MLP(*self.mlp, name="mlp")(self.read(middle))


def layer_norm(stream: jax.Array) -> jax.Array:
    """Return the LayerNorm of a stream, without scale and shift."""
    return hk.LayerNorm(-1, create_scale=False, create_offset=False, eps=LAYER_NORM_EPSILON)(stream)


class Transformer(hk.Module):
    """The layers between the embeddings and the unembedding."""

    def __init__(self, weights: Weights, name: str = "transformer") -> None:
        """Take the sizes, not the values, of `weights`."""
        super().__init__(name=name)
        self.weights = weights

    def __call__(self, stream: jax.Array) -> jax.Array:
        """Return the stream before the first and after every sublayer, stacked."""
        streams = [stream]
        for layer in range(self.weights.n_layers):
            streams += Layer(self.weights, name=f"layer_{layer}")(streams[-1])
        return jnp.stack(streams)


def to_haiku(model: Model, dtype: DTypeLike = np.float32) -> HaikuModel:
    """Return `model` as a pure Haiku function with its parameters.

    Nothing is initialised: the parameters are the weights, regrouped.

    Args:
        model: the compiled model.
        dtype: of the parameters, and so of all that is computed; float64 needs
            jax's 64-bit mode.

    Raises:
        GlassbenchError: float64 was asked for and jax's 64-bit mode is off.

    Example:
        ``apply, params = to_haiku(model)``, then
        ``apply(params, model.codec.encode(["abc"])).logits``.
    """
    dtype = np.dtype(dtype)
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise GlassbenchError(
            f"{dtype} parameters need jax's 64-bit mode, which is off: call "
            "jax.config.update('jax_enable_x64', True) first, or leave dtype at float32"
        )
    weights = fill_empty_axes(model.weights)

    def forward(tokens: jax.Array) -> Output:
        embed = hk.Embed(weights.d_vocab, weights.d_model, name="token_embed")(tokens)
        positions = hk.Embed(weights.n_ctx, weights.d_model, name="pos_embed")(
            jnp.arange(tokens.shape[-1])
        )
        streams = Transformer(weights)(embed + positions)
        unembed = hk.Linear(weights.d_out, with_bias=False, name="unembed")
        last = layer_norm(streams[-1]) if weights.layer_norm else streams[-1]
        return Output(unembed(last, precision=PRECISION), streams)

    transformed: hk.Transformed = hk.without_apply_rng(hk.transform(forward))
    return HaikuModel(jax.jit(transformed.apply), jax.device_put(_parameters(weights, dtype)))


def _parameters(weights: Weights, dtype: np.dtype) -> dict[str, dict[str, np.ndarray]]:
    """Return the weights under Haiku's names, as NumPy arrays of `dtype`."""
    layers, heads, d_model, d_head = weights.W_Q.shape

    def copy(array: np.ndarray) -> np.ndarray:
        return _copy_for_jax(array, dtype)

    def columns(by_head: np.ndarray) -> np.ndarray:
        return copy(by_head.transpose(1, 0, 2)).reshape(d_model, heads * d_head)

    params = {
        "token_embed": {"embeddings": copy(weights.W_E)},
        "pos_embed": {"embeddings": copy(weights.W_pos)},
        "unembed": {"w": copy(weights.W_U)},
    }
    for layer in range(layers):
        prefix = f"transformer/layer_{layer}"
        params |= {
            f"{prefix}/attn/query": {
                "w": columns(weights.W_Q[layer]),
                "b": copy(weights.b_Q[layer].ravel()),
            },
            f"{prefix}/attn/key": {"w": columns(weights.W_K[layer])},
            f"{prefix}/attn/value": {"w": columns(weights.W_V[layer])},
            f"{prefix}/attn/linear": {"w": copy(weights.W_O[layer].reshape(-1, d_model))},
            f"{prefix}/mlp/linear_1": {
                "w": copy(weights.W_in[layer]),
                "b": copy(weights.b_in[layer]),
            },
            f"{prefix}/mlp/linear_2": {
                "w": copy(weights.W_out[layer]),
                "b": copy(weights.b_out[layer]),
            },
        }
    return params


def _copy_for_jax(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return a copy of `dtype` that starts where jax, on a CPU, takes it without another copy.

    Only rows with anything in them are written: the system gives memory to an array of zeros as it
    is written, which is most of what the copy of a large and sparse matrix would cost.
    """
    n_bytes = array.size * dtype.itemsize
    buffer = np.zeros(n_bytes + _ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % _ALIGNMENT
    copied = buffer[start : start + n_bytes].view(dtype).reshape(array.shape)
    rows = np.bitwise_or.reduce(array.view(np.uint64), axis=-1) != 0  # true of a negative zero
    copied[rows] = array[rows]
    return copied
