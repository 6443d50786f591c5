"""What every side of a comparison shares: requests, answers, the clock, and limits.

It needs the standard library alone. A side is a process of its own: it reads one
request (JSON) from standard input, and every line that it writes to standard output
is a part of its answer (JSON), so that what it has answered stands when it is stopped
later. The first compilation of the process is the cold one, the others are warm.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Seconds = dict[str, list[float]]


def request() -> dict[str, Any]:
    """Return what is asked of this process, after limiting it to the threads it may use.

    Call it before anything that starts threads is imported.
    """
    asked = json.load(sys.stdin)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[: asked["threads"]])
    return asked


def answer(**values: Any) -> None:
    """Write a part of the answer of this process; a later part replaces equal names."""
    print(json.dumps(values), flush=True)


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """End this process when the block takes longer (POSIX); `None` is no limit.

    The signal is left to the system, since Python would handle it only between
    two of its own instructions, and a long call into a library is none.
    """
    if seconds:
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if seconds:
            signal.setitimer(signal.ITIMER_REAL, 0)


def within(seconds: float | None, items: Iterable[Item]) -> Iterator[Item]:
    """Yield items until all are, or until that many seconds have passed."""
    start = time.perf_counter()
    for item in items:
        yield item
        if seconds and time.perf_counter() - start > seconds:
            return


def peak_memory() -> int:
    """Return the most bytes that this process has held in memory so far (POSIX), else 0."""
    try:
        import resource
    except ModuleNotFoundError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def cold_and_warm(
    build: Callable[[], Any],
    stages: list[Callable[[Any], Any]],
    sizes: Callable[[Any], dict[str, int]],
    asked: dict[str, Any],
) -> list[Any]:
    """Time a chain of stages cold, then warm, and answer times, memory and sizes.

    Args:
        build: makes a fresh argument for the first stage; it is not timed.
        stages: what is timed; each takes what the one before returned.
        sizes: returns the sizes of what the first stage returned.
        asked: the request: `warm`, the number of further compilations, and
            `seconds`, which each may take and all warm ones together need not exceed.

    Returns:
        The results of every stage in the last repetition.
    """
    before = peak_memory()
    cold, results = measure(build, stages, [0], asked["seconds"])
    answer(times=cold, memory=[before, peak_memory()], sizes=sizes(results[0]))
    results.clear()
    repetitions = within(asked["seconds"], range(asked["warm"]))
    warm, results = measure(build, stages, repetitions, asked["seconds"])
    answer(times=cold + warm)
    return results


def measure(
    build: Callable[[], Any],
    stages: list[Callable[[Any], Any]],
    repetitions: Iterable[int],
    limit: float | None = None,
) -> tuple[list[Seconds], list[Any]]:
    """Time a chain of stages, each of which takes what the one before returned.

    Args:
        build: makes a fresh argument for the first stage; it is not timed.
        stages: what is timed.
        repetitions: one for each time that the chain is run.
        limit: the seconds that a repetition may take before the process ends.

    Returns:
        For each repetition the seconds from the start to the end of each stage, by
        the clock (`wall`) and of processor time (`cpu`); and the results of every
        stage in the last repetition.

    Raises:
        ImportError: a stage imported something: import it before.
    """
    times: list[Seconds] = []
    results: list[Any] = []
    known = set(sys.modules)
    for _ in repetitions:
        # What an earlier repetition made is let go, so that memory holds one model.
        results.clear()
        value = build()
        seconds: Seconds = {"wall": [], "cpu": []}
        with limited(limit):
            wall, cpu = time.perf_counter(), time.process_time()
            for stage in stages:
                value = stage(value)
                seconds["wall"].append(time.perf_counter() - wall)
                seconds["cpu"].append(time.process_time() - cpu)
                results.append(value)
        times.append(seconds)
    late = sorted(set(sys.modules) - known)
    if late:
        raise ImportError(
            f"imports must be done before the clock starts, and these were not: {late}"
        )
    return times, results
