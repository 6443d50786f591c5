"""Toy models over a range of settings: sparsities, and the phases of two features.

`sparsity_sweep` trains one size at many sparsities; `phase_picture` trains two features in one
dimension over their relative importance and density, and compares what each model does with the
least loss of the known solutions. (Elhage et al. 2022, "Toy Models of Superposition", sections
"Superposition as a phase change" and "The Geometry of Superposition".)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from .toy_superposition import ToySetting
from .toy_superposition_theory import Candidates, Phase, candidates, expected_loss, phase_of

if TYPE_CHECKING:
    from .toy_superposition_training import ToyRecipe


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
    """What becomes of the second of two features in one dimension, measured and expected.

    Attributes:
        ratios: the importance of the second feature divided by that of the first.
        densities: the probabilities that a feature is not zero.
        W: of the best trained model.
        loss: of it, in expectation.
        expected: the known solutions, a row for each ratio.
    """

    ratios: tuple[float, ...]
    densities: tuple[float, ...]
    W: Float[np.ndarray, "ratios densities 1 2"]
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
    *,
    seeds: Sequence[int],
    recipe: "ToyRecipe | None" = None,
) -> PhasePicture:
    """Return the phases over all ratios and densities, the best of all seeds at each.

    Raises:
        TaskError: there is nothing to train, or a ratio or density is out of range.
    """
    from .toy_superposition_training import train

    settings = [ToySetting(1, 1 - p, (1.0, ratio)) for ratio in ratios for p in densities]
    W, b = (one.astype(np.float64) for one in train(settings, seeds, recipe).best())
    loss = [expected_loss(*toy) for toy in zip(W, b, settings, strict=True)]
    shape = len(ratios), len(densities)
    return PhasePicture(
        tuple(ratios),
        tuple(densities),
        W.reshape(*shape, 1, 2),
        np.array(loss).reshape(shape),
        tuple(tuple(candidates(ratio, 1 - p) for p in densities) for ratio in ratios),
    )


def plane_sweep() -> SparsitySweep:
    """Return five features in a plane, from dense to sparse, each 0.9 as important as the last."""
    return sparsity_sweep(5, 2, (0.0, 0.5, 0.8, 0.9, 0.95, 0.99), ratio=0.9, seeds=range(8))


def plateau_sweep(d: int) -> SparsitySweep:
    """Return 80 equally important features in `d` dimensions, at 24 sparsities from 0 to 0.98."""
    from .toy_superposition_training import ToyRecipe

    sparsities = [1 - 1 / float(times) for times in np.geomspace(1, 50, 24)]
    return sparsity_sweep(80, d, sparsities, recipe=ToyRecipe(rate=1e-2))


def phase_grid() -> PhasePicture:
    """Return the phases at 20 relative importances, 0.1 to 10, and 20 densities, 0.01 to 1."""
    from .toy_superposition_training import ToyRecipe

    ratios = [float(one) for one in np.geomspace(0.1, 10, 20)]
    densities = [float(one) for one in np.geomspace(0.01, 1, 20)]
    recipe = ToyRecipe(steps=1_500, batch=512, rate=3e-2)
    return phase_picture(ratios, densities, seeds=range(4), recipe=recipe)
