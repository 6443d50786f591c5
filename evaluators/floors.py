"""What can be had without looking: the random floor, and the prior floor.

`random` is the mean score of random rankings. `prior` never opens the model: it
scores each edge of a task by how often edges like it are positive in the other
tasks of the suite, where what is like it is of the same name, or less alike
(`LEVELS`). The level that does best over the suite is the prior, and the higher
of `random` and `prior` the floor of the normalised score, so that what can be
had blind earns nothing.
"""

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from ..errors import AnswerError
from .ranking_metrics import Metric

Labels = Mapping[str, bool]
"""Edge (or node) name to whether it is positive; ignored edges are left out."""

_COMPONENT = re.compile(
    r"(?P<embedding>embed|pos_embed)|(?P<logits>logits)|m(?P<mlp>\d+)"
    r"|a(?P<layer>\d+)\.h\d+(?:<(?P<role>[qkv])>)?"
)
_ELEMENTS_AT_ONCE = 2**20


def random_floor(
    positive: Bool[np.ndarray, " item"],
    metric: Metric,
    *,
    seed: int,
    draws: int = 1000,
    lots: Int[np.ndarray, " item"] | None = None,
) -> float:
    """Return the mean of `metric` over random rankings of the items.

    Where the metric handles ties by expectation, a constant answer has exactly
    that mean, and it is returned without drawing. Otherwise `draws` rankings
    are drawn and averaged.

    An item can be scored by the highest of several numbers, as a node is by the edges that
    leave it; random numbers then rank those first that have many. With `lots` that mean is
    drawn too, and the higher of the two is the floor.

    Args:
        positive: which items are positive.
        metric: one of `ranking_metrics.METRICS`.
        seed: the same seed gives the same floor.
        draws: how many rankings are drawn.
        lots: of how many numbers each item has the highest; `None` for one each.

    Raises:
        AnswerError: the key has no positive or no negative, or `draws` is below one.

    Example:
        >>> from glassbench.evaluators.ranking_metrics import METRICS
        >>> random_floor(np.array([True, False, False, False]), METRICS["auroc"], seed=0)
        0.5
    """
    uneven = lots is not None and len(np.unique(lots)) > 1
    even = np.ones(len(positive), dtype=np.int64)
    if metric.splits_ties:
        floor = float(metric(np.zeros(len(positive)), positive))
    else:
        floor = _mean_of_random(positive, metric, seed, draws, even)
    if not uneven:
        return floor
    assert lots is not None
    return max(floor, _mean_of_random(positive, metric, seed, draws, lots))


def _mean_of_random(
    positive: np.ndarray, metric: Metric, seed: int, draws: int, lots: np.ndarray
) -> float:
    """Return the mean of a metric over drawn rankings, the highest of its lots for each item."""
    if draws < 1:
        raise AnswerError(f"A random floor needs at least one draw, got draws={draws}.")
    generator = np.random.default_rng(seed)
    rows = max(1, _ELEMENTS_AT_ONCE // max(1, len(positive)))
    total = 0.0
    for done in range(0, draws, rows):
        drawn = generator.random((min(rows, draws - done), len(positive)))
        scores = drawn ** (1.0 / lots)  # the highest of so many numbers is distributed like this
        total += float(metric(scores, positive).sum())
    return total / draws


@cache
def kind_and_layer(name: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the kind of an edge or node, and the layer of each of its ends.

    The kind of a writer is `embed`, `pos_embed`, `head` or `mlp`; of a reader
    `q`, `k`, `v`, `mlp` or `logits`. Embeddings and logits have layer -1.

    Raises:
        AnswerError: `name` is not that of an edge or a node.

    Example:
        >>> kind_and_layer("a0.h3->a2.h1<q>")
        (('head', 'q'), (0, 2))
    """
    kinds, layers = [], []
    for component in name.split("->"):
        match = _COMPONENT.fullmatch(component)
        if match is None:
            raise AnswerError(
                f"An edge is named like 'a0.h1->m0' and a node like 'a0.h1', got {name!r}."
            )
        head = match["role"] or (match["layer"] and "head")
        kinds.append(match["embedding"] or match["logits"] or head or "mlp")
        layers.append(int(match["mlp"] or match["layer"] or -1))
    return tuple(kinds), tuple(layers)


LEVELS = ("name", "kind and layers", "kind and distance", "kind")
"""What is alike, from the finest to the coarsest: each level holds the one before."""


def prior_scores(
    suite: Mapping[str, Labels],
) -> dict[str, dict[str, Float[np.ndarray, " item"]]]:
    """Return the prior answers for each task by level, learned from the other tasks of `suite`.

    An item is scored by how often items that are like it are positive; where no other task has
    one, by the next coarser level, and at last by how often any item is. Scores are in the order
    of the task's labels.

    Of a task itself only the names are read, not the labels. In a suite of one task there is
    nothing to learn from, and all answers are constant.

    Args:
        suite: the labels of every task, by task id.

    Raises:
        AnswerError: a name is not that of an edge or a node.
    """
    counts = _counted(suite.values())
    return {task: _scores(counts, labels) for task, labels in suite.items()}


Counts = Mapping[Hashable, tuple[int, int]]
"""Groups of items that are alike, coarse and fine, to how many are positive and how many are."""


def _groups(name: str) -> tuple[Hashable, ...]:
    """Return the groups that an item is in, one for each level, and that of all.

    The distance is from layer to layer; embeddings and logits have layer -1 also here, so that
    edges to the logits are alike where they come from the same layer.
    """
    kind, layers = kind_and_layer(name)
    return name, (kind, layers), (kind, layers[-1] - layers[0]), kind, None


def _counted(tasks: Iterable[Labels]) -> Counts:
    """Return how many items of each group are positive, and how many there are."""
    counts: dict[Hashable, tuple[int, int]] = {}
    for labels in tasks:
        for name, positive in labels.items():
            for group in _groups(name):
                positives, items = counts.get(group, (0, 0))
                counts[group] = positives + bool(positive), items + 1
    return counts


def _scores(counts: Counts, labels: Labels) -> dict[str, np.ndarray]:
    """Return the prior answers for one task, whose own labels are taken out of the counts."""
    own = _counted([labels])

    def share(groups: Iterable[Hashable]) -> float:
        """The share of positives in the first of `groups` that other tasks have."""
        for group in groups:
            positives, items = (
                every - here for every, here in zip(counts[group], own[group], strict=True)
            )
            if items:
                return positives / items
        return 0.0

    groups = [_groups(name) for name in labels]
    return {
        level: np.array([share(of[place:]) for of in groups]) for place, level in enumerate(LEVELS)
    }


@dataclass(frozen=True)
class PriorFloor:
    """The prior floor of every task of a suite, for one metric.

    Attributes:
        answers: the metric of each blind answer, by its level, per task.
    """

    answers: Mapping[str, Mapping[str, float]]

    @cached_property
    def best(self) -> str:
        """Which answer has the highest mean over the suite; of equals the first."""
        return max(self.answers, key=lambda level: sum(self.answers[level].values()))

    def __getitem__(self, task: str) -> float:
        """Return the floor of `task`: the metric of the best answer."""
        return self.answers[self.best][task]


def prior_floor(suite: Mapping[str, Labels], metric: Metric) -> PriorFloor:
    """Return the prior floor of every task of `suite`, each learned from the others.

    Args:
        suite: the labels of every task, by task id.
        metric: one of `ranking_metrics.METRICS`.

    Raises:
        AnswerError: a name is malformed, or a task has only one class.
    """
    answers: dict[str, dict[str, float]] = {level: {} for level in LEVELS}
    for task, by_level in prior_scores(suite).items():
        positive = np.array(list(suite[task].values()), dtype=bool)
        for level, scores in by_level.items():
            answers[level][task] = float(metric(scores, positive))
    return PriorFloor(answers)


def prior_above_random(suite: Mapping[str, Labels], metric: Metric) -> float:
    """Return what the prior earns on a suite: 0 is random, 1 is the oracle; mean over tasks.

    Args:
        suite: the labels of every task, by task id.
        metric: one of `ranking_metrics.METRICS`, whose oracle gets 1.

    Raises:
        AnswerError: a name is malformed, or a task has only one class.
    """
    prior = prior_floor(suite, metric)
    earned = []
    for task, labels in suite.items():
        positive = np.array(list(labels.values()), dtype=bool)
        earned.append(normalised(prior[task], random_floor(positive, metric, seed=0), 1.0))
    return float(np.mean(earned))


def normalised(score: float, floor: float, ceiling: float) -> float:
    """Return `(score - floor) / (ceiling - floor)`: 0 at the floor, 1 at the ceiling.

    Where the floor reaches the ceiling nothing can be earned by looking, and 0
    is returned.

    Example:
        >>> normalised(0.75, 0.5, 1.0)
        0.5
    """
    if abs(ceiling - floor) < 1e-12:
        return 0.0
    return (score - floor) / (ceiling - floor)
