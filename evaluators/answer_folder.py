"""Answer folders: what a tool in any language writes, read with distrust.

    answer.json           of which problem it is, and numbers by name, or a text, or
    answer.safetensors    arrays by name

Whatever else is in the folder is not looked at. Nothing is followed out of it, nothing is read
beyond a bound, and nothing is unpickled.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, JsonValue, StringConstraints, model_validator

from ..errors import AnswerError, BundleError, listing
from ..ground_truth.array_file import load_foreign
from ..ground_truth.record import Record, read_record
from .problem_content import AskedArrays, AskedScores, AskedText
from .track import Content

ANSWER, ANSWER_ARRAYS = "answer.json", "answer.safetensors"
MOST_JSON, MOST_ARRAYS = 2**26, 2**28
"""How many bytes an answer may have."""
MOST_SETTINGS = 2**16
"""How many bytes of JSON the settings of a tool may have: they are kept with its result."""

Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ToolAnswer(Record):
    """What stands in `answer.json`: one of `scores`, `array_file` and `text`, as is asked for.

    Attributes:
        format_version: of this file.
        problem: the `id` of `problem.json`.
        scores: a number for each name.
        array_file: `answer.safetensors`, where arrays are asked for: that file has them.
        text: a text.
        tool: what the tool calls itself.
        tool_version: the version that the tool states.
        settings: its settings, as JSON.
    """

    format_version: Literal["1.0"] = "1.0"
    problem: str
    scores: dict[str, float] | None = None
    array_file: Literal["answer.safetensors"] | None = None
    text: str | None = None
    tool: Words | None = None
    tool_version: Words | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        n_bytes = len(json.dumps(self.settings).encode())
        if n_bytes > MOST_SETTINGS:
            raise ValueError(
                f"settings must have at most {MOST_SETTINGS:,} bytes as JSON, got {n_bytes:,}"
            )
        return self

    @property
    def told(self) -> dict[str, JsonValue]:
        """What the tool says of itself, but for its version."""
        told: dict[str, JsonValue] = {} if self.tool is None else {"tool": self.tool}
        return {**told, "settings": self.settings} if self.settings else told


def read_answer(
    folder: Path, asked: AskedScores | AskedArrays | AskedText, problem: str
) -> tuple[ToolAnswer, Content]:
    """Return an answer, and its content, which is still to be checked.

    Args:
        folder: in which `answer.json` is.
        asked: what was asked for.
        problem: the id of the problem.

    Raises:
        AnswerError: it is missing, no plain file, too large, no strict JSON, of another problem,
            or not of the kind that was asked for.
    """
    try:
        record = read_record(ToolAnswer, plain_file(folder, ANSWER, MOST_JSON), ANSWER)
        given = _given(record, asked)
        if record.problem != problem:
            raise AnswerError(
                f"{ANSWER} must repeat the id in problem.json, {problem!r}, got "
                f"{record.problem!r}; it is the answer to another problem"
            )
        if given != "array_file":
            return record, Content(**{given: getattr(record, given)})
        content = plain_file(folder, ANSWER_ARRAYS, MOST_ARRAYS)
        arrays = load_foreign(content, ANSWER_ARRAYS, ("<f4", "<f8"))
    except BundleError as error:
        raise AnswerError(str(error)) from None
    assert isinstance(asked, AskedArrays)
    _check_names(arrays, asked)
    return record, Content(arrays=arrays)


_FIELDS = {"scores": "scores", "arrays": "array_file", "text": "text"}
"""Where what is asked for stands in `answer.json`."""


def _given(record: ToolAnswer, asked: AskedScores | AskedArrays | AskedText) -> str:
    """Return the field that has the answer: that of what was asked for, and no other."""
    there = [name for name in _FIELDS.values() if getattr(record, name) is not None]
    must = _FIELDS[asked.kind]
    if there != [must]:
        raise AnswerError(
            f"{ANSWER} must give {must!r}, since the problem asks for {asked.kind}, got "
            f"{' and '.join(map(repr, there)) or 'none'}"
        )
    return must


def _check_names(arrays: Mapping[str, np.ndarray], asked: AskedArrays) -> None:
    """Raise if arrays are missing or not asked for, all of which are named."""
    missing = asked.arrays.keys() - arrays.keys() - set(asked.optional)
    problems = [f"{name}: is missing" for name in asked.arrays if name in missing]
    problems += [f"{name!r}: is not asked for" for name in arrays if name not in asked.arrays]
    if problems:
        heading = f"{ANSWER_ARRAYS} must hold the arrays that problem.json names:"
        raise AnswerError(listing(heading, problems))


def plain_file(folder: Path, name: str, most: int) -> bytes:
    """Return the content of a plain file in a folder, neither of which may be a link."""
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise AnswerError("The answer must be in the folder that was given, got another file")
        # Without O_NONBLOCK a named pipe would be waited for.
        opened = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise AnswerError(f"{name} must be written into the answer's folder, and is missing") from (
            None
        )
    except OSError as error:
        is_link = (folder / name).is_symlink()
        got = "a link" if is_link else f"one that cannot be read: {error.strerror}"
        raise AnswerError(f"{name} must be a plain file, got {got}") from None
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise AnswerError(f"{name} must be a plain file, got a folder, a pipe or a device")
    with os.fdopen(opened, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise AnswerError(f"{name} must have at most {most:,} bytes, and has more")
    return content
