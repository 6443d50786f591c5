"""What can be had on the `features` track without a look at the rows.

Two kinds of *blind* answers are drawn: directions at random, each by itself, and directions that
are spread evenly over the sphere and turned at random as a whole. Spread ones come nearer to
whatever there is, and their activations can be worse. The floor of a metric is the higher of the
two means.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ..compiler.one_thread import one_thread
from ..errors import AnswerError
from .features_metrics import FeatureTruth, Matching
from .features_problem import FoundFeatures
from .spread_directions import spread_directions

DRAWS = 128
"""Over how many draws the mean of either kind is taken."""

BlindAnswer = Callable[[np.ndarray, int, np.random.Generator], FoundFeatures]
"""From held-out rows, how many directions, and a generator, to an answer."""


def random_features(
    streams: Float[np.ndarray, "held_out d_model"], n_directions: int, rng: np.random.Generator
) -> FoundFeatures:
    """Return directions drawn evenly over the sphere; activations are projections on them.

    Args:
        streams: held-out rows.
        n_directions: how many.
        rng: draws them.
    """
    drawn = rng.normal(size=(n_directions, streams.shape[1]))
    return _projected(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), streams)


def spread_features(
    streams: Float[np.ndarray, "held_out d_model"], n_directions: int, rng: np.random.Generator
) -> FoundFeatures:
    """Return directions spread evenly over the sphere and turned; activations are projections.

    Args:
        streams: held-out rows.
        n_directions: how many.
        rng: turns them.
    """
    d_model = streams.shape[1]
    turn, triangle = np.linalg.qr(rng.normal(size=(d_model, d_model)))
    turn = turn * np.sign(np.diag(triangle))  # evenly over all rotations (Mezzadri 2007)
    return _projected(spread_directions(n_directions, d_model) @ turn, streams)


def _projected(directions: np.ndarray, streams: np.ndarray) -> FoundFeatures:
    return FoundFeatures(directions, streams @ directions.T)


def mean_of_blind(
    answer: BlindAnswer, truth: FeatureTruth, n_directions: int, *, seed: int, draws: int = DRAWS
) -> dict[str, float]:
    """Return the mean of every metric over blind answers of a kind.

    Args:
        answer: draws one: `random_features` or `spread_features`.
        truth: the classes that are asked for.
        n_directions: how many directions each answer has: as many as may be given.
        seed: the same seed gives the same means.
        draws: how many answers are drawn.

    Raises:
        AnswerError: `draws` is below one.
    """
    if draws < 1:
        raise AnswerError(f"A floor needs at least one draw, got draws={draws}.")
    rng = np.random.default_rng([seed, 6])
    with one_thread():
        drawn = [
            Matching.of(truth, answer(truth.streams, n_directions, rng)).metrics()
            for _ in range(draws)
        ]
    return {name: float(np.mean([one[name] for one in drawn])) for name in drawn[0]}


def blind_floors(
    truth: FeatureTruth, n_directions: int, *, seed: int, draws: int = DRAWS
) -> dict[str, float]:
    """Return the floor of every metric: the higher mean of the two kinds of blind answers.

    Args:
        truth: the classes that are asked for.
        n_directions: how many directions each answer has: as many as may be given.
        seed: the same seed gives the same floors.
        draws: how many answers of either kind are drawn.

    Raises:
        AnswerError: `draws` is below one.
    """
    random, spread = (
        mean_of_blind(answer, truth, n_directions, seed=seed, draws=draws)
        for answer in (random_features, spread_features)
    )
    return {name: max(random[name], spread[name]) for name in random}
