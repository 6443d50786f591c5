"""What was measured of tasks is what is measured now."""

from dataclasses import replace

import pytest

from glassbench.benchmark_programs import get_suite, suite_measures
from glassbench.benchmark_programs.feature_measures import measured_features
from glassbench.benchmark_programs.task_measures import measured_tasks
from glassbench.evaluators.floors import prior_above_random
from glassbench.evaluators.measure_features import measure_features
from glassbench.evaluators.ranking_metrics import METRICS
from glassbench.ground_truth import edge_positives, load, measure

SUPERPOSED = ["length-v1/superposed[d=7,seed=0]", "frac_prevs-v1/superposed[d=7,seed=0]"]


@pytest.mark.parametrize("task", [*map(str, get_suite("quick")), *SUPERPOSED])
def test_the_file_of_measures_is_up_to_date(task):
    assert measure(load(task)) == measured_tasks()[task]


@pytest.mark.parametrize("task", SUPERPOSED)
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
