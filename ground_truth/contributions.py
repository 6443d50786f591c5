"""Contributions: what a reader would see of a swap, over all inputs of a domain."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from ..compiler.executor import Run, project, seen_columns
from .domain_runs import DomainRuns
from .swap import Swap
from .wiring import ROUNDING_BOUND

MOST_DISTINCT = 2048


def spreads(
    runs: DomainRuns, swaps: Sequence[Swap], groups: Int[np.ndarray, " inputs"] | None = None
) -> dict[str, float]:
    """Return how much what the reader sees of each swap varies, by the swap's name.

    The spread is the largest difference between two inputs at the same position,
    in any coordinate of the reader's input; zero means that it is the same on every
    input, or, given groups of inputs, on every input of a group.
    """
    groups = np.zeros(len(runs.tokens), dtype=np.int64) if groups is None else groups
    ranges = {swap.name: (_Extremes(np.minimum), _Extremes(np.maximum)) for swap in swaps}
    for some, run in runs.chunks():
        members = [(int(group), groups[some] == group) for group in np.unique(groups[some])]
        for swap in swaps:
            seen = _seen(runs, swap, run)
            for group, rows in members:
                for extremes in ranges[swap.name]:
                    extremes.add(group, seen[rows])
    return {
        name: max(float(np.max(highest.of[group] - low)) for group, low in lowest.of.items())
        for name, (lowest, highest) in ranges.items()
    }


class _Extremes:
    """The least or the greatest rows of groups so far."""

    def __init__(self, choose: np.ufunc) -> None:
        self._choose = choose
        self.of: dict[int, np.ndarray] = {}

    def add(self, group: int, rows: np.ndarray) -> None:
        """Take further rows into account."""
        extreme = self._choose.reduce(rows, axis=0)
        known = self.of.get(group)
        self.of[group] = extreme if known is None else self._choose(known, extreme)


def distinct_sources(
    runs: DomainRuns, swaps: Sequence[Swap]
) -> dict[str, Int[np.ndarray, " distinct"] | None]:
    """Return one input for each distinct contribution of each swap, by the swap's name.

    What differs by rounding alone is one contribution, so that their number is the same on
    every machine. `None` stands for more than `MOST_DISTINCT`.
    """
    found: dict[str, tuple[np.ndarray, np.ndarray] | None] = {
        swap.name: (np.zeros(0, dtype=np.int64), np.zeros(0)) for swap in swaps
    }
    for some, run in runs.chunks():
        for swap in swaps:
            known = found[swap.name]
            if known is None:
                continue
            seen = _seen(runs, swap, run)
            rows = np.append(known[0], some.start + np.arange(len(seen)))
            values = np.concatenate(
                [known[1].reshape(-1, seen[0].size), seen.reshape(len(seen), -1)]
            )
            first = _first_of_each(values)
            found[swap.name] = None if len(first) > MOST_DISTINCT else (rows[first], values[first])
    return {name: None if known is None else known[0] for name, known in found.items()}


def _first_of_each(values: np.ndarray) -> np.ndarray:
    """Return the first row of each set of rows that are equal but for rounding.

    In each column, sorted values with a gap between them are different ones.
    """
    order = values.argsort(axis=0)
    gaps = np.diff(np.take_along_axis(values, order, axis=0), axis=0) > ROUNDING_BOUND
    levels = np.zeros(values.shape, dtype=np.int64)
    np.put_along_axis(levels, order[1:], gaps.cumsum(axis=0), axis=0)
    return np.sort(np.unique(levels, axis=0, return_index=True)[1])


def _seen(runs: DomainRuns, swap: Swap, run: Run) -> np.ndarray:
    """Return what a swap replaces, in the reader's coordinates."""
    return project(swap.contribution(run), seen_columns(runs.weights, swap.reader))
