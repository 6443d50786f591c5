"""Directions that are had without looking at the rows: drawn at random, or the neuron basis.

Activations are projections. On a model whose stream is in its own basis the neuron basis is
the right answer, which is what the regime `scrambled` takes away.
"""

import numpy as np

from ..features_floors import random_features
from ..features_problem import FeaturesProblem, FoundFeatures


def random_directions(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return as many directions as may be given, drawn evenly over the sphere."""
    rng = np.random.default_rng([problem.seed, 7])
    return {
        hook: random_features(rows.held_out, rows.max_directions, rng)
        for hook, rows in problem.hooks.items()
    }


def neuron_basis(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return the coordinates that vary most, as many as may be given."""
    found = {}
    for hook, rows in problem.hooks.items():
        order = np.argsort(-rows.train.var(axis=0), kind="stable")[: rows.max_directions]
        found[hook] = FoundFeatures(np.eye(rows.train.shape[1])[order], rows.held_out[:, order])
    return found
