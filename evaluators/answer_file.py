"""AnswerFile: an answer that was made elsewhere, scored as if a tool gave it now.

It is a folder with an `answer.json`, as a command writes it, or a circuit as MIB has it. The
problem that it answers is what `problem_folder` writes.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ..errors import AnswerError
from .answer_folder import ANSWER, MOST_JSON, plain_file, read_answer
from .circuit_problem import CircuitProblem
from .mib_format import read_mib
from .problem_folder import problem_id
from .tool import Reply, Tool
from .track import Track


@dataclass(frozen=True)
class AnswerFile(Tool):
    """An answer that was made elsewhere.

    Attributes:
        place: a folder with an `answer.json`, or a file of JSON with a circuit of MIB.
        name: how tables call it; by default as the folder or the file.
        settings: none.
    """

    place: Path
    name: str = ""
    settings: dict[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Name it."""
        if not self.name:
            object.__setattr__(self, "name", self.place.absolute().stem)

    def ask(self, track: Track[Any, Any], problem: Any) -> Reply:
        """Return what is in the file; how long it took to make is not known."""
        try:
            if not os.path.exists(self.place):
                raise AnswerError(
                    f"{self.place} must be a folder with {ANSWER}, or a circuit of MIB as JSON, "
                    "and is not there"
                )
            if not self.place.is_dir():
                return Reply(self._circuit(problem))
            content = track.public(problem)
            identity = problem_id(track.name, content)
            record, given = read_answer(self.place.resolve(), content.asked, identity)
            return Reply(track.raw(given), version=record.tool_version, told=record.told)
        except AnswerError as error:
            return Reply(error=error, status="failed")

    def _circuit(self, problem: Any) -> dict[str, float]:
        """Return the scores of a circuit of MIB."""
        if not isinstance(problem, CircuitProblem):
            raise AnswerError(
                f"{self.place} must be a folder with {ANSWER}: files answer the circuit track alone"
            )
        place = self.place.resolve()
        content = plain_file(place.parent, place.name, MOST_JSON)
        return read_mib(content, str(self.place), problem.model.weights)
