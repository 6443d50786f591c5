"""Distractors: programs compiled into a model beside its target, and never read out.

Each reads the tokens or some variable of the target, so that live components
hang on the circuit everywhere and only what the output depends on tells them
from it.
"""

from collections.abc import Callable

import numpy as np

from ..compiler import rasp
from ..compiler.values import Value
from ..errors import TaskError

MOST = 64

Builder = Callable[[rasp.SOp, np.random.Generator, tuple[Value, ...], int], rasp.SOp]


def _histogram(
    sop: rasp.SOp, _rng: np.random.Generator, _vocabulary: tuple[Value, ...], _length: int
) -> rasp.SOp:
    """How often each value occurs."""
    return rasp.SelectorWidth(rasp.Select(sop, sop, rasp.Comparison.EQ))


def _count_less_place(
    sop: rasp.SOp, _rng: np.random.Generator, _vocabulary: tuple[Value, ...], _length: int
) -> rasp.SOp:
    """How often each value occurs, less the position where it stands."""
    return _histogram(sop, _rng, _vocabulary, _length) - rasp.indices


def _mirrored(
    sop: rasp.SOp, _rng: np.random.Generator, _vocabulary: tuple[Value, ...], _length: int
) -> rasp.SOp:
    """The sequence read backwards."""
    opposite = rasp.length - rasp.indices - 1
    return rasp.Aggregate(rasp.Select(rasp.indices, opposite, rasp.Comparison.EQ), sop)


def _shifted(
    sop: rasp.SOp, rng: np.random.Generator, _vocabulary: tuple[Value, ...], length: int
) -> rasp.SOp:
    """The value some positions earlier."""
    offset = int(rng.integers(1, max(2, length - 1)))
    earlier = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query == key + offset)
    return rasp.Aggregate(earlier, sop)


def _fraction(
    _sop: rasp.SOp, rng: np.random.Generator, vocabulary: tuple[Value, ...], _length: int
) -> rasp.SOp:
    """The share of one token among those so far."""
    token = vocabulary[int(rng.integers(len(vocabulary)))]
    earlier = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ)
    holds = rasp.numerical(rasp.tokens == token)
    return rasp.numerical(rasp.Aggregate(earlier, holds, default=0))


def _bigram(
    _sop: rasp.SOp, rng: np.random.Generator, vocabulary: tuple[Value, ...], _length: int
) -> rasp.SOp:
    """Whether two given tokens stand here and just before."""
    first, second = (vocabulary[int(pick)] for pick in rng.integers(len(vocabulary), size=2))
    previous = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query == key + 1)
    return (rasp.Aggregate(previous, rasp.tokens) == first) & (rasp.tokens == second)


_BUILDERS: tuple[Builder, ...] = (
    _histogram,
    _count_less_place,
    _mirrored,
    _shifted,
    _fraction,
    _bigram,
)


def distractors(
    target: rasp.SOp, vocabulary: tuple[Value, ...], max_length: int, *, count: int, seed: int
) -> tuple[rasp.SOp, ...]:
    """Return `count` expressions to compute beside `target`.

    Args:
        target: the program; some distractors read its variables.
        vocabulary: the tokens.
        max_length: the longest sequence.
        count: how many distractors, of different kinds as far as there are kinds.
        seed: draws the kinds and what they read.

    Raises:
        TaskError: more than `MOST` are asked for.
    """
    if count > MOST:
        raise TaskError(f"At most {MOST} distractors fit beside a program, got {count}.")
    rng = np.random.default_rng(seed)
    inner = [
        expression
        for expression in rasp.topological_order(target)
        if isinstance(expression, rasp.SOp) and expression is not target
    ]
    sources = [rasp.tokens, *inner]
    kinds = rng.permuted(np.tile(np.arange(len(_BUILDERS)), (count, 1)), axis=1).ravel()
    made = []
    for number, kind in enumerate(kinds[:count].tolist()):
        source = sources[int(rng.integers(len(sources)))]
        expression = _BUILDERS[kind](source, rng, vocabulary, max_length)
        made.append(expression.named(f"distractor_{number}"))
    return tuple(made)
