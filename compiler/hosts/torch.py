"""The torch host: a compiled model as a plain `torch.nn.Module`.

It is made of `torch.nn.Embedding` and `torch.nn.Linear` alone, so that tools which
hook, patch or wrap modules find what they know. Per-head outputs before `o` are
the input of `blocks.{l}.attn.o`, `[batch, position, n_heads * d_head]`.
"""

from typing import NamedTuple

import numpy as np

from ...errors import MissingExtraError
from ..model import Model
from ..weights import LAYER_NORM_EPSILON, Weights
from .empty_axes import fill_empty_axes

try:
    import torch
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "to_torch() needs the package torch, which is not installed: "
        "pip install 'glassbench[torch]'"
    ) from error

from torch import Tensor, nn


class Output(NamedTuple):
    """What `forward(tokens, return_streams=True)` returns.

    Attributes:
        logits: the output before decoding, `[batch, position, d_out]`.
        streams: the residual stream, `[2 * n_layers + 1, batch, position, d_model]`:
            after the embeddings, then after every attention and MLP sublayer.
    """

    logits: Tensor
    streams: Tensor


class Attention(nn.Module):
    """Multi-head attention with unscaled scores, and a bias on the queries only."""

    def __init__(self, weights: Weights, layer: int, dtype: torch.dtype) -> None:
        """Copy the attention weights of one layer."""
        super().__init__()
        self.n_heads = weights.n_heads
        self.causal = weights.causal
        self.q = _linear(_columns(weights.W_Q[layer]), dtype, weights.b_Q[layer].ravel())
        self.k = _linear(_columns(weights.W_K[layer]), dtype)
        self.v = _linear(_columns(weights.W_V[layer]), dtype)
        self.o = _linear(weights.W_O[layer].reshape(-1, weights.d_model), dtype)

    def forward(self, stream: Tensor) -> Tensor:
        """Return what all heads together write, `[batch, position, d_model]`."""
        query, key, value = (
            project(stream).unflatten(-1, (self.n_heads, -1)).transpose(-3, -2)
            for project in (self.q, self.k, self.v)
        )
        scores = query @ key.transpose(-1, -2)
        if self.causal:
            seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
            scores = scores.masked_fill(~seen, float("-inf"))
        mixed = scores.softmax(dim=-1) @ value
        return self.o(mixed.transpose(-3, -2).flatten(-2))


class MLP(nn.Module):
    """A hidden layer of neurons."""

    def __init__(self, weights: Weights, layer: int, dtype: torch.dtype) -> None:
        """Copy the MLP weights of one layer."""
        super().__init__()
        self.fc_in = _linear(weights.W_in[layer], dtype, weights.b_in[layer])
        self.act = nn.GELU(approximate="tanh") if weights.activation == "gelu" else nn.ReLU()
        self.fc_out = _linear(weights.W_out[layer], dtype, weights.b_out[layer])

    def forward(self, stream: Tensor) -> Tensor:
        """Return what the neurons together write, `[batch, position, d_model]`."""
        return self.fc_out(self.act(self.fc_in(stream)))


class Block(nn.Module):
    """A layer: attention, then the MLP, each added to the residual stream.

    Where the model has LayerNorm, `ln1` and `ln2` stand before them; else these do nothing.
    """

    def __init__(self, weights: Weights, layer: int, dtype: torch.dtype) -> None:
        """Copy the weights of one layer."""
        super().__init__()
        self.ln1, self.ln2 = _layer_norm(weights, dtype), _layer_norm(weights, dtype)
        self.attn = Attention(weights, layer, dtype)
        self.mlp = MLP(weights, layer, dtype)

    def forward(self, stream: Tensor, middles: list[Tensor] | None = None) -> Tensor:
        """Return the stream after the MLP; append that after the attention to `middles`."""
        middle = stream + self.attn(self.ln1(stream))
        if middles is not None:
            middles.append(middle)
        return middle + self.mlp(self.ln2(middle))


class CompiledTransformer(nn.Module):
    """A compiled model.

    Its parameters are `embed.weight`, `pos_embed.weight`, `unembed.weight` and,
    for every layer, `blocks.{l}.attn.q.weight`, `.q.bias`, `.k.weight`,
    `.v.weight`, `.o.weight`, `blocks.{l}.mlp.fc_in.weight`, `.fc_in.bias`,
    `.fc_out.weight`, `.fc_out.bias`. Matrices are `[out, in]`, as torch stores them;
    `q`, `k` and `v` hold the heads one after another.
    """

    def __init__(self, weights: Weights, dtype: torch.dtype = torch.float32) -> None:
        """Copy `weights` into parameters of `dtype`."""
        super().__init__()
        weights = fill_empty_axes(weights)
        self.embed = nn.Embedding.from_pretrained(_tensor(weights.W_E, dtype), freeze=False)
        self.pos_embed = nn.Embedding.from_pretrained(_tensor(weights.W_pos, dtype), freeze=False)
        self.blocks = nn.ModuleList(
            Block(weights, layer, dtype) for layer in range(weights.n_layers)
        )
        self.ln_final = _layer_norm(weights, dtype)
        self.unembed = _linear(weights.W_U, dtype)

    def forward(self, tokens: Tensor, return_streams: bool = False) -> Tensor | Output:
        """Return the logits `[batch, position, d_out]`, or `Output` with the streams as well.

        Args:
            tokens: the ids `[batch, position]` that `model.codec.encode` makes.
            return_streams: whether the residual stream is returned too.
        """
        positions = torch.arange(tokens.shape[-1], device=tokens.device)
        stream = self.embed(tokens) + self.pos_embed(positions)
        streams = [stream]
        for block in self.blocks:
            streams.append(block(streams[-1], streams))
        logits = self.unembed(self.ln_final(streams[-1]))
        return Output(logits, torch.stack(streams)) if return_streams else logits


def to_torch(model: Model, dtype: torch.dtype = torch.float32) -> CompiledTransformer:
    """Return `model` as a `torch.nn.Module` in evaluation mode.

    Args:
        model: the compiled model.
        dtype: of the parameters, and so of all that is computed.

    Example:
        ``to_torch(model)(torch.as_tensor(model.codec.encode(["abc"])))``.
    """
    return CompiledTransformer(model.weights, dtype).eval()


def _layer_norm(weights: Weights, dtype: torch.dtype) -> nn.Module:
    """Return what stands before whatever reads the stream."""
    if not weights.layer_norm:
        return nn.Identity()
    return nn.LayerNorm(
        weights.d_model, eps=LAYER_NORM_EPSILON, elementwise_affine=False, dtype=dtype
    )


def _columns(matrix: np.ndarray) -> np.ndarray:
    """Put heads side by side: `[n_heads, d_model, d_head]` to `[d_model, n_heads * d_head]`."""
    return matrix.transpose(1, 0, 2).reshape(matrix.shape[1], -1)


def _tensor(array: np.ndarray, dtype: torch.dtype) -> Tensor:
    """Return a contiguous copy of `array`."""
    return torch.tensor(np.ascontiguousarray(array), dtype=dtype)


def _linear(matrix: np.ndarray, dtype: torch.dtype, bias: np.ndarray | None = None) -> nn.Linear:
    """Return the linear layer `x -> x matrix + bias` without drawing random weights."""
    layer = nn.Linear(*matrix.shape, bias=bias is not None, device="meta", dtype=dtype)
    layer.weight = nn.Parameter(_tensor(matrix.T, dtype))
    if bias is not None:
        layer.bias = nn.Parameter(_tensor(bias, dtype))
    return layer
