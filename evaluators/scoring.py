"""Scoring: a method and a task in, a result out.

`score` asks one method one question; `score_suite` asks several methods about all
tasks of a suite, with the prior floor learned from the other tasks. A method that
fails on a task of a suite gets a result that says so, and the others go on.
"""

import hashlib
import importlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..benchmark_programs import unknown_name
from ..errors import AnswerError, TaskError, ToolError, listing
from ..ground_truth import EdgeState, Task, edge_positives, load, node_positives
from .circuit_problem import Answer, CircuitProblem, checked_answer
from .environment import Environment
from .floors import PriorFloor, prior_floor, random_floor
from .intervals import metric_interval
from .methods import BUILT_IN, Method
from .ranking_metrics import METRICS
from .result import MetricValue, Result

PRIMARY = "edge_average_precision"
CIRCUIT = "circuit"
_EMBEDDINGS = ("embed", "pos_embed")

AnyMethod = str | Method | Callable[[CircuitProblem], Answer]
"""A built-in name, `module:function`, or a function from a problem to an answer."""

Key = Mapping[str, bool]
Floors = Mapping[str, PriorFloor]


def find_method(method: AnyMethod) -> Method:
    """Return a method by built-in name, by `module:function`, or from a function.

    Raises:
        ToolError: the module or function cannot be imported, or is no function.
        TaskError: there is no built-in method of that name.
    """
    if isinstance(method, Method):
        return method
    if callable(method):
        name = getattr(method, "__name__", type(method).__name__)
        return Method(name, method, "", "not stated")
    if not isinstance(method, str):
        raise ToolError(f"A method must be a function or a name, got {type(method).__name__}")
    if ":" not in method:
        if method not in BUILT_IN:
            raise TaskError(
                unknown_name("method", method, BUILT_IN)
                + " A method of your own is named module:function."
            )
        return BUILT_IN[method]
    module, _, function = method.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:
        raise ToolError(
            f"A method must be an importable module:function, and {method!r} cannot be imported: "
            f"{type(error).__name__}: {error}; mend the module, run from the folder that holds "
            "it, or install it"
        ) from error
    if not callable(found):
        raise ToolError(f"{method!r} must be a function of a problem, got {type(found).__name__}")
    return Method(method, found, "", "not stated")


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


def score(
    method: AnyMethod,
    task: str | Task,
    track: str = CIRCUIT,
    *,
    seed: int = 0,
    priors: Floors | None = None,
) -> Result:
    """Score a method on a task.

    Args:
        method: a function from a problem to an answer, a built-in name, or
            `module:function`.
        task: a task or its id.
        track: the question; `circuit` for now.
        seed: draws the pairs of inputs that the problem holds.
        priors: the prior floor of each metric, learned over a suite; without it
            the floor is the random one.

    Raises:
        AnswerError: the answer cannot be scored; every problem is named.
        ToolError: the method raised.
        TaskError: there is no such task, method or track, or no edge of the task is causal.
    """
    if track != CIRCUIT:
        raise TaskError(unknown_name("track", track, [CIRCUIT]))
    method = find_method(method)
    task = load(task) if isinstance(task, str) else task
    _check_that_edges_can_be_ranked([task])
    problem = CircuitProblem.of(task, seed=seed)
    started = time.perf_counter()
    try:
        answer = method.function(problem)
    except (Exception, SystemExit) as error:
        raise ToolError(
            f"The method {method.name!r} must return an answer, and on {task.id} it raised "
            f"{type(error).__name__}: {error}"
        ) from error
    seconds = time.perf_counter() - started
    numbers = checked_answer(problem, answer)
    scores = {edge: abs(number) for edge, number in numbers.items()}
    blob = json.dumps(numbers, sort_keys=True)
    return _result(
        method,
        task,
        seed,
        seconds,
        status="ok",
        metrics=measured(scores, task, seed=seed, priors=priors),
        answer_sha256=hashlib.sha256(blob.encode()).hexdigest(),
    )


def _check_that_edges_can_be_ranked(tasks: Sequence[Task]) -> None:
    """Check that every task has a causal edge, which some controls have not.

    Raises:
        TaskError: some have none.
    """
    empty = [task for task in tasks if EdgeState.CAUSAL not in task.labels.states.values()]
    if empty:
        raise TaskError(
            listing(
                "The circuit track ranks edges by whether they are causal, and these controls have "
                "no causal edge; leave them out, and look at what a method gives on them yourself:",
                [f"{task.id}: {task.id.spec.control}" for task in empty],
            )
        )


def _result(method: Method, task: Task, seed: int, seconds: float, **outcome: Any) -> Result:
    """Return a result with what is the same for every outcome filled in."""
    environment = Environment.here()
    return Result(
        tool=method.name,
        tool_version=environment.packages.get("glassbench") if method.name in BUILT_IN else None,
        task=str(task.id),
        task_digest=task.labels.weights,
        track="circuit",
        seed=seed,
        primary=PRIMARY,
        wall_seconds=seconds,
        environment=environment,
        **outcome,
    )


def measured(
    scores: Mapping[str, float], task: Task, *, seed: int = 0, priors: Floors | None = None
) -> dict[str, MetricValue]:
    """Return every metric of edge scores, with floors, ceiling and interval.

    The score of a node is the largest of the edges that leave it.

    Args:
        scores: the magnitude for each edge.
        task: the task that the edges belong to.
        seed: draws the random floors that have no closed form, and the interval.
        priors: the prior floor of each metric over a suite.
    """
    known = dict(scores)
    for edge, value in scores.items():
        writer = edge.split("->")[0]
        known[writer] = max(known.get(writer, 0.0), value)
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
            random=_random_floor(tuple(key.values()), metric_name, seed),
            prior=None if prior is None else prior[str(task.id)],
            ceiling=float(metric(positive.astype(float), positive)),
            interval=interval,
        )
    return metrics


@lru_cache(maxsize=1024)
def _random_floor(positive: tuple[bool, ...], metric: str, seed: int) -> float:
    """Return a random floor; it is the same for every method, and drawn once."""
    return random_floor(np.array(positive), METRICS[metric], seed=seed)


def suite_priors(tasks: Sequence[Task]) -> dict[str, PriorFloor]:
    """Return the prior floor of every metric, each task learned from the others."""
    keys: dict[tuple[str, str], dict[str, Key]] = {}
    for task in tasks:
        for name, metric_name, key in CircuitKey.of(task.labels.states).metrics():
            keys.setdefault((name, metric_name), {})[str(task.id)] = key
    return {
        name: prior_floor(suite, METRICS[metric_name])
        for (name, metric_name), suite in keys.items()
    }


def score_suite(
    methods: AnyMethod | Sequence[AnyMethod],
    tasks: Sequence[Task | str],
    *,
    seed: int = 0,
    priors: Floors | None = None,
) -> Iterator[Result]:
    """Yield the result of every method on every task, method by method.

    Failures of a method are results with status `failed`.

    Raises:
        ToolError: a method cannot be imported.
        TaskError: there is no such method, or no edge of some task is causal.
    """
    several = (
        methods if isinstance(methods, Sequence) and not isinstance(methods, str) else [methods]
    )
    found = list({method.name: method for method in map(find_method, several)}.values())
    loaded = [load(task) if isinstance(task, str) else task for task in tasks]
    _check_that_edges_can_be_ranked(loaded)
    priors = suite_priors(loaded) if priors is None else priors
    for method in found:
        for task in loaded:
            started = time.perf_counter()
            try:
                yield score(method, task, seed=seed, priors=priors)
            except (AnswerError, ToolError) as error:
                seconds = time.perf_counter() - started
                yield _result(method, task, seed, seconds, status="failed", error=str(error))
