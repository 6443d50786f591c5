"""Reads a model of Tracr's, as `tracr_forward_side.py` saved it, as our `Weights`.

Tracr's transformer has the same parts as ours, but divides attention scores by
sqrt(d_head), and has biases, all zero, on keys, values and what heads write.
"""

from pathlib import Path

import numpy as np

from glassbench.compiler import Weights


def read(file: Path, causal: bool) -> tuple[Weights, np.ndarray, np.ndarray]:
    """Return the weights, the token ids `[batch, position]`, and the outputs that Tracr gave.

    Raises:
        ValueError: a bias that our weights have no place for is not zero.
    """
    arrays = dict(np.load(file))
    heads = int(arrays["heads"])
    layers = sum(name.endswith("attn/query/w") for name in arrays)

    def stacked(name: str) -> np.ndarray:
        found = [arrays[f"transformer/layer_{layer}/{name}"] for layer in range(layers)]
        return np.stack(found).astype(np.float64)

    def by_head(name: str) -> np.ndarray:
        matrix = stacked(name)
        return matrix.reshape(layers, matrix.shape[1], heads, -1).transpose(0, 2, 1, 3)

    if any(stacked(f"attn/{name}/b").any() for name in ("key", "value", "linear")):
        raise ValueError(f"keys, values and heads must have zero biases; not so in {file}")
    queries = by_head("attn/query/w")
    d_model, d_head = queries.shape[2:]
    scale = 1 / np.sqrt(d_head)
    weights = Weights(
        W_E=arrays["token_embed/embeddings"].astype(np.float64),
        W_pos=arrays["pos_embed/embeddings"].astype(np.float64),
        W_Q=queries * scale,
        b_Q=stacked("attn/query/b").reshape(layers, heads, d_head) * scale,
        W_K=by_head("attn/key/w"),
        W_V=by_head("attn/value/w"),
        W_O=stacked("attn/linear/w").reshape(layers, heads, d_head, d_model),
        W_in=stacked("mlp/linear_1/w"),
        b_in=stacked("mlp/linear_1/b"),
        W_out=stacked("mlp/linear_2/w"),
        b_out=stacked("mlp/linear_2/b"),
        W_U=arrays["unembed"].astype(np.float64),
        causal=causal,
    )
    return weights, arrays["tokens"], arrays["output"]
