"""TransformerLens: activation patching, path patching and attribution patching.

What is patched is the base, towards the source: what TransformerLens calls the corrupted run is
the base. `pos_embed` writes the same on every input, so that no interchange of it does anything:
it scores 0, and TransformerLens has no node for it.

Each function also takes the model as it was exported in float64, where that is done already.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from typing import Any

import numpy as np

from ...compiler.component_graph import Edge
from ..circuit_problem import CircuitProblem
from ..methods.edge_scores import every_edge, lower_of_ends

_READERS = {"q_input": "<q>", "k_input": "<k>", "v_input": "<v>"}


def edge_attribution(problem: CircuitProblem, network: Any = None) -> dict[str, float]:
    """Return the mean magnitude of its `attribution_patch(granularity="edge")` over pairs."""
    total: dict[str, float] = {}
    for result in _attributions(problem, network, "edge"):
        effects: dict[str, float] = {}
        for (writer, reader), score in result.edge_scores.items():
            name = f"{_node_name(writer)}->{_node_name(reader)}"
            effects[name] = effects.get(name, 0.0) + score
        for name, effect in effects.items():
            total[name] = total.get(name, 0.0) + abs(effect) / len(problem.base)
    return every_edge(problem, total)


def node_attribution(problem: CircuitProblem, network: Any = None) -> dict[str, float]:
    """Return the same at nodes; an edge has the lower score of its ends."""
    total: dict[str, float] = {}
    for result in _attributions(problem, network, "node"):
        effects: dict[str, float] = {}
        for node, score in result.node_scores.items():
            effects[_node_name(node)] = effects.get(_node_name(node), 0.0) + score
        for name, effect in effects.items():
            total[name] = total.get(name, 0.0) + abs(effect) / len(problem.base)
    return lower_of_ends(problem, total)


def activation_patching(problem: CircuitProblem, network: Any = None) -> dict[str, float]:
    """Return how far the logits move when a node is patched; an edge has the lower of its ends.

    Heads and MLPs by `get_act_patch_attn_head_out_all_pos` and `generic_activation_patch`, the
    token embedding by a hook.
    """
    return lower_of_ends(problem, patched_nodes(problem, network))


def patched_nodes(problem: CircuitProblem, network: Any = None) -> dict[str, float]:
    """Return the mean distance that patching each node moves the logits."""
    import torch
    from transformer_lens import patching

    with _quiet(), torch.no_grad():
        network, base, source, moved = _patched(problem, network)
        cache = network.run_with_cache(source)[1]
        heads = patching.get_act_patch_attn_head_out_all_pos(network, base, cache, moved)
        mlps = patching.generic_activation_patch(
            network, base, cache, moved, _whole, "mlp_out", index_axis_names=["layer"]
        )
        embedding = "hook_embed"
        hooks = [(embedding, lambda activation, hook: cache[embedding])]  # noqa: ARG005
        scores = {"embed": float(moved(network.run_with_hooks(base, fwd_hooks=hooks)))}
    for layer, row in enumerate(heads.tolist()):
        scores |= {f"a{layer}.h{head}": score for head, score in enumerate(row)}
        scores[f"m{layer}"] = float(mlps[layer])
    return scores


def path_patching(problem: CircuitProblem, network: Any = None) -> dict[str, float]:
    """Return how far the logits move when each edge alone is patched, by hooks at readers.

    Its own `get_act_patch_direct_path` does this from heads to heads; here all edges get the
    same hook, one after another.
    """
    import torch

    with _quiet(), torch.no_grad():
        network, base, source, moved = _patched(problem, network)
        for flag in ("attn_result", "split_qkv_input", "hook_mlp_in"):
            getattr(network, f"set_use_{flag}")(True)
        here, there = (network.run_with_cache(tokens)[1] for tokens in (base, source))
        scores = {}
        for edge in problem.graph.edges:
            delta = _written(edge, there) - _written(edge, here)
            hook = _adds(edge, delta, problem.model.weights.n_layers - 1)
            scores[edge.name] = float(moved(network.run_with_hooks(base, fwd_hooks=[hook])))
    return scores


def direct_paths(problem: CircuitProblem, network: Any = None) -> dict[str, float]:
    """Return what `get_act_patch_direct_path_all_sources` gives: edges from heads to heads."""
    import torch
    from transformer_lens import patching

    names = set(problem.edges)
    scores = {}
    with _quiet(), torch.no_grad():
        network, base, source, moved = _patched(problem, network)
        here, there = (network.run_with_cache(tokens)[1] for tokens in (base, source))
        for role in ("q", "k", "v"):
            found = patching.get_act_patch_direct_path_all_sources(
                network, base, there, here, moved, component=role, verbose=False
            )
            for place, score in np.ndenumerate(found.numpy()):
                layer, head, to_layer, to_head = place
                name = f"a{layer}.h{head}->a{to_layer}.h{to_head}<{role}>"
                if name in names:
                    scores[name] = float(score)
    return scores


def _patched(problem: CircuitProblem, network: Any) -> tuple[Any, Any, Any, Callable[[Any], Any]]:
    """Return the model, bases, sources, and how far logits are from those of the bases."""
    import torch

    if network is None:
        network = problem.model.to_transformer_lens(dtype=torch.float64)
    base, source = (torch.as_tensor(np.array(each)) for each in (problem.base, problem.source))
    real = torch.as_tensor(problem.model.codec.is_real(problem.base))
    before = network(base)

    def moved(logits: Any) -> Any:
        return (logits - before).norm(dim=-1)[real].mean()

    return network, base, source, moved


def _attributions(problem: CircuitProblem, network: Any, granularity: Any) -> Iterator[Any]:
    """Yield its attribution of each pair.

    A metric sees logits alone, and ours compares them with those of the source: so pairs go one
    by one, as inside `attribution_patch` too.
    """
    import torch
    from transformer_lens.tools.analysis.attribution_patching import (
        EdgeAttributionConfig,
        attribution_patch,
    )

    network, base, source, _ = _patched(problem, network)
    real = torch.as_tensor(problem.model.codec.is_real(problem.base))
    with torch.no_grad():
        targets = network(source)
    config = EdgeAttributionConfig(granularity=granularity)
    for pair in range(len(base)):
        some = slice(pair, pair + 1)

        def nearness(logits: Any, some: slice = some) -> Any:
            return -0.5 * (logits - targets[some])[real[some]].square().sum()

        yield attribution_patch(network, source[some], base[some], nearness, config)


def _node_name(node: Any) -> str:
    """Return our name of its node."""
    if node.kind in ("embed", "logits"):
        return str(node.kind)
    if node.kind in ("mlp_out", "mlp_in"):
        return f"m{node.layer}"
    return f"a{node.layer}.h{node.head}{_READERS.get(node.kind, '')}"


def _written(edge: Edge, cache: Any) -> Any:
    """Return what the writer of an edge writes."""
    writer = edge.writer
    if writer.head >= 0:
        return cache[f"blocks.{writer.layer}.attn.hook_result"][:, :, writer.head]
    return cache[
        f"hook_{writer.name}" if writer.layer < 0 else f"blocks.{writer.layer}.hook_mlp_out"
    ]


def _adds(edge: Edge, delta: Any, last_layer: int) -> tuple[str, Callable[..., Any]]:
    """Return the hook that adds a change to what the reader of an edge reads."""
    reader = edge.reader
    if reader.role == "logits":
        name = f"blocks.{last_layer}.hook_resid_post"
        return name, lambda activation, hook: activation + delta  # noqa: ARG005
    if reader.role == "mlp":
        name = f"blocks.{reader.layer}.hook_mlp_in"
        return name, lambda activation, hook: activation + delta  # noqa: ARG005

    def to_head(activation: Any, hook: Any) -> Any:  # noqa: ARG001
        patched = activation.clone()
        patched[:, :, reader.head] += delta
        return patched

    return f"blocks.{reader.layer}.hook_{reader.role}_input", to_head


def _whole(activation: Any, index: Any, cache: Any) -> Any:  # noqa: ARG001
    """Patch all of an activation."""
    return cache


def _quiet() -> redirect_stderr:
    """Keep its progress bars out of the way: there is one for each call."""
    return redirect_stderr(io.StringIO())
