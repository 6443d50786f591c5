"""Sequences per second, measured alike on both sides; needs the standard library alone."""

import time
from collections.abc import Callable, Mapping
from itertools import repeat
from typing import Any

from compile_timing import within

Contestant = tuple[Callable[[], Any], int]
"""A call that ends when its result is there, and the sequences that it takes."""


def measured(
    contestants: Mapping[str, Contestant], asked: dict[str, Any]
) -> dict[str, list[float]]:
    """Return the sequences per second of every contestant, in each repetition.

    The first call, which may compile, and the calls of the next `asked["window"]`
    seconds are not counted; a repetition is as many calls as these were.
    """
    return {
        name: _rates(call, size, asked["window"], asked["repetitions"])
        for name, (call, size) in contestants.items()
    }


def _rates(call: Callable[[], Any], size: int, window: float, repetitions: int) -> list[float]:
    call()
    calls = 0
    for _ in within(window, repeat(None)):
        call()
        calls += 1
    rates = []
    for _ in range(repetitions):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        rates.append(calls * size / (time.perf_counter() - start))
    return rates
