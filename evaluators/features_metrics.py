"""Feature metrics: how near directions come to those that are there, and units to what they do.

Both are taken over *classes*, the features that are equal up to a factor on the whole domain: no
row tells their directions apart, so any vector of their span is right. With `B` an orthonormal
basis of the span, the cosine of a unit direction `v` with the class is `|B v|`, which has no
sign. Classes that are zero or constant on the whole domain are not asked for.

A unit is matched with a class by the assignment with the largest sum of cosines (Hungarian
method). Of copies of a direction, up to sign and length, any may be the one that is matched, and
their activations count in the mean: to guess twice is worth no more than to guess once. Where
different directions have the same sum, the assignment with the better activations counts; so the
order of the answer does not matter.

**Sign.** A direction is as good as its negative. The activations of a unit whose direction
points against that in which the class moves the stream are negated before they are read; at a
right angle to it the mean of both readings counts. Where a class moves the stream both ways, as
numbers of both signs do, magnitudes are read.

A unit counts as active where its activation, its sign settled, exceeds `ACTIVE` times the
largest magnitude that it has on the held-out rows; so scale does not matter either. A class is
active where its activation is not zero; classes that are active on all held-out rows or on none
are left out of F1 and AUROC.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ..ground_truth import FeatureKey, FeatureRows
from ..ground_truth.row_space import row_space
from .features_problem import FoundFeatures

RECOVERED = 0.9
"""A class is recovered where the cosine of its unit is at least this."""
DUPLICATE = 0.95
"""A direction is a duplicate where its cosine with an earlier one exceeds this."""
ACTIVE = 1e-6
"""A unit is active above this share of its largest activation."""
UNMATCHED_AUROC = 0.5
"""What a class without a unit gets: what a unit that never moves would."""
_ROUNDING = 1e-9
_DECIMALS = 9
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class FeatureTruth:
    """What an answer at one hook is compared with: the classes that are asked for.

    Attributes:
        bases: an orthonormal basis of the span of each class, end to end.
        starts: where the basis of each class begins.
        moves: the direction in which each class moves the stream when it is active, unit.
        active: whether each class is active on each held-out row.
        both_ways: whether a class moves the stream along its direction and against it.
        streams: the held-out rows.
    """

    bases: Float[np.ndarray, "total d_model"]
    starts: Int[np.ndarray, " classes"]
    moves: Float[np.ndarray, "classes d_model"]
    active: Bool[np.ndarray, "held_out classes"]
    both_ways: Bool[np.ndarray, " classes"]
    streams: Float[np.ndarray, "held_out d_model"]

    @classmethod
    def of(cls, key: FeatureKey, held_out: FeatureRows) -> "FeatureTruth":
        """Return the classes of a key that are neither dead nor constant.

        Args:
            key: of the hook.
            held_out: rows and the activations behind them.
        """
        asked = np.unique(key.class_of[(key.class_of >= 0) & ~key.constant])
        bases, moves, active, both = [], [], [], []
        for number in asked:
            members = key.class_of == number
            bases.append(row_space(key.directions[members]))
            move, amounts = _movement(key.directions[members], held_out.activations[:, members])
            moves.append(move)
            active.append(amounts != 0)
            both.append(bool((amounts < 0).any()))
        n_rows, d_model = held_out.streams.shape
        ends = np.cumsum([0, *map(len, bases)])
        return cls(
            np.concatenate([np.zeros((0, d_model)), *bases]),
            ends[:-1].astype(np.int64),
            np.array(moves).reshape(len(asked), d_model),
            np.array(active, dtype=bool).reshape(len(asked), n_rows).T,
            np.array(both, dtype=bool),
            held_out.streams,
        )

    @property
    def n_classes(self) -> int:
        """How many classes are asked for."""
        return len(self.starts)

    @property
    def telling(self) -> Bool[np.ndarray, " classes"]:
        """Which classes are active on some held-out rows, and not on others."""
        return np.asarray(self.active.any(axis=0) & ~self.active.all(axis=0))


def _movement(
    directions: Float[np.ndarray, "k d_model"], activations: Float[np.ndarray, "n k"]
) -> tuple[Float[np.ndarray, " d_model"], Float[np.ndarray, " n"]]:
    """Return the unit direction in which a class moves the stream, and how far on each row.

    Its features are equal up to a factor, so that what they add is the same vector on every
    row, times a number. The vector is taken from the row that it moves most; so the number is
    never negative, unless the class moves the stream both ways. Where the features cancel each
    other, the stream is not moved, and nothing can be told of when they are active.
    """
    sizes = np.abs(activations).sum(axis=1)
    largest = activations[np.argsort(sizes)[-1:]]
    moved = (largest @ directions).sum(axis=0)
    length = np.linalg.norm(moved)
    if length <= _ROUNDING * np.abs(largest).sum():
        return directions[0], np.zeros(len(sizes))
    move = moved / length
    return move, np.where(sizes > 0, activations @ (directions @ move), 0.0)


def oracle(key: FeatureKey, held_out: FeatureRows) -> FoundFeatures:
    """Return the answer that the key itself gives: one unit for each class, constant ones too.

    Args:
        key: of the hook.
        held_out: rows and the activations behind them.
    """
    directions, activations = [], []
    for number in np.unique(key.class_of[key.class_of >= 0]):
        members = key.class_of == number
        move, amounts = _movement(key.directions[members], held_out.activations[:, members])
        directions.append(move)
        activations.append(amounts)
    n_rows, d_model = held_out.streams.shape
    return FoundFeatures(
        np.array(directions).reshape(-1, d_model), np.array(activations).reshape(-1, n_rows).T
    )


def class_cosines(
    truth: FeatureTruth, directions: Float[np.ndarray, "m d_model"]
) -> Float[np.ndarray, "classes m"]:
    """Return the cosine of every direction with the span of every class, from 0 to 1."""
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    if not truth.n_classes or not len(unit):
        return np.zeros((truth.n_classes, len(unit)))
    squares = np.square(truth.bases @ unit.T)
    return np.sqrt(np.add.reduceat(squares, truth.starts, axis=0)).clip(0.0, 1.0)


def class_activity(
    truth: FeatureTruth, found: FoundFeatures
) -> tuple[Float[np.ndarray, "classes m"], Float[np.ndarray, "classes m"]]:
    """Return the F1 and the AUROC of every unit against every class; zero for those left out.

    All pairs at once: AUROC from the ranks of each unit (Mann and Whitney 1947), F1 from
    products of indicators. For a single pair these are the numbers of scikit-learn.
    """
    from scipy.stats import rankdata

    values = found.activations
    active, passive = truth.active.astype(float), (~truth.active).astype(float)
    positives, negatives = active.sum(axis=0)[:, None], passive.sum(axis=0)[:, None]
    lengths = np.linalg.norm(found.directions, axis=1)
    along = (truth.moves @ found.directions.T / lengths).round(_DECIMALS)
    flipped = (1 - np.sign(along)) / 2
    both = truth.both_ways[:, None]
    limit = ACTIVE * np.abs(values).max(axis=0, initial=0.0)

    def f1(on: np.ndarray) -> np.ndarray:
        return 2 * (active.T @ on) / np.maximum(positives + on.sum(axis=0), 1.0)

    def auroc(ranked: np.ndarray) -> np.ndarray:
        above = active.T @ rankdata(ranked.T, axis=1).T - positives * (positives + 1) / 2
        return above / np.maximum(positives * negatives, 1.0)

    upward = auroc(values)
    f1s = flipped * f1(values < -limit) + (1 - flipped) * f1(values > limit)
    aurocs = flipped * (1 - upward) + (1 - flipped) * upward
    if both.any():
        f1s = np.where(both, f1(np.abs(values) > limit), f1s)
        aurocs = np.where(both, auroc(np.abs(values)), aurocs)
    telling = truth.telling[:, None]
    return np.where(telling, f1s, 0.0), np.where(telling, aurocs, 0.0)


@dataclass(frozen=True, eq=False)
class Matching:
    """What each class got; without a unit cosine and F1 are 0, and AUROC one half.

    Attributes:
        largest: the largest cosine of any direction with each class.
        cosine: that of the unit that is matched with it.
        f1: of the matched unit; only of classes that tell.
        auroc: likewise.
    """

    largest: Float[np.ndarray, " classes"]
    cosine: Float[np.ndarray, " classes"]
    f1: Float[np.ndarray, " telling"]
    auroc: Float[np.ndarray, " telling"]

    @classmethod
    def of(cls, truth: FeatureTruth, found: FoundFeatures) -> "Matching":
        """Match the units of an answer with classes, each with one at most."""
        from scipy.optimize import linear_sum_assignment

        cosines = class_cosines(truth, found.directions)
        copies = _copies(found.directions)
        f1s, aurocs = (each @ copies for each in class_activity(truth, found))
        classes, units = linear_sum_assignment(cosines + _TIE * (f1s + aurocs), maximize=True)
        cosine, f1, auroc = np.zeros((3, truth.n_classes))
        auroc += UNMATCHED_AUROC
        cosine[classes] = cosines[classes, units]
        f1[classes], auroc[classes] = f1s[classes, units], aurocs[classes, units]
        largest = cosines.max(axis=1, initial=0.0)
        return cls(largest, cosine, f1[truth.telling], auroc[truth.telling])

    def metrics(self) -> dict[str, float]:
        """Return the means over classes; those of F1 and AUROC only where some class tells."""
        found = {
            "matched_cosine": float(self.cosine.mean()),
            "mean_max_cosine": float(self.largest.mean()),
            "recovered_at_0.9": float((self.cosine >= RECOVERED - _ROUNDING).mean()),
        }
        if len(self.f1):
            found["activation_f1"] = float(self.f1.mean())
            found["activation_auroc"] = float(self.auroc.mean())
        return found


def _copies(directions: Float[np.ndarray, "m d_model"]) -> Float[np.ndarray, "m m"]:
    """Return the matrix that takes the mean over the copies of each direction."""
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    same = np.abs(unit @ unit.T) >= 1 - _ROUNDING
    return same / same.sum(axis=0)


def n_duplicates(directions: Float[np.ndarray, "m d_model"]) -> int:
    """Return how many directions are, up to sign, nearly those of earlier rows.

    Example:
        >>> n_duplicates(np.array([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.1]]))
        1
    """
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return int((np.abs(np.tril(unit @ unit.T, -1)) > DUPLICATE).any(axis=1).sum())


def n_dead_units(activations: Float[np.ndarray, "held_out m"]) -> int:
    """Return how many units are zero on every row."""
    return int((~activations.any(axis=0)).sum())


def unexplained(streams: Float[np.ndarray, "held_out d_model"], found: FoundFeatures) -> float:
    """Return the fraction of variance that `activations @ directions` leaves unexplained.

    A constant offset is given for free, whatever it is, so that it does not matter whether a
    tool subtracts a mean or has a bias: only what varies from row to row counts.
    """
    left = streams - found.activations @ found.directions
    total = np.square(streams - streams.mean(axis=0)).sum()
    rest = np.square(left - left.mean(axis=0)).sum()
    return float(rest / total) if total else 0.0
