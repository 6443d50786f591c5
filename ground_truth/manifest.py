"""Manifest: what a bundle is, and the sha256 of every file that belongs to it.

`manifest.json` names the files that a tool may see. `labels/manifest.json` names the
others: the labels, and the program, which tells of them. The public manifest holds the
sha256 of the other and nothing else of it, not even a size, so that the public part can
be given away by itself and still says which labels belong to it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ..benchmark_programs import TaskId
from ..strict_record import Natural
from .own_task_id import OwnTaskId
from .record import Record

FORMAT_VERSION: Literal["1.0"] = "1.0"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileRecord(Record):
    """One file.

    Attributes:
        path: in the bundle, with slashes.
        sha256: of its bytes, in hexadecimal.
        size: in bytes.
    """

    path: str
    sha256: Sha256
    size: Natural

    @classmethod
    def of(cls, path: str, content: bytes) -> "FileRecord":
        """Return the record of a file."""
        return cls(path=path, sha256=sha256_of(content), size=len(content))


class RegimeRecord(Record):
    """One regime that the model went through.

    Attributes:
        name: of the regime.
        parameters: its parameters; the seeds among them.
    """

    name: str
    parameters: dict[str, int]


@dataclass(frozen=True)
class Identity:
    """The id of a task, and the same in parts.

    Attributes:
        id: of the task.
        name: of the program.
        version: of the program; 0 of one that is not of the library.
        parameters: the size; empty of a program that is not of the library.
        regimes: in the order in which the model went through them.
    """

    id: str
    name: str
    version: int
    parameters: dict[str, int]
    regimes: tuple[RegimeRecord, ...]

    @classmethod
    def of(cls, task_id: TaskId | OwnTaskId) -> "Identity":
        """Return the identity that an id stands for."""
        version, parameters = 0, {}
        if isinstance(task_id, TaskId):
            version, parameters = task_id.version, dict(task_id.parameters)
        regimes = tuple(RegimeRecord(name=n, parameters=dict(p)) for n, p in task_id.regimes)
        return cls(str(task_id), task_id.name, version, parameters, regimes)


@dataclass(frozen=True)
class About:
    """What is said of a task wherever it is described.

    Attributes:
        id: of the task.
        description: what the program computes.
        licence: of the program and all that was made of it, as SPDX has it.
        citation: where the program comes from.
    """

    id: str
    description: str
    licence: str
    citation: str


class LabelsManifest(Record):
    """The files that are not for tools to see.

    Attributes:
        task: the task's id.
        files: by path.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    files: tuple[FileRecord, ...]


class Manifest(Record):
    """What a bundle is. The sha256 of this file is the digest of the bundle.

    Attributes:
        id: of the task.
        description: what the program computes.
        name: of the program.
        version: of the program; 0 of one that is not of the library.
        parameters: the size.
        regimes: in the order in which the model went through them.
        files: the files that a tool may see, by path, this one left out.
        labels: the sha256 of `labels/manifest.json`.
        glassbench: the version that built it.
        licence: of the program and all that was made of it, as SPDX has it.
        citation: where the program comes from.
        checksum: the sha256 of this file with an empty checksum.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    id: str
    description: str
    name: str
    version: int
    parameters: dict[str, int]
    regimes: tuple[RegimeRecord, ...]
    files: tuple[FileRecord, ...]
    labels: Sha256
    glassbench: str
    licence: str
    citation: str
    checksum: str = ""

    @property
    def identity(self) -> Identity:
        """Which task it says that it is of."""
        return Identity(self.id, self.name, self.version, self.parameters, self.regimes)

    @property
    def about(self) -> About:
        """What it says of the task itself."""
        return About(self.id, self.description, self.licence, self.citation)

    def sealed(self) -> "Manifest":
        """Return the manifest with its checksum."""
        bare = self.model_copy(update={"checksum": ""}).to_json()
        return self.model_copy(update={"checksum": sha256_of(bare.encode())})


def file_records(files: Mapping[str, bytes]) -> tuple[FileRecord, ...]:
    """Return a record for each file, by path."""
    return tuple(FileRecord.of(path, files[path]) for path in sorted(files))


def sha256_of(content: bytes) -> str:
    """Return the sha256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
