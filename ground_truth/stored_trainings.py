"""Stored trainings: the weights of trained tasks of the library, as they were trained once.

Training differs in its last bits from one machine to another, so that a trained task cannot be
built again: it is kept, in a file of this package, by its id. It is data and no claim: whatever is
taken from there is measured as what was just trained is.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..compiler import Weights
from ..whole_file import write_whole
from .array_file import save_arrays

FILE = Path(__file__).with_name("trainings.safetensors")
_BETWEEN = ":"


def stored_trainings(place: Path = FILE) -> tuple[str, ...]:
    """Return the ids of the tasks whose weights are stored, in order."""
    from safetensors import safe_open

    if not place.exists():
        return ()
    with safe_open(place, "numpy") as stored:
        return tuple(sorted({key.rpartition(_BETWEEN)[0] for key in stored.keys()}))  # noqa: SIM118


def stored_training(task: str, like: Weights, place: Path = FILE) -> Weights | None:
    """Return the weights of a trained task.

    Args:
        task: the canonical id.
        like: weights of its architecture.
        place: the file.

    Returns:
        The weights; `None` if there are none for this task.
    """
    from safetensors import safe_open

    if task not in stored_trainings(place):
        return None
    with safe_open(place, "numpy") as stored:
        return like.with_arrays(
            {
                name: stored.get_tensor(_key(task, name)).astype(np.float64)
                for name, _ in like.arrays()
            }
        )


def store_trainings(weights: Mapping[str, Weights], place: Path = FILE) -> None:
    """Write a file with these weights, in float32, beside those already there.

    Weights of the same task are replaced. The same weights give the same bytes.
    """
    from safetensors import safe_open

    kept: dict[str, np.ndarray] = {}
    if place.exists():
        with safe_open(place, "numpy") as stored:
            kept = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
    new = {
        _key(task, name): array.astype("<f4")
        for task, one in weights.items()
        for name, array in one.arrays()
    }
    others = {
        key: array for key, array in kept.items() if key.rpartition(_BETWEEN)[0] not in weights
    }
    write_whole(save_arrays(others | new), place)


def _key(task: str, name: str) -> str:
    return f"{task}{_BETWEEN}{name}"
