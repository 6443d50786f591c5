"""SubmittedAnswer: an answer of a submission, asked as if a tool gave it now."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ..errors import AnswerError, GlassbenchError, ToolError
from .answer_folder import read_answer
from .problem_folder import problem_id
from .submission import SubmittedRun
from .tool import Reply, Tool
from .track import AnyTask, Track

Question = tuple[str, str]
"""The name of a track, and how the question differs from that which it asks by default, as JSON."""


@dataclass(frozen=True)
class SubmittedAnswer(Tool):
    """An answer of a submission.

    Attributes:
        name: of the method.
        settings: of the method.
        run: what the submission says of it.
        place: the folder of the answer; `None` where there is none.
        version: of the method.
        submission: the sha256 of the submission's record, which results keep in `told`.
    """

    name: str
    settings: dict[str, JsonValue]
    run: SubmittedRun
    place: Path | None
    version: str | None
    submission: str

    def ask(self, track: Track[Any, Any], problem: Any) -> Reply:
        """Return what is in the folder, or why the submitter says that nothing is."""
        run, told = self.run, {"submission": self.submission}
        if self.place is None:
            error = ToolError(run.error or "")
            return Reply(
                error=error,
                status=run.status,
                seconds=run.wall_seconds,
                version=self.version,
                told=told,
            )
        try:
            content = track.public(problem)
            identity = problem_id(track.name, content)
            if run.problem not in (None, identity):
                raise AnswerError(
                    f"the problem has the id {identity}, and {run.problem} was answered; answer "
                    "that of this version of Glassbench"
                )
            record, given = read_answer(self.place, content.asked, identity)
        except AnswerError as error:
            return Reply(error=error, status="failed", seconds=run.wall_seconds, told=told)
        return Reply(
            track.raw(given),
            seconds=run.wall_seconds,
            version=self.version or record.tool_version,
            told=record.told | told,
        )


@dataclass(frozen=True, eq=False)
class AskedRun:
    """A run with its place in a submission, and the track that it names.

    Attributes:
        index: its place.
        run: the run.
        track: asking the question that it answers.
    """

    index: int
    run: SubmittedRun
    track: Track[Any, Any]

    @property
    def question(self) -> Question:
        """What tells the question from others."""
        return self.track.name, json.dumps(dict(self.track.question), sort_keys=True)


def posed_by(task: AnyTask, asked: Sequence[AskedRun]) -> Iterator[AskedRun]:
    """Yield the runs that answer a task: those that name it, and those of a problem that it poses.

    Args:
        task: the task.
        asked: runs that name it, or a problem alone.
    """
    ids: dict[tuple[Question, int], str | None] = {}
    for one in asked:
        if one.run.task is not None:
            yield one
            continue
        key = one.question, one.run.seed
        if key not in ids:
            ids[key] = _problem_of(task, one.track, one.run.seed)
        if ids[key] == one.run.problem:
            yield one


def _problem_of(task: AnyTask, track: Track[Any, Any], seed: int) -> str | None:
    """Return the id of the problem that a task poses; `None` where it poses none."""
    try:
        track.check([task])
        return problem_id(track.name, track.public(track.problem(task, seed)))
    except GlassbenchError:
        return None
