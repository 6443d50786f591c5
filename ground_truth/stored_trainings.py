"""Stored trainings: the weights of trained tasks of the library, as they were trained once.

Training differs in its last bits from one machine to another, so that a trained task cannot be
built again: it is kept, in a file of this package, by its id. What was measured of it, which takes
some ten seconds, is kept beside: as of a bundle it is read, and measured anew when it is verified.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..compiler import Weights
from ..whole_file import write_whole
from .array_file import save_arrays
from .circuit_labels import CircuitLabels
from .task import Task
from .training_record import TrainingRecord

FILE = Path(__file__).with_name("trainings.safetensors")
_BETWEEN = ":"
_LABELS, _RECORD = "labels", "record"


class StoredTraining(NamedTuple):
    """A trained model, and what was measured of it.

    Attributes:
        weights: of the model.
        labels: of its edges.
        record: of all else.
    """

    weights: Weights
    labels: CircuitLabels
    record: TrainingRecord

    @classmethod
    def of(cls, task: Task) -> "StoredTraining":
        """Return what is stored of a trained task."""
        return cls(task.compiled.model.weights, task.labels, TrainingRecord.of(task))


def stored_training_ids(place: Path = FILE) -> tuple[str, ...]:
    """Return the ids of the tasks whose weights are stored, in order."""
    from safetensors import safe_open

    if not place.exists():
        return ()
    with safe_open(place, "numpy") as stored:
        return tuple(sorted({key.rpartition(_BETWEEN)[0] for key in stored.keys()}))  # noqa: SIM118


def stored_training(task: str, like: Weights, place: Path = FILE) -> StoredTraining | None:
    """Return a trained model and what was measured of it.

    Args:
        task: the canonical id.
        like: weights of its architecture.
        place: the file.

    Returns:
        These; `None` if there are none for this task.
    """
    from safetensors import safe_open

    if task not in stored_training_ids(place):
        return None
    with safe_open(place, "numpy") as stored:
        arrays = {
            name: stored.get_tensor(_key(task, name)).astype(np.float64)
            for name, _ in like.arrays()
        }
        labels, record = (
            zlib.decompress(stored.get_tensor(_key(task, name)).tobytes()).decode()
            for name in (_LABELS, _RECORD)
        )
    return StoredTraining(
        like.with_arrays(arrays),
        CircuitLabels.model_validate_json(labels),
        TrainingRecord.model_validate_json(record),
    )


def store_trainings(trainings: Mapping[str, StoredTraining], place: Path = FILE) -> None:
    """Write a file with trained models, in float32, beside those already there.

    Those of the same task are replaced. The same models give the same bytes.
    """
    from safetensors import safe_open

    kept: dict[str, np.ndarray] = {}
    if place.exists():
        with safe_open(place, "numpy") as stored:
            kept = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
    others = {
        key: array for key, array in kept.items() if key.rpartition(_BETWEEN)[0] not in trainings
    }
    new = {
        _key(task, name): array
        for task, one in trainings.items()
        for name, array in _arrays(one).items()
    }
    write_whole(save_arrays(others | new), place)


def _arrays(one: StoredTraining) -> dict[str, np.ndarray]:
    """Return what is stored of one model; texts are compressed."""
    texts = {_LABELS: one.labels.to_json(), _RECORD: one.record.to_json()}
    return {name: array.astype("<f4") for name, array in one.weights.arrays()} | {
        name: np.frombuffer(zlib.compress(text.encode(), 9), np.uint8)
        for name, text in texts.items()
    }


def _key(task: str, name: str) -> str:
    return f"{task}{_BETWEEN}{name}"
