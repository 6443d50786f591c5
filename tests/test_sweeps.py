"""Sweeps by real processes: killed at any moment, several at once, stopped, on clusters."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from glassbench.evaluators import Result
from glassbench.evaluators.row_claim import CLAIMS
from glassbench.leaderboard import read_results

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")

TASKS = ("histogram-v1[vocab=2,length=3]", "sort-v1[vocab=2,length=3]")
METHODS = """
import os, signal, time
from pathlib import Path

HERE = Path(__file__).parent

def noted(name, problem):
    with open(HERE / name, "a") as log:
        log.write(f"{len(problem.edges)}\\n")

def logged(problem):
    noted("log", problem)
    time.sleep(0.05)
    return {edge: float(len(edge)) for edge in problem.edges}

def mortal(problem):
    "Kill the process that asks for the third row."
    noted("log", problem)
    if (HERE / "log").read_text().count("\\n") == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return {edge: float(len(edge)) for edge in problem.edges}

def deadly(problem):
    "End the process that asks, every time."
    os._exit(3)
"""
# A shell in the background has what it starts ignore the keyboard.
MINDFUL = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("glassbench", run_name="__main__")
"""
DRIVER = """
import os, sys
from glassbench.cli import app
from glassbench.ground_truth import load

tasks, arguments = sys.argv[1].split(), sys.argv[2:]
for task in tasks:
    load(task)
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        sys.path.insert(0, os.getcwd())
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        app(arguments, standalone_mode=False)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder with a module of methods."""
    (tmp_path / "their_methods.py").write_text(METHODS)
    return tmp_path


def asked(*methods: str, seeds: int, **options: object) -> list[str]:
    """Return the arguments of a sweep over the tasks."""
    named = [f"their_methods:{name}" for name in methods]
    chosen = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    tasks = [word for task in TASKS for word in ("--task", task)]
    return ["score", *named, *tasks, "--seeds", str(seeds), "-o", "results", *chosen]


@contextmanager
def started(place: Path, arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start the command in a folder; end it if the test does before it."""
    command = [sys.executable, "-c", MINDFUL, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=place, text=True, **pipes)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    """Wait for a process, check how it ended, and return what it printed."""
    out, error = process.communicate(timeout=300)
    assert process.returncode == code, out + error
    return out, error


def there(place: Path) -> list[Path]:
    return list((place / "results").glob("*.json"))


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(12000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("what was waited for has not come")


def times_asked(place: Path) -> int:
    return (place / "log").read_text().count("\n")


def check_whole(place: Path, n: int) -> list[Result]:
    """Check that all rows are there, once, whole, each with its answer; return them."""
    results = list(read_results(place / "results"))
    assert len({(one.tool, one.task, one.seed) for one in results}) == len(results) == n
    for one in results:
        assert one.status != "ok" or (place / "results" / "answers" / one.file_name).is_file()
    left = {path.name for path in (place / "results").iterdir()}
    assert left - {one.file_name for one in results} <= {"answers", CLAIMS}
    return results


def test_killed_at_random_moments(place):
    """Nothing is lost, and nothing that is there is asked for again."""
    arguments = asked("logged", seeds=6)
    command = [sys.executable, "-c", DRIVER, " ".join(TASKS), *arguments]
    draw = random.Random(0)
    with subprocess.Popen(
        command, cwd=place, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as driver:
        assert driver.stdin is not None and driver.stdout is not None
        assert driver.stdout.readline() == "ready\n"
        kills, status = 0, signal.SIGKILL
        while status:
            before = {path: path.stat().st_mtime_ns for path in there(place)}
            driver.stdin.write("go\n")
            driver.stdin.flush()
            child = int(driver.stdout.readline())
            if len(before) < 9:
                wanted = len(before) + draw.randint(1, 3)
                wait_until(lambda: len(there(place)) >= wanted)  # noqa: B023
                time.sleep(draw.uniform(0, 0.08))
                os.kill(child, signal.SIGKILL)
                kills += 1
            status = int(driver.stdout.readline())
            assert all(path.stat().st_mtime_ns == at for path, at in before.items())
        driver.stdin.close()
    assert kills >= 3
    check_whole(place, 12)
    assert 12 <= times_asked(place) <= 12 + kills
    assert not (place / "results" / CLAIMS).exists() or not list(
        (place / "results" / CLAIMS).glob("*.lock")
    )


def test_a_sweep_of_several_processes_is_killed_and_two_go_on(place):
    """What was asked for is not asked for again, and the two share the rest."""
    with started(place, asked("logged", seeds=12, jobs=2)) as first:
        wait_until(lambda: len(there(place)) >= 3)
        workers = psutil.Process(first.pid).children(recursive=True)
        first.kill()
        before = len(there(place))
        gone, alive = psutil.wait_procs(workers, timeout=60)
        assert gone and not alive
    arguments = asked("logged", seeds=12)
    with started(place, arguments) as second, started(place, arguments) as third:
        said = [ended(process)[0] for process in (second, third)]
    check_whole(place, 24)
    # The workers of the first end with the row that they are at.
    assert times_asked(place) == 24
    assert 3 <= before < 24
    assert all("results in results/" in out for out in said)


def test_an_interrupt_leaves_what_is_done(place):
    with started(place, asked("logged", seeds=50)) as process:
        wait_until(lambda: len(there(place)) >= 2)
        process.send_signal(signal.SIGINT)
        _, error = ended(process, 130)
    assert "Stopped. What is in results/ stays; the same command goes on." in error
    n = len(there(place))
    assert 2 <= n < 100
    check_whole(place, n)


def test_a_method_that_ends_its_process_is_recorded_and_others_go_on(place):
    arguments = ["score", "their_methods:deadly", "their_methods:logged", "--task", TASKS[0]]
    with started(place, [*arguments, "--jobs", "2", "-o", "results"]) as process:
        _, error = ended(process, 1)
    results = {one.tool: one for one in check_whole(place, 2)}
    assert results["their_methods:logged"].status == "ok"
    assert results["their_methods:deadly"].status == "failed"
    assert "the process that asked it ended without a word, 2 times" in error


# -- clusters ----------------------------------------------------------------------


def script(name: str) -> str:
    """Return the path of a command that is installed beside this Python."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} must be installed: the extra 'test' has it"
    return found


@pytest.fixture
def dask_cluster(tmp_path) -> Iterator[str]:
    """A scheduler and two workers on loopback; the address of the scheduler."""
    file = tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    local = ["--host", "127.0.0.1"]
    commands = [[script("dask"), "scheduler", "--port", "0", *local, *common]]
    commands += [[script("dask"), "worker", "--nthreads", "1", *local, *common]] * 2
    with open(tmp_path / "cluster.log", "w") as log:
        processes = [
            subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
            for command in commands
        ]
        try:
            wait_until(file.exists)
            wait_until(lambda: bool(file.read_text()))
            yield json.loads(file.read_text())["address"]
        finally:
            for process in processes:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def ray_cluster(tmp_path_factory) -> Iterator[str]:
    """A cluster of one node on loopback with two processes; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [script("ray"), "start", "--head", "--block", "--num-cpus=2", f"--port={port}"]
    command += ["--node-ip-address=127.0.0.1", "--include-dashboard=false"]
    command += ["--disable-usage-stats", "--min-worker-port=0", "--max-worker-port=0"]
    command += [f"--object-store-memory={2**27}"]
    log = tmp_path_factory.mktemp("ray") / "log"
    with log.open("w") as said:
        head = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        try:
            wait_until(lambda: "Ray runtime started" in log.read_text() or head.poll() is not None)
            assert head.poll() is None, log.read_text()
            yield f"127.0.0.1:{port}"
        finally:
            head.terminate()
            head.wait(60)


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_a_worker_of_a_cluster_is_killed(place, backend, request):
    """Every row still arrives, once."""
    address = request.getfixturevalue(f"{backend}_cluster")
    arguments = asked("mortal", seeds=3, backend=backend, address=address)
    with started(place, arguments) as process:
        out, _ = ended(process)
    results = check_whole(place, 6)
    assert {one.status for one in results} == {"ok"}
    # Ray ends the other worker too, at the row that it is at.
    assert times_asked(place) - 6 in {"dask": {1}, "ray": {1, 2}}[backend]
    assert "Written: 6 results in results/" in out


def test_a_cluster_that_is_not_there(invoke):
    for backend in ("dask", "ray"):
        options = ("--backend", backend, "--address", "127.0.0.1:9")
        error = invoke("score", "weight-norm", "--task", TASKS[0], *options, code=1).stderr
        assert f"The backend '{backend}' needs a cluster that runs, and none answers at" in error
    options = ("--backend", "dask")
    error = invoke("score", "weight-norm", "--task", TASKS[0], *options, code=1).stderr
    assert "no address was given; start one, and name it with --address" in error
