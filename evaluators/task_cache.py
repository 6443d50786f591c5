"""Caches of what is the same for every method on a task, and goes when the task goes."""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from .track import AnyTask

Others = ParamSpec("Others")
Found = TypeVar("Found")
Of = TypeVar("Of", bound=AnyTask)


def kept_with_task(
    function: Callable[Concatenate[Of, Others], Found],
) -> Callable[Concatenate[Of, Others], Found]:
    """Return a function that works once for a task, as long as that lives, and hashable others."""
    kept: WeakKeyDictionary[AnyTask, dict[Hashable, Found]] = WeakKeyDictionary()

    @wraps(function)
    def call(task: Of, *others: Others.args, **named: Others.kwargs) -> Found:
        of_task = kept.setdefault(task, {})
        key = (others, tuple(sorted(named.items())))
        if key not in of_task:
            of_task[key] = function(task, *others, **named)
        return of_task[key]

    return call
