"""Tool: something that answers the problems of any track, and is no function in Python.

A `Method` is called with the problem object. A tool is asked through `Track.public` and
`Track.raw`: it gets what a problem is on disk, and gives what an answer is on disk.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from ..errors import AnswerError, ToolError
from .result import Status
from .track import Track


@dataclass(frozen=True, eq=False)
class Reply:
    """What came of asking: an answer, still to be checked, or why there is none.

    Attributes:
        answer: as a function would give it.
        error: why there is none; `None` where there is one.
        status: `ok`, or which kind of failure it is.
        seconds: how long the tool took; `None` where it is not known.
        peak_memory_mb: the most resident memory that it had, in MiB, where it was measured.
        version: the version that the tool states.
        told: what else the tool says of itself.
    """

    answer: Any = None
    error: AnswerError | ToolError | None = None
    status: Status = "ok"
    seconds: float | None = None
    peak_memory_mb: float | None = None
    version: str | None = None
    told: Mapping[str, JsonValue] = field(default_factory=dict)


class Tool(ABC):
    """Something that answers the problems of any track.

    Attributes:
        name: how tables call it.
        settings: what tells it from others of its name, as JSON.
    """

    name: str
    settings: Mapping[str, JsonValue]

    @abstractmethod
    def ask(self, track: Track[Any, Any], problem: Any) -> Reply:
        """Return what the tool says to a problem of a track; its failures are replies too."""
