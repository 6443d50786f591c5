"""Sweeps by real processes: killed at any moment, several at once, stopped, on clusters."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from glassbench.evaluators import Result
from glassbench.evaluators.row_claim import CLAIMS
from glassbench.leaderboard import read_results

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")

PART = re.compile(r"\.[0-9a-f]+\.json\..+")
"""The name of a row that is being written."""

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
DRIVER = """
import contextlib, io, json, os, signal, sys
import glassbench.evaluators
from glassbench.cli import app
from glassbench.ground_truth import load

folder, *tasks = sys.argv[1:]
for task in tasks:
    load(task)
with contextlib.redirect_stdout(io.StringIO()):  # what this imports need not be again
    command = ["score", "weight-norm", "--task", tasks[0], "-o", folder]
    app(command, standalone_mode=False)
print("ready", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if "pid" in asked:
        pid, status = os.waitpid(asked["pid"], os.WNOHANG)
        print(json.dumps(os.waitstatus_to_exitcode(status) if pid else None), flush=True)
        continue
    child = os.fork()
    if child == 0:
        os.chdir(asked["place"])
        for number, name in enumerate(asked["files"], start=1):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), number)
        # A shell in the background has what it starts ignore the keyboard.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        app(asked["arguments"])
    print(child, flush=True)
"""


class Driver:
    """A process that has loaded the package and the tasks, and starts commands as its children."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert self._said() == "ready"

    def ask(self, **what: object) -> int | None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._said())

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Command:
    """A command that runs in a folder.

    Attributes:
        pid: of its process.
    """

    def __init__(self, driver: Driver, place: Path, arguments: list[str]) -> None:
        self._driver, self._code = driver, None
        count = len(list(place.glob("out-*")))
        self._files = [place / f"out-{count}", place / f"error-{count}"]
        files = [str(file) for file in self._files]
        pid = driver.ask(place=str(place), arguments=arguments, files=files)
        assert pid is not None
        self.pid = pid

    def has_ended(self) -> bool:
        if self._code is None:
            self._code = self._driver.ask(pid=self.pid)
        return self._code is not None

    def kill(self) -> None:
        if not self.has_ended():
            os.kill(self.pid, signal.SIGKILL)
            wait_until(self.has_ended)

    def ended(self, code: int = 0) -> tuple[str, str]:
        """Wait for the process, check how it ended, and return what it printed."""
        wait_until(self.has_ended)
        out, error = (file.read_text() for file in self._files)
        assert self._code == code, out + error
        return out, error


@pytest.fixture(scope="module")
def driver(tmp_path_factory) -> Iterator[Driver]:
    command = [sys.executable, "-c", DRIVER, str(tmp_path_factory.mktemp("first")), *TASKS]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        yield Driver(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def started(driver, place) -> Iterator[Callable[[list[str]], Command]]:
    """Start commands in the folder; end them if the test does before them."""
    commands: list[Command] = []

    def start(arguments: list[str]) -> Command:
        commands.append(Command(driver, place, arguments))
        return commands[-1]

    yield start
    for command in commands:
        command.kill()


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
    left = {path.name for path in (place / "results").iterdir() if not PART.fullmatch(path.name)}
    assert left - {one.file_name for one in results} <= {"answers", CLAIMS}
    return results


def test_killed_at_random_moments(place, started):
    """Nothing is lost, and nothing that is there is asked for again."""
    draw = random.Random(0)
    kills, ended = 0, False
    while not ended:
        before = {path: path.stat().st_mtime_ns for path in there(place)}
        command = started(asked("logged", seeds=6))
        if len(before) < 9:
            wanted = len(before) + draw.randint(1, 3)
            wait_until(lambda: len(there(place)) >= wanted)  # noqa: B023
            time.sleep(draw.uniform(0, 0.08))
            command.kill()
            kills += 1
        else:
            command.ended()
            ended = True
        assert all(path.stat().st_mtime_ns == at for path, at in before.items())
    assert kills >= 3
    check_whole(place, 12)
    assert 12 <= times_asked(place) <= 12 + kills
    assert not (place / "results" / CLAIMS).exists() or not list(
        (place / "results" / CLAIMS).glob("*.lock")
    )


def test_a_sweep_of_several_processes_is_killed_and_two_go_on(place, started):
    """What was asked for is not asked for again, and the two share the rest."""
    first = started(asked("logged", seeds=12, jobs=2))
    wait_until(lambda: len(there(place)) >= 3)
    workers = psutil.Process(first.pid).children(recursive=True)
    first.kill()
    before = len(there(place))
    gone, alive = psutil.wait_procs(workers, timeout=60)
    assert gone and not alive
    both = [started(asked("logged", seeds=12)) for _ in range(2)]
    said = [command.ended()[0] for command in both]
    check_whole(place, 24)
    # The workers of the first end with the row that they are at.
    assert times_asked(place) == 24
    assert 3 <= before < 24
    assert all("results in results/" in out for out in said)


def test_an_interrupt_leaves_what_is_done(place, started):
    command = started(asked("logged", seeds=50))
    wait_until(lambda: len(there(place)) >= 2)
    os.kill(command.pid, signal.SIGINT)
    _, error = command.ended(130)
    assert "Stopped. What is in results/ stays; the same command goes on." in error
    n = len(there(place))
    assert 2 <= n < 100
    check_whole(place, n)


def test_asking_again_is_killed_and_goes_on(place, started):
    """It replaces all that was there before it, each row once."""
    started(asked("logged", seeds=6)).ended()
    again = [*asked("logged", seeds=6), "--again"]
    command = started(again)
    wait_until(lambda: times_asked(place) >= 15)
    command.kill()
    assert times_asked(place) < 24
    out, _ = started(again).ended()
    assert times_asked(place) - 24 in {0, 1}  # the row that it was killed at
    check_whole(place, 12)
    assert "were there and are kept (--again asks anew)" in out


DIED = "the process that asked it ended without a word, 2 times"


def test_a_method_that_ends_its_process_is_recorded_and_others_go_on(place, started):
    arguments = ["score", "their_methods:deadly", "their_methods:logged", "--task", TASKS[0]]
    _, error = started([*arguments, "--jobs", "2", "-o", "results"]).ended(1)
    results = {one.tool: one for one in check_whole(place, 2)}
    assert results["their_methods:logged"].status == "ok"
    assert results["their_methods:deadly"].status == "failed"
    assert DIED in error


# -- clusters ----------------------------------------------------------------------


def script(name: str) -> str:
    """Return the path of a command that is installed beside this Python."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} must be installed: the extra 'test' has it"
    return found


@pytest.fixture
def dask_cluster(tmp_path) -> Iterator[str]:
    """A scheduler and two workers on loopback; the address of the scheduler.

    The scheduler gives up what two workers died of, where by default it takes four: a sweep has
    recorded a row as failed by then.
    """
    file = tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    local = ["--host", "127.0.0.1"]
    commands = [[script("dask"), "scheduler", "--port", "0", *local, *common]]
    commands += [[script("dask"), "worker", "--nthreads", "1", *local, *common]] * 2
    given = os.environ | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with open(tmp_path / "cluster.log", "w") as log:
        processes = [
            subprocess.Popen(
                command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True, env=given
            )
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
def ray_cluster(tmp_path_factory, only_ray) -> Iterator[str]:
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


@pytest.mark.parametrize("backend", [pytest.param("dask", marks=pytest.mark.slow), "ray"])
def test_a_worker_of_a_cluster_is_killed(place, started, backend, request):
    """Every row still arrives, once."""
    address = request.getfixturevalue(f"{backend}_cluster")
    out, _ = started(asked("mortal", seeds=3, backend=backend, address=address)).ended()
    results = check_whole(place, 6)
    assert {one.status for one in results} == {"ok"}
    # Ray ends the other worker too, at the row that it is at.
    assert times_asked(place) - 6 in {"dask": {1}, "ray": {1, 2}}[backend]
    assert "Written: 6 results in results/" in out
    if backend == "dask":
        check_given_up(place, started, address)


def check_given_up(place, started, address):
    """A task that the scheduler gives up, since workers died of it, is no end of the sweep."""
    options = ["--backend", "dask", "--address", address, "-o", "results"]
    method = ["score", "their_methods:deadly", "--task", TASKS[0]]
    _, error = started([*method, *options]).ended(1)
    assert DIED in error
    (deadly,) = (one for one in check_whole(place, 7) if one.status == "failed")
    assert deadly.tool == "their_methods:deadly"
    assert "2 workers died while trying to run it" in (place / "cluster.log").read_text()


def test_a_cluster_that_is_not_there(invoke):
    for backend in ("dask", "ray"):
        options = ("--backend", backend, "--address", "127.0.0.1:9")
        error = invoke("score", "weight-norm", "--task", TASKS[0], *options, code=1).stderr
        assert f"The backend '{backend}' needs a cluster that runs, and none answers at" in error
    options = ("--backend", "dask")
    error = invoke("score", "weight-norm", "--task", TASKS[0], *options, code=1).stderr
    assert "no address was given; start one, and name it with --address" in error
