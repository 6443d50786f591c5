"""Bundle building: many tasks, each made from nothing and written whole or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..benchmark_programs import TaskId
from ..whole_file import writable_folder, write_whole
from . import bundle_layout as at
from .bundle_archive import zip_bytes
from .bundle_files import bundle_files
from .bundle_folder import write_files
from .manifest import sha256_of
from .own_task_id import OwnTaskId, name_like
from .registry import REGISTRY, Registry, RegistryEntry, url_of
from .task import Task
from .task_building import build_model, certified
from .transfer import is_file, path_of

_DIGITS = 12


@dataclass(frozen=True)
class BuiltBundle:
    """A bundle that was written.

    Attributes:
        id: of the task.
        digest: of the bundle.
        path: of its zip or folder.
        sha256: of the zip; empty for a folder.
        size: of all of it, in bytes.
    """

    id: str
    digest: str
    path: Path
    sha256: str
    size: int


def build_bundles(
    tasks: Sequence[TaskId],
    folder: Path,
    *,
    public: bool = False,
    folders: bool = False,
    jobs: int = 1,
) -> Iterator[BuiltBundle]:
    """Compile tasks, make and certify all their labels, and write their bundles.

    Args:
        tasks: which.
        folder: where to.
        public: whether labels and programs are left out.
        folders: whether bundles are folders instead of zips.
        jobs: how many processes work.

    Yields:
        What was written, in the order of the tasks.

    Raises:
        CertificationError: some label of a task cannot be certified.
        BundleError: nothing can be written there.
    """
    from joblib import Parallel, delayed

    writable_folder(folder)
    parallel = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)
    yield from parallel(
        delayed(build_bundle)(task, folder, public=public, folders=folders) for task in tasks
    )


def write_registry(built: Sequence[BuiltBundle], folder: Path) -> Path:
    """Write the registry of zips beside them, with URLs that begin where it is.

    What an earlier one says of other tasks stays, as long as their files are there.

    Raises:
        BundleError: there is a file of that name that is no registry.
    """
    entries = {
        one.id: RegistryEntry(
            id=one.id,
            digest=one.digest,
            sha256=one.sha256,
            size=one.size,
            urls=(quote(one.path.name),),
        )
        for one in built
    }
    kept = {entry.id: entry for entry in registered(folder)}
    registry = Registry(bundles=tuple((kept | entries).values()))
    return write_whole(registry.to_json().encode(), folder / REGISTRY)


def registered(folder: Path) -> tuple[RegistryEntry, ...]:
    """Return the bundles of the registry in a folder that are still to be had.

    Raises:
        BundleError: there is a file of that name that is no registry.
    """
    if not (folder / REGISTRY).exists():
        return ()
    url = url_of(folder / REGISTRY)
    return tuple(
        entry
        for entry in Registry.read(folder / REGISTRY).bundles
        if any(not is_file(one) or path_of(one).is_file() for one in entry.addresses(url))
    )


def bundle_name(task: TaskId | OwnTaskId, digest: str) -> str:
    """Return how the file of a bundle is called: its program, and the beginning of its digest."""
    return f"{name_like(task.name)}-{digest[:_DIGITS]}"


def build_bundle(
    task: TaskId, folder: Path, *, public: bool = False, folders: bool = False
) -> BuiltBundle:
    """Make one task from nothing, and write its bundle; as `write_named_bundle`.

    Raises:
        CertificationError: some label cannot be certified.
    """
    made = certified(task, build_model(task))
    return write_named_bundle(made, folder, public=public, folders=folders)


def write_named_bundle(
    task: Task, folder: Path, *, public: bool = False, folders: bool = False
) -> BuiltBundle:
    """Write the bundle of a task under a name that tells its program and its digest.

    Args:
        task: with its labels.
        folder: where to.
        public: whether labels and program are left out.
        folders: whether the bundle is a folder instead of a zip.

    Raises:
        CertificationError: some label cannot be certified.
    """
    files = bundle_files(task)
    if public:
        files = {name: files[name] for name in (*at.PUBLIC, at.MANIFEST)}
    digest = sha256_of(files[at.MANIFEST])
    name = bundle_name(task.id, digest)
    if folders:
        path = write_files(files, folder / name)
        return BuiltBundle(str(task.id), digest, path, "", sum(map(len, files.values())))
    content = zip_bytes(files)
    path = write_whole(content, folder / f"{name}.zip")
    return BuiltBundle(str(task.id), digest, path, sha256_of(content), len(content))
