"""KeptAnswer: an answer on disk beside its result, so that every number can be measured again.

A result `NAME.json` in a folder has its answer in `answers/NAME.json`: numbers by name, or a
text, there itself, arrays in `answers/NAME.safetensors` beside it.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, JsonValue, model_validator

from ..errors import BundleError, listing
from ..ground_truth.array_file import load_arrays, save_arrays
from ..ground_truth.manifest import Sha256
from ..ground_truth.record import Record, read_record
from ..strict_record import Amount, Natural
from ..whole_file import write_whole
from .result import Result, TrackName
from .track import Content

ANSWERS = "answers"
"""The folder of answers in a folder of results."""
FORMAT_VERSION: Literal["1.0"] = "1.0"
_ARRAYS = ".safetensors"

Dtype = Literal["<f4", "<f8"]


class ArrayRecord(Record):
    """What an array in the array file must be.

    Attributes:
        dtype: as NumPy writes it: float32 or float64, little-endian.
        shape: its extents.
    """

    dtype: Dtype
    shape: tuple[Natural, ...]


class AnswerRecord(Record):
    """What stands in the JSON of an answer: of what it is, and numbers, a text or where arrays are.

    Attributes:
        task: the task id.
        task_digest: as in the result.
        track: the question that was asked.
        question: how it differs from that which the track asks by default.
        seed: the seed given to the tool.
        tool: the tool's name.
        tool_version: the version that the tool states.
        settings: the tool's settings.
        wall_seconds: time that the tool took; `None` where it is not known.
        answer_sha256: as in the result.
        scores: numbers by name; `None` where the answer is another.
        text: a text; `None` where the answer is another.
        arrays: what the array file holds, by name; `None` where there is none.
        array_file: the name of that file, beside this one.
        array_file_sha256: of that file.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    task_digest: Sha256
    track: TrackName
    question: dict[str, JsonValue]
    seed: int
    tool: str
    tool_version: str | None
    settings: dict[str, JsonValue]
    wall_seconds: Amount | None
    answer_sha256: Sha256
    scores: dict[str, float] | None = None
    text: str | None = None
    arrays: dict[str, ArrayRecord] | None = None
    array_file: Annotated[str, Field(pattern=r"^[0-9a-f]{32}\.safetensors$")] | None = None
    array_file_sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "AnswerRecord":
        problems = []
        if sum(one is not None for one in (self.scores, self.text, self.arrays)) != 1:
            problems.append("an answer has scores, a text or arrays, and one of them alone")
        there = {one is not None for one in (self.arrays, self.array_file, self.array_file_sha256)}
        if len(there) > 1:
            problems.append("arrays, array_file and array_file_sha256 go together")
        if problems:
            raise ValueError("; ".join(problems))
        return self


_OF_RESULT = (
    *("task", "task_digest", "track", "question", "seed", "tool", "tool_version", "settings"),
    *("wall_seconds", "answer_sha256"),
)
"""What an answer has from its result."""


@dataclass(frozen=True, eq=False)
class KeptAnswer:
    """An answer, and what it is an answer to.

    Attributes:
        record: what its JSON holds.
        content: what it says.
    """

    record: AnswerRecord
    content: Content

    @classmethod
    def of(cls, result: Result, content: Content) -> "KeptAnswer":
        """Return the answer of a result as it is kept."""
        arrays = _arrays(content.arrays)
        there: dict[str, Any] = {"scores": dict(content.scores)}
        if content.text is not None:
            there = {"text": content.text}
        elif arrays:
            there = {
                "arrays": {
                    name: ArrayRecord.model_validate(
                        {"dtype": array.dtype.str, "shape": array.shape}
                    )
                    for name, array in arrays.items()
                },
                "array_file": _array_file(result),
                "array_file_sha256": hashlib.sha256(save_arrays(arrays)).hexdigest(),
            }
        of_result = {name: getattr(result, name) for name in _OF_RESULT}
        return cls(AnswerRecord(**of_result, **there), replace(content, arrays=arrays))

    def write(self, folder: str | os.PathLike[str], name: str) -> Path:
        """Write the answer into the folder of results, each file whole or not at all.

        Args:
            folder: of results.
            name: the file name of the result.

        Raises:
            BundleError: it cannot be written.
        """
        place = Path(folder) / ANSWERS
        if self.record.array_file is not None:
            write_whole(save_arrays(self.content.arrays), place / self.record.array_file)
        return write_whole(self.record.to_json().encode(), place / name)

    @classmethod
    def read(cls, folder: str | os.PathLike[str], result: Result) -> "KeptAnswer":
        """Return the answer that is kept of a result.

        Raises:
            BundleError: a file is missing, or is not what it should be, or is the answer of
                another run than the result; every problem is listed.
        """
        file = Path(folder) / ANSWERS / result.file_name
        record = read_record(AnswerRecord, _content(file), str(file))
        problems = [
            f"{name}: must be {getattr(result, name)!r} as in the result, got "
            f"{getattr(record, name)!r}"
            for name in _OF_RESULT
            if getattr(record, name) != getattr(result, name)
        ]
        if record.array_file not in (None, _array_file(result)):
            problems.append(f"array_file: must be {_array_file(result)}, got {record.array_file}")
        if problems:
            raise BundleError(listing(f"{file} is not the answer of its result:", problems))
        if record.array_file is None:
            return cls(record, Content(record.scores or {}, text=record.text))
        return cls(record, Content({}, _read_arrays(record, file.parent / record.array_file)))


def answer_places(folder: str | os.PathLike[str], result: Result) -> tuple[Path, Path]:
    """Return where in a folder of results the answer of one is kept: its JSON, and its arrays."""
    place = Path(folder) / ANSWERS
    return place / result.file_name, place / _array_file(result)


def _read_arrays(record: AnswerRecord, file: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an answer."""
    content = _content(file)
    digest = hashlib.sha256(content).hexdigest()
    if digest != record.array_file_sha256:
        raise BundleError(
            f"{file} must have the sha256 {record.array_file_sha256}, got {digest}; score it anew"
        )
    expected = {name: (one.dtype, one.shape) for name, one in (record.arrays or {}).items()}
    return load_arrays(content, str(file), expected)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{file} must be kept with the result: {error.strerror}; score it anew"
        ) from None


def _array_file(result: Result) -> str:
    return result.file_name.removesuffix(".json") + _ARRAYS


def _arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return arrays in the byte order of the file."""
    return {name: array.astype(array.dtype.newbyteorder("<")) for name, array in arrays.items()}
