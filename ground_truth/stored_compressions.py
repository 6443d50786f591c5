"""Stored compressions: the matrices that compress tasks of the library, as they were trained once.

Training can differ in its last bits from one machine to another, so that a task would depend on
where it is loaded. What was trained once is kept in a file of this package, by the id of the
compressed task. It is data and no claim: whatever is taken from there is measured as what was
just trained is.
"""

from collections.abc import Mapping
from pathlib import Path

from ..whole_file import write_whole
from .array_file import save_arrays
from .compression_grid import Matrix, matrix_of, steps_of

FILE = Path(__file__).with_name("compressions.safetensors")


def stored_compression_ids(place: Path = FILE) -> tuple[str, ...]:
    """Return the ids of the tasks whose matrices are stored, in order."""
    from safetensors import safe_open

    if not place.exists():
        return ()
    with safe_open(place, "numpy") as stored:
        return tuple(sorted(stored.keys()))


def stored_compression(task: str, place: Path = FILE) -> Matrix | None:
    """Return the matrix that compresses a task.

    Args:
        task: the canonical id, its last regime `superposed`.
        place: the file.

    Returns:
        The matrix `[d, d_model]`; `None` if there is none for this task.
    """
    from safetensors import safe_open

    if task not in stored_compression_ids(place):
        return None
    with safe_open(place, "numpy") as stored:
        return matrix_of(stored.get_tensor(task))


def store_compressions(matrices: Mapping[str, Matrix], place: Path = FILE) -> None:
    """Write a file with these matrices, all of them on the grid, beside those already there.

    A matrix of the same task is replaced. The same matrices give the same bytes.
    """
    kept = {task: stored_compression(task, place) for task in stored_compression_ids(place)}
    wanted = {**kept, **matrices}
    arrays = {task: steps_of(W) for task, W in wanted.items() if W is not None}
    write_whole(save_arrays(arrays), place)
