"""Linear probe: the directions from which a variable can be read off the stream.

Probes are the oldest way to ask where something is (Alain and Bengio 2016, arXiv:1610.01644). That
a variable can be read at a place does not mean that anything reads it there, and where several
variables go together a probe can read one from another.
"""

import numpy as np
from jaxtyping import Float

from ..variables_metrics import InterchangeRuns
from ..variables_problem import Subspace, VariableQuestion, VariablesProblem
from .subspace_choice import best_of, each_variable, telling_places

_ROUNDING = 1e-6


def linear_probe(problem: VariablesProblem) -> dict[str, Subspace]:
    """Return the span of the weights of a linear regression, at the best hook.

    The variable is regressed on the stream at all positions with a token, by least squares: its
    number, or one indicator for each of its values. Of the solutions that fit as well the
    shortest is taken. The hook is the one where interchanges of that span on the training pairs
    have the best accuracy.
    """
    return each_variable(problem, _found)


def _found(
    problem: VariablesProblem, question: VariableQuestion, runs: InterchangeRuns
) -> Subspace:
    return best_of(runs, list(probes(problem, question, runs).values()))


def probes(
    problem: VariablesProblem, question: VariableQuestion, runs: InterchangeRuns
) -> dict[int, Subspace]:
    """Return the span of the weights of the probe at each hook, by its place.

    Where they span more dimensions than an answer may have, those are kept along which the
    weights are largest.
    """
    from sklearn.linear_model import LinearRegression

    pairs, codec = question.train, problem.model.codec
    bases, sources = codec.is_real(pairs.base), codec.is_real(pairs.source)
    values = np.concatenate([pairs.base_values[bases], pairs.source_values[sources]])
    wanted = _as_numbers(values, question)
    found = {}
    for place in telling_places(problem.model.weights):
        rows = np.concatenate([runs.base[place][bases], runs.source[place][sources]])
        weights = np.atleast_2d(LinearRegression().fit(rows, wanted).coef_)
        _, sizes, axes = np.linalg.svd(weights, full_matrices=False)
        kept = axes[sizes > _ROUNDING * max(sizes[0], _ROUNDING)][: question.max_directions]
        if len(kept):
            found[place] = Subspace(problem.hooks[place], kept)
    return found


def _as_numbers(values: np.ndarray, question: VariableQuestion) -> Float[np.ndarray, "rows width"]:
    """Return what is regressed: the number, or an indicator for each value; zero for none."""
    if question.numbers is not None:
        return np.where(values < 0, 0.0, np.array(question.numbers)[values])[:, None]
    return (values[:, None] == np.arange(values.max(initial=0) + 1)).astype(float)
