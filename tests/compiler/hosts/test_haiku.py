"""The Haiku host: jit, vmap and grad, and its parameters."""

import jax
import numpy as np
import pytest
import torch

from glassbench.compiler.hosts.haiku import to_haiku
from glassbench.compiler.hosts.torch import to_torch
from glassbench.errors import GlassbenchError


def test_jit_vmap_and_single_sequences_give_the_same_logits(numerical_model):
    apply, params = to_haiku(numerical_model)
    tokens = numerical_model.codec.encode(["abc", "a", "cab", "bbbbb"])
    batched = np.asarray(apply(params, tokens).logits)
    mapped = jax.vmap(apply, in_axes=(None, 0))(params, tokens)
    single = apply(params, tokens[2])
    np.testing.assert_allclose(jax.jit(apply)(params, tokens).logits, batched, atol=1e-6)
    np.testing.assert_allclose(mapped.logits, batched, atol=1e-6)
    np.testing.assert_allclose(single.logits, batched[2], atol=1e-6)
    assert mapped.streams.shape == (4, 3, 6, 8)
    assert single.streams.shape == (3, 6, 8)


def test_gradients_are_those_of_torch(numerical_model):
    tokens = numerical_model.codec.encode(["abc", "a", "cab", "bbbbb"])
    with jax.enable_x64(True):
        apply, params = to_haiku(numerical_model, np.float64)
        loss = lambda params: (apply(params, tokens).logits ** 2).sum()  # noqa: E731
        gradients = jax.jit(jax.grad(loss))(params)
    network = to_torch(numerical_model, torch.float64)
    (network(torch.as_tensor(tokens)) ** 2).sum().backward()

    assert jax.tree.structure(gradients) == jax.tree.structure(params)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    for module, name, gradient in (
        ("token_embed", "embeddings", network.embed.weight.grad),
        ("transformer/layer_0/attn/query", "b", network.blocks[0].attn.q.bias.grad),
        ("transformer/layer_0/attn/linear", "w", network.blocks[0].attn.o.weight.grad.T),
        ("transformer/layer_0/mlp/linear_1", "w", network.blocks[0].mlp.fc_in.weight.grad.T),
    ):
        assert gradient.any()
        np.testing.assert_allclose(gradients[module][name], gradient, atol=1e-9, err_msg=module)


def test_parameters_are_the_weights(example):
    weights = example.model.weights
    params = to_haiku(example.model).params
    assert set(params) == {
        "token_embed",
        "pos_embed",
        "unembed",
        *(
            f"transformer/layer_{layer}/{module}"
            for layer in range(3)
            for module in (
                *("attn/query", "attn/key", "attn/value", "attn/linear"),
                *("mlp/linear_1", "mlp/linear_2"),
            )
        ),
    }
    key = params["transformer/layer_2/attn/key"]["w"]
    np.testing.assert_array_equal(key[:, 5:10], weights.W_K[2, 1].astype(np.float32))
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == weights.n_parameters
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {np.dtype(np.float32)}


def test_float64_without_64_bit_mode_is_refused(example):
    with pytest.raises(GlassbenchError) as error:
        to_haiku(example.model, np.float64)
    assert str(error.value) == (
        "float64 parameters need jax's 64-bit mode, which is off: call "
        "jax.config.update('jax_enable_x64', True) first, or leave dtype at float32"
    )
