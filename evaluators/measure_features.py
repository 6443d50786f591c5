"""Measure features: what blind directions earn on a task, in numbers that suites are chosen by."""

from ..benchmark_programs.feature_measures import FeatureMeasures
from ..ground_truth import Task
from .features_floors import mean_of_blind, random_features, spread_features
from .features_track import FeaturesTrack

DRAWS = 1000
"""More than for a score: whether a task is ranked hangs on it."""
_SEED = 0
_DIGITS = 16
_DECIMALS = 4


def measure_features(task: Task) -> FeatureMeasures:
    """Return the measures of the features of a task, before the logits."""
    pose = FeaturesTrack().posed(task, _SEED)
    (hook,) = pose.problem.hooks
    truth, n_directions = pose.truths[hook], pose.problem.hooks[hook].max_directions
    random, spread = (
        mean_of_blind(answer, truth, n_directions, seed=_SEED, draws=DRAWS)["matched_cosine"]
        for answer in (random_features, spread_features)
    )
    return FeatureMeasures(
        task=str(task.id),
        weights=task.labels.weights[:_DIGITS],
        d_model=truth.streams.shape[1],
        classes=truth.n_classes,
        directions=n_directions,
        random=round(random, _DECIMALS),
        spread=round(spread, _DECIMALS),
    )
