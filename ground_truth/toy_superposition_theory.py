"""What toy models of superposition should find: the least loss of known solutions, by quadrature.

A solution divides the features into blocks that are orthogonal to each other, so that its loss
is the sum of theirs:

* *given up*: `x' = E[x]`, no dimension; the loss is the variance of the feature,
  `density / 3 - density^2 / 4`;
* *own dimension*: `x' = x`, one dimension and no loss;
* *superposition*: two features in one dimension, `W = (a, -c)`. With `a = c = 1` and no bias
  the loss is `density^2 / 6` for each, since it errs by the smaller of the two where both are
  active. The best lengths and biases are found numerically.

(Elhage et al. 2022, "Toy Models of Superposition", section "Superposition as a phase change".)
All losses are means over two features in one dimension or three in two; the last has the
importance `ratio`, each other one 1.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from ..errors import TaskError
from .toy_superposition import (
    REPRESENTED,
    ToySetting,
    column_norms,
    interference,
    reconstruct,
)

NODES = 48
"""Of the Gauss-Legendre rule for an active feature."""
SHARED = 0.25
"""A feature shares its dimensions where its interference is larger."""
_LARGEST = 2**21


class Phase(StrEnum):
    """What becomes of the last of two features in one dimension, or of three in two."""

    GIVEN_UP = "given up"
    SUPERPOSITION = "superposition"
    OWN_DIMENSION = "own dimension"
    OTHERS_SHARE = "own dimension, the others share one"


def phase_of(W: Float[np.ndarray, "d n"]) -> Phase:
    """Return the phase of a toy model, from which columns are represented and which share.

    Example:
        >>> phase_of(np.array([[0.9, -1.1]]))
        <Phase.SUPERPOSITION: 'superposition'>
        >>> phase_of(np.array([[0.0, 0.0, 1.0], [0.9, -1.1, 0.0]]))
        <Phase.OTHERS_SHARE: 'own dimension, the others share one'>
    """
    *others, last = column_norms(W) > REPRESENTED
    if not last:
        return Phase.GIVEN_UP
    if interference(W)[-1] > SHARED:
        return Phase.SUPERPOSITION
    return Phase.OTHERS_SHARE if all(others) else Phase.OWN_DIMENSION


def expected_loss(
    W: Float[np.ndarray, "d n"],
    b: Float[np.ndarray, " n"],
    setting: ToySetting,
    nodes: int = NODES,
) -> float:
    """Return the loss of a toy model in expectation over its inputs.

    A feature takes the value 0 with the probability `sparsity`, and the nodes of a Gauss-Legendre
    rule with the rest; the inputs are all combinations.

    Args:
        W: of the model.
        b: likewise.
        setting: what it is trained for.
        nodes: of the rule. The loss has a kink where an output becomes zero, so that the
            error falls with about the square of their number.

    Raises:
        TaskError: there are too many combinations.

    Example:
        >>> pair = np.array([[1.0, -1.0]])
        >>> found = expected_loss(pair, np.zeros(2), ToySetting.decaying(2, 1, 0.5))
        >>> round(found * 6, 3)  # density^2 / 6
        0.25
    """
    if (nodes + 1) ** setting.n > _LARGEST:
        raise TaskError(
            f"The expected loss is taken over (nodes + 1) ** n inputs, {_LARGEST:,} at most, got "
            f"nodes={nodes} and n={setting.n}; take fewer nodes, or draw inputs instead"
        )
    points, weights = np.polynomial.legendre.leggauss(nodes)
    values = np.concatenate([[0.0], (points + 1) / 2])
    chances = np.concatenate([[setting.sparsity], setting.density * weights / 2])
    x = np.stack(np.meshgrid(*[values] * setting.n, indexing="ij"), axis=-1).reshape(-1, setting.n)
    chance = np.ones(1)
    for _ in range(setting.n):
        chance = np.outer(chance, chances).ravel()
    errors = np.square(x - reconstruct(W, b, x)) @ np.array(setting.importance)
    return float(chance @ errors / setting.n)


@dataclass(frozen=True)
class Candidates:
    """The least loss of every known solution.

    Attributes:
        losses: by what becomes of the last feature.
        pair: `a, c, b_1, b_2` of the best superposition of the last feature with another.
    """

    losses: dict[Phase, float]
    pair: tuple[float, float, float, float]

    @property
    def phase(self) -> Phase:
        """The solution with the least loss."""
        return min(self.losses, key=lambda phase: self.losses[phase])

    @property
    def least(self) -> float:
        """The least loss."""
        return min(self.losses.values())

    @property
    def gap(self) -> float:
        """By how much the second best solution is worse, as a share of the least loss."""
        first, second, *_ = sorted(self.losses.values())
        return second / first - 1


def candidates(ratio: float, sparsity: float, n: int = 2) -> Candidates:
    """Return what the known solutions lose.

    Args:
        ratio: the importance of the last feature; each other one has 1.
        sparsity: the probability that a feature is zero.
        n: two features in one dimension, or three in two. Of three the last can also have a
            dimension for itself while the others share one.

    Raises:
        TaskError: `n` is another number.

    Example:
        >>> candidates(1.5, 0.99).phase, candidates(0.2, 0.1).phase, candidates(8.0, 0.3).phase
        (<Phase.SUPERPOSITION: 'superposition'>, <Phase.GIVEN_UP: 'given up'>,
         <Phase.OWN_DIMENSION: 'own dimension'>)
    """
    if n not in (2, 3):
        raise TaskError(f"Solutions are known of 2 and of 3 features, got n={n}.")
    density = 1 - sparsity
    variance = density / 3 - density**2 / 4
    shared, pair = _best_pair(float(ratio), sparsity)
    totals = {
        Phase.GIVEN_UP: ratio * variance,
        Phase.SUPERPOSITION: shared,
        Phase.OWN_DIMENSION: variance,
    }
    if n == 3:
        totals[Phase.OTHERS_SHARE], _ = _best_pair(1.0, sparsity)
    return Candidates({phase: total / n for phase, total in totals.items()}, pair)


@lru_cache(maxsize=1024)
def _best_pair(ratio: float, sparsity: float) -> tuple[float, tuple[float, float, float, float]]:
    """Return what two features lose together that share a dimension, and `a, c, b_1, b_2`."""
    from scipy.optimize import minimize

    setting = ToySetting(1, sparsity, (1.0, ratio))
    scale = setting.density * (1 + ratio)  # so that the search stops where it should

    def loss(pair: np.ndarray) -> float:
        W, b = np.array([[pair[0], -pair[1]]]), pair[2:]
        return expected_loss(W, b, setting) / scale

    limits = [(REPRESENTED, 2.0)] * 2 + [(-1.0, 1.0)] * 2
    found = minimize(loss, [1.0, 1.0, 0.0, 0.0], method="L-BFGS-B", bounds=limits)
    a, c, first, second = map(float, found.x)
    return 2 * float(found.fun) * scale, (a, c, first, second)


def plain_border(ratio: float) -> float:
    """Return the density below which `W = (1, -1)` without biases beats giving a feature up.

    The feature of less importance is given up; with `r` its relative importance the two losses
    are equal where `(1 + r) p^2 / 6 = r (p / 3 - p^2 / 4)`.

    Example:
        >>> plain_border(1.0), plain_border(0.1) == plain_border(10.0)
        (0.5714285714285714, True)
    """
    r = min(ratio, 1 / ratio)
    return 4 * r / (2 + 5 * r)
