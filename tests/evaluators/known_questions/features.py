"""Questions of the features track."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np

from glassbench.evaluators import FoundFeatures, MetricValue
from glassbench.evaluators.features_floors import (
    DRAWS,
    blind_floors,
    mean_of_blind,
    random_features,
    spread_features,
)
from glassbench.evaluators.features_metrics import (
    RECOVERED,
    FeatureTruth,
    Matching,
    class_cosines,
    oracle,
)
from glassbench.evaluators.features_problem import N_HELD_OUT, N_TRAIN
from glassbench.ground_truth import FeatureKey, FeatureRows, Task, feature_data

from .question import Claim, Question, RandomFloor, Rng


@dataclass(frozen=True, eq=False)
class FeaturesQuestion(Question):
    """Which directions there are: directions and activations."""

    key: FeatureKey
    rows: FeatureRows
    draws: int = 16
    track = "features"

    @classmethod
    def made_up(cls, rng: Rng) -> "FeaturesQuestion":
        """Draw classes of one or two features, one dead and one constant, and rows of them."""
        d_model, n_classes, n_rows = rng.integers(4, 9), rng.integers(1, 6), 30
        sizes = rng.integers(1, 3, size=n_classes)
        class_of = np.concatenate([np.repeat(np.arange(n_classes), sizes), [n_classes, -1]])
        drawn = rng.normal(size=(len(class_of), d_model))
        directions = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        active = rng.random((n_rows, n_classes)) < 0.4
        active[0], active[1] = True, False
        both_ways = rng.choice([-1.0, 1.0], (n_rows, n_classes))
        signs = np.where(rng.random(n_classes) < 0.7, 1.0, both_ways)
        amounts = active * rng.uniform(0.5, 2.0, (n_rows, n_classes)) * signs
        whole = np.column_stack([amounts, np.ones(n_rows), np.zeros(n_rows)])
        activations = whole[:, class_of] * rng.choice([-1.5, 0.5, 2.0], len(class_of))
        names = tuple(("v", place) for place in range(len(class_of)))
        key = FeatureKey(directions, class_of, class_of == n_classes, names)
        return cls(key, FeatureRows(activations @ directions, activations))

    @classmethod
    def of(cls, task: Task) -> "FeaturesQuestion":
        data = feature_data(task, "model")
        hook = data.hooks[-1]
        return cls(data.key(hook), data.rows(hook, N_TRAIN, N_HELD_OUT, 0)[1], DRAWS)

    @cached_property
    def truth(self) -> FeatureTruth:
        return FeatureTruth.of(self.key, self.rows)

    @property
    def n_directions(self) -> int:
        return 2 * self.truth.n_classes

    @cached_property
    def floors(self) -> Mapping[str, float]:
        return blind_floors(self.truth, self.n_directions, seed=0, draws=self.draws)

    @cached_property
    def ceilings(self) -> Mapping[str, float]:
        return Matching.of(self.truth, oracle(self.key, self.rows)).metrics()

    def measured(self, answer: FoundFeatures) -> Mapping[str, MetricValue]:
        return {
            name: MetricValue.of(value, random=self.floors[name], ceiling=self.ceilings[name])
            for name, value in Matching.of(self.truth, answer).metrics().items()
        }

    def oracles(self) -> list[Claim]:
        return [Claim([oracle(self.key, self.rows)], frozenset(self.ceilings))]

    def random_floors(self) -> list[RandomFloor]:
        return [
            RandomFloor(
                mean_of_blind(kind, self.truth, self.n_directions, seed=0, draws=self.draws),
                self.draws,
                lambda rng, kind=kind: kind(self.truth.streams, self.n_directions, rng),
            )
            for kind in (random_features, spread_features)
        ]

    def drawn(self, rng: Rng) -> FoundFeatures:
        count = rng.integers(1, self.n_directions + 1)
        directions = rng.normal(size=(count, self.truth.streams.shape[1]))
        activations = rng.normal(size=(len(self.truth.streams), count)).round(1)
        return FoundFeatures(directions, activations)

    def empty(self) -> list[FoundFeatures]:
        n_rows, d_model = self.truth.streams.shape
        return [FoundFeatures(np.zeros((0, d_model)), np.zeros((n_rows, 0)))]

    def reordered(
        self, answer: FoundFeatures, rng: Rng
    ) -> tuple["FeaturesQuestion", FoundFeatures]:
        key, order = self.key, rng.permutation(len(self.key.class_of))
        renamed = np.append(rng.permutation(key.class_of.max() + 1), -1)  # -1 stays what it is
        other = FeatureKey(
            key.directions[order],
            renamed[key.class_of[order]],
            key.constant[order],
            tuple(key.names[place] for place in order),
        )
        rows = FeatureRows(self.rows.streams, self.rows.activations[:, order])
        units = rng.permutation(len(answer.directions))
        turned = FoundFeatures(answer.directions[units], answer.activations[:, units])
        return FeaturesQuestion(other, rows, self.draws), turned

    def restated(self, answer: FoundFeatures, rng: Rng) -> list[Claim]:
        sign = rng.choice([-1.0, 1.0], len(answer.directions))
        by, other = rng.uniform(0.1, 10, (2, len(sign)))
        moved = FoundFeatures(
            answer.directions * (sign * by)[:, None], answer.activations * sign * other
        )
        cubed = FoundFeatures(answer.directions, answer.activations**3)
        return [
            Claim([moved], frozenset(self.ceilings)),
            Claim([cubed], frozenset({"activation_auroc"} & self.ceilings.keys())),
        ]

    def spoilt(self, rng: Rng) -> list[Claim]:
        """The unit of one class is left out; another may be near enough to recover it too."""
        key, found = self.key, oracle(self.key, self.rows)
        every = np.unique(key.class_of[key.class_of >= 0])
        asked = np.unique(key.class_of[(key.class_of >= 0) & ~key.constant])
        left_out = rng.choice(asked)
        units = np.flatnonzero(every != left_out)
        less = FoundFeatures(found.directions[units], found.activations[:, units])
        near = class_cosines(self.truth, less.directions)[asked == left_out].max(initial=0)
        about = {"matched_cosine"} | ({"recovered_at_0.9"} if near < RECOVERED else set())
        return [Claim([less], frozenset(about))]

    def untied(self, rng: Rng) -> list[tuple[FoundFeatures, Claim]]:
        """Copies of a direction: any may be nearest, as if they differed by a hair."""
        answer = self.drawn(rng)
        copies = [0, 0, 0, *range(1, len(answer.directions))]
        activations = answer.activations[:, copies]
        activations[:, :3] = rng.normal(size=(len(activations), 3)).round(1)
        tied = FoundFeatures(answer.directions[copies], activations)
        hair = np.zeros_like(tied.directions)
        hair[:3] = 1e-3 * rng.normal(size=(3, hair.shape[1]))
        each = []
        for order in permutations(range(3)):
            taken = [*order, *range(3, len(copies))]
            each.append(FoundFeatures(tied.directions + hair, activations[:, taken]))
        return [(tied, Claim(each, frozenset(self.ceilings) - {"recovered_at_0.9"}))]

    def turned(self, answer: FoundFeatures) -> list[tuple[Claim, float]]:
        """Classes that move both ways are read by magnitude, and have no other way round."""
        if self.truth.both_ways.any() or "activation_auroc" not in self.ceilings:
            return []
        back = FoundFeatures(answer.directions, -answer.activations)
        return [(Claim([back], frozenset({"activation_auroc"})), 1.0)]
