"""Validation report: what became of submissions, as JSON and as Markdown.

What submissions say of themselves is shown as text, whatever it looks like.
"""

import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import JsonValue

from ..ground_truth.record import Record
from ..strict_record import Natural
from .result import Status, TrackName
from .validation import ValidatedRun, Validation

_SHOWN = 200
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:@])")


class ReportedRun(Record):
    """What became of a run.

    Attributes:
        task: the id of the task; `None` where it was not found.
        track: the question.
        question: how it differs from that which the track asks by default.
        seed: the seed of the problem.
        status: whether there is an answer that could be measured.
        metric: the name of the primary metric; `None` where nothing was measured.
        value: what was measured.
        normalised: the same, 0 at the floor and 1 at the ceiling.
        claimed: what the submission says.
        result: the file name of the result.
        problem: what is wrong; `None` if nothing is.
    """

    task: str | None
    track: TrackName
    question: dict[str, JsonValue]
    seed: int
    status: Status
    metric: str | None = None
    value: float | None = None
    normalised: float | None = None
    claimed: float | None = None
    result: str | None = None
    problem: str | None = None


class Coverage(Record):
    """On how many tasks a question is answered; the others count as a random answer.

    Attributes:
        track: the track.
        question: how it differs from that which the track asks by default.
        n_answered: the tasks with an answer that could be measured.
        n_tasks: the tasks that pose the question.
    """

    track: TrackName
    question: dict[str, JsonValue]
    n_answered: Natural
    n_tasks: Natural


class ReportedSubmission(Record):
    """What became of a submission.

    Attributes:
        place: the name of its folder.
        name: of the method; `None` where it could not be read, as all that follows.
        authors: who answers for it.
        sha256: of its `submission.json`.
        suite: which it answers.
        accepted: whether nothing is wrong.
        problems: what is wrong, that of runs included.
        coverage: on how many tasks each question is answered.
        runs: in the order of the submission.
    """

    place: str
    name: str | None = None
    authors: tuple[str, ...] = ()
    sha256: str | None = None
    suite: str | None = None
    accepted: bool
    problems: tuple[str, ...]
    coverage: tuple[Coverage, ...]
    runs: tuple[ReportedRun, ...]


class ValidationReport(Record):
    """What became of submissions.

    Attributes:
        format_version: of this file.
        glassbench: the version that measured them.
        submissions: in the order in which they were given.
    """

    format_version: Literal["1.0"] = "1.0"
    glassbench: str
    submissions: tuple[ReportedSubmission, ...]

    @classmethod
    def of(cls, validations: Sequence[Validation]) -> "ValidationReport":
        """Return the report of submissions."""
        from .. import __version__

        return cls(glassbench=__version__, submissions=tuple(map(_reported, validations)))

    def to_markdown(self) -> str:
        """Return the report as Markdown: each submission with its problems and its scores."""
        parts = [part for one in self.submissions for part in _section(one)]
        return (
            "\n\n".join(["# Submissions", *parts, f"Glassbench {as_text(self.glassbench)}"]) + "\n"
        )


def as_text(text: str) -> str:
    r"""Return a text as Markdown that shows it as it is, on one line.

    Example:
        >>> as_text("<b>*a*</b> [x](y)")
        '&lt;b&gt;\\*a\\*&lt;/b&gt; \\[x\\]\\(y\\)'
    """
    plain = "".join(one if one.isprintable() else " " for one in text)
    return _MARKS.sub(r"\\\1", html.escape(" ".join(plain.split()), quote=False))


def _reported(one: Validation) -> ReportedSubmission:
    record = None if one.submission is None else one.submission.record
    return ReportedSubmission(
        place=one.place,
        name=None if record is None else record.name,
        authors=() if record is None else record.authors,
        sha256=None if one.submission is None else one.submission.sha256,
        suite=None if record is None else record.suite,
        accepted=one.accepted,
        problems=one.problems,
        coverage=tuple(_coverage(one)),
        runs=tuple(map(_reported_run, one.runs)),
    )


def _reported_run(one: ValidatedRun) -> ReportedRun:
    run = one.run
    found = ReportedRun(
        task=run.task,
        track=run.track,
        question=run.question,
        seed=run.seed,
        status="failed" if run.status == "ok" else run.status,
        claimed=run.claimed,
        problem=one.problem or None,
    )
    if one.scored is None:
        return found
    result = one.scored.result
    primary = result.metrics.get(result.primary)
    measured = {
        "task": result.task,
        "question": result.question,
        "status": result.status,
        "metric": result.primary,
        "value": None if primary is None else primary.value,
        "normalised": None if primary is None else primary.normalised,
        "result": result.file_name,
    }
    return found.model_copy(update=measured)


def _section(one: ReportedSubmission) -> list[str]:
    """Return the paragraphs of a submission."""
    verdict = "accepted" if one.accepted else "refused"
    parts = [f"## {as_text(one.name or one.place)}: {verdict}"]
    if one.name is not None:
        facts = [("Folder", one.place), ("Authors", ", ".join(one.authors))]
        facts += [("Suite", one.suite or "a hold-out"), ("Record", one.sha256 or "")]
        parts.append("\n".join(f"- {name}: {as_text(value)}" for name, value in facts))
    if one.problems:
        shown = [f"- {as_text(problem)}" for problem in one.problems[:_SHOWN]]
        more = len(one.problems) - len(shown)
        shown += [f"- and {more:,} more, in the JSON of this report"] if more else []
        parts += ["What is wrong:", "\n".join(shown)]
    if one.runs:
        parts += [_covered(one), _table(one.runs)]
    return parts


def _coverage(one: Validation) -> Iterator[Coverage]:
    """Yield on how many tasks each question is answered."""
    for (track, written), n_tasks in one.n_posed.items():
        question = json.loads(written)
        answered = {
            result.task
            for result in one.results
            if (result.track, result.question, result.status) == (track, question, "ok")
        }
        yield Coverage.model_validate(
            {
                "track": track,
                "question": question,
                "n_answered": len(answered),
                "n_tasks": n_tasks,
            }
        )


def _covered(one: ReportedSubmission) -> str:
    lines = [
        f"- {as_text(_question(each))}: answers to {each.n_answered:,} of {each.n_tasks:,} tasks"
        for each in one.coverage
    ]
    return "\n".join([*lines, "", "Tasks without an answer count as a random one."])


def _table(runs: Sequence[ReportedRun]) -> str:
    """Return the scores as a table, those that fit."""
    lines = ["| task | question | seed | status | measured | normalised | claimed |"]
    lines.append("| :-- | :-- | --: | :-- | --: | --: | --: |")
    for run in runs[:_SHOWN]:
        numbers = [_number(one) for one in (run.value, run.normalised, run.claimed)]
        cells = [as_text(run.task or "not known"), as_text(_question(run)), str(run.seed)]
        lines.append(f"| {' | '.join([*cells, run.status.replace('_', ' '), *numbers])} |")
    more = len(runs) - _SHOWN
    return "\n".join(lines) + (f"\n\nand {more:,} more runs, in the JSON." if more > 0 else "")


def _question(run: ReportedRun | Coverage) -> str:
    return f"{run.track} {json.dumps(run.question)}" if run.question else run.track


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
