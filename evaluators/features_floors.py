"""What directions drawn at random earn on the `features` track, and what the key itself does."""

import numpy as np
from threadpoolctl import threadpool_limits

from ..errors import AnswerError
from .features_metrics import FeatureTruth, Matching
from .features_problem import FoundFeatures

DRAWS = 128
"""Over how many draws the random floor is averaged."""


def random_features(
    streams: np.ndarray, n_directions: int, rng: np.random.Generator
) -> FoundFeatures:
    """Return directions drawn evenly over the sphere; activations are projections on them.

    Args:
        streams: held-out rows `[held_out, d_model]`.
        n_directions: how many.
        rng: draws them.
    """
    drawn = rng.normal(size=(n_directions, streams.shape[1]))
    unit = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return FoundFeatures(unit, streams @ unit.T)


def random_feature_floors(
    truth: FeatureTruth, n_directions: int, *, seed: int, draws: int = DRAWS
) -> dict[str, float]:
    """Return the mean of every metric over answers of random directions.

    Args:
        truth: the classes that are asked for.
        n_directions: how many directions each answer has: as many as may be given.
        seed: the same seed gives the same floors.
        draws: how many answers are drawn.

    Raises:
        AnswerError: `draws` is below one.
    """
    if draws < 1:
        raise AnswerError(f"A random floor needs at least one draw, got draws={draws}.")
    rng = np.random.default_rng([seed, 6])
    with threadpool_limits(limits=1):  # many small products: more threads are slower
        drawn = [
            Matching.of(truth, random_features(truth.streams, n_directions, rng)).metrics()
            for _ in range(draws)
        ]
    return {name: float(np.mean([one[name] for one in drawn])) for name in drawn[0]}
