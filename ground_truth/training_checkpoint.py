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
        measured: how many models were measured so far, those of every time.
        asked: after how many steps that was last done; -1 if never.
        seconds: how long that took.
        has_passed: whether one of these models passed when they were measured.
    """

    state: TrainingState
    measured: int = 0
    asked: int = -1
    seconds: float = 0.0
    has_passed: bool = False

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
        names = "measured", "asked", "seconds", "passed"
        measured, asked, seconds, passed = (found[name][0] for name in names)
        stand = restored(found, start)
        return cls(stand, int(measured), int(asked), float(seconds), bool(passed))

    @property
    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "measured": np.array([self.measured], "<i4"),
            "asked": np.array([self.asked], "<i4"),
            "seconds": np.array([self.seconds], "<f8"),
            "passed": np.array([self.has_passed], "<i4"),
            **state_arrays(self.state),
        }
