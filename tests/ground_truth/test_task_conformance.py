"""Every program can be certified in its smallest size, and what breaks a rule is told."""

import pytest

from glassbench.benchmark_programs import TaskId, library
from glassbench.ground_truth import check_task

TINY = {f"{spec.name}[tiny]": spec.family for spec in library()}
FAMILIES = list(dict.fromkeys(TINY.values()))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_program_can_be_certified(family):
    check([task for task, its_family in TINY.items() if its_family == family])


@pytest.mark.parametrize("every", [48, pytest.param(8, marks=pytest.mark.slow)])
def test_crowded_programs_can_be_certified(every):
    check([f"{task}/crowded/scrambled" for task in list(TINY)[::every]])


def check(tasks):
    found = {task: list(check_task(TaskId.parse(task))) for task in tasks}
    assert tasks and all(found.values())
    problems = {
        task: [one.problem for one in every if one.required and not one.holds]
        for task, every in found.items()
    }
    assert not {task: told for task, told in problems.items() if told}


def test_a_task_is_checked():
    first, second = check_task(TaskId.parse("histogram[tiny]"))
    assert (first.holds, first.required, first.note) == (True, True, "on all 30 inputs")
    assert (second.holds, second.required) == (True, False)


def test_what_makes_a_task_unfit_to_rank_on_is_told():
    _, ranked = check_task(TaskId.parse("shuffle_dyck1[tiny]/crowded[distractors=1,seed=0]"))
    assert not ranked.holds
    assert "are inert, fewer than" in ranked.problem


def test_a_task_that_cannot_be_built_is_told():
    (finding,) = check_task(TaskId.parse("histogram[vocab=1,length=1]"))
    assert finding.required
    assert "poses no question" in finding.problem
