"""Track: one question that a tool can be asked, from the problem to the numbers.

A track poses a problem for a task, checks what a tool answers, and measures it. `scoring`
knows no more of a track than this.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, final

import numpy as np
from pydantic import JsonValue

from ..benchmark_programs import ToyId
from ..errors import BundleError, TaskError, listing
from ..ground_truth import FeaturesTask, Task
from .floors import PriorFloor
from .problem_content import ProblemContent
from .result import MetricValue, TrackName

Problem = TypeVar("Problem")
Answer = TypeVar("Answer")

AnyTask = Task | FeaturesTask
"""A certified task, or one of another kind that some tracks can be asked about."""


def certified(task: AnyTask) -> Task:
    """Return a task that the `check` of a track of certified tasks let through."""
    assert isinstance(task, Task)
    return task


Priors = Mapping[str, PriorFloor]
"""The prior floor of every task of a suite, by metric."""


@dataclass(frozen=True)
class Measures:
    """What an answer earns.

    Attributes:
        metrics: by name, with floors and ceiling; they may rank.
        reported: further numbers by name, which never rank.
    """

    metrics: Mapping[str, MetricValue]
    reported: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Content:
    """What an answer says, in the form in which it is kept on disk: numbers, arrays or a text.

    Attributes:
        scores: numbers by name.
        arrays: arrays of float32 or float64 by name.
        text: a text; `None` where the answer is another.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    text: str | None = None


NO_PROGRAM = "it has no program; ask about it with --track features (track='features')"


class Track(ABC, Generic[Problem, Answer]):
    """One question that a tool can be asked.

    Attributes:
        name: what results and the command line call it.
        primary: the name of the metric that ranks.
        needs: what a task must have to be asked about, as the error says that names those without.
        needs_program: whether it is about programs, and so not about toy models.
        has_priors: whether something can be learned blind from the other tasks of a suite.
    """

    name: ClassVar[TrackName]
    primary: ClassVar[str]
    needs: ClassVar[str]
    needs_program: ClassVar[bool] = True
    has_priors: ClassVar[bool] = True

    @property
    def question(self) -> Mapping[str, JsonValue]:
        """How the question differs from that which the track asks by default.

        Results of different questions are never ranked together. Most tracks ask in one way.
        """
        return {}

    def asking(self, question: Mapping[str, JsonValue]) -> "Track":
        """Return the track that asks a question which a result records.

        Raises:
            BundleError: there is no such question.
        """
        if question:
            raise BundleError(f"The {self.name} track has one question, got {dict(question)}")
        return self

    def why_not_named(self, name: object) -> str:
        """Return why what is known by this id cannot be asked about; empty if nothing tells that.

        Args:
            name: the id of a task or of a toy model; anything else is let through.
        """
        return NO_PROGRAM if self.needs_program and isinstance(name, ToyId) else ""

    def why_not(self, task: AnyTask) -> str:
        """Return why a task cannot be asked about; empty if it can."""
        return NO_PROGRAM if self.needs_program and not isinstance(task, Task) else ""

    @final
    def check_named(self, names: Sequence[object]) -> None:
        """Check what is known of tasks by their names alone, before any is made.

        Raises:
            TaskError: some cannot pose the question; all of them are named.
        """
        self._refuse((str(name), self.why_not_named(name)) for name in names)

    @final
    def check(self, tasks: Sequence[AnyTask]) -> None:
        """Check that every task poses the question.

        Raises:
            TaskError: some do not; all of them are named.
        """
        self._refuse((str(task.id), self.why_not(task)) for task in tasks)

    def _refuse(self, reasons: Iterable[tuple[str, str]]) -> None:
        if problems := [f"{name}: {why}" for name, why in reasons if why]:
            raise TaskError(listing(self.needs, problems))

    @abstractmethod
    def digest(self, task: AnyTask) -> str:
        """Return the sha256 of what the labels of a task are about."""

    @abstractmethod
    def problem(self, task: AnyTask, seed: int) -> Problem:
        """Return what a tool sees: never a label."""

    @abstractmethod
    def public(self, problem: Problem) -> ProblemContent:
        """Return a problem as it is on disk, for tools in any language: all of it, and no more."""

    @abstractmethod
    def checked(self, problem: Problem, answer: Any) -> Answer:
        """Return an answer in the one form in which it is measured.

        Raises:
            AnswerError: it cannot be; every problem is listed.
        """

    @abstractmethod
    def answer_bytes(self, answer: Answer) -> bytes:
        """Return the bytes whose sha256 stands for a checked answer."""

    @abstractmethod
    def content(self, answer: Answer) -> Content:
        """Return a checked answer as it is kept on disk; nothing that is measured is lost."""

    @abstractmethod
    def raw(self, content: Content) -> Any:
        """Return an answer that was kept, as a tool would give it: still to be checked."""

    @abstractmethod
    def evidence(self, task: AnyTask) -> Any:
        """Return what the prior floors of a suite take from one of its tasks; small beside it."""

    @abstractmethod
    def learned(self, evidence: Mapping[str, Any]) -> Priors:
        """Return the prior floors over a suite from the evidence of its tasks, by task id.

        None where nothing can be learned blind.
        """

    @final
    def priors(self, tasks: Sequence[AnyTask]) -> Priors:
        """Return the prior floors over a suite; none where nothing can be learned blind."""
        return self.learned({str(task.id): self.evidence(task) for task in tasks})

    @abstractmethod
    def measures(self, answer: Answer, task: AnyTask, seed: int, priors: Priors) -> Measures:
        """Return what a checked answer earns on a task."""
