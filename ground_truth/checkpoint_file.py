"""A checkpoint file: what a training has come to, in one file, written whole or not at all."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BundleError
from ..whole_file import write_whole
from .array_file import load_arrays, save_arrays


@dataclass(frozen=True)
class CheckpointFile:
    """The file of one training; without a place nothing is kept.

    Attributes:
        place: of the file.
        of: what is trained and how, as text.
        seeds: what is trained together.
    """

    place: Path | None
    of: str
    seeds: list[int]

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep arrays, with what they were made for."""
        if self.place is not None:
            write_whole(save_arrays({**self._made_for, **arrays}), self.place)

    def read(self, like: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray] | None:
        """Return the arrays that are kept, of the types and shapes of others; none without a file.

        Raises:
            BundleError: the file is not of this training.
        """
        if self.place is None or not self.place.exists():
            return None
        expected = {**self._made_for, **like}
        shapes = {name: (array.dtype.str, array.shape) for name, array in expected.items()}
        found = load_arrays(self.place.read_bytes(), str(self.place), shapes)
        if not all(np.array_equal(found[name], own) for name, own in self._made_for.items()):
            raise BundleError(
                f"{self.place} must be a checkpoint of this task, recipe and these seeds, and is "
                "of other ones; remove it, or choose another file"
            )
        return found

    @property
    def _made_for(self) -> dict[str, np.ndarray]:
        of = hashlib.sha256(self.of.encode()).digest()
        return {
            "seeds": np.array(self.seeds, "<i4"),
            "made_for": np.frombuffer(of, np.uint8),
        }
