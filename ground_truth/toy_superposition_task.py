"""Toy models of superposition as tasks, for the features track: every feature is known exactly.

The rows are `W x`, with `x` drawn by the seed of the question. The directions are the columns of
the trained `W`, made unit; an activation is `x_i |W_i|`. No feature depends on another, so that
the key has one class for each, and a tool fails from superposition alone.

A column shorter than `DEAD` is set to zero before any row is made: what is told to be dead is
then in no row at all.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from ..benchmark_programs import ToyId
from ..errors import TaskError
from .feature_data import FeatureKey, FeatureRows
from .toy_superposition import (
    REPRESENTED,
    ToySetting,
    column_norms,
    dimensionality,
    draw_inputs,
    interference,
    n_represented,
)

ARM = "model"
HOOK = "hidden"
RATIO = 0.9
"""The importance of feature `i`, from 0 on, is this to the power of `i`."""
DEAD = 0.05
"""A feature with a shorter column is dead."""


@dataclass(frozen=True, eq=False, repr=False)
class ToyTask:
    """A trained toy model of superposition.

    Attributes:
        id: says everything needed to train it again.
        setting: what it was trained for.
        W: its weights, with the columns of dead features set to zero.
        b: its biases.
        directions: the columns as trained, made unit, one row each.
    """

    id: ToyId
    setting: ToySetting
    W: Float[np.ndarray, "d n"]
    b: Float[np.ndarray, " n"]
    directions: Float[np.ndarray, "n d"]

    @property
    def digest(self) -> str:
        """The sha256 of the weights, and of how often a feature is zero.

        The weights come from training in float32, so that another machine may have others.
        """
        digest = hashlib.sha256(f"{self.W.shape} {self.id.sparsity}".encode())
        digest.update(np.ascontiguousarray(self.W, "<f8").tobytes())
        return digest.hexdigest()

    def feature_data(self, arm: str) -> "ToyFeatures":
        """Return the key and rows.

        Raises:
            TaskError: another arm than `model` is asked for.
        """
        if arm != ARM:
            raise TaskError(
                f"{self.id} must be asked with arm={ARM!r}, got {arm!r}: no feature of a toy "
                "depends on another, so that its rows are independent as they are"
            )
        return ToyFeatures(self)

    def __repr__(self) -> str:
        """Return the id."""
        return f"ToyTask({str(self.id)!r})"

    def __str__(self) -> str:
        """Return the id, what it is, and what became of its features."""
        n, d = self.setting.n, self.setting.d
        norms = column_norms(self.W)
        shares = dimensionality(self.W)[norms > 0]
        return (
            f"{self.id}\n"
            f"A toy model of superposition: {n} features in {d} dimensions, each zero with "
            f"probability {self.setting.sparsity:g}.\n"
            f"{n_represented(self.W)} features represented, {int((norms == 0).sum())} dead; "
            f"{shares.mean():.2f} dimensions for each that is not dead\n"
            "asks the features track alone: there is no program and no circuit"
        )


@dataclass(frozen=True, eq=False)
class ToyFeatures:
    """The features of a toy model and its rows; see `FeatureData`."""

    task: ToyTask

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hidden layer."""
        return (HOOK,)

    @property
    def model(self) -> None:
        """A toy is no transformer."""
        return

    def key(self, hook: str) -> FeatureKey:
        """Return the features: each a class of its own, or dead.

        Raises:
            TaskError: there is no such hook.
        """
        self._check(hook)
        alive = column_norms(self.task.W) > 0
        n = len(alive)
        return FeatureKey(
            self.task.directions,
            np.where(alive, alive.cumsum() - 1, -1),
            np.zeros(n, dtype=bool),
            tuple((f"x{i}", None) for i in range(n)),
        )

    def rows(
        self, hook: str, n_train: int, n_held_out: int, seed: int
    ) -> tuple[FeatureRows, FeatureRows]:
        """Return training rows and held-out rows, drawn one after the other.

        Raises:
            TaskError: there is no such hook.
        """
        self._check(hook)
        setting, W = self.task.setting, self.task.W
        rng = np.random.default_rng([seed, 7])
        x = draw_inputs(setting.n, n_train + n_held_out, setting.sparsity, rng)
        whole = x * column_norms(W)
        streams = x @ W.T
        return (
            FeatureRows(streams[:n_train], whole[:n_train]),
            FeatureRows(streams[n_train:], whole[n_train:]),
        )

    def _check(self, hook: str) -> None:
        if hook != HOOK:
            raise TaskError(f"The hook of {self.task.id} must be {HOOK!r}, got {hook!r}.")


def toy_table(task: ToyTask) -> tuple[list[str], list[list[str]]]:
    """Return a heading, and a row per feature: its column and how it shares its dimensions."""
    norms = column_norms(task.W)
    measured = norms, dimensionality(task.W), interference(task.W)
    rows = []
    for i, (importance, *numbers) in enumerate(
        zip(task.setting.importance, *measured, strict=True)
    ):
        state = "represented" if norms[i] > REPRESENTED else "weak" if norms[i] else "dead"
        shown = [f"{number:.2f}" for number in (importance, *numbers)]
        rows.append([f"x{i}", *shown, state])
    return ["Feature", "Importance", "Length", "Dimensions", "Interference", "State"], rows


@lru_cache(maxsize=32)
def load_toy(toy: ToyId) -> ToyTask:
    """Return a toy model, trained here; a second call returns the same object.

    Example:
        >>> print(load_toy(ToyId.parse("toy_superposition[n=3,d=2,sparsity=0]")))
        toy_superposition-v1[n=3,d=2,sparsity=0,seed=0]
        A toy model of superposition: 3 features in 2 dimensions, each zero with probability 0.
        2 features represented, 1 dead; 1.00 dimensions for each that is not dead
        asks the features track alone: there is no program and no circuit
    """
    from .toy_superposition_training import train

    setting = ToySetting.decaying(toy.n, toy.d, toy.sparsity / 100, RATIO)
    trained = train([setting], [toy.seed])
    W, b = trained.W[0, 0].astype(np.float64), trained.b[0, 0].astype(np.float64)
    norms = column_norms(W)
    unit = np.divide(W, norms, out=np.eye(toy.d, toy.n), where=norms > 0)
    return ToyTask(toy, setting, np.where(norms < DEAD, 0.0, W), b, unit.T)
