"""Subspace choice: which of several subspaces has the best interchange accuracy."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from ..variables_metrics import InterchangeRuns
from ..variables_problem import Subspace, VariableQuestion, VariablesProblem, place_of

Finder = Callable[[VariablesProblem, VariableQuestion, InterchangeRuns], Subspace]
"""From a problem, one of its variables and the runs on its training pairs to a subspace."""


def each_variable(problem: VariablesProblem, find: Finder) -> dict[str, Subspace]:
    """Return what a function finds for each variable."""
    with threadpool_limits(limits=1):  # many small products: more threads are slower
        return {
            name: find(problem, question, InterchangeRuns.of(problem.model, question.train))
            for name, question in problem.variables.items()
        }


def accuracies(
    runs: InterchangeRuns, candidates: Sequence[Subspace]
) -> Float[np.ndarray, " candidates"]:
    """Return the interchange accuracy of each subspace; those at one hook are run at once."""
    places = np.array([place_of(one.hook) for one in candidates])
    found = np.zeros(len(candidates))
    for place in np.unique(places).tolist():
        here = np.flatnonzero(places == place)
        hits = runs.hits(place, [candidates[one].factors for one in here])
        found[here] = hits.mean(axis=1)
    return found


def best_of(runs: InterchangeRuns, candidates: Sequence[Subspace]) -> Subspace:
    """Return the subspace with the best interchange accuracy.

    Of those that are as good the smallest is taken, and of these the first.
    """
    earned = accuracies(runs, candidates)
    order = range(len(candidates))
    return candidates[min(order, key=lambda one: (-earned[one], len(candidates[one].directions)))]
