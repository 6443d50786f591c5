"""The TransformerLens host: hooks, patching by hand and by the package's own tools."""

import copy

import numpy as np
import pytest
import torch
from transformer_lens import patching
from transformer_lens.tools.analysis import (
    EdgeAttributionConfig,
    Node,
    attribution_patch,
    faithfulness,
)

from glassbench.compiler.component_graph import ComponentGraph, Reader
from glassbench.compiler.executor import interchange, run
from glassbench.compiler.hosts.transformer_lens import to_transformer_lens

FLAGS = ("attn_result", "split_qkv_input", "hook_mlp_in")


def export(model, *flags):
    """The model in float64 with the given hook flags on."""
    network = to_transformer_lens(model, torch.float64)
    for flag in flags:
        getattr(network, f"set_use_{flag}")(True)
    return network


def rounding(model):
    """How far the export may be from the executor; the package's own LayerNorm is in float32."""
    return 1e-5 if model.weights.layer_norm else 1e-10


def reader_hook(reader: Reader, n_layers: int) -> str:
    """The name of the hook at which a reader reads."""
    if reader.role == "logits":
        return f"blocks.{n_layers - 1}.hook_resid_post"
    return f"blocks.{reader.layer}.hook_{reader.role}_in" + "put" * (reader.role in "qkv")


def patched_logits(network, tokens, reader: Reader, delta: np.ndarray) -> np.ndarray:
    """The logits when `delta` is added to the input of one reader."""

    def add(activation, hook):
        activation = activation.clone()
        target = activation[:, :, reader.head] if reader.role in "qkv" else activation
        target += torch.as_tensor(delta)
        return activation

    hook = (reader_hook(reader, network.cfg.n_layers), add)
    with torch.no_grad():
        return network.run_with_hooks(torch.as_tensor(tokens), fwd_hooks=[hook]).numpy()


def test_configuration(example):
    weights = example.model.weights
    cfg = to_transformer_lens(example.model).cfg
    assert (cfg.d_vocab, cfg.d_vocab_out, cfg.n_ctx) == (5, 4, 6)
    assert (cfg.n_layers, cfg.n_heads, cfg.d_head, cfg.d_mlp) == (3, 3, 5, 7)
    assert cfg.attention_dir == ("causal" if weights.causal else "bidirectional")
    assert cfg.normalization_type == ("LNPre" if weights.layer_norm else None)
    assert cfg.act_fn == {"relu": "relu", "gelu": "gelu_new"}[weights.activation]
    assert not cfg.default_prepend_bos
    assert cfg.dtype == torch.float32


@pytest.mark.parametrize(
    "flags", [(), FLAGS, ("attn_result", "attn_in", "hook_mlp_in")], ids=["none", "split", "in"]
)
def test_flags_change_no_logits(example, flags):
    reference = run(example.model.weights, example.clean)
    with torch.no_grad():
        logits = export(example.model, *flags)(torch.as_tensor(example.clean))
    np.testing.assert_allclose(logits.numpy(), reference.logits, 0, rounding(example.model))


def test_writers_are_at_their_hooks(example):
    graph = ComponentGraph.of(example.model.weights)
    reference = run(example.model.weights, example.clean, graph=graph)
    with torch.no_grad():
        _, cache = export(example.model, *FLAGS).run_with_cache(torch.as_tensor(example.clean))
    for writer, contribution in zip(graph.writers, reference.contributions, strict=True):
        if writer.head >= 0:
            activation = cache[f"blocks.{writer.layer}.attn.hook_result"][:, :, writer.head]
        elif writer.layer >= 0:
            activation = cache[f"blocks.{writer.layer}.hook_mlp_out"]
        else:
            activation = cache[f"hook_{writer.name}"]
        np.testing.assert_allclose(
            np.broadcast_to(activation.numpy(), contribution.shape),
            contribution,
            atol=rounding(example.model),
            err_msg=writer.name,
        )


def test_zero_heads_write_zero(example):
    with torch.no_grad():
        _, cache = export(example.model, *FLAGS).run_with_cache(torch.as_tensor(example.clean))
    assert not cache["blocks.0.attn.hook_result"][:, :, 1].any()
    assert not cache["blocks.1.hook_attn_out"].any()
    assert all(torch.isfinite(activation).all() for activation in cache.values())


def test_hooks_exist(example):
    names = set(to_transformer_lens(example.model).hook_dict)
    attention = ("q", "k", "v", "z", "result", "pattern", "attn_scores")
    assert {f"blocks.0.attn.hook_{name}" for name in attention} <= names
    assert "blocks.0.hook_q_input" in export(example.model, *FLAGS).hook_dict


def test_every_edge_is_patched_as_by_the_executor(example):
    weights = example.model.weights
    graph = ComponentGraph.of(weights)
    base = run(weights, example.clean, graph=graph)
    source = run(weights, example.corrupt, graph=graph)
    network = export(example.model, *FLAGS)
    changed = 0
    for edge in graph.edges:
        writer = graph.writer_index[edge.writer.name]
        delta = source.contributions[writer] - base.contributions[writer]
        expected = interchange(weights, graph, base, edge.reader, delta)
        logits = patched_logits(network, example.clean, edge.reader, delta)
        tolerance = rounding(example.model)
        np.testing.assert_allclose(logits, expected, atol=tolerance, err_msg=edge.name)
        changed += not np.allclose(expected, base.logits)
    assert changed > len(graph.edges) // 2


@pytest.mark.parametrize("hook", ["attn_scores", "pattern", "z"])
def test_attention_hooks_are_live(example, hook):
    network = export(example.model)
    tokens = torch.as_tensor(example.clean)
    with torch.no_grad():
        plain = network(tokens)
        edited = network.run_with_hooks(
            tokens, fwd_hooks=[(f"blocks.0.attn.hook_{hook}", lambda a, hook: a * 0.5)]
        )
    assert (plain - edited).abs().max() > 1e-3


def test_own_activation_patching_restores_the_clean_run(example):
    network = export(example.model)
    clean, corrupt = torch.as_tensor(example.clean), torch.as_tensor(example.corrupt)
    with torch.no_grad():
        target, cache = network.run_with_cache(clean)

        def distance(logits):
            return ((logits - target) ** 2).sum()

        by_stream = patching.get_act_patch_block_every(network, corrupt, cache, distance)
        by_head = patching.get_act_patch_attn_head_all_pos_every(network, corrupt, cache, distance)
        unpatched = distance(network(corrupt))
        restored = distance(
            network.run_with_hooks(
                corrupt, fwd_hooks=[("hook_embed", lambda a, hook: cache["hook_embed"])]
            )
        )
    assert unpatched > 1e-3
    assert restored < 1e-12
    assert by_stream.shape == (3, 3, 6)
    assert by_head.shape == (5, 3, 3)
    assert torch.isfinite(by_stream).all()
    assert torch.isfinite(by_head).all()
    torch.testing.assert_close(by_head[:, 1], unpatched.float().expand(5, 3))
    assert (by_head[0] - unpatched).abs().max() > 1e-6


def test_own_edge_attribution_is_exact_where_the_model_is_linear(example):
    weights = example.model.weights
    if weights.layer_norm:
        pytest.skip("with LayerNorm no logit is linear in what any component writes")
    network = export(example.model)
    clean, corrupt = torch.as_tensor(example.clean[:2]), torch.as_tensor(example.corrupt[:2])
    result = attribution_patch(
        network,
        clean,
        corrupt,
        lambda logits: logits[0, 1, 2],
        EdgeAttributionConfig(granularity="edge"),
    )
    scores = result.edge_scores
    assert scores is not None
    assert all(np.isfinite(score) for score in scores.values())
    assert sum(abs(score) > 1e-6 for score in scores.values()) > 50
    direct = Node("embed", position=1), Node("logits", position=1, layer=2)
    delta = weights.W_E[clean[:, 1]] - weights.W_E[corrupt[:, 1]]
    assert scores[direct] == pytest.approx((delta @ weights.W_U[:, 2]).mean(), abs=1e-9)


def test_own_ablation_of_an_edge_is_the_executors_interchange(example):
    weights = example.model.weights
    graph = ComponentGraph.of(weights)
    base = run(weights, example.clean[:1], graph=graph)
    source = run(weights, example.corrupt[:1], graph=graph)
    edge = next(edge for edge in graph.edges if edge.name == "a0.h0->a2.h1<v>")
    writer = graph.writer_index[edge.writer.name]
    delta = source.contributions[writer] - base.contributions[writer]
    expected = interchange(weights, graph, base, edge.reader, delta)

    def metric(logits):
        return logits[0, 3, 2]

    network = export(example.model)
    pair = torch.as_tensor(example.clean[:1]), torch.as_tensor(example.corrupt[:1])
    edges = attribution_patch(
        network, *pair, metric, EdgeAttributionConfig(granularity="edge")
    ).edge_scores
    assert edges is not None
    rest = [
        (writer, reader)
        for writer, reader in edges
        if (writer.kind, writer.layer, writer.head) != ("attn_head_out", 0, 0)
        or (reader.kind, reader.layer, reader.head) != ("v_input", 2, 1)
    ]
    assert len(rest) == len(edges) - 6
    result = faithfulness(network, *pair, metric, rest)
    gap = result.full_metric - result.corrupt_metric
    ablated = result.corrupt_metric + result.recovered * gap
    assert ablated == pytest.approx(metric(expected), abs=rounding(example.model))
    assert ablated != pytest.approx(result.full_metric, abs=3e-5)


def test_bridges_are_copied_whole(example):
    network = export(example.model)
    clone = copy.deepcopy(network)
    tokens = torch.as_tensor(example.clean)
    with torch.no_grad():
        before = network(tokens)
        clone.set_use_attn_result(True)
        torch.testing.assert_close(clone(tokens), before)
        assert not network.cfg.use_attn_result
        next(iter(clone.parameters())).zero_()
        assert not torch.allclose(clone(tokens), before)
        assert torch.equal(network(tokens), before)


def test_gradients_reach_every_live_parameter(example):
    network = export(example.model)
    (network(torch.as_tensor(example.clean)) ** 2).sum().backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    assert all(gradient is None or torch.isfinite(gradient).all() for gradient in gradients)
    assert network.blocks[0].attn.q.weight.grad.any()
