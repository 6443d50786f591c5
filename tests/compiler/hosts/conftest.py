"""What every host must do, as one function, and small models to do it on."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
import torch

from glassbench.compiler.executor import run
from glassbench.compiler.hosts.empty_axes import fill_empty_axes
from glassbench.compiler.hosts.haiku import to_haiku
from glassbench.compiler.hosts.torch import to_torch
from glassbench.compiler.hosts.transformer_lens import to_transformer_lens
from glassbench.compiler.model import Codec, Model, Readout
from glassbench.compiler.values import Domain, Encoding
from glassbench.compiler.weights import Activation, Weights

TOLERANCE = {32: 1e-5, 64: 1e-9}


def random_model(
    *,
    causal: bool = False,
    layers: int = 3,
    heads: int = 3,
    d_head: int = 5,
    d_mlp: int = 7,
    seed: int = 0,
    activation: Activation = "relu",
    layer_norm: bool = False,
) -> Model:
    """A model with random weights, one zero head, one zero attention and one zero MLP."""
    draw = np.random.default_rng(seed)
    d_vocab, d_model, n_ctx, d_out = 5, 8, 6, 4

    def random(*shape: int) -> np.ndarray:
        return draw.normal(size=shape) / np.sqrt(d_model)

    per_head = (layers, heads, d_model, d_head)
    weights = Weights(
        W_E=random(d_vocab, d_model),
        W_pos=random(n_ctx, d_model),
        W_Q=random(*per_head),
        b_Q=random(layers, heads, d_head),
        W_K=random(*per_head),
        W_V=random(*per_head),
        W_O=random(layers, heads, d_head, d_model),
        W_in=random(layers, d_model, d_mlp),
        b_in=random(layers, d_mlp),
        W_out=random(layers, d_mlp, d_model),
        b_out=random(layers, d_model),
        W_U=random(d_model, d_out),
        causal=causal,
        activation=activation,
        layer_norm=layer_norm,
    )
    if layers:
        for array in (weights.W_Q, weights.b_Q, weights.W_K, weights.W_V, weights.W_O):
            array[0, 1:2] = 0
            array[1:2] = 0
        for array in (weights.W_in, weights.b_in, weights.W_out, weights.b_out):
            array[2:3] = 0
    readout = Readout(Domain.of(range(d_out)), Encoding.CATEGORICAL)
    return Model(weights, Codec(Domain.of("abc"), n_ctx - 1, (readout,)))


def run_haiku(model: Model, tokens: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits and streams of the Haiku host."""
    with jax.enable_x64(bits == 64):
        apply, params = to_haiku(model, f"float{bits}")
        output = apply(params, tokens)
        return np.asarray(output.logits), np.asarray(output.streams)


def run_torch(model: Model, tokens: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits and streams of the torch host."""
    network = to_torch(model, getattr(torch, f"float{bits}"))
    with torch.no_grad():
        output = network(torch.as_tensor(tokens), return_streams=True)
        assert torch.equal(network(torch.as_tensor(tokens)), output.logits)
    return output.logits.numpy(), output.streams.numpy()


def run_transformer_lens(
    model: Model, tokens: np.ndarray, bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """Logits and streams of the TransformerLens host."""
    network = to_transformer_lens(model, getattr(torch, f"float{bits}"))
    with torch.no_grad():
        logits, cache = network.run_with_cache(torch.as_tensor(tokens))
    names = ["blocks.0.hook_resid_pre"]
    for layer in range(network.cfg.n_layers):
        names += [f"blocks.{layer}.hook_resid_mid", f"blocks.{layer}.hook_resid_post"]
    return logits.numpy(), np.stack([cache[name].numpy() for name in names])


HOSTS = (run_haiku, run_torch, run_transformer_lens)


def check(model: Model, tokens: np.ndarray, hosts: tuple[Callable, ...] = HOSTS) -> None:
    """Compare every host with the executor: decoded outputs, logits, stream at every depth."""
    reference = run(model.weights, tokens)
    padded = 2 * (fill_empty_axes(model.weights).n_layers - model.weights.n_layers)
    streams = np.stack([*reference.streams, *reference.streams[-1:] * padded])
    answers = model.codec.decode_ids(reference.logits)
    for host in hosts:
        for bits, tolerance in TOLERANCE.items():
            logits, host_streams = host(model, tokens, bits)
            where = f"{host.__name__} float{bits}"
            assert logits.dtype == host_streams.dtype == f"float{bits}", where
            np.testing.assert_allclose(logits, reference.logits, 0, tolerance, err_msg=where)
            np.testing.assert_allclose(host_streams, streams, 0, tolerance, err_msg=where)
            np.testing.assert_array_equal(model.codec.decode_ids(logits), answers, where)


@pytest.fixture
def check_host() -> Callable[..., None]:
    """`check_host(model, tokens)`: every host computes what the executor computes."""
    return check


KINDS: dict[str, dict[str, Any]] = {
    "bidirectional": {},
    "causal": {"causal": True},
    "gelu": {"activation": "gelu"},
    "layer norm": {"causal": True, "activation": "gelu", "layer_norm": True},
}


@pytest.fixture(params=KINDS)
def example(request: pytest.FixtureRequest) -> SimpleNamespace:
    """A random model with two batches of token ids of equal lengths."""
    model = random_model(**KINDS[request.param])
    clean = model.codec.encode(["abc", "a", "cab", "bbbbb"])
    corrupt = model.codec.encode(["bca", "c", "cba", "abcab"])
    return SimpleNamespace(model=model, clean=clean, corrupt=corrupt)


@pytest.fixture(params=["layers", "heads", "d_head", "d_mlp"])
def model_with_empty_axis(request: pytest.FixtureRequest) -> Model:
    """A random model with an axis of length 0."""
    return random_model(causal=False, **{"layers": 1, request.param: 0})


@pytest.fixture
def numerical_model() -> Model:
    """A random causal model of one layer, with one logit, which holds a number."""
    model = random_model(causal=True, layers=1, seed=1)
    readout = Readout(Domain.of([-2, -1, 0, 1, 2]), Encoding.NUMERICAL)
    return Model(
        replace(model.weights, W_U=model.weights.W_U[:, :1]),
        replace(model.codec, readouts=(readout,)),
    )
