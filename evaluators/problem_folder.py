"""Problem folders: what a tool in any language sees of a problem.

    problem.json                 what is asked, and where things are
    model/config.json            how the model runs, as in a bundle but for its name
    model/weights.safetensors    its weights
    data/inputs.safetensors      the arrays of the problem

Nothing in there tells which task it is: a task id names the program and the seeds that
scrambled it. The id of a problem is a digest of what is in the folder, and so tells nothing else.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, JsonValue

from ..errors import BundleError
from ..ground_truth import bundle_layout as at
from ..ground_truth.array_file import save_arrays
from ..ground_truth.model_config import NamelessConfig
from ..ground_truth.record import Record
from ..strict_record import Natural
from .problem_content import Asked, ProblemContent
from .result import TrackName

PROBLEM = "problem.json"
_READ_ONLY_FILE, _READ_ONLY_FOLDER = 0o444, 0o555

Dtype = Literal["I32", "F32", "F64"]
ProblemId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class ArrayFact(Record):
    """What an array of the problem is.

    Attributes:
        dtype: as safetensors writes it.
        shape: its extents.
    """

    dtype: Dtype
    shape: tuple[Natural, ...]


class ProblemRecord(Record):
    """What stands in `problem.json`.

    Attributes:
        format_version: of this file.
        id: a digest of all else that is in the folder; an answer repeats it.
        track: the question.
        answer: what is asked for.
        config: the file that says how the model runs; `None` where there is no model.
        weights: the file of its weights; `None` where there is no model.
        data: the file of the arrays.
        arrays: what that file holds, by name.
        facts: whatever else the problem says; see the page of the track.
    """

    format_version: Literal["1.0"] = "1.0"
    id: ProblemId
    track: TrackName
    answer: Asked
    config: Literal["model/config.json"] | None
    weights: Literal["model/weights.safetensors"] | None
    data: Literal["data/inputs.safetensors"] = "data/inputs.safetensors"
    arrays: dict[str, ArrayFact]
    facts: dict[str, JsonValue]


def problem_id(track: str, content: ProblemContent) -> str:
    """Return the id of a problem: a digest of all that its folder says."""
    return _record(track, content, _files(content)).id


def problem_files(track: str, content: ProblemContent) -> dict[str, bytes]:
    """Return the content of every file of a problem folder, by its path.

    The same problem gives the same bytes.
    """
    files = _files(content)
    return {PROBLEM: _record(track, content, files).to_json().encode(), **files}


def write_problem(track: str, content: ProblemContent, folder: Path) -> str:
    """Write a problem into a folder that is not there, read-only, and return its id.

    Raises:
        BundleError: it cannot be written.
    """
    files = problem_files(track, content)
    try:
        folder.mkdir(parents=True)
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text)
            path.chmod(_READ_ONLY_FILE)
        for path in (*{(folder / name).parent for name in files}, folder):
            path.chmod(_READ_ONLY_FOLDER)
    except OSError as error:
        raise BundleError(
            f"{folder} must be a new folder that can be written: {error.strerror or error}; choose "
            "another place"
        ) from None
    return str(json.loads(files[PROBLEM])["id"])


def _files(content: ProblemContent) -> dict[str, bytes]:
    """Return the files beside `problem.json`."""
    files = {}
    if content.model is not None:
        weights = content.model.weights.arrays()
        files[at.CONFIG] = NamelessConfig.of_model(content.model).to_json().encode()
        files[at.WEIGHTS] = save_arrays({name: np.asarray(each, "<f8") for name, each in weights})
    return {**files, at.INPUTS: save_arrays(_plain(content.arrays))}


def _record(track: str, content: ProblemContent, files: Mapping[str, bytes]) -> ProblemRecord:
    """Return what is said of files; its id is the digest of what is said with an empty one."""
    has_model = content.model is not None
    record = ProblemRecord.model_validate(
        {
            "id": "0" * 32,
            "track": track,
            "answer": content.asked,
            "config": at.CONFIG if has_model else None,
            "weights": at.WEIGHTS if has_model else None,
            "arrays": {
                name: {"dtype": _NAMES[array.dtype.str], "shape": array.shape}
                for name, array in _plain(content.arrays).items()
            },
            "facts": dict(content.facts),
        }
    )
    digest = hashlib.sha256(record.to_json().encode())
    for name in sorted(files):
        digest.update(hashlib.sha256(files[name]).digest())
    return record.model_copy(update={"id": digest.hexdigest()[:32]})


_NAMES: dict[str, Dtype] = {"<i4": "I32", "<f4": "F32", "<f8": "F64"}


def _plain(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return arrays as 32-bit integers or as floating-point numbers, little-endian."""
    return {
        name: array.astype("<i4")
        if array.dtype.kind in "iub"
        else array.astype(array.dtype.newbyteorder("<"))
        for name, array in arrays.items()
    }
