"""Subspace choice: at which hooks it is worth to look, and which of several subspaces is best."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from ...compiler.one_thread import one_thread
from ...compiler.weights import Weights
from ...ground_truth.wiring import ROUNDING_BOUND, without_dead_ends
from ..variables_metrics import InterchangeRuns
from ..variables_problem import Subspace, VariableQuestion, VariablesProblem, place_of

Finder = Callable[[VariablesProblem, VariableQuestion, InterchangeRuns], Subspace]
"""From a problem, one of its variables and the runs on its training pairs to a subspace."""


@one_thread()
def each_variable(problem: VariablesProblem, find: Finder) -> dict[str, Subspace]:
    """Return what a function finds for each variable."""
    return {
        name: find(problem, question, InterchangeRuns.of(problem.model, question.train))
        for name, question in problem.variables.items()
    }


def telling_places(weights: Weights) -> list[int]:
    """Return the places of the hooks before which something was written that bears on the logits.

    At any other hook there is no more to find than at the hook before, and more to be disturbed
    by: what was written in between is read by nothing.
    """
    live = without_dead_ends(weights, ROUNDING_BOUND)
    writes = np.stack([live.W_O.any(axis=(1, 2, 3)), live.W_out.any(axis=(1, 2))], axis=1)
    return [0, *(np.flatnonzero(writes.ravel()) + 1).tolist()]


def accuracies(
    runs: InterchangeRuns, candidates: Sequence[Subspace]
) -> Float[np.ndarray, " candidates"]:
    """Return the interchange accuracy of each subspace; those at one hook are run at once."""
    places = np.array([place_of(one.hook) for one in candidates])
    found = np.zeros(len(candidates))
    for place in np.unique(places).tolist():
        here = np.flatnonzero(places == place).tolist()
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
