"""Bundle folders: the bundle of a task as a folder; see `bundle_layout` for what is in there.

A folder is written beside its place and moved there when it is whole. The same task gives
the same bytes.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import BundleError, listing
from ..whole_file import check_place
from . import bundle_layout as at
from .bundle_files import bundle_files
from .task import Task

_FILES = at.PUBLIC | at.PRIVATE | {at.MANIFEST, at.LABELS_MANIFEST}
_SHOWN = 5


def write_bundle(task: Task, folder: str | Path, *, force: bool = False) -> Path:
    """Write a task, whole or not at all, and return its folder.

    A folder that holds nothing but an earlier task of the same name is replaced.

    Args:
        task: any task.
        folder: where to; folders above it are made.
        force: whether to write over a task of another name, and into a folder that holds
            other files too. Those stay.

    Raises:
        BundleError: there is something else at `folder`, or nothing can be written there.
    """
    check_bundle_folder(folder, str(task.id), force=force)
    return write_files(bundle_files(task), Path(folder))


def write_files(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write the files of a bundle to its folder, in place of those of an earlier one.

    Raises:
        BundleError: they cannot be written there.
    """
    place = folder.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as beside:
            made = Path(beside) / "new"
            for name, content in files.items():
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            _move(made, place, Path(beside) / "old")
    except OSError as error:
        raise BundleError(
            f"{folder} cannot be written: {error.strerror or error}; choose another place"
        ) from None
    return folder


def check_bundle_folder(folder: str | Path, task: str = "", *, force: bool = False) -> None:
    """Raise if a task cannot be written to a folder; nothing stays written.

    Args:
        folder: where a task is to go.
        task: its id; empty where it is not known yet, and any task may be there.
        force: whether other files, or a task of another name, may be there.

    Raises:
        BundleError: there is something else at `folder`, or nothing can be written there.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise BundleError(f"{folder} must be a folder, got a file; choose another place")
    others = sorted(_others(folder))
    if others and not force:
        shown = others[:_SHOWN] + (["..."] if len(others) > _SHOWN else [])
        raise BundleError(
            listing(
                f"{folder} must be empty or hold a task, got other files; choose another folder, "
                "or force it to be written beside them:",
                shown,
            )
        )
    there = _task_in(folder)
    if task and there and _name(there) != _name(task) and not force:
        raise BundleError(
            f"{folder} must be empty or hold an earlier {_name(task)}, got the task {there}; "
            "choose another folder, or force it to be replaced"
        )
    check_place(folder.resolve().parent)


def _others(folder: Path) -> list[str]:
    """Return what a folder holds that is no file of a task."""
    if not folder.is_dir():
        return []
    inside = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    above = {name.rpartition("/")[0] for name in _FILES}
    return [
        name
        for name, path in inside.items()
        if not (name in above and path.is_dir()) and not (name in _FILES and path.is_file())
    ]


def _task_in(folder: Path) -> str:
    """Return the id of the task that a folder holds; empty if it holds none that can be read."""
    try:
        return str(json.loads((folder / at.MANIFEST).read_bytes())["id"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _name(task: str) -> str:
    """Return the name in a task id, which is what comes before its content or its sizes."""
    return re.split(r"[@\[/]", task)[0]


def _move(made: Path, folder: Path, old: Path) -> None:
    """Move a folder to its place; where other files or a shell are, its files one by one."""
    if not folder.exists():
        made.rename(folder)
    elif _others(folder) or folder.samefile(Path.cwd()):
        for name in _FILES:
            if (made / name).exists():
                (folder / name).parent.mkdir(exist_ok=True)
                (made / name).replace(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
    else:
        folder.rename(old)
        try:
            made.rename(folder)
        except OSError:
            old.rename(folder)
            raise
