"""Distractors: programs compiled into a model beside its target, and never read out.

Each starts from the tokens or from some variable of the target and takes up to as many
layers of attention as the target does, `length` not counted in either, so that live components
hang on the circuit everywhere, of the same kinds and at nearly the same depths, and only what the
output depends on tells them from it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..compiler import rasp
from ..compiler.values import Value
from ..errors import TaskError

MOST = 64


@dataclass(frozen=True)
class _Setting:
    """Where distractors are drawn: the random numbers, the tokens, the longest sequence."""

    rng: np.random.Generator
    vocabulary: tuple[Value, ...]
    max_length: int

    def token(self) -> Value:
        """Draw a token."""
        return self.vocabulary[int(self.rng.integers(len(self.vocabulary)))]


Builder = Callable[[rasp.SOp, _Setting], rasp.SOp]


def _so_far() -> rasp.Selector:
    return rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ)


def _histogram(sop: rasp.SOp, _setting: _Setting) -> rasp.SOp:
    """How often each value occurs."""
    return rasp.SelectorWidth(rasp.Select(sop, sop, rasp.Comparison.EQ))


def _histogram_so_far(sop: rasp.SOp, _setting: _Setting) -> rasp.SOp:
    """How often each value has occurred so far."""
    same = rasp.Select(sop, sop, rasp.Comparison.EQ)
    return rasp.SelectorWidth(rasp.SelectorAnd(same, _so_far()))


def _count_less_place(sop: rasp.SOp, setting: _Setting) -> rasp.SOp:
    """How often each value occurs, less the position where it stands."""
    return _histogram(sop, setting) - rasp.indices


def _repeated(sop: rasp.SOp, setting: _Setting) -> rasp.SOp:
    """Whether a value occurs more than once."""
    return _histogram(sop, setting) > 1


def _mirrored(sop: rasp.SOp, _setting: _Setting) -> rasp.SOp:
    """The sequence read backwards."""
    opposite = rasp.length - rasp.indices - 1
    return rasp.Aggregate(rasp.Select(rasp.indices, opposite, rasp.Comparison.EQ), sop)


def _shifted(sop: rasp.SOp, setting: _Setting) -> rasp.SOp:
    """The value some positions earlier."""
    offset = int(setting.rng.integers(1, max(2, setting.max_length - 1)))
    earlier = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query == key + offset)
    return rasp.Aggregate(earlier, sop)


def _as_common_as_mirrored(sop: rasp.SOp, setting: _Setting) -> rasp.SOp:
    """Whether a value is as common as the one at the opposite position."""
    common = _histogram(sop, setting)
    return common == _mirrored(common, setting)


def _as_common_as_shifted(sop: rasp.SOp, setting: _Setting) -> rasp.SOp:
    """Whether a value is as common as the one some positions earlier."""
    common = _histogram(sop, setting)
    return common == _shifted(common, setting)


def _fraction_repeated(sop: rasp.SOp, setting: _Setting) -> rasp.SOp:
    """The share of values so far that occur more than once."""
    repeated = rasp.numerical(_repeated(sop, setting))
    return rasp.numerical(rasp.Aggregate(_so_far(), repeated, default=0))


def _fraction(_sop: rasp.SOp, setting: _Setting) -> rasp.SOp:
    """The share of one token among those so far."""
    holds = rasp.numerical(rasp.tokens == setting.token())
    return rasp.numerical(rasp.Aggregate(_so_far(), holds, default=0))


def _bigram(_sop: rasp.SOp, setting: _Setting) -> rasp.SOp:
    """Whether two given tokens stand here and just before."""
    first, second = setting.token(), setting.token()
    previous = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query == key + 1)
    return (rasp.Aggregate(previous, rasp.tokens) == first) & (rasp.tokens == second)


_LINKS: tuple[Builder, ...] = (
    _histogram,
    _histogram_so_far,
    _repeated,
    _mirrored,
    _shifted,
    _as_common_as_mirrored,
    _as_common_as_shifted,
)
"""What others can follow: the values of these are no more than tokens or positions are."""

_ENDS: tuple[Builder, ...] = (*_LINKS, _count_less_place, _fraction_repeated, _fraction, _bigram)


def distractors(
    target: rasp.SOp, vocabulary: tuple[Value, ...], max_length: int, *, count: int, seed: int
) -> tuple[rasp.SOp, ...]:
    """Return `count` expressions to compute beside `target`.

    Args:
        target: the program; some distractors read its variables.
        vocabulary: the tokens.
        max_length: the longest sequence.
        count: how many distractors, which end in different ways as far as there are such.
        seed: draws what they read, how deep they are and how they end.

    Raises:
        TaskError: more than `MOST` are asked for.
    """
    if count > MOST:
        raise TaskError(f"At most {MOST} distractors fit beside a program, got {count}.")
    setting = _Setting(np.random.default_rng(seed), vocabulary, max_length)
    rng = setting.rng
    order = rasp.topological_order(target)
    inner = [one for one in order if isinstance(one, rasp.SOp) and one is not target]
    ends = rng.permuted(np.tile(np.arange(len(_ENDS)), (count, 1)), axis=1).ravel()
    deepest = _hops(target)
    made = []
    for number, end in enumerate(ends[:count].tolist()):
        from_target = inner and rng.random() < 0.5
        chain = inner[int(rng.integers(len(inner)))] if from_target else rasp.tokens
        wanted = int(rng.integers(deepest + 1))
        while _hops(chain) < wanted - 1:
            chain = _LINKS[int(rng.integers(len(_LINKS)))](chain, setting)
        made.append(_ENDS[end](chain, setting).named(f"distractor_{number}"))
    return tuple(made)


def _hops(root: rasp.SOp) -> int:
    """Return the most aggregations on one way to an expression, without that of `length`."""
    depth: dict[rasp.RASPExpr, int] = {}
    for one in rasp.topological_order(root):
        before = max((depth[child] for child in one.children), default=0)
        depth[one] = before + isinstance(one, rasp.Aggregate | rasp.SelectorWidth)
    return depth[root]
