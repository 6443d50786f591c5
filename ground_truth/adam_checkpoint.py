"""A checkpoint of training with Adam: where it stands, as arrays in a file."""

from dataclasses import dataclass

import numpy as np

from ..compiler.adam_recipe import AdamState
from ..compiler.compression_attempt import Attempt
from .checkpoint_file import CheckpointFile
from .state_arrays import restored, state_arrays


@dataclass(frozen=True, eq=False)
class AdamCheckpoint:
    """Where a training stands.

    Attributes:
        done: how many steps were taken.
        state: of the training after them.
        measured: how many matrices of each seed were measured.
        seconds: how long that took.
        best: the best attempt of each seed; none before the first was measured.
    """

    done: int
    state: AdamState
    measured: int = 0
    seconds: float = 0.0
    best: tuple[Attempt, ...] = ()

    def write(self, file: CheckpointFile) -> None:
        """Keep it."""
        file.write(self._arrays)

    @classmethod
    def read(cls, file: CheckpointFile, start: AdamState) -> "AdamCheckpoint":
        """Return where training stands; at `start` if there is no file.

        Raises:
            BundleError: the file is not of this training.
        """
        first = tuple(Attempt(W, 0.0, 0) for W in np.asarray(start.W, np.float64))
        found = file.read(cls(0, start, best=first)._arrays)
        if found is None:
            return cls(0, start)
        best = zip(found["best"], found["best_loss"], found["best_steps"], strict=True)
        return cls(
            int(found["steps"][0]),
            restored(found, start),
            int(found["measured"][0]),
            float(found["seconds"][0]),
            tuple(Attempt(W, float(loss), int(steps)) for W, loss, steps in best),
        )

    @property
    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "steps": np.array([self.done], "<i4"),
            "measured": np.array([self.measured], "<i4"),
            "seconds": np.array([self.seconds], "<f8"),
            "best": np.stack([one.W for one in self.best]).astype("<f8"),
            "best_loss": np.array([one.loss for one in self.best], "<f8"),
            "best_steps": np.array([one.steps for one in self.best], "<i4"),
            **state_arrays(self.state),
        }
