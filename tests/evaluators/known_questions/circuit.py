"""Questions of the circuit track."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from glassbench.evaluators import MetricValue
from glassbench.evaluators.circuit_track import CircuitKey, measured
from glassbench.ground_truth import EdgeState, Task, load

from .question import Claim, Question, RandomFloor, Rng, orders


@dataclass(frozen=True, eq=False)
class CircuitQuestion(Question):
    """Which edges are causal: a number for each edge."""

    task: Task
    track = "circuit"

    @classmethod
    def made_up(cls, rng: Rng) -> "CircuitQuestion":
        """Draw the state of every edge of a small model; some is causal, and some is not."""
        task = load("sort[vocab=2,length=3]")
        labels = task.labels
        states = list(EdgeState)
        drawn = rng.integers(len(states), size=len(labels.edges))
        causal, inert = map(states.index, (EdgeState.CAUSAL, EdgeState.INERT))
        drawn[rng.permutation(len(drawn))[:2]] = causal, inert
        edges = tuple(
            label.model_copy(update={"state": states[place]})
            for label, place in zip(labels.edges, drawn, strict=True)
        )
        return cls(replace(task, labels=labels.model_copy(update={"edges": edges})))

    @cached_property
    def states(self) -> Mapping[str, EdgeState]:
        return self.task.labels.states

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, *_ in CircuitKey.of(self.states).metrics())

    def _about(self, kind: str) -> frozenset[str]:
        return frozenset(name for name in self.names if name.startswith(kind))

    def measured(self, answer: Mapping[str, float]) -> Mapping[str, MetricValue]:
        magnitudes = {edge: abs(value) for edge, value in answer.items()}
        return measured(magnitudes, self.task)

    def _labels(self) -> dict[str, float]:
        return {edge: float(state is EdgeState.CAUSAL) for edge, state in self.states.items()}

    def oracles(self) -> list[Claim]:
        return [Claim([self._labels()], self.names)]

    def random_floors(self) -> list[RandomFloor]:
        floors = {name: one.floors.random for name, one in self.measured(self._labels()).items()}
        means = {name: floors[name] for name in self._about("edge")}
        exact = {name: mean for name, mean in means.items() if name != "edge_best_f1"}
        best = {"edge_best_f1": means["edge_best_f1"]}
        return [RandomFloor(exact, np.inf, self.drawn), RandomFloor(best, 1000, self.drawn)]

    def drawn(self, rng: Rng) -> dict[str, float]:
        return dict(zip(self.states, rng.normal(size=len(self.states)), strict=True))

    def empty(self) -> list[dict[str, float]]:
        return [dict.fromkeys(self.states, value) for value in (0.0, 3.0)]

    def reordered(
        self, answer: Mapping[str, float], rng: Rng
    ) -> tuple["CircuitQuestion", dict[str, float]]:
        labels = self.task.labels
        edges = tuple(labels.edges[place] for place in rng.permutation(len(labels.edges)))
        task = replace(self.task, labels=labels.model_copy(update={"edges": edges}))
        names = [list(answer)[place] for place in rng.permutation(len(answer))]
        return CircuitQuestion(task), {name: answer[name] for name in names}

    def restated(self, answer: Mapping[str, float], rng: Rng) -> list[Claim]:
        signs = dict(zip(answer, rng.choice([-1.0, 1.0], len(answer)), strict=True))
        maps = (lambda s: s**3, lambda s: 1e-9 * s, lambda s: 2 ** abs(s) + 5)
        return [
            Claim([{edge: signs[edge] * change(s) for edge, s in answer.items()}], self.names)
            for change in maps
        ]

    def spoilt(self, rng: Rng) -> list[Claim]:
        counted = [edge for edge, state in self.states.items() if state is not EdgeState.POSITIONAL]
        edge = counted[rng.integers(len(counted))]
        labels = self._labels()
        return [Claim([{**labels, edge: 1.0 - labels[edge]}], self._about("edge"))]

    def untied(self, rng: Rng) -> list[tuple[dict[str, float], Claim]]:
        tied, each = orders(rng.normal(size=len(self.states)), rng)
        named = [dict(zip(self.states, one, strict=True)) for one in (tied, *each)]
        of_edges = Claim(named[1:], self._about("edge") - {"edge_best_f1"})
        writers = list(dict.fromkeys(edge.split("->")[0] for edge in self.states))
        tied, each = orders(rng.normal(size=len(writers)), rng)
        by_node = [dict(zip(writers, one, strict=True)) for one in (tied, *each)]
        spread = [{edge: one[edge.split("->")[0]] for edge in self.states} for one in by_node]
        return [(named[0], of_edges), (spread[0], Claim(spread[1:], self._about("node")))]

    def turned(self, answer: Mapping[str, float]) -> list[tuple[Claim, float]]:
        most = max(map(abs, answer.values()))
        back = {edge: most - abs(value) for edge, value in answer.items()}
        return [(Claim([back], frozenset({"edge_auroc"})), 1.0)]
