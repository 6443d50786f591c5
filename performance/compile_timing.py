"""The clock that both sides of the comparison use; needs the standard library alone.

A side is a process of its own: it reads one request (JSON) from standard input, and
its last line of standard output is the answer (JSON). The first compilation of the
process is the cold one, the others are warm.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any


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
    """Write the answer of this process."""
    print(json.dumps(values), flush=True)


def measure(
    build: Callable[[], Any], stages: list[Callable[[Any], Any]], repetitions: int
) -> tuple[list[dict[str, list[float]]], list[Any]]:
    """Time a chain of stages, each of which takes what the one before returned.

    Args:
        build: makes a fresh argument for the first stage; it is not timed.
        stages: what is timed.
        repetitions: how often; the first is the cold one.

    Returns:
        For each repetition the seconds from the start to the end of each stage, by
        the clock (`wall`) and of processor time (`cpu`); and the results of every
        stage in the first repetition.

    Raises:
        ImportError: a stage imported something: import it before.
    """
    times: list[dict[str, list[float]]] = []
    kept: list[Any] = []
    known = set(sys.modules)
    for _ in range(repetitions):
        value = build()
        seconds: dict[str, list[float]] = {"wall": [], "cpu": []}
        results = []
        wall, cpu = time.perf_counter(), time.process_time()
        for stage in stages:
            value = stage(value)
            seconds["wall"].append(time.perf_counter() - wall)
            seconds["cpu"].append(time.process_time() - cpu)
            results.append(value)
        times.append(seconds)
        kept = kept or results
    late = sorted(set(sys.modules) - known)
    if late:
        raise ImportError(
            f"imports must be done before the clock starts, and these were not: {late}"
        )
    return times, kept
