"""Faults of long work: processes that are killed at random moments, and two that write one folder.

Real processes run the command line. What a killed sweep leaves must be whole rows and nothing else
that is taken for one; going on must give the rows of a sweep that nobody disturbed. What a killed
build leaves must be no bundle, or a whole one.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trial import Attempt, Trial, survived

from glassbench.errors import GlassbenchError
from glassbench.evaluators import Result
from glassbench.ground_truth import read_bundle

KIND = "sweeps"
TASKS = ("histogram[vocab=2,length=3]", "sort[vocab=2,length=3]")
SEEDS = 12
KILLS = 6
LEFT = 6
"""Rows that must be missing for a kill to be tried: it takes a few at the most."""
PATIENCE = 300.0
"""Seconds after which a process that should have ended is killed, and counts as missed."""

METHODS = """
import time

def slow(problem):
    time.sleep(0.25)
    return {edge: float(len(edge)) for edge in problem.edges}
"""
SWEEP = (
    *(sys.executable, "-m", "glassbench", "score", "their_methods:slow"),
    *(word for task in TASKS for word in ("--task", task)),
    *("--seeds", str(SEEDS), "-o", "results"),
)
BUILD = (sys.executable, "-m", "glassbench", "build", TASKS[1], "-o", "bundles")

Command = Sequence[str]
Row = Mapping[str, Any]
OTHERWISE = {"wall_seconds", "peak_memory_mb", "environment"}
"""What may differ between two runs of one row."""


def trials(
    folder: Path, sweep: Command = SWEEP, build: Command = BUILD, seed: int = 0
) -> Iterator[Trial]:
    """Yield all trials of long work.

    Args:
        folder: where everything is done.
        sweep: the command that must leave its rows as `results/*.json`.
        build: the command that must leave a bundle in `bundles/`.
        seed: draws when processes are killed.
    """
    draw = random.Random(seed)
    places = [folder / name for name in ("undisturbed", "killed", "shared", "built")]
    for place in places:
        place.mkdir()
        (place / "their_methods.py").write_text(METHODS, encoding="utf-8")
    undisturbed, killed, shared, built = places
    why = _ended(_started(sweep, undisturbed))
    expected = rows(undisturbed)
    kills = tuple(_kills(sweep, killed, draw, len(expected)))
    yield Trial(KIND, "a sweep killed (SIGKILL): every row that is there is whole", kills)
    why = why or _ended(_started(sweep, killed))
    same = tuple(_same_rows(expected, rows(killed), why))
    yield Trial(KIND, "its rows when the same command went on: those of one not killed", same)
    both = [_started(sweep, shared) for _ in range(2)]
    why = "".join([_ended(process) for process in both])
    same = tuple(_same_rows(expected, rows(shared), why))
    yield Trial(KIND, "rows of two processes that write one folder: those of one", same)
    builds = tuple(_killed_builds(build, built, draw))
    yield Trial(KIND, "a build killed (SIGKILL): no bundle is there, or a whole one", builds)


def rows(place: Path) -> dict[str, Row | str]:
    """Return the rows of a folder by the names of their files; what is none is told as text."""
    found: dict[str, Row | str] = {}
    for file in sorted((place / "results").glob("*.json")):
        try:
            row = Result.read(file).model_dump(mode="json")
            found[file.name] = {key: row[key] for key in row if key not in OTHERWISE}
        except GlassbenchError as error:
            found[file.name] = str(error)
    return found


def _kills(sweep: Command, place: Path, draw: random.Random, n: int) -> Iterator[Attempt]:
    """Start a sweep again and again, and kill it after a row or a few more."""
    for number in range(KILLS):
        before = {file: file.read_bytes() for file in (place / "results").glob("*.json")}
        if number and len(before) > n - LEFT:
            return
        process = _started(sweep, place)
        wanted = len(before) + draw.randint(0, 2)
        _until(lambda: len(list((place / "results").glob("*.json"))) >= wanted, process)  # noqa: B023
        time.sleep(draw.uniform(0, 0.5))
        if process.poll() is not None:
            yield survived(f"kill {number + 1}", "it ended before it was killed")
            return
        _kill(process)
        there = rows(place)
        broken = [f"{name}: {row}" for name, row in there.items() if isinstance(row, str)]
        broken += [
            f"{file.name} was there and is another"
            for file, content in before.items()
            if not file.exists() or file.read_bytes() != content
        ]
        seen = f"{len(there)} rows there, all whole"
        yield survived(f"kill {number + 1}", "; ".join(broken), seen)


def _same_rows(
    expected: Mapping[str, Row | str], found: Mapping[str, Row | str], why: str
) -> Iterator[Attempt]:
    """Compare every row that should be there, and tell of each that should not."""
    for name in sorted(expected.keys() | found.keys()):
        other = "is missing" if name not in found else "is another"
        other = "should not be there" if name not in expected else other
        is_same = expected.get(name) == found.get(name) and not isinstance(found[name], str)
        wrong = "" if is_same else f"{name} {other}"
        yield survived(name, wrong or why, "the same but for seconds and memory")
    if not expected:
        yield Attempt("rows", False, f"the undisturbed sweep left no row: {why}")


def _killed_builds(build: Command, place: Path, draw: random.Random) -> Iterator[Attempt]:
    """Kill builds at random moments of the time that one takes."""
    started = time.perf_counter()
    why = _ended(_started(build, place))
    takes = time.perf_counter() - started
    if wrong := why or _bundles(place, at_least=1):
        yield survived("not killed", wrong)
    for number in range(KILLS):
        for file in (place / "bundles").glob("*"):
            file.unlink()
        process = _started(build, place)
        time.sleep(draw.uniform(0.3, 1.0) * takes)
        _kill(process)
        seen = f"{len(list((place / 'bundles').glob('*.zip')))} bundles there, whole"
        yield survived(f"kill {number + 1}", _bundles(place), seen)


def _bundles(place: Path, at_least: int = 0) -> str:
    """Return what is wrong with the bundles of a folder, empty if nothing is."""
    found = sorted((place / "bundles").glob("*.zip"))
    for file in found:
        try:
            read_bundle(file)
        except GlassbenchError as error:
            return str(error)
    return "" if len(found) >= at_least else "no bundle was built"


def _started(command: Command, place: Path) -> "subprocess.Popen[bytes]":
    with open(place / "said.txt", "ab") as said:
        return subprocess.Popen(
            command, cwd=place, stdout=said, stderr=said, start_new_session=True
        )


def _until(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    """Wait until something holds, or the process has ended."""
    stop = time.perf_counter() + PATIENCE
    while not condition() and process.poll() is None and time.perf_counter() < stop:
        time.sleep(0.02)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ended(process: "subprocess.Popen[bytes]") -> str:
    """Wait for a process, and return what is wrong with its end, empty if nothing is."""
    _until(lambda: False, process)
    late = process.poll() is None
    _kill(process)
    if late:
        return f"it did not end in {PATIENCE:.0f} s"
    return f"it ended with exit status {process.returncode}" if process.returncode else ""
