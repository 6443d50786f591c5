"""Toy models over a range of settings: sparsities, and the phases of two and three features.

`sparsity_sweep` trains one size at many sparsities; `phase_picture` trains two features in one
dimension, or three in two, over the importance of the last and over density, and compares what
each model does with the least loss of the known solutions. (Elhage et al. 2022, "Toy Models of
Superposition", sections "Superposition as a phase change" and "The Geometry of Superposition".)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from .toy_superposition import (
    REPRESENTED,
    ToySetting,
    column_norms,
    dimensionality,
    dimensions_per_feature,
)
from .toy_superposition_theory import Candidates, Phase, candidates, expected_loss, phase_of

if TYPE_CHECKING:
    from .toy_superposition_training import ToyRecipe

_FEW_NODES = 16
"""Over how many values of each feature seeds are compared."""


@dataclass(frozen=True, eq=False)
class SparsitySweep:
    """The best toy model at each of several sparsities.

    Attributes:
        settings: what each was trained for.
        W: its weights.
        b: its biases.
        loss: on fresh inputs.
    """

    settings: tuple[ToySetting, ...]
    W: Float[np.ndarray, "settings d n"]
    b: Float[np.ndarray, "settings n"]
    loss: Float[np.ndarray, " settings"]

    @property
    def represented(self) -> Bool[np.ndarray, "settings n"]:
        """Which features are represented."""
        return column_norms(self.W) > REPRESENTED

    @property
    def shares(self) -> tuple[Float[np.ndarray, " represented"], ...]:
        """The fraction of a dimension of each feature that is represented, by setting."""
        pairs = zip(dimensionality(self.W), self.represented, strict=True)
        return tuple(found[kept] for found, kept in pairs)

    @property
    def dimensions_per_feature(self) -> Float[np.ndarray, " settings"]:
        """How many dimensions a feature has in the mean: see the function of that name."""
        return dimensions_per_feature(self.W)


def sparsity_sweep(
    n: int,
    d: int,
    sparsities: Sequence[float],
    *,
    ratio: float = 1.0,
    seeds: Sequence[int] = (0,),
    recipe: "ToyRecipe | None" = None,
) -> SparsitySweep:
    """Return toy models of `n` features in `d` dimensions, the best of all seeds at each sparsity.

    Args:
        n: features.
        d: dimensions.
        sparsities: the probabilities that a feature is zero.
        ratio: the importance of each feature, divided by that of the one before it.
        seeds: of the trainings.
        recipe: how they are trained.

    Raises:
        TaskError: there is no sparsity or no seed, or a size or a sparsity is out of range.
    """
    from .toy_superposition_training import train

    settings = tuple(ToySetting.decaying(n, d, sparsity, ratio) for sparsity in sparsities)
    trained = train(settings, seeds, recipe)
    W, b = (one.astype(np.float64) for one in trained.best())
    return SparsitySweep(settings, W, b, trained.loss.min(axis=1).astype(np.float64))


@dataclass(frozen=True, eq=False)
class PhasePicture:
    """What becomes of the last of a few features in a dimension less, measured and expected.

    Attributes:
        ratios: the importance of the last feature divided by that of each other one.
        densities: the probabilities that a feature is not zero.
        W: of the best trained model.
        loss: of it, in expectation.
        expected: the known solutions, a row for each ratio.
    """

    ratios: tuple[float, ...]
    densities: tuple[float, ...]
    W: Float[np.ndarray, "ratios densities d n"]
    loss: Float[np.ndarray, "ratios densities"]
    expected: tuple[tuple[Candidates, ...], ...]

    @cached_property
    def measured(self) -> tuple[tuple[Phase, ...], ...]:
        """The phase of each trained model, a row for each ratio."""
        return tuple(tuple(map(phase_of, row)) for row in self.W)

    @property
    def agrees(self) -> Bool[np.ndarray, "ratios densities"]:
        """Whether the trained model is in the phase of the best known solution."""
        pairs = zip(self.measured, self.expected, strict=True)
        return np.array(
            [[found is known.phase for found, known in zip(*rows, strict=True)] for rows in pairs]
        )

    @property
    def excess(self) -> Float[np.ndarray, "ratios densities"]:
        """By which share the trained model loses more than the best known solution."""
        return self.loss / np.array([[one.least for one in row] for row in self.expected]) - 1

    @property
    def gap(self) -> Float[np.ndarray, "ratios densities"]:
        """By which share the second best known solution loses more than the best."""
        return np.array([[one.gap for one in row] for row in self.expected])


def phase_picture(
    ratios: Sequence[float],
    densities: Sequence[float],
    n: int = 2,
    *,
    seeds: Sequence[int],
    recipe: "ToyRecipe | None" = None,
) -> PhasePicture:
    """Return the phases over all ratios and densities, the best of all seeds at each.

    The best is that with the least loss in expectation: where features are rare, a sample of
    inputs has next to none of those on which models differ.

    Args:
        ratios: the importance of the last feature divided by that of each other one.
        densities: the probabilities that a feature is not zero.
        n: how many features, 2 or 3, in a dimension less.
        seeds: of the trainings.
        recipe: how they are trained.

    Raises:
        TaskError: there is nothing to train, or a ratio, a density or `n` is out of range.
    """
    from .toy_superposition_training import train

    importance = (1.0,) * (n - 1)
    settings = [
        ToySetting(n - 1, 1 - p, (*importance, ratio)) for ratio in ratios for p in densities
    ]
    expected = tuple(tuple(candidates(ratio, 1 - p, n) for p in densities) for ratio in ratios)
    trained = train(settings, seeds, recipe)
    models = zip(trained.W.astype(np.float64), trained.b.astype(np.float64), settings, strict=True)
    best = [_best(W, b, setting) for W, b, setting in models]
    shape = len(ratios), len(densities)
    return PhasePicture(
        tuple(ratios),
        tuple(densities),
        np.array([W for W, _ in best]).reshape(*shape, n - 1, n),
        np.array([loss for _, loss in best]).reshape(shape),
        expected,
    )


def _best(
    W: Float[np.ndarray, "seeds d n"], b: Float[np.ndarray, "seeds n"], setting: ToySetting
) -> tuple[Float[np.ndarray, "d n"], float]:
    """Return the weights of the seed with the least loss in expectation, and that loss."""
    losses = [expected_loss(*toy, setting, _FEW_NODES) for toy in zip(W, b, strict=True)]
    seed = int(np.argmin(losses))
    return W[seed], expected_loss(W[seed], b[seed], setting)


def plane_sweep() -> SparsitySweep:
    """Return five features in a plane, from dense to sparse, each 0.9 as important as the last."""
    return sparsity_sweep(5, 2, (0.0, 0.5, 0.8, 0.9, 0.95, 0.99), ratio=0.9, seeds=range(8))


def plateau_sweeps() -> dict[int, SparsitySweep]:
    """Return 80 equally important features at 24 sparsities from 0 to 0.98, by dimensions."""
    from .toy_superposition_training import ToyRecipe

    sparsities = [1 - 1 / float(times) for times in np.geomspace(1, 50, 24)]
    recipe = ToyRecipe(rate=1e-2)
    return {d: sparsity_sweep(80, d, sparsities, recipe=recipe) for d in (20, 8)}


def phase_grid(n: int = 2) -> PhasePicture:
    """Return the phases at relative importances from 0.1 to 10, and densities from 0.01 to 1.

    Of two features at 20 of each. Of three at 14 of each, from more seeds: which two of them
    come to share a dimension is settled early in training, and left to the start.
    """
    from .toy_superposition_training import ToyRecipe

    size, n_seeds = (20, 4) if n == 2 else (14, 12)
    ratios = [float(one) for one in np.geomspace(0.1, 10, size)]
    densities = [float(one) for one in np.geomspace(0.01, 1, size)]
    recipe = ToyRecipe(steps=1_500, batch=512, rate=3e-2)
    return phase_picture(ratios, densities, n, seeds=range(n_seeds), recipe=recipe)
