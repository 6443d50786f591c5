"""What was measured of tasks is what is measured now."""

from dataclasses import replace

import numpy as np
import pytest

from glassbench.benchmark_programs import get_suite, suite_measures
from glassbench.benchmark_programs.feature_measures import measured_features
from glassbench.benchmark_programs.relevance_measures import measured_relevance
from glassbench.benchmark_programs.suite_measures import measured_priors
from glassbench.benchmark_programs.suites import relevance_candidates
from glassbench.benchmark_programs.task_measures import measured_tasks
from glassbench.evaluators import score_suite
from glassbench.evaluators.attribution_metrics import PRIMARY
from glassbench.evaluators.attribution_track import AttributionTrack, posed
from glassbench.evaluators.floors import prior_above_random
from glassbench.evaluators.measure_features import measure_features
from glassbench.evaluators.measure_relevance import (
    measure_relevance,
    prior_of_positions,
    relevance_of,
)
from glassbench.evaluators.ranking_metrics import METRICS
from glassbench.ground_truth import build_model, edge_positives, load, measure

SUPERPOSED = ["length-v1/superposed[d=7,seed=0]", "frac_prevs-v1/superposed[d=7,seed=0]"]


@pytest.mark.parametrize("task", [*map(str, get_suite("quick")), *SUPERPOSED])
def test_the_file_of_measures_is_up_to_date(task):
    assert measure(load(task)) == measured_tasks()[task]


@pytest.mark.parametrize(
    "task", [pytest.param(SUPERPOSED[0], marks=pytest.mark.slow), SUPERPOSED[1]]
)
def test_the_file_of_feature_measures_is_up_to_date(task):
    found, known = measure_features(load(task)), measured_features()[task]
    assert replace(found, random=known.random, spread=known.spread) == known
    assert (found.random, found.spread) == pytest.approx((known.random, known.spread), abs=2e-4)
    assert bool(found.shortcomings) == bool(known.shortcomings)


def test_the_prior_of_a_suite_is_what_it_earns():
    tasks = [load(str(task)) for task in get_suite("quick")]
    keys = {str(task.id): edge_positives(task.labels.states) for task in tasks}
    earned = prior_above_random(keys, METRICS["average_precision"])
    assert suite_measures("quick").prior == pytest.approx(earned, abs=1e-4)


def test_the_file_of_relevance_measures_is_up_to_date():
    """All of it, since each prior is learned from all other tasks."""
    models = {task: build_model(task) for task in relevance_candidates()}
    assert measure_relevance(models) == measured_relevance()
    asked = {str(task): models[str(task)] for task in get_suite("relevance")}
    known = measured_priors()["relevance", "attribution"]
    assert prior_of_positions(asked) == pytest.approx(known, abs=1e-4)


def test_what_is_measured_without_a_certificate_is_what_is_asked():
    task = load("sort[vocab=2,length=3]/scrambled")
    for found, known in zip(
        vars(relevance_of(task.compiled)).values(),
        vars(posed(task, 0).relevance).values(),
        strict=True,
    ):
        np.testing.assert_array_equal(found, known)


def test_the_prior_of_positions_is_the_floor_of_the_track():
    tasks = [load(f"{name}[vocab=2,length=3]") for name in ("sort", "frac_prevs", "reverse")]
    results = score_suite(lambda p: np.zeros(p.answer_shape), tasks, AttributionTrack())
    floors = [result.metrics[PRIMARY] for result in results]
    earned = np.mean([(one.floor - one.floors.random) / (1 - one.floors.random) for one in floors])
    models = {str(task.id): task.compiled for task in tasks}
    assert prior_of_positions(models) == pytest.approx(earned)
    assert earned > 0
