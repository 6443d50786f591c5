"""State arrays: the state of a training as named arrays, and back."""

from collections.abc import Mapping
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

State = TypeVar("State")


def state_arrays(state: object) -> dict[str, np.ndarray]:
    """Return the arrays of a state, by the order in which they stand in it."""
    leaves = map(np.atleast_1d, jax.tree.leaves(state))
    return {_name(place): _signed(leaf) for place, leaf in enumerate(leaves)}


def restored(arrays: Mapping[str, np.ndarray], like: State) -> State:
    """Return a state of the shape of another, with the numbers that `state_arrays` gave."""
    leaves, shape = jax.tree.flatten(like)
    own = [
        jnp.asarray(arrays[_name(place)].view(np.asarray(leaf).dtype).reshape(leaf.shape))
        for place, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(shape, own)


def _name(place: int) -> str:
    return f"leaf.{place:03}"


def _signed(array: np.ndarray) -> np.ndarray:
    """Return the bits of unsigned integers as signed ones, which array files have."""
    return array.view(np.int32) if array.dtype == np.uint32 else array
