"""Ridge: a function of two numbers as a function of a weighted sum of them.

Whether two numbers are equal, or which is larger, is decided by their difference; any
function of few numbers by `x + w y` with `w` so large that no two pairs meet. One layer
of neurons computes a function of a sum, and none can compute a function of two numbers
otherwise.
"""

from collections.abc import Iterator

import numpy as np

from .domains import canonical
from .values import Domain

LEAST_GAP = 1e-4
_SAME = 1e-12

Ridge = tuple[tuple[float, float], Domain, np.ndarray]


def ridge(fst: np.ndarray, snd: np.ndarray, table: np.ndarray) -> Ridge | None:
    """Return weights, sums and a table such that `f(x, y)` is the image of their sum.

    Args:
        fst: the values of the first number, ascending.
        snd: the values of the second.
        table: int64 `[len(fst), len(snd)]`, the image of each pair.

    Returns:
        The two weights; the least and the greatest sum of every run of equal images; and
        the images of those. `None` if sums with different images lie closer than 1e-4 of
        the largest sum, for every choice of weights that is tried.
    """
    found = list(_tried(fst, snd, table))
    if not found:
        return None
    return min(found, key=lambda one: len(one[1]))


def _tried(fst: np.ndarray, snd: np.ndarray, table: np.ndarray) -> Iterator[Ridge]:
    """Yield what comes of each choice of weights that works."""
    for weights in _choices(fst, snd):
        sums = (weights[0] * fst[:, None] + weights[1] * snd[None, :]).ravel()
        order = np.argsort(sums, kind="stable")
        ordered, images = sums[order], table.ravel()[order]
        changes = np.flatnonzero(images[1:] != images[:-1])
        scale = np.abs(ordered).max()
        gaps = ordered[changes + 1] - ordered[changes]
        if len(changes) and gaps.min() <= LEAST_GAP * scale:
            continue
        ends = np.unique([0, *changes, *(changes + 1), len(ordered) - 1])
        ends = ends[np.append(True, np.diff(ordered[ends]) > _SAME * scale)]
        domain = Domain(tuple(canonical(number) for number in ordered[ends].tolist()))
        yield weights, domain, images[ends]


def _choices(fst: np.ndarray, snd: np.ndarray) -> Iterator[tuple[float, float]]:
    """Yield weights: the difference, the sum, and two that tell all pairs apart."""
    yield (1.0, -1.0)
    yield (1.0, 1.0)
    spread = [numbers[-1] - numbers[0] for numbers in (fst, snd)]
    gaps = [np.diff(numbers).min() if len(numbers) > 1 else 1.0 for numbers in (fst, snd)]
    yield (1.0, float(2.0 ** np.ceil(np.log2((spread[0] + gaps[0]) / gaps[1]))))
    yield (float(2.0 ** np.ceil(np.log2((spread[1] + gaps[1]) / gaps[0]))), 1.0)
