"""The `circuit` track: which edges compute the output?

An answer is a number for every edge, and is measured by how its magnitudes rank the edges
that are causal.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ..ground_truth import EdgeState, Task, edge_positives, node_positives
from .circuit_problem import CircuitProblem, checked_answer
from .floors import PriorFloor, prior_floor, random_floor
from .intervals import metric_interval
from .problem_content import AskedScores, ProblemContent
from .ranking_metrics import METRICS
from .result import MetricValue, TrackName
from .track import AnyTask, Content, Measures, Priors, Track, certified

PRIMARY = "edge_average_precision"
_EMBEDDINGS = ("embed", "pos_embed")

Key = Mapping[str, bool]


@dataclass(frozen=True, eq=False)
class CircuitKey:
    """What answers of the `circuit` track are compared with, for one task.

    Attributes:
        edges: whether each edge is positive; `positional` edges are left out.
        nodes: whether each writer is causal, likewise.
        bare_nodes: the nodes without embeddings, which are causal almost
            everywhere and flatter every method.
    """

    edges: Key
    nodes: Key
    bare_nodes: Key

    @classmethod
    def of(cls, states: Mapping[str, EdgeState]) -> "CircuitKey":
        """Return the key of a task from its edge states."""
        nodes = node_positives(dict(states))
        bare = {name: positive for name, positive in nodes.items() if name not in _EMBEDDINGS}
        return cls(edge_positives(states), nodes, bare)

    def metrics(self) -> Iterator[tuple[str, str, Key]]:
        """Yield (result name, metric name, key) of every metric that this key allows.

        A key with positives only, or negatives only, ranks nothing and is left out.
        """
        for metric in METRICS:
            yield f"edge_{metric}", metric, self.edges
        for name, key in (("", self.nodes), ("_without_embed", self.bare_nodes)):
            if len(set(key.values())) == 2:
                yield f"node_average_precision{name}", "average_precision", key


@dataclass(frozen=True)
class CircuitTrack(Track[CircuitProblem, dict[str, float]]):
    """Which edges compute the output?"""

    name: ClassVar[TrackName] = "circuit"
    primary: ClassVar[str] = PRIMARY
    needs: ClassVar[str] = (
        "The circuit track ranks edges by whether they are causal, and needs programs with a "
        "causal edge; leave these tasks out:"
    )

    def why_not(self, task: AnyTask) -> str:
        """Return why there is no edge of a task to find."""
        if isinstance(task, Task) and EdgeState.CAUSAL not in task.labels.states.values():
            return f"{task.id.spec.control}; look at what a method gives on it yourself"
        return super().why_not(task)

    def digest(self, task: AnyTask) -> str:
        """Return the sha256 of the weights."""
        return certified(task).labels.weights

    def problem(self, task: AnyTask, seed: int) -> CircuitProblem:
        """Return the model, pairs of inputs and the names of its edges."""
        return CircuitProblem.of(certified(task), seed=seed)

    def public(self, problem: CircuitProblem) -> ProblemContent:
        """Return the model and the pairs of inputs; scores of the edges are asked for."""
        return ProblemContent(
            AskedScores(names=problem.edges),
            problem.model,
            {"base": problem.base, "source": problem.source},
        )

    def checked(self, problem: CircuitProblem, answer: Any) -> dict[str, float]:
        """Return a number for every edge, signs kept."""
        return checked_answer(problem, answer)

    def answer_bytes(self, answer: dict[str, float]) -> bytes:
        """Return the answer as JSON."""
        return json.dumps(answer, sort_keys=True).encode()

    def content(self, answer: dict[str, float]) -> Content:
        """Return the numbers."""
        return Content(scores=answer)

    def raw(self, content: Content) -> Mapping[str, float]:
        """Return the numbers."""
        return content.scores

    def evidence(self, task: AnyTask) -> CircuitKey:
        """Return the states of the edges."""
        return CircuitKey.of(certified(task).labels.states)

    def learned(self, evidence: Mapping[str, CircuitKey]) -> Priors:
        """Return what the names of edges tell, each task learned from the others."""
        return _priors(evidence)

    def measures(
        self, answer: dict[str, float], task: AnyTask, seed: int, priors: Priors
    ) -> Measures:
        """Return every metric of the magnitudes."""
        scores = {edge: abs(number) for edge, number in answer.items()}
        return Measures(measured(scores, certified(task), seed=seed, priors=priors))


def measured(
    scores: Mapping[str, float], task: Task, *, seed: int = 0, priors: Priors | None = None
) -> dict[str, MetricValue]:
    """Return every metric of edge scores, with floors, ceiling and interval.

    The score of a node is the largest of the edges that leave it. Its random floor is the mean
    over random rankings of nodes, or over random scores of edges, whichever is higher: these put
    nodes first that many edges leave.

    Args:
        scores: the magnitude for each edge.
        task: the task that the edges belong to.
        seed: draws the random floors that have no closed form, and the interval.
        priors: the prior floor of each metric over a suite.
    """
    known = dict(scores)
    leaving: Counter[str] = Counter()
    for edge, value in scores.items():
        writer = edge.split("->")[0]
        known[writer] = max(known.get(writer, 0.0), value)
        leaving[writer] += 1
    metrics = {}
    for name, metric_name, key in CircuitKey.of(task.labels.states).metrics():
        metric = METRICS[metric_name]
        values = np.array([known[item] for item in key])
        positive = np.array(list(key.values()))
        prior = priors.get(name) if priors else None
        interval = None
        if name == PRIMARY:
            interval = metric_interval(values, positive, metric, seed=seed)
        metrics[name] = MetricValue.of(
            float(metric(values, positive)),
            random=_random_floor(
                tuple(key.values()), tuple(leaving.get(item, 1) for item in key), metric_name, seed
            ),
            prior=None if prior is None else prior[str(task.id)],
            ceiling=float(metric(positive.astype(float), positive)),
            interval=interval,
        )
    return metrics


@lru_cache(maxsize=1024)
def _random_floor(
    positive: tuple[bool, ...], lots: tuple[int, ...], metric: str, seed: int
) -> float:
    """Return a random floor; it is the same for every method, and drawn once."""
    return random_floor(np.array(positive), METRICS[metric], seed=seed, lots=np.array(lots))


def suite_priors(tasks: Sequence[Task]) -> dict[str, PriorFloor]:
    """Return the prior floor of every metric, each task learned from the others."""
    return _priors({str(task.id): CircuitKey.of(task.labels.states) for task in tasks})


def _priors(suite: Mapping[str, CircuitKey]) -> dict[str, PriorFloor]:
    """Return the prior floors from the keys of the tasks."""
    keys: dict[tuple[str, str], dict[str, Key]] = {}
    for task, one in suite.items():
        for name, metric_name, key in one.metrics():
            keys.setdefault((name, metric_name), {})[task] = key
    return {
        name: prior_floor(of_metric, METRICS[metric_name])
        for (name, metric_name), of_metric in keys.items()
    }
