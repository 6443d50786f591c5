"""Pools on a Ray cluster that loses nodes: a cluster that is played, with as many CPUs as told."""

import pytest
import ray

from glassbench.errors import GlassbenchError, ToolError
from glassbench.evaluators import ray_backend, sweep
from glassbench.evaluators.ray_backend import NodeLostError, SizedRay
from glassbench.evaluators.sweep_workers import WorkerLostError, Workers, workers

TASKS = ("histogram[vocab=2,length=3]", "sort[vocab=2,length=3]")


class Cluster:
    """A cluster of processes that answer as soon as a CPU is free, and its CPUs at each look."""

    def __init__(self, *cpus):
        self._cpus, self.killed = list(cpus), 0

    def resources(self):
        count = self._cpus[0] if len(self._cpus) == 1 else self._cpus.pop(0)
        return {"CPU": float(count)} if count else {}

    def wait(self, pings, num_returns, timeout):
        return pings[:1], pings[1:2] * (len(pings) - 1)

    def kill(self, actor):
        self.killed += 1


class Actor:
    """A process; pinged by `actor.ping.remote()`."""

    @property
    def ping(self):
        return self

    def remote(self):
        return "a ping"


@pytest.fixture
def cluster(monkeypatch):
    """Return a cluster that has a number of CPUs at the first look, the next one, and so on."""

    def make(*cpus):
        made = Cluster(*cpus)
        monkeypatch.setattr(ray, "is_initialized", lambda: True)
        monkeypatch.setattr(ray, "cluster_resources", made.resources)
        monkeypatch.setattr(ray._private.state, "cluster_resources", made.resources)
        monkeypatch.setattr(ray, "wait", made.wait)
        monkeypatch.setattr(ray, "get", lambda answered: answered)
        monkeypatch.setattr(ray, "kill", made.kill)
        monkeypatch.setattr(ray_backend.Pool, "_new_actor_entry", lambda self: (Actor(), 0))
        monkeypatch.setattr(ray_backend, "SECONDS_FOR_A_NODE", 0.0)
        monkeypatch.setattr(ray_backend, "_SECONDS_BETWEEN_LOOKS", 0.01)
        return made

    return make


def pool_size(backend):
    return len(backend._pool._actor_pool)


def test_a_pool_is_as_large_as_the_cluster_is_now(cluster):
    cluster(4, 4, 4, 4)
    first = SizedRay()
    assert (first.configure(-1), pool_size(first)) == (4, 4)
    cluster(3)
    second = SizedRay()
    assert (second.configure(-1), pool_size(second)) == (3, 3)
    assert (second.configure(2), second.effective_n_jobs(-1), second.effective_n_jobs(2)) == (
        2,
        3,
        2,
    )


def test_calls_are_never_made_here(cluster):
    """joblib takes 1 as leave to make all calls in the process that asks."""
    cluster(1)
    backend = SizedRay()
    assert (backend.configure(-1), pool_size(backend), backend.effective_n_jobs(-1)) == (2, 1, 2)


@pytest.mark.parametrize(
    ("cpus", "message"),
    [
        ((2, 1), "a node was lost: Tried to start a pool with 2 processes"),
        ((2, 0), "a node was lost: 'CPU'"),
        ((0,), "the cluster has no node with a CPU any more"),
    ],
)
def test_a_node_is_known_to_be_gone(cluster, cpus, message):
    cluster(*cpus)
    with pytest.raises(NodeLostError) as caught:
        SizedRay().configure(-1)
    assert str(caught.value).startswith(message)


def test_a_node_is_lost_while_the_pool_starts(cluster):
    """The processes that came are ended, and those that never will are not waited for."""
    made = cluster(3, 3, 3, 2)
    with pytest.raises(NodeLostError, match="a node was lost: of 3 CPUs the cluster has 2 left"):
        SizedRay().configure(-1)
    assert made.killed == 3


def test_a_cluster_that_waits_for_nodes(cluster, monkeypatch):
    """It is as large as it has become when there is work."""
    made = cluster(0, 0, 2)
    with workers("ray") as found:
        assert (found.count, found.are_here) == (2, False)
        made.__init__(0)
        assert found.count == 1
    monkeypatch.setattr("glassbench.evaluators.sweep_workers._SECONDS_TO_CONNECT", 0)
    with pytest.raises(ToolError) as caught, workers("ray", "here:1"):
        pass
    assert str(caught.value) == (
        "The cluster at here:1 must have a worker, and has none after 0 s; start some"
    )


# -- losses, of whatever backend -----------------------------------------------------


@pytest.fixture
def losing(monkeypatch):
    """Have each call of `each` lose the workers after so many arguments, once for each number."""

    def make(*counts):
        left, whole = list(counts), Workers.each

        def each(self, function, given):
            given = list(given)
            most = left.pop(0) if left else len(given)
            yield from whole(self, function, given[:most])
            if most < len(given):
                raise WorkerLostError("a node was lost")

        monkeypatch.setattr(Workers, "each", each)

    return make


def test_workers_are_lost_while_tasks_are_loaded(losing, tmp_path):
    expected = {
        one.task: one.metrics for one in sweep("weight-norm", TASKS, tmp_path / "a").results()
    }
    losing(1, 0, 0)
    report = sweep("weight-norm", TASKS, tmp_path / "b")
    assert {one.task: one.metrics for one in report.results()} == expected
    losing(0, 0, 0)
    with pytest.raises(GlassbenchError, match="and 3 times some were lost while nothing new arri"):
        sweep("weight-norm", TASKS, tmp_path / "c")


def test_workers_are_lost_while_rows_are_asked_for(losing, tmp_path):
    losing(2, 1, 0, 0)
    assert sweep("weight-norm", TASKS, tmp_path).failed() == ()
