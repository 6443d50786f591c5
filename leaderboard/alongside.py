"""Alongside: calls that run in other processes while this one goes on."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

MANY_RESULTS = 10_000
"""With fewer, other processes take longer to start than they save."""

T = TypeVar("T")


def processes_for(results: int) -> int:
    """Return how many other processes are worth it for so many results."""
    from joblib import cpu_count

    return int(cpu_count()) if results >= MANY_RESULTS else 1


def alongside(calls: Iterable[Callable[[], T]], *, processes: int) -> Iterator[T]:
    """Start calls in other processes, and return what they give, in order, when it is asked for.

    Args:
        calls: that can be pickled, and what they give too.
        processes: how many to use; with one, calls run here, each when it is asked for.
    """
    from joblib import Parallel, delayed

    pool = Parallel(
        processes, return_as="generator", pre_dispatch="all", batch_size=1, max_nbytes=None
    )
    found: Iterator[T] = pool(delayed(call)() for call in calls)
    return found
