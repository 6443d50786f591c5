"""Bundle task: a task from disk, its labels as they were certified when it was built."""

from pathlib import Path

from . import bundle_layout as at
from .bundle import read_bundle
from .bundle_identity import task_id_of
from .interchange_pairs import TaskDomain
from .task import Task


def load_bundle(place: str | Path) -> Task:
    """Return the task of a bundle with labels, a folder or a zip.

    The labels are not certified anew; `verify_bundle` does that.

    Raises:
        BundleError: it is not whole, the public part alone, or of another task than its id says.

    Example:
        >>> load_bundle("nowhere.zip")
        Traceback (most recent call last):
        ...
        glassbench.errors.BundleError: nowhere.zip must be the folder or the zip file of ...
    """
    bundle = read_bundle(place)
    labels, compiled = bundle.labels, bundle.compiled
    return Task(task_id_of(bundle), compiled, labels, TaskDomain.of(compiled, seed=labels.seed))


def is_bundle(place: str | Path) -> bool:
    """Return whether a path is meant as a bundle: a zip, or a folder with a manifest."""
    path = Path(place)
    return path.suffix == ".zip" or (path / at.MANIFEST).is_file()
