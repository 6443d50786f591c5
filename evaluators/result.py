"""The result of one tool on one task: the numbers, and all it takes to trust them.

A result is one JSON file, named by a hash of (tool, settings, task, track,
seed), and of the question where it is not the track's default, so that a sweep
that is resumed finds what is done. A tool that failed has a result too, whose
`status` says so.
"""

import hashlib
import json
import math
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from ..errors import BundleError, listing
from ..ground_truth.json_text import strict_json
from ..ground_truth.manifest import Sha256
from ..strict_record import Amount
from ..whole_file import write_whole
from .environment import Environment
from .floors import normalised
from .intervals import Interval
from .said_once import said_once

FORMAT_VERSION = "1.0"
TrackName = Literal["circuit", "attribution", "features", "variables", "program"]
Status = Literal["ok", "failed", "timeout", "out_of_memory"]
Direction = Literal["higher", "lower"]
Name = Annotated[str, StringConstraints(min_length=1)]
MOST_ERROR = 2**14
"""How many characters of an error are kept."""
_TOLERANCE = 1e-9


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Floors(_Strict):
    """The scores that need no look at the model.

    Attributes:
        random: the mean over random answers.
        prior: the best answer learned from other tasks; `None` without a suite.
    """

    random: float
    prior: float | None = None


class MetricValue(_Strict):
    """One metric of one result, with what it can be compared with.

    Attributes:
        value: the metric itself; `None` where the tool gave no answer.
        floors: the floors it is measured against.
        floor: the better of them.
        ceiling: what the labels themselves earn.
        normalised: 0 at the floor and 1 at the ceiling; `None` without a value.
        low: the lower end of the interval of `value`, if there is one.
        high: the upper end of the interval of `value`, if there is one.
        direction: whether `higher` or `lower` values are better.
    """

    value: float | None
    floor: float
    floors: Floors
    ceiling: float
    normalised: float | None
    low: float | None = None
    high: float | None = None
    direction: Direction = "higher"

    @classmethod
    def of(
        cls,
        value: float | None,
        *,
        random: float,
        prior: float | None = None,
        ceiling: float = 1.0,
        interval: Interval | None = None,
        direction: Direction = "higher",
    ) -> "MetricValue":
        """Return the metric with its floor and normalised value filled in.

        Args:
            value: the metric; `None` for a tool that gave no answer.
            random: the random floor.
            prior: the prior floor, if the task stands in a suite.
            ceiling: what the labels themselves earn.
            interval: the interval of `value`.
            direction: which values are better.
        """
        floor = _floor(random, prior, direction)
        return cls(
            value=value,
            floor=floor,
            floors=Floors(random=random, prior=prior),
            ceiling=ceiling,
            normalised=None if value is None else normalised(value, floor, ceiling),
            low=None if interval is None else interval.low,
            high=None if interval is None else interval.high,
            direction=direction,
        )

    @model_validator(mode="after")
    def _consistent(self) -> "MetricValue":
        problems = []
        floor = _floor(self.floors.random, self.floors.prior, self.direction)
        if not math.isclose(self.floor, floor, rel_tol=0, abs_tol=_TOLERANCE):
            problems.append(f"floor must be the better of floors, {floor}, got {self.floor}")
        expected = None if self.value is None else normalised(self.value, floor, self.ceiling)
        if (expected is None) != (self.normalised is None) or (
            expected is not None
            and self.normalised is not None
            and not math.isclose(expected, self.normalised, rel_tol=1e-6, abs_tol=1e-6)
        ):
            problems.append(f"normalised must be {expected}, got {self.normalised}")
        if (self.low is None) != (self.high is None):
            problems.append(f"low and high go together, got {self.low} and {self.high}")
        elif self.low is not None and self.high is not None and self.low > self.high:
            problems.append(f"low must not exceed high, got {self.low} and {self.high}")
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _floor(random: float, prior: float | None, direction: Direction) -> float:
    """Return the better of the floors."""
    floors = [random] if prior is None else [random, prior]
    return max(floors) if direction == "higher" else min(floors)


class Result(_Strict):
    """What one tool earned on one task, and how it came about.

    Attributes:
        format_version: `major.minor` of this format.
        tool: the tool's name.
        tool_version: the version that the tool states.
        settings: the tool's settings, as JSON.
        task: the task id.
        task_digest: sha256 of what the labels of the task are about: of its weights, if it has any.
        track: the question that was asked.
        question: how it differs from that which the track asks by default; not written
            where it does not.
        seed: the seed given to the tool.
        status: whether there is an answer, and if not, why.
        error: what went wrong; `None` if and only if `status` is `ok`.
        primary: the name of the metric that ranks.
        metrics: metric by name. Where the tool gave no answer their values are
            `None`, and they may be left out.
        reported: further numbers about the answer, which never rank; not written where
            there are none.
        answer_sha256: sha256 of the answer file; `None` without an answer.
        wall_seconds: time that the tool took; `None` where it is not known.
        peak_memory_mb: the highest resident memory, in MiB, where it was measured.
        told: what a tool that is a command says of itself in its answer: `tool`, what it calls
            itself, and `settings`; and of an answer that was submitted, `submission`, the sha256
            of what is said of it. Not written where nothing is said.
        environment: versions, platform and commit.
    """

    format_version: Annotated[str, StringConstraints(pattern=r"^1\.\d+$")] = FORMAT_VERSION
    tool: Name
    tool_version: str | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    task: Name
    task_digest: Sha256
    track: TrackName
    question: dict[str, JsonValue] = Field(default_factory=dict)
    seed: int
    status: Status = "ok"
    error: str | None = None
    primary: Name
    metrics: dict[str, MetricValue] = Field(default_factory=dict)
    reported: dict[str, float] = Field(default_factory=dict)
    answer_sha256: Sha256 | None = None
    wall_seconds: Amount | None
    peak_memory_mb: Amount | None = None
    told: dict[str, JsonValue] = Field(default_factory=dict)
    environment: Environment

    @model_validator(mode="after")
    def _consistent(self) -> "Result":
        problems = []
        if self.metrics and self.primary not in self.metrics:
            problems.append(f"metrics must hold the primary one, {self.primary!r}")
        valued = sorted(name for name, metric in self.metrics.items() if metric.value is not None)
        if self.status == "ok":
            if self.error is not None:
                problems.append("a result with status 'ok' has no error")
            if self.answer_sha256 is None:
                problems.append("a result with status 'ok' needs answer_sha256")
            if not self.metrics or len(valued) < len(self.metrics):
                problems.append("a result with status 'ok' needs a value for every metric")
        else:
            if not self.error:
                problems.append(f"a result with status {self.status!r} needs an error text")
            if valued or self.reported:
                got = valued + sorted(self.reported)
                problems.append(f"a result with status {self.status!r} has no values, got {got}")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def file_name(self) -> str:
        """The name of this result's file; see `result_file_name`."""
        return result_file_name(
            self.tool, self.settings, self.task, self.track, self.seed, self.question
        )

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write the result into `folder`, whole or not at all, and return its path.

        An earlier result of the same tool, settings, task, track and seed is
        replaced.

        Args:
            folder: made if it is not there.

        Raises:
            BundleError: it cannot be written.
        """
        return write_whole(self.to_json().encode(), Path(folder) / self.file_name)

    def to_json(self) -> str:
        """Return the result as canonical JSON: sorted keys, a newline at the end."""
        empty = {name for name in ("question", "reported", "told") if not getattr(self, name)}
        return _WRITTEN.encode(self.model_dump(mode="json", exclude=empty)) + "\n"

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Result":
        """Return the result written at `path`.

        Raises:
            BundleError: the file is missing, is not JSON, comes from a newer
                major version of the format, or breaks a rule of it.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise _no_json(path, error) from error
        return cls.parsed(content, path)

    @classmethod
    def parsed(cls, content: bytes, where: str | os.PathLike[str]) -> "Result":
        """Return the result that stands in the bytes of a file.

        Args:
            content: JSON.
            where: what errors call it.

        Raises:
            BundleError: as `read`.
        """
        try:
            found = cls.model_validate_json(content)
        except ValidationError:
            return cls._strictly(content, where)
        return found if said_once(content, found) else cls._strictly(content, where)

    @classmethod
    def _strictly(cls, content: bytes, where: str | os.PathLike[str]) -> "Result":
        """Return the result as `parsed`, in more time, and say all that is wrong with it."""
        try:
            read = strict_json(content)
        except ValueError as error:
            raise _no_json(where, error) from error
        version = read.get("format_version") if isinstance(read, dict) else None
        major = re.match(r"(\d+)\.\d+$", version) if isinstance(version, str) else None
        if major and int(major[1]) > int(FORMAT_VERSION.split(".")[0]):
            raise BundleError(
                f"{where}: expected a result of format {FORMAT_VERSION}, found {version}. "
                "A newer Glassbench wrote it: upgrade to read it."
            )
        try:
            return cls.model_validate(read)
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}, "
                f"found {one['input']!r:.80}"
                for one in error.errors()
            ]
            heading = f"{where}: expected a result of format {FORMAT_VERSION}; write it anew:"
            raise BundleError(listing(heading, problems)) from error

    def __str__(self) -> str:
        """Return one line: `0.83 [0.79, 0.86]   random 0.21   prior 0.30   oracle 1.00`."""
        metric = self.metrics.get(self.primary)
        if self.status == "ok":
            assert metric is not None and metric.value is not None
            parts = [f"{metric.value:.2f}"]
            if metric.low is not None and metric.high is not None:
                parts[0] += f" {Interval(metric.low, metric.high)}"
        else:
            reason = (self.error or "").strip().splitlines() or [""]
            parts = [f"{self.status.replace('_', ' ')}: {reason[0]}"]
        if metric is not None:
            parts.append(f"random {metric.floors.random:.2f}")
            if metric.floors.prior is not None:
                parts.append(f"prior {metric.floors.prior:.2f}")
            parts.append(f"oracle {metric.ceiling:.2f}")
        return "   ".join(parts)


def result_file_name(
    tool: str,
    settings: dict[str, Any],
    task: str,
    track: str,
    seed: int,
    question: dict[str, Any] | None = None,
) -> str:
    """Return the file name of a result: a hash of what identifies it.

    Args:
        tool: the tool's name.
        settings: its settings; the order of keys does not matter.
        task: the task id.
        track: the track.
        seed: the seed given to the tool.
        question: how the question differs from the track's default; empty where it does not.

    Raises:
        ValueError: `settings` is not JSON, or holds NaN or an infinity.
    """
    identity = _IDENTITY.encode(
        [tool, settings, task, track, seed, *([question] if question else [])]
    )
    return f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.json"


_IDENTITY = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False)
_WRITTEN = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)


def _no_json(where: str | os.PathLike[str], error: Exception) -> BundleError:
    return BundleError(
        f"{where}: expected a result as JSON in UTF-8, found none: {error}. Write it anew."
    )
