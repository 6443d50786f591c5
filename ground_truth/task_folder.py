"""Task folders: a task on disk, readable without this package.

    program.rasp                 the program as text, where it has one
    program.json                 the program as compiled, tabulated
    model/config.json            sizes, vocabulary, formulae, what the logits mean
    model/weights.safetensors    the weights, float64
    labels/source_map.json       where each variable lives
    labels/circuit.json          the certified state of every edge

A folder is written beside its place and moved there when it is whole. The same task gives
the same bytes.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..compiler import Weights, to_json
from ..errors import BundleError, listing
from .model_config import ModelConfig
from .own_task import text_of
from .own_task_id import OwnTaskId
from .source_map_record import SourceMapRecord
from .task import Task

RASP, PROGRAM = "program.rasp", "program.json"
CONFIG, WEIGHTS = "model/config.json", "model/weights.safetensors"
SOURCE_MAP, CIRCUIT = "labels/source_map.json", "labels/circuit.json"
_FILES = frozenset((RASP, PROGRAM, CONFIG, WEIGHTS, SOURCE_MAP, CIRCUIT))
_SHOWN = 5


def write_task_folder(task: Task, folder: str | Path, *, force: bool = False) -> Path:
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
    check_task_folder(folder, str(task.id), force=force)
    place = Path(folder).resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as beside:
        made = Path(beside) / "new"
        for name, content in task_files(task).items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _move(made, place, Path(beside) / "old")
    return Path(folder)


def check_task_folder(folder: str | Path, task: str = "", *, force: bool = False) -> None:
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
    _try_to_write(folder)


def task_files(task: Task) -> Mapping[str, bytes]:
    """Return the content of every file of a task folder, by its path in there."""
    compiled = task.compiled
    texts = {
        RASP: _rasp_text(task),
        PROGRAM: to_json(compiled.program),
        CONFIG: ModelConfig.of(compiled).to_json(),
        SOURCE_MAP: SourceMapRecord.of(compiled.source_map).to_json(),
        CIRCUIT: task.labels.to_json(),
    }
    files = {name: text.encode() for name, text in texts.items() if text}
    return files | {WEIGHTS: _weights_bytes(compiled.model.weights)}


def _rasp_text(task: Task) -> str:
    """Return the program as text, as it was given where it was; empty where it has none."""
    if isinstance(task.id, OwnTaskId):
        return task.id.spec.text
    return text_of(task.id.spec.expression(task.id.vocab, task.id.length))


def _weights_bytes(weights: Weights) -> bytes:
    """Return the arrays as a safetensors file."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array, "<f8") for name, array in weights.arrays()})


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
        return str(json.loads((folder / CIRCUIT).read_bytes())["task"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _name(task: str) -> str:
    """Return the name in a task id, which is what comes before its content or its sizes."""
    return re.split(r"[@\[/]", task)[0]


def _try_to_write(folder: Path) -> None:
    """Raise if no folder can be made where the task, or the first folder above it, is to go."""
    above = next(path for path in folder.resolve().parents if path.exists())
    try:
        tempfile.TemporaryDirectory(dir=above, prefix=".").cleanup()
    except OSError as error:
        raise BundleError(
            f"{folder} must be where files can be written, got {error.strerror} at {above}; choose "
            "another folder"
        ) from None


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
