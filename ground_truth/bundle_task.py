"""Bundle task: a task from disk, its labels as they were certified when it was built."""

from pathlib import Path

from ..benchmark_programs import TaskId, ToyId, is_toy
from ..errors import BundleError, TaskError, listing
from . import bundle_layout as at
from .bundle import read_bundle
from .bundle_identity import identify
from .interchange_pairs import TaskDomain
from .quality_gate import QualityGate
from .task import Task
from .trained import alignment_of


def load_bundle(place: str | Path) -> Task:
    """Return the task of a bundle with labels, a folder or a zip.

    The labels are not certified anew; `verify_bundle` does that.

    Raises:
        BundleError: it is not whole, the public part alone, of another task than its id says, or of
            a trained model that did not pass.

    Example:
        >>> load_bundle("nowhere.zip")
        Traceback (most recent call last):
        ...
        glassbench.errors.BundleError: nowhere.zip must be the folder or the zip file of ...
    """
    bundle = read_bundle(place)
    labels, compiled, compression = bundle.labels, bundle.compiled, bundle.all_labels.compression
    found = identify(bundle)
    gate = None
    if compression is not None and found.built is not None:
        quality = compression.record.quality
        gate = QualityGate(found.built, compression.W, compiled, quality, labels, ())
    domain = TaskDomain.of(compiled, seed=labels.seed)
    training = None
    if (record := bundle.all_labels.training) is not None and found.built is not None:
        alignment = alignment_of(found.id, found.built)
        training = record.gate(found.built, alignment, compiled, labels)
        if not training.passed:
            raise BundleError(training.refusal(place))
    return Task(found.id, compiled, labels, domain, gate, training)


def is_bundle(place: str | Path) -> bool:
    """Return whether a path is meant as a bundle: a zip, or a folder with a manifest."""
    path = Path(place)
    return path.suffix == ".zip" or (path / at.MANIFEST).is_file()


def named_task(name: str) -> TaskId | ToyId | Path:
    """Return the task or the toy that a name stands for, or the place of a bundle.

    Raises:
        TaskError: there is no such task, or no such toy.
        BundleError: as for `task_or_bundle`.
    """
    return ToyId.parse(name) if is_toy(name) else task_or_bundle(name)


def task_or_bundle(name: str) -> TaskId | Path:
    """Return the task that a name stands for, or the place of a bundle.

    A folder that holds one bundle stands for it.

    Raises:
        TaskError: there is no such task.
        BundleError: there is a file or a folder of that name, which is no bundle.
    """
    if is_bundle(name):
        return Path(name)
    try:
        return TaskId.parse(name)
    except TaskError:
        if not Path(name).exists():
            raise
    return bundle_place(Path(name))


def bundle_place(named: Path) -> Path:
    """Return the place of the bundle that a file or a folder stands for.

    Raises:
        BundleError: it is no bundle, nor a folder that holds one.
    """
    inside = [named] if is_bundle(named) else sorted(filter(is_bundle, named.glob("*")))
    if len(inside) == 1:
        return inside[0]
    if inside:
        heading = f"{named} holds {len(inside)} bundles; name one of them:"
        raise BundleError(listing(heading, [str(one) for one in inside]))
    raise BundleError(
        f"{named} must be a task, or the zip or the folder of a bundle, in which there is a "
        f"{at.MANIFEST}, and is neither"
    )
