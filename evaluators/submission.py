"""Submission record: which method, by whom, and what each of its answers is an answer to.

Scores that it claims are compared with those that are measured, and never used.
"""

import datetime
import json
import re
import unicodedata
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from ..ground_truth.manifest import Sha256
from ..ground_truth.record import Record
from ..strict_record import Amount
from .answer_folder import MOST_SETTINGS
from .problem_folder import ProblemId
from .result import MOST_ERROR, Status, TrackName

MOST_RUNS = 20_000
MOST_SEED = 999


def _one_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError(
            "must be one line of characters that can be seen, without spaces around it"
        )
    return text


def _ascii(text: str) -> str:
    foreign = sorted({one for one in text if not one.isascii()})
    if foreign:
        told = ", ".join(f"{one!r} (U+{ord(one):04X})" for one in foreign)
        raise ValueError(
            f"must be printable ASCII, so that no two names look alike, got {told}; write it with "
            "other characters"
        )
    return text


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]
MethodName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80),
    AfterValidator(_one_line),
    AfterValidator(_ascii),
    Field(json_schema_extra={"pattern": "^[ -~]+$"}),
]
TaskName = Annotated[
    str, StringConstraints(min_length=1, max_length=500), AfterValidator(_one_line)
]
Url = Annotated[str, StringConstraints(pattern=r"^https://[!-~]+$", max_length=500)]
FolderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class SubmittedRun(Record):
    """A run of the method: what it was asked, and where its answer is, or why there is none.

    Attributes:
        task: the id of the task; `None` where it is not known, as before a hold-out is revealed.
        problem: the id of the problem; it may be left out where `task` is known.
        track: the question.
        question: how it differs from that which the track asks by default.
        seed: the seed of the problem.
        folder: the folder of the answer in `answers`; `None` where there is none.
        status: `ok`, or why there is no answer.
        error: what went wrong; `None` if and only if `status` is `ok`.
        wall_seconds: how long it took, as the submitter says; `None` where nothing is said.
        task_digest: that of the task, if it is stated; then it must be so.
        answer_sha256: that of the answer as it is measured, if it is stated; then it must be so.
        claimed: what the primary metric is, if it is stated; then it must be so.
    """

    task: TaskName | None = None
    problem: ProblemId | None = None
    track: TrackName
    question: dict[str, JsonValue] = Field(default_factory=dict)
    seed: Annotated[int, Field(ge=0, le=MOST_SEED)] = 0
    folder: FolderName | None = None
    status: Status = "ok"
    error: Annotated[str, StringConstraints(min_length=1, max_length=MOST_ERROR)] | None = None
    wall_seconds: Amount | None = None
    task_digest: Sha256 | None = None
    answer_sha256: Sha256 | None = None
    claimed: float | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        if self.task is None and self.problem is None:
            problems.append("a run has a task or a problem, or both")
        if self.status == "ok" and (self.folder is None or self.error is not None):
            problems.append("a run with status 'ok' has a folder, and no error")
        if self.status != "ok" and (self.folder is not None or self.error is None):
            problems.append(f"a run with status {self.status!r} has an error, and no folder")
        if self.status != "ok" and (self.answer_sha256, self.claimed) != (None, None):
            problems.append(f"a run with status {self.status!r} states nothing of an answer")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def name(self) -> str:
        """What messages call the run."""
        asked = f"{self.track} {json.dumps(self.question)}" if self.question else self.track
        return f"{self.task or f'problem {self.problem}'} ({asked}, seed {self.seed})"


class SubmissionRecord(Record):
    """What stands in `submission.json`.

    Attributes:
        format_version: of this file.
        name: what tables call the method, in printable ASCII.
        version: of the method.
        authors: who answers for it.
        description: what it does.
        code: where its code is.
        licence: of the answers, best as an SPDX expression such as `CC-BY-4.0`.
        contact: where questions go.
        date: of the submission.
        settings: of the method, as JSON.
        suite: the suite that was answered; `None` for a hold-out.
        runs: each run once.
    """

    format_version: Literal["1.0"] = "1.0"
    name: MethodName
    version: Line | None = None
    authors: Annotated[tuple[Line, ...], Field(min_length=1, max_length=1000)]
    description: Annotated[str, StringConstraints(max_length=4000)] | None = None
    code: Url | None = None
    licence: Line
    contact: Line
    date: datetime.date | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    suite: Line | None = None
    runs: Annotated[tuple[SubmittedRun, ...], Field(min_length=1, max_length=MOST_RUNS)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        if plain_name(self.name) in _taken():
            problems.append(
                f"the name {self.name!r} is that of a built-in method or of a reference; choose "
                "another"
            )
        n_bytes = len(json.dumps(self.settings).encode())
        if n_bytes > MOST_SETTINGS:
            problems.append(
                f"settings must have at most {MOST_SETTINGS:,} bytes as JSON, got {n_bytes:,}"
            )
        # Two that differ in case alone are one folder on some systems.
        folders = Counter(run.folder.lower() for run in self.runs if run.folder is not None)
        problems += [f"{name}: several runs have this folder" for name in _several(folders)]
        stated = Counter(run.problem for run in self.runs if run.problem is not None)
        problems += [f"{name}: several runs answer this problem" for name in _several(stated)]
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _several(counted: Counter[str]) -> list[str]:
    return sorted(name for name, times in counted.items() if times > 1)


def plain_name(name: str) -> str:
    """Return a name as it is compared with others: case, widths and spaces do not matter.

    Example:
        >>> plain_name("EAP  \uff29\uff27")
        'eap ig'
    """
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", name)).casefold()


def _taken() -> set[str]:
    """Return the names that a submission cannot have: those of methods here, and references."""
    from .adapters import ADAPTERS
    from .methods import BUILT_IN

    return {plain_name(name) for name in (*BUILT_IN, *ADAPTERS, "oracle", "prior", "random")}
