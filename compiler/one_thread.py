"""One thread for linear algebra: where products are many and small, more threads are slower."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep linear algebra on one thread, in a `with` or, as a decorator, in all of a function."""
    with threadpool_limits(limits=1):
        yield
