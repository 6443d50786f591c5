"""PCA of differences: the directions in which streams of base and source differ most.

Principal components of activations are a baseline of causal variable localisation (Mueller et al.
2025, MIB, arXiv:2504.13151), those of differences between pairs of inputs of representation
engineering (Zou et al. 2023, arXiv:2310.01405). What differs most between two inputs need not be
the variable: only at which hook they are taken, and how many of them, is chosen by interchanges.
"""

import numpy as np
from jaxtyping import Float

from ..variables_metrics import InterchangeRuns
from ..variables_problem import Subspace, VariableQuestion, VariablesProblem
from .subspace_choice import best_of, each_variable, telling_places

_ROUNDING = 1e-9


def difference_pca(problem: VariablesProblem) -> dict[str, Subspace]:
    """Return principal components of the differences at positions where the variable differs.

    Of the components at each hook, and of the first one, two, four and so on up to the bound,
    those are taken that have the best interchange accuracy on the training pairs.
    """
    return each_variable(problem, _found)


def _found(
    problem: VariablesProblem, question: VariableQuestion, runs: InterchangeRuns
) -> Subspace:
    candidates = []
    for place in telling_places(problem.model.weights):
        axes = principal_differences(runs, place)[: question.max_directions]
        sizes = {len(axes), *(2**power for power in range(len(axes).bit_length()))}
        candidates += [Subspace(problem.hooks[place], axes[:size]) for size in sorted(sizes - {0})]
    return best_of(runs, candidates)


def principal_differences(runs: InterchangeRuns, depth: int) -> Float[np.ndarray, "k d_model"]:
    """Return the right singular vectors of the differences at a hook, the largest first."""
    pairs = runs.pairs
    differs = pairs.where & (pairs.base_values != pairs.source_values)
    difference = (runs.source[depth] - runs.base[depth])[differs]
    _, sizes, axes = np.linalg.svd(difference, full_matrices=False)
    return axes[sizes > _ROUNDING * max(sizes.max(initial=0.0), 1.0)]
