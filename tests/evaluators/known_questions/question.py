"""A question with its labels in hand: the words in which the laws of metrics are stated."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np

from glassbench.evaluators import MetricValue

Answer = Any
Rng = np.random.Generator


@dataclass(frozen=True)
class Claim:
    """Answers, and the metrics that a law speaks of.

    Attributes:
        answers: one, or those over which a mean is taken.
        about: the metrics.
    """

    answers: Sequence[Answer]
    about: frozenset[str]


@dataclass(frozen=True)
class RandomFloor:
    """What is said to be the mean over answers that are drawn.

    Attributes:
        means: by metric.
        draws: over how many it was taken; infinite if in closed form.
        drawn: draws such an answer.
    """

    means: Mapping[str, float]
    draws: float
    drawn: Callable[[Rng], Answer]


class Question(ABC):
    """A question of a track with its labels.

    Attributes:
        track: the name of the track.
    """

    track: str

    @abstractmethod
    def measured(self, answer: Answer) -> Mapping[str, MetricValue]:
        """Return every metric of an answer."""

    @abstractmethod
    def oracles(self) -> list[Claim]:
        """Return what the labels answer, and the metrics of which they have the ceiling."""

    @abstractmethod
    def random_floors(self) -> list[RandomFloor]:
        """Return the floors that are means over draws."""

    @abstractmethod
    def drawn(self, rng: Rng) -> Answer:
        """Return any answer."""

    @abstractmethod
    def empty(self) -> list[Answer]:
        """Return answers that say nothing."""

    @abstractmethod
    def reordered(self, answer: Answer, rng: Rng) -> tuple["Question", Answer]:
        """Return question and answer with whatever has an order in another one."""

    @abstractmethod
    def restated(self, answer: Answer, rng: Rng) -> list[Claim]:
        """Return answers that say the same, and of which metrics they do."""

    @abstractmethod
    def spoilt(self, rng: Rng) -> list[Claim]:
        """Return what the labels answer with one of them wrong, and what must see it."""

    def untied(self, rng: Rng) -> list[tuple[Answer, Claim]]:
        """Return answers with ties, and answers in which the ties stand in each of their orders."""
        del rng
        return []

    def turned(self, answer: Answer) -> list[tuple[Claim, float]]:
        """Return answers that rank the other way round, and what both metrics sum to."""
        del answer
        return []


def orders(values: np.ndarray, rng: Rng) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return numbers with a few ties, and one array for every way to order all of these.

    Args:
        values: numbers without ties, at least two.
        rng: draws which of them are tied.
    """
    ranks = np.argsort(np.argsort(values)).astype(float)
    first = int(rng.integers(0, max(1, len(ranks) - 4)))
    groups = [(first, first + 1)]
    if len(ranks) > first + 4:
        groups.append((first + 2, first + 3, first + 4))
    tied = ranks.copy()
    for group in groups:
        tied[np.isin(ranks, group)] = group[0]
    places = [np.flatnonzero(np.isin(ranks, group)) for group in groups]
    found = []
    for chosen in product(*(permutations(range(len(group))) for group in groups)):
        untied = tied.copy()
        for place, order in zip(places, chosen, strict=True):
            untied[place] += np.array(order) / 10
        found.append(untied)
    return tied, found
