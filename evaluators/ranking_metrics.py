"""How well a ranking of edges or nodes separates the positives from the rest.

Each metric takes scores `[..., item]`, of which higher means "more surely
positive" (magnitudes, where a method is signed), and a boolean key `[item]` or
`[..., item]`; it returns one number in 0..1 for each leading index. Higher is
better. Scores are only ever compared, so each metric but `recall_at_zero` is
unchanged by any strictly increasing map of them.

Ties are handled by expectation: items of equal score stand in a random order,
and the metric is its mean over those orders, in closed form. So a constant
answer earns exactly what a random ranking earns on average, and no metric
depends on the order in which items are listed. (`best_f1` is the exception: a
threshold takes a whole tie or none of it.)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..errors import AnswerError, listing

# Shapes are checked by `_checked`, which tells a user what is wrong with an answer.
Scores = np.ndarray
Key = np.ndarray
Values = np.ndarray | np.float64


@dataclass(frozen=True, eq=False)
class _Ranking:
    """Items sorted by falling score; arrays `[..., place]`, places from 0.

    Attributes:
        positive: the key in sorted order.
        start: the first place of the tie that the place belongs to.
        end: one more than the last place of that tie.
        before: positives ahead of that tie.
        through: positives up to the end of that tie.
        total: positives in all, `[..., 1]`.
    """

    positive: np.ndarray
    start: np.ndarray
    end: np.ndarray
    before: np.ndarray
    through: np.ndarray
    total: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, positive: np.ndarray) -> "_Ranking":
        scores, positive = _checked(scores, positive)
        order = np.argsort(-scores, axis=-1, kind="stable")
        scores = np.take_along_axis(scores, order, axis=-1)
        positive = np.take_along_axis(positive, order, axis=-1)
        places = np.arange(scores.shape[-1])
        edge = np.ones((*scores.shape[:-1], 1), dtype=bool)
        changes = scores[..., 1:] != scores[..., :-1]
        opens = np.concatenate([edge, changes], axis=-1)
        closes = np.concatenate([changes, edge], axis=-1)
        start = np.maximum.accumulate(np.where(opens, places, 0), axis=-1)
        ends = np.where(closes, places + 1, len(places))
        end = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]
        found = np.concatenate([0 * edge, np.cumsum(positive, axis=-1)], axis=-1)
        before = np.take_along_axis(found, start, axis=-1)
        through = np.take_along_axis(found, end, axis=-1)
        return cls(positive, start, end, before, through, found[..., -1:])


def _checked(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays at the shape of `scores`, or raise with every problem."""
    scores, positive = np.asarray(scores), np.asarray(positive)
    problems = []
    if scores.dtype.kind not in "biuf":
        problems.append(f"scores must be real numbers, got dtype {scores.dtype}")
    elif np.isnan(scores).any():
        problems.append(f"scores must be numbers, got {int(np.isnan(scores).sum())} NaN")
    if positive.dtype != bool:
        problems.append(f"the key must be boolean, got dtype {positive.dtype}")
    if scores.ndim < 1 or positive.shape not in (scores.shape, scores.shape[-1:]):
        problems.append(
            "scores and key must have the same items on their last axis, "
            f"got shapes {scores.shape} and {positive.shape}"
        )
    elif positive.size and not problems:
        counts = positive.sum(axis=-1)
        if counts.min() == 0:
            problems.append("the key must have at least one positive, got none")
        if counts.max() == positive.shape[-1]:
            problems.append("the key must have at least one negative, got positives only")
    elif not problems:
        problems.append("there must be at least one positive and one negative, got no items")
    if problems:
        raise AnswerError(listing("A ranking cannot be scored:", problems))
    return scores.astype(np.float64, copy=False), np.broadcast_to(positive, scores.shape)


def average_precision(scores: Scores, positive: Key) -> Values:
    r"""Return the mean, over the positives, of the precision at each one's place.

    In a tie of :math:`n` items with :math:`p` positives, behind :math:`s` items
    with :math:`b` positives, the item at place :math:`s + j` is positive with
    probability :math:`p / n`, and then :math:`b + 1 + (j - 1)(p - 1)/(n - 1)`
    positives are expected up to it (McSherry and Najork 2008, section 3). The
    metric is the sum of those terms over all places, each divided by its place,
    over the number of positives. Without ties it is the usual average precision.

    Raises:
        AnswerError: NaN scores, shapes that differ, or a key of one class only.

    Example:
        >>> key = np.array([True, False, True])
        >>> round(float(average_precision(np.array([0.9, 0.5, 0.1]), key)), 4)
        0.8333
    """
    ranking = _Ranking.of(scores, positive)
    place = np.arange(ranking.start.shape[-1])
    size = ranking.end - ranking.start
    inside = ranking.through - ranking.before
    passed = (place - ranking.start) * (inside - 1) / np.maximum(size - 1, 1)
    terms = inside / size * (ranking.before + 1 + passed) / (place + 1)
    return terms.sum(axis=-1) / ranking.total[..., 0]


def auroc(scores: Scores, positive: Key) -> Values:
    """Return the share of pairs (positive, negative) in the right order; a tie is half.

    Raises:
        AnswerError: NaN scores, shapes that differ, or a key of one class only.

    Example:
        >>> float(auroc(np.array([3.0, 1.0, 1.0]), np.array([True, True, False])))
        0.75
    """
    ranking = _Ranking.of(scores, positive)
    items = ranking.start.shape[-1]
    total = ranking.total[..., 0]
    # An item tied over places start..end-1 has the mean of their ranks (Mann-Whitney).
    rank = items - (ranking.start + ranking.end - 1) / 2
    above = (rank * ranking.positive).sum(axis=-1) - total * (total + 1) / 2
    return above / (total * (items - total))


def precision_at_true_size(scores: Scores, positive: Key) -> Values:
    """Return the share of positives among the top `k`, `k` being the number of positives.

    Also known as R-precision.

    Raises:
        AnswerError: NaN scores, shapes that differ, or a key of one class only.

    Example:
        >>> key = np.array([True, True, False, False])
        >>> float(precision_at_true_size(np.array([9.0, 1.0, 1.0, 0.0]), key))
        0.75
    """
    ranking = _Ranking.of(scores, positive)
    cut = ranking.total
    start, end, before, through = (
        np.take_along_axis(part, cut - 1, axis=-1)[..., 0]
        for part in (ranking.start, ranking.end, ranking.before, ranking.through)
    )
    cut = cut[..., 0]
    # The tie at the cut gives its positives in proportion to the part of it that fits.
    return (before + (through - before) * (cut - start) / (end - start)) / cut


def recall_at_true_size(scores: Scores, positive: Key) -> Values:
    """Return the share of the positives that are among the top `k`, `k` as above.

    As many items are taken as there are positives, so this number and
    `precision_at_true_size` are one and the same.

    Raises:
        AnswerError: NaN scores, shapes that differ, or a key of one class only.
    """
    return precision_at_true_size(scores, positive)


def best_f1(scores: Scores, positive: Key) -> Values:
    """Return the highest F1 over all thresholds; a threshold never splits a tie.

    The threshold is chosen with the key in hand, so this is an upper bound on
    the F1 of any rule that picks one. Taking everything earns `2p / (n + p)`.

    Raises:
        AnswerError: NaN scores, shapes that differ, or a key of one class only.

    Example:
        >>> key = np.array([True, True, False, False])
        >>> float(best_f1(np.array([4.0, 2.0, 3.0, 1.0]), key))
        0.8
    """
    ranking = _Ranking.of(scores, positive)
    return (2 * ranking.through / (ranking.end + ranking.total)).max(axis=-1)


def recall_at_zero(scores: Scores, positive: Key) -> Values:
    """Return the share of the positives whose score is not zero.

    A diagnosis and not a ranking metric: it tells whether a method missed a
    positive altogether, and an answer of ones has all of it.

    Raises:
        AnswerError: NaN scores, shapes that differ, or a key of one class only.

    Example:
        >>> float(recall_at_zero(np.array([0.0, 2.0, 1.0]), np.array([True, True, False])))
        0.5
    """
    scores, positive = _checked(scores, positive)
    return ((scores != 0) & positive).sum(axis=-1) / positive.sum(axis=-1)


@dataclass(frozen=True)
class Metric:
    """A ranking metric by name.

    Attributes:
        name: how results and tables call it.
        function: scores `[..., item]` and key `[item]` to values `[...]`.
        splits_ties: whether ties are handled by expectation, so that a constant
            answer has exactly the mean of random rankings.
    """

    name: str
    function: Callable[[Scores, Key], Values]
    splits_ties: bool = True

    def __call__(self, scores: Scores, positive: Key) -> Values:
        """Return the metric of `scores` against the key `positive`."""
        return self.function(scores, positive)


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("average_precision", average_precision),
            Metric("auroc", auroc),
            Metric("precision_at_size", precision_at_true_size),
            Metric("recall_at_size", recall_at_true_size),
            Metric("best_f1", best_f1, splits_ties=False),
        )
    }
)
"""The ranking metrics by name, the primary one first."""
