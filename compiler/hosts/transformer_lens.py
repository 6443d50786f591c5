"""The TransformerLens host: a compiled model with a hook on every activation.

TransformerLens 4 builds a `TransformerBridge`. Its attention is replaced by the
package's own bridge for separate query, key and value inputs, since the stock one
has no per-head result and no split inputs. All of `use_attn_result`,
`use_split_qkv_input`, `use_attn_in` and `use_hook_mlp_in` then work, each as the
name says and exactly, and so do `patching.get_act_patch_*` and
`attribution_patch(granularity="edge")`. The flags are off at first, as in every
TransformerLens model. Older versions build a `HookedTransformer`, where the flags
work as they are.

Names: writers `embed` and `pos_embed` are `hook_embed` and `hook_pos_embed`,
writer `a{l}.h{h}` is `blocks.{l}.attn.hook_result[:, :, h]`, reader
`a{l}.h{h}<q>` is `blocks.{l}.hook_q_input[:, :, h]`, writer `m{l}` is
`blocks.{l}.hook_mlp_out`, reader `m{l}` is `blocks.{l}.hook_mlp_in`, reader
`logits` is `blocks.{last}.hook_resid_post`.
"""

import warnings
from importlib.metadata import version
from typing import Any

import numpy as np

from ...errors import MissingExtraError
from ..model import Model
from ..weights import LAYER_NORM_EPSILON, Weights
from .empty_axes import fill_empty_axes

try:
    import torch
    import transformer_lens  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingExtraError(
        f"to_transformer_lens() needs the package {error.name}, which is not installed: "
        "pip install 'glassbench[torch]'"
    ) from error

NAME = "glassbench"


def to_transformer_lens(model: Model, dtype: torch.dtype = torch.float32) -> Any:
    """Return `model` as a TransformerLens model in evaluation mode, on the CPU.

    There is no tokenizer: pass token ids, as `model.codec.encode` makes them.
    `cfg.d_vocab` counts BOS and padding, `cfg.d_vocab_out` the logits. A layer
    that needs no head or no neuron gets one of zeros, see `fill_empty_axes`.

    Args:
        model: the compiled model.
        dtype: of the parameters, and so of all that is computed.

    Returns:
        A `TransformerBridge`; with TransformerLens before 4, a `HookedTransformer`.

    Example:
        ``to_transformer_lens(model)(torch.as_tensor(model.codec.encode(["abc"])))``.
    """
    weights = fill_empty_axes(model.weights)
    major = int(version("transformer-lens").split(".")[0])
    return _bridge(weights, dtype) if major >= 4 else _hooked_transformer(weights, dtype)


def _sizes(weights: Weights, dtype: torch.dtype) -> dict[str, Any]:
    """Return the fields of the configuration that all versions share."""
    return {
        "model_name": NAME,
        "n_layers": weights.n_layers,
        "n_heads": weights.n_heads,
        "d_model": weights.d_model,
        "d_head": weights.d_head,
        "d_mlp": weights.d_mlp,
        "d_vocab": weights.d_vocab,
        "d_vocab_out": weights.d_out,
        "n_ctx": weights.n_ctx,
        "act_fn": "gelu_new" if weights.activation == "gelu" else "relu",
        "normalization_type": "LNPre" if weights.layer_norm else None,
        "eps": LAYER_NORM_EPSILON,
        "positional_embedding_type": "standard",
        "attention_dir": "causal" if weights.causal else "bidirectional",
        "default_prepend_bos": False,
        "tokenizer_prepends_bos": False,
        "init_weights": False,
        "dtype": dtype,
    }


def _load(network: torch.nn.Module, arrays: dict[str, np.ndarray], dtype: torch.dtype) -> None:
    """Set the parameters named in `arrays` and zero all others; buffers stay."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    tensors = {
        name: torch.tensor(np.ascontiguousarray(array), dtype=dtype)
        for name, array in arrays.items()
    }
    network.load_state_dict({**network.state_dict(), **tensors})


def _bridge(weights: Weights, dtype: torch.dtype) -> Any:
    """Return the weights as a `TransformerBridge` (TransformerLens 4)."""
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge.sources import build_bridge_from_module
    from transformer_lens.model_bridge.sources.native import NativeModel

    config = TransformerBridgeConfig(**_sizes(weights, dtype))
    # The modules draw random weights when they are made: not from the caller's stream.
    with torch.random.fork_rng(devices=[]):
        network = NativeModel(config).to(dtype)
    _load(network, _native_arrays(weights), dtype)
    return build_bridge_from_module(
        network,
        "TransformerLensNative",
        tl_config=config,
        model_name=NAME,
        post_adapter_hook=_split_attention_inputs,
    ).eval()


def _split_attention_inputs(adapter: Any) -> None:
    """Give the blocks of `adapter` attention that forks its input and keeps heads apart."""
    from transformer_lens.model_bridge.generalized_components import (
        JointQKVAttentionBridge,
        LinearBridge,
    )

    attention = JointQKVAttentionBridge(
        name="attn",
        config=adapter.cfg,
        split_qkv_matrix=_projections,
        submodules={"o": LinearBridge(name="o")},
    )
    # This class makes its own mask, and does not look at `attention_dir`.
    attention.is_causal = adapter.cfg.attention_dir == "causal"
    adapter.component_mapping["blocks"].submodules["attn"] = attention


def _projections(attention: Any) -> tuple[Any, Any, Any]:
    """Return the query, key and value projections of a native attention layer."""
    return attention.q, attention.k, attention.v


def _native_arrays(weights: Weights) -> dict[str, np.ndarray]:
    """Return the weights under the names of TransformerLens' native model.

    Matrices are transposed, as `torch.nn.Linear` stores them. Scores are always
    divided by sqrt(d_head), so the queries are multiplied by it.
    """
    scale = np.sqrt(weights.d_head)

    def rows(matrix: np.ndarray) -> np.ndarray:
        return matrix.transpose(0, 2, 1).reshape(-1, weights.d_model)

    arrays = {
        "tok_embed.weight": weights.W_E,
        "pos.weight": weights.W_pos,
        "head.weight": weights.W_U.T,
    }
    for layer in range(weights.n_layers):
        arrays |= {
            f"layers.{layer}.attn.q.weight": rows(weights.W_Q[layer]) * scale,
            f"layers.{layer}.attn.q.bias": weights.b_Q[layer].ravel() * scale,
            f"layers.{layer}.attn.k.weight": rows(weights.W_K[layer]),
            f"layers.{layer}.attn.v.weight": rows(weights.W_V[layer]),
            f"layers.{layer}.attn.o.weight": weights.W_O[layer].reshape(-1, weights.d_model).T,
            f"layers.{layer}.mlp.fc_in.weight": weights.W_in[layer].T,
            f"layers.{layer}.mlp.fc_in.bias": weights.b_in[layer],
            f"layers.{layer}.mlp.fc_out.weight": weights.W_out[layer].T,
            f"layers.{layer}.mlp.fc_out.bias": weights.b_out[layer],
        }
    return arrays


def _hooked_transformer(weights: Weights, dtype: torch.dtype) -> Any:
    """Return the weights as a `HookedTransformer` (TransformerLens before 4)."""
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    # Here, unlike in version 4, scores can be left unscaled.
    config = HookedTransformerConfig(
        **_sizes(weights, dtype), use_attn_scale=False, device="cpu", seed=None
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "HookedTransformer is deprecated", DeprecationWarning)
        network = HookedTransformer(config, move_to_device=False)
    arrays = {"embed.W_E": weights.W_E, "pos_embed.W_pos": weights.W_pos}
    arrays["unembed.W_U"] = weights.W_U
    for layer in range(weights.n_layers):
        for name in ("W_Q", "b_Q", "W_K", "W_V", "W_O"):
            arrays[f"blocks.{layer}.attn.{name}"] = getattr(weights, name)[layer]
        for name in ("W_in", "b_in", "W_out", "b_out"):
            arrays[f"blocks.{layer}.mlp.{name}"] = getattr(weights, name)[layer]
    _load(network, arrays, dtype)
    return network.eval()
