"""Questions of the attribution track."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np

from glassbench.evaluators import MetricValue, attribution_metrics, attribution_track
from glassbench.evaluators.attribution_metrics import AUROC, MASS, PRIMARY, SPEARMAN
from glassbench.ground_truth import Relevance, Task

from .question import Claim, Question, RandomFloor, Rng


@dataclass(frozen=True, eq=False)
class AttributionQuestion(Question):
    """On which tokens an answer depends: a number for each pair of positions."""

    labels: Relevance
    track = "attribution"

    @classmethod
    def made_up(cls, rng: Rng) -> "AttributionQuestion":
        """Draw relevance of inputs of every length; where tokens matter, they have values."""
        n_rows, n = 12, 4
        lengths = np.concatenate([[n, n], rng.integers(1, n + 1, n_rows - 2)])
        real = np.arange(n) < lengths[:, None]
        pairs = real[:, :, None] & real[:, None, :]
        sensitive = (rng.random((n_rows, n, n)) < 0.5) & pairs
        sensitive[0, 0] = [True, False, False, True]  # one answer at least can be ranked
        drawn = rng.integers(-3, 4, (n_rows, n, n))
        values = np.where(pairs, np.where(sensitive & (drawn == 0), 5, drawn) / 8, 0.0)
        baseline = np.where(real, 1 - values.sum(axis=2), 0.0)
        return cls(Relevance(lengths, sensitive, values, baseline, ""))

    @classmethod
    def of(cls, task: Task) -> "AttributionQuestion":
        return cls(attribution_track.posed(task, 0).relevance)

    @cached_property
    def floors(self) -> Mapping[str, float]:
        return attribution_metrics.floors(self.labels)

    @cached_property
    def ceilings(self) -> Mapping[str, float]:
        return attribution_metrics.ceilings(self.labels)

    def measured(self, answer: np.ndarray) -> Mapping[str, MetricValue]:
        return {
            name: MetricValue.of(value, random=self.floors[name], ceiling=self.ceilings[name])
            for name, value in attribution_metrics.means(self.labels, answer).items()
        }

    def oracles(self) -> list[Claim]:
        sensitivity = self.labels.sensitivity.astype(float)
        return [
            Claim([sensitivity], frozenset({PRIMARY, AUROC})),
            Claim([self.labels.shapley], frozenset({SPEARMAN, MASS})),
        ]

    def random_floors(self) -> list[RandomFloor]:
        return [RandomFloor(self.floors, np.inf, self.drawn)]

    def drawn(self, rng: Rng) -> np.ndarray:
        return rng.normal(size=self.labels.sensitivity.shape)

    def empty(self) -> list[np.ndarray]:
        return [np.full(self.labels.sensitivity.shape, value) for value in (0.0, -2.0)]

    def reordered(self, answer: np.ndarray, rng: Rng) -> tuple["AttributionQuestion", np.ndarray]:
        """Inputs in another order, and the tokens of each input."""
        labels = self.labels
        sides = [side.copy() for side in (labels.sensitivity, labels.shapley, answer)]
        for row, length in enumerate(labels.lengths):
            order = rng.permutation(length)
            for side in sides:
                side[row, :, :length] = side[row][:, order]
        rows = rng.permutation(len(labels.lengths))
        sensitivity, shapley, turned = (side[rows] for side in sides)
        other = Relevance(labels.lengths[rows], sensitivity, shapley, labels.baseline[rows], "")
        return AttributionQuestion(other), turned

    def restated(self, answer: np.ndarray, rng: Rng) -> list[Claim]:
        every, signs = frozenset(self.floors), rng.choice([-1.0, 1.0], answer.shape)
        odd = (answer**3, np.sign(answer) * np.expm1(abs(answer)), 1e-3 * answer)
        return [
            *(Claim([one], every) for one in odd),
            Claim([signs * answer], every - {SPEARMAN}),
        ]

    def spoilt(self, rng: Rng) -> list[Claim]:
        rows, outputs = np.nonzero(self.labels.rankable)
        at = rng.integers(len(rows))
        row, output = rows[at], outputs[at]
        wrong = self.labels.sensitivity.astype(float)
        place = rng.integers(self.labels.lengths[row])
        wrong[row, output, place] = 1 - wrong[row, output, place]
        claims = [Claim([wrong], frozenset({PRIMARY, AUROC}))]
        rows, outputs = np.nonzero(attribution_metrics.varying(self.labels))
        at = rng.integers(len(rows))
        values = self.labels.shapley.copy()
        one = values[rows[at], outputs[at], : self.labels.lengths[rows[at]]]
        ends = [np.argmax(one), np.argmin(one)]
        one[ends] = one[ends[::-1]]
        return [*claims, Claim([values], frozenset({SPEARMAN}))]

    def untied(self, rng: Rng) -> list[tuple[np.ndarray, Claim]]:
        """The same order of positions breaks the ties of all rows: each row goes through all."""
        n = self.labels.sensitivity.shape[2]
        tied = rng.integers(0, 3, self.labels.sensitivity.shape).astype(float)
        each = [tied + np.array(order) / (2 * n) for order in permutations(range(n))]
        return [(tied, Claim(each, frozenset(self.floors) - {SPEARMAN}))]

    def turned(self, answer: np.ndarray) -> list[tuple[Claim, float]]:
        back = abs(answer).max() - abs(answer)
        return [
            (Claim([back], frozenset({AUROC})), 1.0),
            (Claim([-answer], frozenset({SPEARMAN})), 0.0),
        ]
