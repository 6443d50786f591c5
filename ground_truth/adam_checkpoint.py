"""A checkpoint of training with Adam: where it stands, in one file, written whole or not at all."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..compiler.adam_recipe import AdamState
from ..compiler.compression_attempt import Attempt
from ..errors import BundleError
from ..whole_file import write_whole
from .array_file import load_arrays, save_arrays
from .state_arrays import restored, state_arrays

_DONE, _SEEDS, _OF = "steps", "seeds", "made_for"


@dataclass(frozen=True, eq=False)
class Stand:
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


@dataclass(frozen=True)
class AdamCheckpoint:
    """The file of one training; without a place nothing is kept.

    Attributes:
        place: of the file.
        weights: the digest of the model's weights.
        recipe: the recipe and all its parameters, as text.
        d: the width that is trained for.
        seeds: what is trained together.
    """

    place: Path | None
    weights: str
    recipe: str
    d: int
    seeds: list[int]

    def write(self, stand: Stand) -> None:
        """Keep where training stands."""
        if self.place is not None:
            write_whole(save_arrays(self._arrays(stand)), self.place)

    def read(self, start: AdamState) -> Stand:
        """Return where training stands; at `start` if there is no file.

        Raises:
            BundleError: the file is not of this training.
        """
        if self.place is None or not self.place.exists():
            return Stand(0, start)
        W = np.asarray(start.W, np.float64)
        expected = self._arrays(Stand(0, start, best=tuple(Attempt(one, 0.0, 0) for one in W)))
        shapes = {name: (array.dtype.str, array.shape) for name, array in expected.items()}
        found = load_arrays(self.place.read_bytes(), str(self.place), shapes)
        if not all(np.array_equal(found[name], expected[name]) for name in (_SEEDS, _OF)):
            raise BundleError(
                f"{self.place} must be a checkpoint of this model, recipe and these seeds, and is "
                "of other ones; remove it, or choose another file"
            )
        best = zip(found["best"], found["best_loss"], found["best_steps"], strict=True)
        return Stand(
            int(found[_DONE][0]),
            restored(found, start),
            int(found["measured"][0]),
            float(found["seconds"][0]),
            tuple(Attempt(W, float(loss), int(steps)) for W, loss, steps in best),
        )

    def _arrays(self, stand: Stand) -> dict[str, np.ndarray]:
        made_for = hashlib.sha256(f"{self.weights} {self.recipe} {self.d}".encode()).digest()
        return {
            _DONE: np.array([stand.done], "<i4"),
            "measured": np.array([stand.measured], "<i4"),
            "seconds": np.array([stand.seconds], "<f8"),
            _SEEDS: np.array(self.seeds, "<i4"),
            _OF: np.frombuffer(made_for, np.uint8),
            "best": np.stack([one.W for one in stand.best]).astype("<f8"),
            "best_loss": np.array([one.loss for one in stand.best], "<f8"),
            "best_steps": np.array([one.steps for one in stand.best], "<i4"),
            **state_arrays(stand.state),
        }
