"""Measure relevance: what tokens leave to be ranked, in numbers that suites are chosen by."""

import hashlib
from collections.abc import Mapping

import numpy as np

from ..benchmark_programs.relevance_measures import RelevanceMeasures
from ..compiler import CompiledModel
from ..ground_truth import Relevance, TaskDomain, relevance
from ..ground_truth.digest import weights_digest
from .attribution_floors import prior_floors
from .attribution_metrics import PRIMARY, floors
from .attribution_problem import AttributionProblem
from .floors import normalised

_SEED = 0
_DIGITS = 16
_DECIMALS = 4


def relevance_of(compiled: CompiledModel) -> Relevance:
    """Return the labels of the inputs of seed 0; nothing is certified for it."""
    problem = AttributionProblem.drawn(compiled.model, TaskDomain.of(compiled), seed=_SEED)
    return relevance(compiled.program, problem.model.codec, problem.tokens)


def measure_relevance(models: Mapping[str, CompiledModel]) -> dict[str, RelevanceMeasures]:
    """Return the measures of tasks, the prior of each learned from the others.

    Args:
        models: the model of each task, by canonical id.
    """
    labels = {task: relevance_of(compiled) for task, compiled in models.items()}
    random = {task: floors(one)[PRIMARY] for task, one in labels.items() if one.n_rankable}
    priors = prior_floors({task: labels[task] for task in random})[PRIMARY]
    found = {}
    for task, one in labels.items():
        prior = max(
            (
                normalised(by[task], random[task], 1.0)
                for by in priors.answers.values()
                if task in by
            ),
            default=0.0,
        )
        found[task] = RelevanceMeasures(
            task=task,
            weights=weights_digest(models[task].model.weights)[:_DIGITS],
            answers=int(one.real.sum()),
            ranked=one.n_rankable,
            inputs=int(one.rankable.any(axis=1).sum()),
            random=round(random.get(task, 0.0), _DECIMALS),
            prior=round(prior, _DECIMALS),
            labels=hashlib.sha256(np.packbits(one.sensitivity).tobytes()).hexdigest()[:_DIGITS],
        )
    return found


def prior_of_positions(models: Mapping[str, CompiledModel]) -> float:
    """Return what the prior floor of a suite is: 0 is random, 1 is the oracle; mean over tasks.

    Where it earns less than random orders, it counts as they do: the floor is the higher.

    Args:
        models: the model of each task of the suite, by canonical id.
    """
    labels = {task: relevance_of(compiled) for task, compiled in models.items()}
    priors = prior_floors(labels)[PRIMARY]
    earned = [normalised(priors[task], floors(one)[PRIMARY], 1.0) for task, one in labels.items()]
    return float(np.mean(np.maximum(earned, 0.0)))
