"""A checkpoint of training with Adam: where it stands, in one file, written whole or not at all."""

from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ..compiler.adam_recipe import AdamState
from ..errors import BundleError
from ..whole_file import write_whole
from .array_file import load_arrays, save_arrays

_DONE, _SEEDS, _OF = "steps", "seeds", "made_for"


@dataclass(frozen=True)
class AdamCheckpoint:
    """The file of one training; without a place nothing is kept.

    Attributes:
        place: of the file.
        weights: the digest of the model's weights.
        recipe: the name of the recipe.
        d: the width that is trained for.
        seeds: what is trained together.
    """

    place: Path | None
    weights: str
    recipe: str
    d: int
    seeds: list[int]

    def write(self, done: int, state: AdamState) -> None:
        """Keep where training stands after so many steps."""
        if self.place is not None:
            write_whole(save_arrays(self._arrays(done, state)), self.place)

    def read(self, start: AdamState) -> tuple[int, AdamState]:
        """Return how many steps are done, and where training stands.

        Args:
            start: where it starts if there is no file.

        Raises:
            BundleError: the file is not of this training.
        """
        if self.place is None or not self.place.exists():
            return 0, start
        expected = self._arrays(0, start)
        shapes = {name: (array.dtype.str, array.shape) for name, array in expected.items()}
        found = load_arrays(self.place.read_bytes(), str(self.place), shapes)
        if not all(np.array_equal(found[name], expected[name]) for name in (_SEEDS, _OF)):
            raise BundleError(
                f"{self.place} must be a checkpoint of this model, recipe and these seeds, and is "
                "of other ones; remove it, or choose another file"
            )
        leaves, shape = jax.tree.flatten(start)
        restored = [
            jnp.asarray(found[f"leaf.{place:03}"].view(np.asarray(leaf).dtype))
            for place, leaf in enumerate(leaves)
        ]
        return int(found[_DONE][0]), jax.tree.unflatten(shape, restored)

    def _arrays(self, done: int, state: AdamState) -> dict[str, np.ndarray]:
        made_for = f"{self.weights} {self.recipe} {self.d}".encode()
        leaves = map(np.asarray, jax.tree.leaves(state))
        kept = {f"leaf.{place:03}": _signed(leaf) for place, leaf in enumerate(leaves)}
        return {
            _DONE: np.array([done], "<i4"),
            _SEEDS: np.array(self.seeds, "<i4"),
            _OF: np.frombuffer(made_for, np.uint8),
            **kept,
        }


def _signed(array: np.ndarray) -> np.ndarray:
    """Return the bits of unsigned integers as signed ones, which array files have."""
    return array.view(np.int32) if array.dtype == np.uint32 else array
