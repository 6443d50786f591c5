"""joblib's backend for Dask, which also tells of what the scheduler gives up.

A task of which more workers die than the scheduler allows for is never run to an end, and joblib's
own backend then calls nobody: whoever asked would wait for ever. And where a cluster has a single
worker, joblib would make all calls in the process that asks.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from joblib._dask import DaskDistributedBackend


class TellingDask(DaskDistributedBackend):
    """Calls back with the future itself where a task has no result."""

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return how many calls are made at once; never one, which would be made here."""
        return max(2, super().effective_n_jobs(n_jobs))

    def submit(self, func: Callable, callback: Callable | None = None) -> "Future[Any]":
        """Send a batch of calls; `callback` is told what comes of it."""
        future = super().submit(func, callback)

        def tell(done: "Future[Any]") -> None:
            if callback is not None and not done.cancelled() and done.exception() is not None:
                callback(done)

        future.add_done_callback(tell)
        return future

    def retrieve_result_callback(self, out: Any) -> Any:
        """Return what a batch returned, or raise why it did not."""
        return super().retrieve_result_callback(out.result() if isinstance(out, Future) else out)
