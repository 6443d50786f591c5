"""nnsight: activation patching and attribution patching of nodes, by tracing a torch module.

A head is what enters the output projection of its layer, `blocks.{l}.attn.o`, at its columns; an
MLP is what `blocks.{l}.mlp` returns. `pos_embed` writes the same on every input, and scores 0.
An edge has the lower score of its two ends.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..circuit_problem import CircuitProblem
from ..methods.edge_scores import lower_of_ends


def activation_patching(problem: CircuitProblem) -> dict[str, float]:
    """Return how far the logits move when a node is patched."""
    import torch

    scores = {}
    with torch.no_grad():
        traced, network, base, source, real = _traced(problem)
        before = network(base)
        there = _activations(traced, network, source)
        for name, layer, head in _nodes(network):
            width = slice(head * _d_head(network), (head + 1) * _d_head(network))
            with traced.trace(base):
                if layer < 0:
                    traced.embed.output = there["embed"]
                elif head < 0:
                    traced.blocks[layer].mlp.output = there[f"m{layer}"]
                else:
                    mixed = traced.blocks[layer].attn.o.input.clone()
                    mixed[:, :, width] = there[f"a{layer}"][:, :, width]
                    traced.blocks[layer].attn.o.input = mixed
                logits = traced.output.save()
            scores[name] = float((logits - before).norm(dim=-1)[real].mean())
    return lower_of_ends(problem, scores)


def attribution_patching(problem: CircuitProblem) -> dict[str, float]:
    """Return the mean magnitude over pairs of each node's change times its gradient."""
    import torch

    traced, network, base, source, real = _traced(problem)
    with torch.no_grad():
        goal = network(source)
        here, there = (_activations(traced, network, tokens) for tokens in (base, source))
    gradients = _gradients(traced, network, base, (goal, real))
    scores = {}
    for name, layer, head in _nodes(network):
        place = "embed" if layer < 0 else f"m{layer}" if head < 0 else f"a{layer}"
        effects = (there[place] - here[place]) * gradients[place]
        if head >= 0:
            effects = effects[:, :, head * _d_head(network) : (head + 1) * _d_head(network)]
        scores[name] = float(effects.sum(dim=(1, 2)).abs().mean())
    return lower_of_ends(problem, scores)


def _traced(problem: CircuitProblem) -> tuple[Any, Any, Any, Any, Any]:
    """Return the model as nnsight has it and as it is, bases, sources, and real positions."""
    import torch
    from nnsight import NNsight

    network = problem.model.to_torch(dtype=torch.float64)
    base, source = (torch.as_tensor(np.array(each)) for each in (problem.base, problem.source))
    real = torch.as_tensor(problem.model.codec.is_real(problem.base))
    return NNsight(network), network, base, source, real


def _nodes(network: Any) -> Iterator[tuple[str, int, int]]:
    """Yield the name of each node with its layer and head, -1 where there is none."""
    yield "embed", -1, -1
    for layer, block in enumerate(network.blocks):
        for head in range(block.attn.n_heads):
            yield f"a{layer}.h{head}", layer, head
        yield f"m{layer}", layer, -1


def _d_head(network: Any) -> int:
    return int(network.blocks[0].attn.o.in_features // network.blocks[0].attn.n_heads)


def _activations(traced: Any, network: Any, tokens: Any) -> dict[str, Any]:
    """Return what the nodes of each place are on some inputs."""
    found = {}
    with traced.trace(tokens):
        found["embed"] = traced.embed.output.save()
        for layer in range(len(network.blocks)):
            found[f"a{layer}"] = traced.blocks[layer].attn.o.input.save()
            found[f"m{layer}"] = traced.blocks[layer].mlp.output.save()
    return found


def _gradients(traced: Any, network: Any, tokens: Any, asked: tuple[Any, Any]) -> dict[str, Any]:
    """Return the gradient of how near the logits come to a goal, at each place."""
    goal, real = asked
    places, found = {}, {}
    with traced.trace(tokens):
        places["embed"] = traced.embed.output
        for layer in range(len(network.blocks)):
            places[f"a{layer}"] = traced.blocks[layer].attn.o.input
            places[f"m{layer}"] = traced.blocks[layer].mlp.output
        nearness = -0.5 * (traced.output - goal)[real].square().sum()
        with nearness.backward():
            for name in reversed(list(places)):
                found[name] = places[name].grad.save()
    return found
