"""A checkpoint of interchange training: where it stands, in one file, whole or not at all."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..compiler.interchange_training import TrainingState
from ..errors import BundleError
from ..whole_file import write_whole
from .array_file import load_arrays, save_arrays
from .state_arrays import restored, state_arrays

_STARTS, _OF = "starts", "made_for"


@dataclass(frozen=True, eq=False)
class Stand:
    """Where a training stands.

    Attributes:
        state: of the training.
        measured: how often models were measured.
        seconds: how long that took.
    """

    state: TrainingState
    measured: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class TrainingCheckpoint:
    """The file of one training; without a place nothing is kept.

    Attributes:
        place: of the file.
        of: the task, the model that it is made from, and the recipe, as text.
        starts: what is trained together.
    """

    place: Path | None
    of: str
    starts: list[int]

    def write(self, stand: Stand) -> None:
        """Keep where training stands."""
        if self.place is not None:
            write_whole(save_arrays(self._arrays(stand)), self.place)

    def read(self, start: TrainingState) -> Stand:
        """Return where training stands; at `start` if there is no file.

        Raises:
            BundleError: the file is not of this training.
        """
        if self.place is None or not self.place.exists():
            return Stand(start)
        expected = self._arrays(Stand(start))
        shapes = {name: (array.dtype.str, array.shape) for name, array in expected.items()}
        found = load_arrays(self.place.read_bytes(), str(self.place), shapes)
        if not all(np.array_equal(found[name], expected[name]) for name in (_STARTS, _OF)):
            raise BundleError(
                f"{self.place} must be a checkpoint of this task, recipe and these starts, and is "
                "of other ones; remove it, or choose another file"
            )
        measured, seconds = int(found["measured"][0]), float(found["seconds"][0])
        return Stand(restored(found, start), measured, seconds)

    def _arrays(self, stand: Stand) -> dict[str, np.ndarray]:
        return {
            "measured": np.array([stand.measured], "<i4"),
            "seconds": np.array([stand.seconds], "<f8"),
            _STARTS: np.array(self.starts, "<i4"),
            _OF: np.frombuffer(hashlib.sha256(self.of.encode()).digest(), np.uint8),
            **state_arrays(stand.state),
        }
