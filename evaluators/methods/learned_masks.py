"""Learned masks: gates of a model, trained to keep its output with as few open as can be.

The loss is the squared distance to the logits of the whole model, as a share of what
interchanging every edge does, plus a penalty on the expected number of open gates; what is
closed carries what it does on the source. Gates are drawn from hard concrete distributions, whose
locations are trained by Adam.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from ..circuit_problem import CircuitProblem
from ..gated_model import GatedModel
from ..pair_runs import PairRuns
from .hard_concrete import open_probability, sampled

if TYPE_CHECKING:
    import optax


@dataclass(frozen=True)
class Recipe:
    """How masks are trained.

    Attributes:
        penalty: the price of an open gate.
        start: where locations begin; gates begin open.
        learning_rate: of Adam.
        steps: of gradient descent.
        pairs: at most so many a step.
        samples: draws of all gates a step.
    """

    penalty: float = 0.01
    start: float = 2.0
    learning_rate: float = 0.1
    steps: int = 300
    pairs: int = 16
    samples: int = 4


RECIPE = Recipe()
_SEED = 0
_ROUND = 64


def open_gates(
    problem: CircuitProblem,
    model: GatedModel,
    gate_of_edge: Int[np.ndarray, " edge"],
    n_gates: int,
    recipe: Recipe = RECIPE,
) -> Float[np.ndarray, " gate"]:
    """Return the probability that each gate is open after training.

    Args:
        problem: holds the pairs.
        model: that of the problem.
        gate_of_edge: which gate stands on each of `model.edges`.
        n_gates: how many gates there are.
        recipe: how they are trained.
    """
    rng = np.random.default_rng(_SEED)
    runs = list(PairRuns.of(model, problem, circuits=recipe.samples, most_pairs=recipe.pairs))
    distances = [one.distance(one.source_logits[None])[0] / one.real.sum() for one in runs]
    whole = np.mean(distances) or 1.0
    edges_of_gate = np.equal.outer(gate_of_edge, np.arange(n_gates)).astype(np.float64)
    adam = _compiled_adam(recipe.learning_rate)
    # Of a round size, so that what jax compiles for one model serves for others.
    log_alpha = np.full(-(-n_gates // _ROUND) * _ROUND, recipe.start, np.float32)
    state = adam.init(log_alpha)
    for step in range(recipe.steps):
        one, own = runs[step % len(runs)], log_alpha[:n_gates].astype(np.float64)
        gates, slopes = sampled(own, rng.uniform(1e-6, 1 - 1e-6, (recipe.samples, n_gates)))
        by_edge = distance_gradient(model, one, gates[:, gate_of_edge])
        by_gate = by_edge @ edges_of_gate
        probability = open_probability(own)
        gradient = np.zeros_like(log_alpha)
        gradient[:n_gates] = (by_gate * slopes).mean(axis=0) / whole
        gradient[:n_gates] += recipe.penalty * probability * (1 - probability)
        updates, state = adam.update(gradient, state)
        log_alpha = log_alpha + np.asarray(updates)
    return open_probability(log_alpha[:n_gates].astype(np.float64))


@cache
def _compiled_adam(rate: float) -> "optax.GradientTransformation":
    """Return Adam, whose update is compiled once for all models."""
    import jax
    import optax

    adam = optax.adam(rate)
    return optax.GradientTransformation(adam.init, jax.jit(adam.update))


def distance_gradient(
    model: GatedModel, runs: PairRuns, gates: Float[np.ndarray, "circuit edge"]
) -> Float[np.ndarray, "circuit edge"]:
    """Return the gradient of the mean distance with respect to the gates on `model.edges`."""
    done = model.run(model.gates(gates), runs.contributions[None, :2], runs.source)
    gradient = 2 * (done.logits - runs.logits) * runs.real[..., None] / runs.real.sum()
    return model.gate_gradients(done, gradient)
