"""Bundle task: a task from disk, its labels as they were certified when it was built."""

from pathlib import Path

from ..benchmark_programs import TaskId
from ..errors import BundleError, TaskError
from . import bundle_layout as at
from .bundle import Bundle, read_bundle
from .interchange_pairs import TaskDomain
from .manifest import Identity
from .own_task_id import OwnProgram, OwnTaskId
from .task import Task


def load_bundle(place: str | Path) -> Task:
    """Return the task of a bundle with labels, a folder or a zip.

    The labels are not certified anew; `verify_bundle` does that.

    Raises:
        BundleError: it is not whole, or the public part alone.

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


def task_id_of(bundle: Bundle) -> TaskId | OwnTaskId:
    """Return the id of a bundle's task.

    Raises:
        BundleError: it is no id, or not that of what the bundle holds.
    """
    manifest, where = bundle.manifest, f"{bundle.place}: {at.MANIFEST}"
    found: TaskId | OwnTaskId
    try:
        found = _own_id(bundle) if "@" in manifest.id else TaskId.parse(manifest.id)
    except TaskError as error:
        raise BundleError(f"{where}: {error}") from None
    if Identity.of(found) != manifest.identity:
        raise BundleError(
            f"{where}: name, version, parameters and regimes must be those of {manifest.id}, and "
            f"the program that of {found}"
        )
    return found


def _own_id(bundle: Bundle) -> OwnTaskId:
    """Return the id of a program that is not of the library."""
    manifest = bundle.manifest
    regimes = tuple((one.name, tuple(one.parameters.items())) for one in manifest.regimes)
    text = bundle.contents.get(at.RASP, b"").decode(errors="replace")
    spec = OwnProgram(manifest.description, text, manifest.citation)
    return OwnTaskId.of(manifest.name, bundle.compiled.program, regimes, spec)
