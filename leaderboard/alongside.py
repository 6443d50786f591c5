"""Alongside: calls that run in other processes while this one goes on."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

MANY_RESULTS = 10_000
"""With fewer, other processes take longer to start than they save."""

_MOST_PROCESSES = 4

T = TypeVar("T")


def processes_for(results: int) -> int:
    """Return how many other processes are worth it for so many results."""
    from joblib import cpu_count

    return min(int(cpu_count()), _MOST_PROCESSES) if results >= MANY_RESULTS else 1


def alongside(calls: Iterable[Callable[[], T]], *, processes: int) -> Iterator[T]:
    """Start calls in other processes, and return what they give, in order, when it is asked for.

    Args:
        calls: that can be pickled, and what they give too.
        processes: how many to use; with one, calls run here, each when it is asked for.
    """
    from joblib import Parallel, delayed

    if processes == 1:
        return (call() for call in calls)
    # A list: joblib holds a lock while it goes through what it is given, on which all its calls
    # wait, and what fails there is lost.
    asked = [delayed(call)() for call in calls]
    pool = Parallel(
        processes, return_as="generator", pre_dispatch="all", batch_size=1, max_nbytes=None
    )
    found: Iterator[T] = pool(asked)
    return found
