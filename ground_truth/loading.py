"""Loading: a task of any kind by its name, or all of a suite."""

from typing import Any, overload

from ..benchmark_programs import TaskId, ToyId, is_toy, suite_members
from .task import Task
from .task_building import load_certified
from .toy_superposition_task import ToyTask, load_toy


@overload
def load(task: TaskId) -> Task: ...
@overload
def load(task: ToyId) -> ToyTask: ...
@overload
def load(task: str) -> Task | Any: ...
def load(task: TaskId | ToyId | str) -> Task | ToyTask:
    """Return a task, compiled and certified, or a toy model; a second call returns the same object.

    Args:
        task: an id such as `histogram`, `sort-v1/crowded[distractors=3,seed=1]`, or
            `toy_superposition[n=5,d=2]`, which is a `ToyTask` and no `Task`.

    Raises:
        TaskError: there is no such task, or it has no causal edge.
        CertificationError: its labels cannot be certified.
    """
    if isinstance(task, str) and is_toy(task):
        task = ToyId.parse(task)
    return load_toy(task) if isinstance(task, ToyId) else load_certified(task)


def load_suite(suite: str) -> tuple[Task | ToyTask, ...]:
    """Return every task of a suite, compiled and certified, or every toy model.

    Raises:
        TaskError: there is no such suite.
    """
    return tuple(load(one) for one in suite_members(suite))
