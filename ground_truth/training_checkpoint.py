"""A checkpoint of interchange training: where it stands, as arrays in a file."""

from dataclasses import dataclass

import numpy as np

from ..compiler.interchange_training import TrainingState
from .checkpoint_file import CheckpointFile
from .state_arrays import restored, state_arrays


@dataclass(frozen=True, eq=False)
class TrainingCheckpoint:
    """Where a training stands.

    Attributes:
        state: of the training.
        measured: how often models were measured.
        seconds: how long that took.
    """

    state: TrainingState
    measured: int = 0
    seconds: float = 0.0

    def write(self, file: CheckpointFile) -> None:
        """Keep it."""
        file.write(self._arrays)

    @classmethod
    def read(cls, file: CheckpointFile, start: TrainingState) -> "TrainingCheckpoint":
        """Return where training stands; at `start` if there is no file.

        Raises:
            BundleError: the file is not of this training.
        """
        found = file.read(cls(start)._arrays)
        if found is None:
            return cls(start)
        return cls(restored(found, start), int(found["measured"][0]), float(found["seconds"][0]))

    @property
    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "measured": np.array([self.measured], "<i4"),
            "seconds": np.array([self.seconds], "<f8"),
            **state_arrays(self.state),
        }
