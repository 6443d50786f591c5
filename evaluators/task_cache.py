"""Caches of what is the same for every method on a task, and goes when the task goes."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

from .track import AnyTask

Of = TypeVar("Of", bound=AnyTask)
Others = TypeVarTuple("Others")
Found = TypeVar("Found")


def kept_with_task(function: Callable[[Of, *Others], Found]) -> Callable[[Of, *Others], Found]:
    """Return a function that works once for a task, as long as that lives, and hashable others."""
    kept: WeakKeyDictionary[AnyTask, dict[tuple[*Others], Found]] = WeakKeyDictionary()

    @wraps(function)
    def call(task: Of, *others: *Others) -> Found:
        of_task = kept.setdefault(task, {})
        if others not in of_task:
            of_task[others] = function(task, *others)
        return of_task[others]

    return call
