"""Suites: fixed sets of tasks that results are reported on."""

from collections.abc import Mapping

from ..errors import TaskError
from .suggestion import unknown_name
from .task_id import TaskId

_QUICK = ("histogram", "sort", "reverse", "frac_prevs", "shuffle_dyck1", "most_frequent")

SUITES: Mapping[str, tuple[str, ...]] = {
    "quick": tuple(
        f"{name}-v1/crowded[distractors=4,seed={seed}]/scrambled[seed={seed}]"
        for seed, name in enumerate(_QUICK)
    ),
}
"""The canonical task ids of every suite."""


def get_suite(name: str) -> tuple[TaskId, ...]:
    """Return the tasks of a suite.

    Raises:
        TaskError: there is no such suite.

    Example:
        >>> print(get_suite("quick")[0])
        histogram-v1/crowded[distractors=4,seed=0]/scrambled[seed=0]
    """
    if name not in SUITES:
        raise TaskError(unknown_name("suite", name, SUITES))
    return tuple(TaskId.parse(text) for text in SUITES[name])
