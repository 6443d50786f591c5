"""captum: attributions to tokens, and the conductance of components.

BOS, padding and positional embeddings stay as they are: a baseline of blanks would change the
length that models compute. Gradients are taken with respect to how far the embedding of each
token is from the mean of all, and what is explained at an output position is how far the logits
went towards where they are, as in `token_gradients`; ablation and Shapley values replace tokens
by others.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..attribution_problem import AttributionProblem
from ..circuit_problem import CircuitProblem
from ..methods.edge_scores import lower_of_ends
from ..methods.token_gradients import STEPS

ORDERS, DRAWS = 4, 16
"""Shapley values: in how many orders tokens are put back, for each of so many draws of others."""


def integrated_gradients(problem: AttributionProblem) -> np.ndarray:
    """Return `IntegratedGradients` at midpoints, summed over the embedding of each token."""
    from captum.attr import IntegratedGradients

    settings = {"method": "riemann_middle", "n_steps": STEPS}
    return _gradients(problem, IntegratedGradients, settings)


def input_x_gradient(problem: AttributionProblem) -> np.ndarray:
    """Return `InputXGradient`, summed over the embedding of each token."""
    from captum.attr import InputXGradient

    return _gradients(problem, InputXGradient, {})


def _gradients(
    problem: AttributionProblem, explainer: Callable[..., Any], settings: dict[str, Any]
) -> np.ndarray:
    """Return what an explainer attributes to each token, `[rows, output, input]`."""
    import torch

    network = problem.model.to_torch(dtype=torch.float64)
    tokens = torch.as_tensor(np.array(problem.tokens))
    with torch.no_grad():
        n_tokens = len(problem.model.codec.tokens)
        embed = network.embed(tokens)
        way = embed - network.embed.weight[:n_tokens].mean(dim=0)
        way = way * torch.as_tensor(problem.real)[..., None]
        start = embed - way + network.pos_embed.weight[: tokens.shape[1]]
        target = _logits(network, start + way) - _logits(network, start)

    def explained(way: Any, start: Any, target: Any) -> Any:
        return (_logits(network, start + way) * target).sum(dim=-1)

    explain = explainer(explained)
    scores = np.zeros(problem.answer_shape)
    for place in range(tokens.shape[1]):
        found = explain.attribute(
            way.clone().requires_grad_(),
            target=place,
            additional_forward_args=(start, target),
            **settings,
        )
        scores[:, place] = found.detach().sum(dim=-1).numpy()
    return scores


def _logits(network: Any, stream: Any) -> Any:
    """Return the logits from the embedded input on."""
    for block in network.blocks:
        stream = block(stream)
    return network.unembed(network.ln_final(stream))


def feature_ablation(problem: AttributionProblem) -> np.ndarray:
    """Return `FeatureAblation`: how far the logits move, in the mean over other tokens."""
    import torch
    from captum.attr import FeatureAblation

    network = problem.model.to_torch(dtype=torch.float64)
    tokens = torch.as_tensor(np.array(problem.tokens))
    n_tokens = len(problem.model.codec.tokens)
    with torch.no_grad():
        before = network(tokens)

    def nearness(tokens: Any) -> Any:
        with torch.no_grad():
            return -(network(tokens) - before).norm(dim=-1)

    explain = FeatureAblation(nearness)
    scores = np.zeros(problem.answer_shape)
    for shift in range(1, n_tokens):
        others = torch.where(torch.as_tensor(problem.real), (tokens + shift) % n_tokens, tokens)
        for place in range(tokens.shape[1]):
            found = explain.attribute(tokens, baselines=others, target=place)
            scores[:, place] += found.numpy() / (n_tokens - 1)
    return scores


def shapley_value_sampling(problem: AttributionProblem) -> np.ndarray:
    """Return `ShapleyValueSampling` of whether the answer stays, others drawn at random."""
    import torch
    from captum.attr import ShapleyValueSampling

    torch.manual_seed(0)  # captum draws its orders from here
    rng = np.random.default_rng(0)
    codec = problem.model.codec
    network = problem.model.to_torch(dtype=torch.float64)
    tokens = torch.as_tensor(np.array(problem.tokens))

    def answers(tokens: Any) -> np.ndarray:
        with torch.no_grad():
            return codec.decode_ids(network(tokens).numpy())

    own = answers(tokens)

    def stays(tokens: Any) -> Any:
        return torch.as_tensor(answers(tokens) == own, dtype=torch.float64)

    explain = ShapleyValueSampling(stays)
    scores = np.zeros(problem.answer_shape)
    for _ in range(DRAWS):
        drawn = rng.integers(len(codec.tokens), size=problem.tokens.shape)
        others = torch.as_tensor(np.where(problem.real, drawn, problem.tokens))
        for place in range(tokens.shape[1]):
            found = explain.attribute(tokens, baselines=others, target=place, n_samples=ORDERS)
            scores[:, place] += found.numpy() / DRAWS
    return scores


def layer_conductance(problem: CircuitProblem) -> dict[str, float]:
    """Return `LayerConductance` of heads and MLPs; an edge has the lower score of its ends.

    The way is that of the embeddings from base to source, and what is explained is how near the
    logits come to those of the source. The score of `embed` is `IntegratedGradients`.
    """
    import torch
    from captum.attr import IntegratedGradients, LayerConductance

    network = problem.model.to_torch(dtype=torch.float64)
    real = torch.as_tensor(problem.model.codec.is_real(problem.base))
    with torch.no_grad():
        base, source = (
            network.embed(torch.as_tensor(np.array(tokens)))
            + network.pos_embed.weight[: tokens.shape[1]]
            for tokens in (problem.base, problem.source)
        )
        goal = _logits(network, source)

    def nearness(stream: Any, goal: Any, real: Any) -> Any:
        apart = (_logits(network, stream) - goal).square().sum(dim=-1)
        return -0.5 * (apart * real).sum(dim=-1)

    asked = {
        "baselines": base,
        "additional_forward_args": (goal, real),
        "method": "riemann_middle",
        "n_steps": STEPS,
    }

    def magnitude(found: Any) -> np.ndarray:
        """Sum over positions and width, pair by pair; return the mean magnitude."""
        summed = found.detach().flatten(2).sum(dim=1)
        return summed.numpy()

    whole = magnitude(IntegratedGradients(nearness).attribute(source, **asked)).sum(axis=1)
    scores = {"embed": float(np.abs(whole).mean())}
    for layer, block in enumerate(network.blocks):
        heads = magnitude(
            LayerConductance(nearness, block.attn.o).attribute(
                source, attribute_to_layer_input=True, **asked
            )
        )
        by_head = heads.reshape(len(heads), block.attn.n_heads, -1).sum(axis=2)
        for head, score in enumerate(np.abs(by_head).mean(axis=0).tolist()):
            scores[f"a{layer}.h{head}"] = score
        written = magnitude(LayerConductance(nearness, block.mlp).attribute(source, **asked))
        scores[f"m{layer}"] = float(np.abs(written.sum(axis=1)).mean())
    return lower_of_ends(problem, scores)
