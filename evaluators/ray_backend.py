"""joblib's backend for Ray, with a pool as large as the cluster is at that moment.

Ray's own is given the size, and ends with a plain error where a node is gone since that was read;
it waits without a limit for the processes of a pool that loses a node while it starts. And where a
cluster has a single CPU, joblib would make all calls in the process that asks.
"""

import time
from typing import Any

import ray
from joblib import Parallel
from ray.exceptions import RayError
from ray.util.joblib.ray_backend import RayBackend
from ray.util.multiprocessing import Pool

SECONDS_FOR_A_NODE = 30.0
"""How long a cluster without a CPU is given to get one."""
_SECONDS_BETWEEN_LOOKS = 1.0


class NodeLostError(RayError):
    """A cluster has fewer CPUs than it had when the pool began to start."""


def n_cpus() -> int:
    """Return how many CPUs a cluster has now: those of its nodes that are known to live."""
    return int(ray.cluster_resources().get("CPU", 0))


def n_cpus_awaited(seconds: float) -> int:
    """Return how many CPUs a cluster has, as soon as it has any; 0 if it gets none in time."""
    until = time.monotonic() + seconds
    while not (count := n_cpus()) and time.monotonic() < until:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return count


class SizedRay(RayBackend):
    """Begins a pool of as many processes as the cluster has CPUs."""

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return how many calls are made at once; never one, which would be made here."""
        return max(2, _at_most(n_jobs, n_cpus()))

    def configure(self, n_jobs: int = -1, parallel: Parallel | None = None, **_: Any) -> int:
        """Begin a pool, and return how many calls are made at once.

        Args:
            n_jobs: how many processes, at most; -1 for one on each CPU.
            parallel: what makes the calls.

        Raises:
            NodeLostError: the cluster has no CPU, or a node was lost meanwhile.
        """
        count = _at_most(n_jobs, n_cpus_awaited(SECONDS_FOR_A_NODE))
        if not count:
            raise NodeLostError("the cluster has no node with a CPU any more")
        try:
            self._pool = _LivePool(count)
        except (ValueError, KeyError) as error:  # Ray looks once more before it begins
            raise NodeLostError(f"a node was lost: {error}") from error
        self.parallel = parallel
        return max(2, count)


def _at_most(n_jobs: int, count: int) -> int:
    return count if n_jobs < 0 else min(n_jobs, count)


class _LivePool(Pool):
    """Waits for its processes only while the cluster has the CPUs for them."""

    def _start_actor_pool(self, processes: int) -> None:
        self._pool_actor = None
        self._actor_pool = [self._new_actor_entry() for _ in range(processes)]
        waiting = [actor.ping.remote() for actor, _ in self._actor_pool]
        try:
            while waiting:
                answered, waiting = ray.wait(
                    waiting, num_returns=len(waiting), timeout=_SECONDS_BETWEEN_LOOKS
                )
                ray.get(answered)
                if waiting and n_cpus() < processes:
                    raise NodeLostError(
                        f"a node was lost: of {processes} CPUs the cluster has {n_cpus()} left"
                    )
        except BaseException:
            for actor, _ in self._actor_pool:
                ray.kill(actor)
            raise
