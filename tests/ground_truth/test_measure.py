"""What was measured of tasks is what is measured now."""

import pytest

from glassbench.benchmark_programs import get_suite, suite_measures
from glassbench.benchmark_programs.task_measures import measured_tasks
from glassbench.evaluators.floors import prior_above_random
from glassbench.evaluators.ranking_metrics import METRICS
from glassbench.ground_truth import edge_positives, load, measure


@pytest.mark.parametrize("task", [str(task) for task in get_suite("quick")])
def test_the_file_of_measures_is_up_to_date(task):
    assert measure(load(task)) == measured_tasks()[task]


def test_the_prior_of_a_suite_is_what_it_earns():
    tasks = [load(str(task)) for task in get_suite("quick")]
    keys = {str(task.id): edge_positives(task.labels.states) for task in tasks}
    earned = prior_above_random(keys, METRICS["average_precision"])
    assert suite_measures("quick").prior == pytest.approx(earned, abs=1e-4)
