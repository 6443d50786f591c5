"""The problem of the `features` track, and the answer to it.

The problem is what a tool sees: rows of the residual stream, at one hook or several, and the
model that they come from. It holds no direction, no activation, no program and no source map.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float

from ..compiler.model import Model
from ..errors import AnswerError, listing
from ..ground_truth import FeatureData
from .real_numbers import real_numbers

N_TRAIN = 4096
"""How many training rows there are, where the domain has as many."""
N_HELD_OUT = 1024
"""How many held-out rows."""
DIRECTIONS_PER_CLASS = 2
"""How many directions may be given for each that there is to find."""


@dataclass(frozen=True, eq=False)
class StreamRows:
    """Rows of the residual stream at one hook.

    Attributes:
        train: rows to learn from.
        held_out: rows on which activations are asked for; of other inputs than `train`.
        max_directions: how many directions may be given.
    """

    train: Float[np.ndarray, "train d_model"]
    held_out: Float[np.ndarray, "held_out d_model"]
    max_directions: int


@dataclass(frozen=True, eq=False)
class FeaturesProblem:
    """Which directions does the residual stream use?

    Attributes:
        hooks: rows by the name that TransformerLens has for the hook.
        model: weights and codec; `None` where no model has these rows.
        seed: for a method that draws at random.
    """

    hooks: Mapping[str, StreamRows]
    model: Model | None
    seed: int

    @classmethod
    def of(cls, data: FeatureData, hooks: tuple[str, ...], *, seed: int = 0) -> "FeaturesProblem":
        """Return the problem that an arm of a task poses, with rows drawn by `seed`."""
        return cls(
            MappingProxyType({hook: _stream_rows(data, hook, seed) for hook in hooks}),
            data.model,
            seed,
        )


def _stream_rows(data: FeatureData, hook: str, seed: int) -> StreamRows:
    drawn = data.rows(hook, N_TRAIN, N_HELD_OUT, seed)
    train, held_out = (np.array(rows.streams) for rows in drawn)
    for rows in (train, held_out):
        rows.setflags(write=False)
    return StreamRows(train, held_out, DIRECTIONS_PER_CLASS * data.key(hook).n_classes)


@dataclass(frozen=True, eq=False)
class FoundFeatures:
    """What a tool finds at one hook.

    Attributes:
        directions: one row each, of any length but zero.
        activations: how active each is on each held-out row.
    """

    directions: Float[np.ndarray, "m d_model"]
    activations: Float[np.ndarray, "held_out m"]


_SHORTEST, _LONGEST = 1e-100, 1e100
"""What float64 can square."""


def checked_features(problem: FeaturesProblem, answer: object) -> dict[str, FoundFeatures]:
    """Return an answer as arrays of float64, in the order of `problem.hooks`.

    Activations are rounded to float32 first, so that what is measured is what is kept on disk.

    Each hook has an object with the attributes `directions` and `activations`, or a mapping
    with these keys.

    Raises:
        AnswerError: the answer is no mapping, misses or invents hooks, or has arrays of wrong
            shapes, numbers that are not finite, or directions of length zero; every problem is
            listed.
    """
    if not isinstance(answer, Mapping):
        raise AnswerError(
            "An answer must map the name of every hook to directions and activations, got "
            f"{type(answer).__name__}; return for instance "
            "{hook: FoundFeatures(directions, activations)}"
        )
    problems = [f"{hook}: has no answer" for hook in problem.hooks if hook not in answer]
    problems += [f"{hook!r}: is no hook of it" for hook in answer if _is_new(hook, problem)]
    found = {}
    for hook, rows in problem.hooks.items():
        if hook in answer:
            part, faults = _checked_hook(rows, answer[hook])
            problems += [f"{hook}: {fault}" for fault in faults]
            if part is not None:
                found[hook] = part
    if problems:
        heading = "The answer must give directions and activations at each hook of the problem:"
        raise AnswerError(listing(heading, problems))
    return found


def _is_new(hook: object, problem: FeaturesProblem) -> bool:
    return not isinstance(hook, str) or hook not in problem.hooks


def _checked_hook(rows: StreamRows, part: Any) -> tuple[FoundFeatures | None, list[str]]:
    """Return what was found at one hook, or `None`; and all that is wrong with it."""
    faults: list[str] = []
    arrays = {}
    for name in ("directions", "activations"):
        try:
            value = part[name] if isinstance(part, Mapping) else getattr(part, name)
            array = real_numbers(value).astype(np.float64)
            if name == "activations":
                with np.errstate(over="ignore"):  # what becomes infinite is told below
                    array = array.astype(np.float32).astype(np.float64)
        except Exception as error:  # noqa: BLE001 - a tool's array may refuse in its own way
            faults.append(f"{name} must be an array of numbers: {type(error).__name__}: {error}")
            continue
        arrays[name] = array
        if array.ndim != 2:
            faults.append(f"{name} must have two axes, got the shape {array.shape}")
        elif not np.isfinite(array).all():
            faults.append(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    if faults:
        return None, faults
    directions, activations = arrays["directions"], arrays["activations"]
    if directions.shape[1] != rows.train.shape[1]:
        faults.append(
            f"directions must be rows of d_model={rows.train.shape[1]} numbers, got the shape "
            f"{directions.shape}"
        )
    if len(directions) > rows.max_directions:
        faults.append(
            f"at most max_directions={rows.max_directions} directions can be given, got "
            f"{len(directions)}"
        )
    zero = np.flatnonzero(~directions.any(axis=1))
    if len(zero):
        faults.append(f"directions must not be zero, got zero in row {', '.join(map(str, zero))}")
    largest = np.abs(directions).max(axis=1, initial=0.0)
    extreme = np.flatnonzero((largest > 0) & ((largest < _SHORTEST) | (largest > _LONGEST)))
    if len(extreme):
        faults.append(
            f"directions must have their largest number between {_SHORTEST:g} and {_LONGEST:g}, so "
            f"that they have a length, got {largest[extreme[0]]:.3g} in row {extreme[0]}"
        )
    expected = len(rows.held_out), len(directions)
    if activations.shape != expected:
        faults.append(
            f"activations must have the shape [held-out rows, directions], {expected}, got "
            f"{activations.shape}"
        )
    return (None if faults else FoundFeatures(directions, activations)), faults
