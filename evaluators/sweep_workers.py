"""Workers: who does the work of a sweep. Processes of this machine, or a Ray or a Dask cluster.

All of it goes through joblib, whose backends say where a call is made.
"""

import os
import socket
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Literal, TypeVar, get_args

from ..benchmark_programs import unknown_name
from ..errors import MissingExtraError, TaskError, ToolError

BackendName = Literal["local", "ray", "dask"]
ADDRESSES = {"ray": "RAY_ADDRESS", "dask": "DASK_SCHEDULER_ADDRESS"}
"""Where the address of a cluster stands in the environment."""
_PACKAGES = {"ray": "ray", "dask": "distributed"}
_SECONDS_TO_CONNECT = 30
_SECONDS_IDLE = 20
"""After which processes of this machine end; who led them may have been killed."""

Given = TypeVar("Given")
Found = TypeVar("Found")


class WorkerLostError(Exception):
    """A process died while it worked; what it worked at is not known."""


@dataclass(frozen=True)
class Workers:
    """Those who do the work.

    Attributes:
        counted: tells how many calls are made at once; of a cluster, how many it can make now.
        are_here: whether they are processes of this machine, or this one itself.
        options: for `joblib.Parallel`.
        losses: the errors that tell that one was lost.
    """

    counted: Callable[[], int]
    are_here: bool
    options: dict[str, Any]
    losses: tuple[type[BaseException], ...]

    @property
    def count(self) -> int:
        """How many calls are made at once, at least one."""
        return max(1, self.counted())

    def each(self, function: Callable[[Given], Found], given: Iterable[Given]) -> Iterator[Found]:
        """Yield what a function returns for each argument, as it comes.

        Raises:
            WorkerLostError: a process died.
        """
        from joblib import Parallel, delayed

        parallel = Parallel(batch_size=1, pre_dispatch="2*n_jobs", **self.options)
        with warnings.catch_warnings():
            # A process that has grown much is replaced when its call is done, and calls that are
            # given up when a sweep is stopped are lost: neither is news.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
            warnings.filterwarnings("ignore", r"\d+ tasks (have been|which were)")
            try:
                yield from parallel(delayed(function)(one) for one in given)
            except self.losses as error:
                raise WorkerLostError(str(error)) from error


@contextmanager
def workers(backend: str, address: str | None = None, jobs: int = 1) -> Iterator[Workers]:
    """Yield the workers of a backend; leave a cluster as it was found.

    Args:
        backend: `local`, `ray` or `dask`.
        address: of a cluster that runs; else where `ADDRESSES` says.
        jobs: how many processes, or -1 for one on each core. A cluster has as many as it has.

    Raises:
        TaskError: there is no such backend, or an address or a number does not go with it.
        MissingExtraError: the backend is not installed.
        ToolError: there is no cluster at the address.
    """
    if backend not in get_args(BackendName):
        raise TaskError(unknown_name("backend", backend, get_args(BackendName)))
    if jobs == 0 or jobs < -1:
        raise TaskError(f"jobs must be a number of processes, or -1 for all cores, got {jobs}")
    if backend == "local":
        if address is not None:
            raise TaskError(f"An address is that of a cluster, and {address} goes with none")
        yield _local(jobs)
        return
    try:
        import_module(_PACKAGES[backend])
    except ImportError as error:
        raise MissingExtraError(
            f"The backend {backend!r} needs the package {_PACKAGES[backend]}, which is not "
            f"installed: pip install 'glassbench[{backend}]', here and on every worker"
        ) from error
    place = address or os.environ.get(ADDRESSES[backend])
    with _ray(place) if backend == "ray" else _dask(place) as found:
        yield found


def _local(jobs: int) -> Workers:
    from joblib import effective_n_jobs

    options: dict[str, Any] = {"n_jobs": jobs, "backend": "loky"}
    options |= {"return_as": "generator_unordered", "idle_worker_timeout": _SECONDS_IDLE}
    return Workers(partial(effective_n_jobs, jobs), True, options, (BrokenExecutor,))


@contextmanager
def _ray(address: str | None) -> Iterator[Workers]:
    """Yield the workers of a Ray cluster."""
    import ray
    from joblib import register_parallel_backend

    from .ray_backend import SizedRay, n_cpus, n_cpus_awaited

    was_there = ray.is_initialized()
    if not was_there:
        try:
            _check_listens(address)  # Ray itself would try for minutes
            ray.init(address=address or "auto", log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, OSError, ValueError, RuntimeError) as error:
            raise _no_cluster("ray", address, error) from error
    try:
        if not n_cpus_awaited(_SECONDS_TO_CONNECT):
            raise _no_workers(address)
        register_parallel_backend("glassbench-ray", SizedRay)
        options = {"n_jobs": -1, "backend": "glassbench-ray"}
        yield Workers(n_cpus, False, options, (ray.exceptions.RayError,))
    finally:
        if not was_there:
            ray.shutdown()


def _check_listens(address: str | None) -> None:
    """Raise an `OSError` if nothing listens at an address that ends with a host and a port."""
    host, _, port = (address or "").rpartition("//")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_SECONDS_TO_CONNECT).close()


@contextmanager
def _dask(address: str | None) -> Iterator[Workers]:
    """Yield the workers of a Dask cluster."""
    from distributed import Client, KilledWorker
    from joblib import parallel_config, register_parallel_backend

    from .dask_backend import TellingDask

    if address is None:
        raise _no_cluster("dask", address, None)
    try:
        _check_listens(address)
        client = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise _no_cluster("dask", address, error) from error
    register_parallel_backend("glassbench-dask", TellingDask)
    with client, parallel_config("glassbench-dask", client=client):
        try:
            client.wait_for_workers(1, timeout=_SECONDS_TO_CONNECT)
        except TimeoutError as error:
            raise _no_workers(address) from error
        options = {"return_as": "generator_unordered"}
        yield Workers(lambda: sum(client.ncores().values()), False, options, (KilledWorker,))


def _no_workers(address: str | None) -> ToolError:
    where = "" if address is None else f" at {address}"
    return ToolError(
        f"The cluster{where} must have a worker, and has none after {_SECONDS_TO_CONNECT} s; "
        "start some"
    )


def _no_cluster(backend: str, address: str | None, error: BaseException | None) -> ToolError:
    where = "no address was given" if address is None else f"none answers at {address}"
    why = f": {error}" if error is not None else ""
    return ToolError(
        f"The backend {backend!r} needs a cluster that runs, and {where}{why}; start one, and name "
        f"it with --address (address=) or in {ADDRESSES[backend]}"
    )
