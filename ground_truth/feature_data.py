"""Feature data: what the features track needs of a task, whatever kind of task it is.

A task gives, for each hook, the key (directions, and which of them are one class) and rows of
the residual stream with the activations behind them, so that

    stream = activations @ directions

to within rounding, and on a superposed model, whose components were trained, as far as the
quality gate asks (`SUPERPOSED_BOUND`). An activation is therefore measured along the unit
direction. `feature_data` gives this for a certified task; a task of another kind has a method
`feature_data` of its own.

There are two arms. `model` has the rows of the running model, at BOS and at tokens, and
training and held-out rows come from different inputs. `independent` has rows that are made up:
the same directions, every class with the same marginal, and no class depending on another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import JsonValue

from ..compiler.executor import run
from ..compiler.model import Model
from ..errors import TaskError
from .feature_activations import FeatureActivations, is_padding
from .features import BOUND, FeatureLabels, features, independent_rows
from .task import Task

ARMS = ("model", "independent")
HELD_OUT_SHARE = 0.25
"""Which share of the inputs is held out."""
SUPERPOSED_BOUND = 0.1
"""By which share the stream of a superposed model may differ from the sum of its features, see
`stream_deviation`. It is that by which components may differ in the quality gate, so that what
passes the gate has features too."""
_ELEMENTS = 2**22


@dataclass(frozen=True, eq=False)
class FeatureKey:
    """The features in the residual stream at one hook.

    Attributes:
        directions: unit vectors, one row each.
        class_of: which of them are one class, since they are equal up to a factor on the
            whole domain; -1 for the dead, which are zero on all of it.
        constant: whether a feature is the same number, not zero, on the whole domain.
        names: what each stands for: a variable and a value, `None` for a number.
    """

    directions: Float[np.ndarray, "k d_model"]
    class_of: Int[np.ndarray, " k"]
    constant: Bool[np.ndarray, " k"]
    names: tuple[tuple[str, JsonValue], ...]

    @property
    def n_classes(self) -> int:
        """How many classes there are, constant ones counted and the dead not."""
        return len(np.unique(self.class_of[self.class_of >= 0]))


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """Rows of the residual stream, and what is in them.

    Attributes:
        streams: the residual stream.
        activations: how far each feature of the key moves it along its unit direction.
    """

    streams: Float[np.ndarray, "n d_model"]
    activations: Float[np.ndarray, "n k"]


@runtime_checkable
class FeatureData(Protocol):
    """The keys of one arm of a task, and its rows."""

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks, as TransformerLens names them; the last is the stream before the logits."""

    @property
    def model(self) -> Model | None:
        """The model whose rows these are; `None` where they are made up."""

    def key(self, hook: str) -> FeatureKey:
        """Return the features at a hook."""

    def rows(
        self, hook: str, n_train: int, n_held_out: int, seed: int
    ) -> tuple[FeatureRows, FeatureRows]:
        """Return training rows and held-out rows, fewer where there are not as many.

        The same seed draws the same rows at every hook.
        """


@runtime_checkable
class FeaturesTask(Protocol):
    """A task of another kind than `Task` that the features track can be asked about.

    It is hashable, since what was made of it is kept for the next method.
    """

    @property
    def id(self) -> object:
        """What it is called, as text."""

    @property
    def digest(self) -> str:
        """A sha256 that tells its features from those of any other task."""

    def __hash__(self) -> int: ...

    def feature_data(self, arm: str) -> FeatureData:
        """Return the keys and rows of an arm.

        Raises:
            TaskError: it has no such arm.
        """


def feature_data(task: Task | FeaturesTask, arm: str = "model") -> FeatureData:
    """Return the keys and rows of an arm of a task.

    Raises:
        TaskError: there is no such arm, or the task has a single input, which cannot be split, or
            its model was trained.
        CertificationError: the stream of the model is not the sum of its features.
    """
    if arm not in ARMS:
        raise TaskError(f"An arm must be one of {', '.join(map(repr, ARMS))}, got {arm!r}.")
    if not isinstance(task, Task):
        return task.feature_data(arm)
    if task.training is not None:
        raise TaskError(
            f"{task.id} was trained, and nothing is known of directions in its stream; take the "
            "program compiled, or compressed by the regime `superposed`."
        )
    return ModelFeatures(task) if arm == "model" else IndependentFeatures(task)


def features_digest(task: Task | FeaturesTask) -> str:
    """Return the sha256 that tells which features these are; of a model, of its weights."""
    return task.labels.weights if isinstance(task, Task) else task.digest


@lru_cache(maxsize=64)
def features_of(task: Task) -> FeatureLabels:
    """Return the features of a task, found once; those of a superposed model in a wider bound."""
    bound = BOUND if task.gate is None else SUPERPOSED_BOUND
    return features(task.compiled, task.domain, bound=bound)


def _depth(labels: FeatureLabels, hook: str) -> int:
    return next(one.depth for one in labels.hooks if one.hook == hook)


def _key(labels: FeatureLabels, depth: int) -> FeatureKey:
    """Return the features that are in the stream at a depth."""
    present = labels.first <= depth
    constant = np.array([feature.constant for feature in labels.features])
    names = tuple(name for name, here in zip(labels.names, present, strict=True) if here)
    return FeatureKey(
        labels.directions[present], labels.class_of[present], constant[present], names
    )


class ModelFeatures:
    """The `model` arm of a certified task: rows of the running model.

    A quarter of the inputs of the domain, at least one, is held out, and rows are drawn from
    either part without replacement: a small domain has no more rows than it has.

    Args:
        task: a certified task.

    Raises:
        TaskError: its domain is a single input.
    """

    def __init__(self, task: Task) -> None:
        if len(task.domain.tokens) < 2:
            raise TaskError(
                f"The features track holds inputs out, so that a task needs two or more, and "
                f"{task.id} has one; choose a larger vocabulary or length"
            )
        self._task, self._labels = task, features_of(task)
        self._source = FeatureActivations(task.compiled)

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks, from the embeddings to the logits."""
        return tuple(hook.hook for hook in self._labels.hooks)

    @property
    def model(self) -> Model:
        """The model."""
        return self._task.compiled.model

    def key(self, hook: str) -> FeatureKey:
        """Return the features at a hook."""
        return _key(self._labels, _depth(self._labels, hook))

    def rows(
        self, hook: str, n_train: int, n_held_out: int, seed: int
    ) -> tuple[FeatureRows, FeatureRows]:
        """Return training rows and held-out rows, from inputs that differ."""
        train, held_out = self.places(n_train, n_held_out, seed)
        depth = _depth(self._labels, hook)
        return self._rows_at(depth, train), self._rows_at(depth, held_out)

    def places(
        self, n_train: int, n_held_out: int, seed: int
    ) -> tuple[Int[np.ndarray, "n_train 2"], Int[np.ndarray, "n_held_out 2"]]:
        """Return which input of the domain and which position each row is."""
        tokens = self._task.domain.tokens
        rng = np.random.default_rng([seed, 4])
        order = rng.permutation(len(tokens))
        n_out = max(1, round(HELD_OUT_SHARE * len(tokens)))
        kept = ~is_padding(tokens, len(self._task.compiled.program.vocabulary))
        parts = []
        for inputs, size in ((order[n_out:], n_train), (order[:n_out], n_held_out)):
            found = np.argwhere(kept[inputs])
            chosen = found[rng.permutation(len(found))[:size]]
            parts.append(np.stack([inputs[chosen[:, 0]], chosen[:, 1]], axis=1))
        return parts[0], parts[1]

    def _rows_at(self, depth: int, places: Int[np.ndarray, "n 2"]) -> FeatureRows:
        """Run the inputs of some rows, and return the stream and the activations there."""
        labels = self._labels
        present = labels.first <= depth
        streams = np.zeros((len(places), labels.directions.shape[1]))
        found = np.zeros((len(places), int(present.sum())))
        for tokens, rows, row_of in self._chunks(places):
            at = row_of, places[rows, 1]
            streams[rows] = run(self.model.weights, tokens).streams[depth][at]
            found[rows] = self._source.exact(tokens)[at][:, present]
        return FeatureRows(streams, found * labels.scale[present])

    def _chunks(
        self, places: Int[np.ndarray, "n 2"]
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield some inputs, the rows that are in them, and in which of them each row is."""
        tokens = self._task.domain.tokens
        inputs, inverse = np.unique(places[:, 0], return_inverse=True)
        widest = sum(self.model.weights.W_E.shape) + self._source.n_features
        size = max(1, _ELEMENTS // (tokens.shape[1] * widest))
        for start in range(0, len(inputs), size):
            rows = np.flatnonzero((inverse >= start) & (inverse < start + size))
            yield tokens[inputs[start : start + size]], rows, inverse[rows] - start


class IndependentFeatures:
    """The `independent` arm of a certified task: the same features, none depending on another.

    There are as many rows as the `model` arm has, so that the two differ in nothing else. The
    model is not shown, since these are not its rows.

    Args:
        task: a certified task.

    Raises:
        TaskError: its domain is a single input.
    """

    def __init__(self, task: Task) -> None:
        self._running = ModelFeatures(task)
        self._labels = features_of(task)

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks of the model."""
        return self._running.hooks

    @property
    def model(self) -> None:
        """No model has these rows."""
        return

    def key(self, hook: str) -> FeatureKey:
        """Return the features at a hook: those of the model."""
        return self._running.key(hook)

    def rows(
        self, hook: str, n_train: int, n_held_out: int, seed: int
    ) -> tuple[FeatureRows, FeatureRows]:
        """Return training rows and held-out rows, drawn one after the other."""
        labels, depth = self._labels, _depth(self._labels, hook)
        train, held_out = self._running.places(n_train, n_held_out, seed)
        drawn = int(np.random.default_rng([seed, 5]).integers(2**63))
        activations, streams = independent_rows(labels, len(train) + len(held_out), drawn, depth)
        present = labels.first <= depth
        whole = (activations * labels.scale)[:, present]
        cut = len(train)
        return FeatureRows(streams[:cut], whole[:cut]), FeatureRows(streams[cut:], whole[cut:])
