"""The `program` track: what program is this?

An answer is RASP text, and is measured in three steps: how often it gives the model's answers,
each of them counted the same (`program_behaviour`), how far it does the same things with the
same things as the program that the model was compiled from (`program_structure`), and whether its
variables are in the model (`program_mechanism`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ..compiler.effort import Effort
from ..compiler.program import Program
from ..errors import AnswerError, EffortError
from ..ground_truth import Task
from .problem_content import AskedText, ProblemContent
from .program_behaviour import Behaviour
from .program_floors import library_programs
from .program_mechanism import Alignment, Interchanges, accuracies, interchanges
from .program_normal_form import NormalForm
from .program_problem import ProgramProblem, SubmittedProgram, checked_program
from .program_structure import Matching
from .result import MetricValue, TrackName
from .task_cache import kept_with_task
from .track import AnyTask, Content, Measures, Priors, Track, certified

MOST_WORK = 2**31
"""How many values may be computed to see what the functions of a program are."""
_SEEN = 4096
"""On how many inputs it is seen what aggregates do."""


@dataclass(frozen=True)
class ProgramTrack(Track[ProgramProblem, SubmittedProgram]):
    """What program is this?"""

    name: ClassVar[TrackName] = "program"
    primary: ClassVar[str] = "balanced_agreement"
    needs: ClassVar[str] = (
        "The program track needs models that were compiled from programs; leave these out:"
    )
    has_priors: ClassVar[bool] = False

    def digest(self, task: AnyTask) -> str:
        """Return the sha256 of the weights."""
        return certified(task).labels.weights

    def problem(self, task: AnyTask, seed: int) -> ProgramProblem:
        """Return the model and some of its inputs."""
        return ProgramProblem.of(certified(task), seed=seed)

    def public(self, problem: ProgramProblem) -> ProblemContent:
        """Return the model and the inputs; a text is asked for."""
        return ProblemContent(AskedText(language="rasp"), problem.model, {"inputs": problem.inputs})

    def checked(self, problem: ProgramProblem, answer: Any) -> SubmittedProgram:
        """Return the program that a text stands for."""
        return checked_program(problem, answer)

    def answer_bytes(self, answer: SubmittedProgram) -> bytes:
        """Return the text."""
        return answer.text.encode()

    def content(self, answer: SubmittedProgram) -> Content:
        """Return the text."""
        return Content(text=answer.text)

    def raw(self, content: Content) -> str | None:
        """Return the text."""
        return content.text

    def evidence(self, task: AnyTask) -> None:
        """Return nothing, since nothing is learned."""

    def learned(self, evidence: Mapping[str, Any]) -> Priors:  # noqa: ARG002
        """Return none: what can be had blind is measured on each task."""
        return {}

    def measures(
        self, answer: SubmittedProgram, task: AnyTask, seed: int, priors: Priors
    ) -> Measures:
        """Return every metric; whether the program is equivalent, and sizes, are reported.

        Raises:
            AnswerError: it takes too much work to see what the functions of the program are.
        """
        assert not priors
        key, marks = _key(certified(task), seed), _marks(certified(task), seed)
        found = key.measured(answer.program)
        metrics = {
            name: MetricValue.of(
                value,
                random=marks.random[name],
                prior=marks.prior.get(name),
                ceiling=marks.ceiling[name],
            )
            for name, value in found.metrics.items()
            if name in marks.ceiling
        }
        return Measures(metrics, found.reported)


@dataclass(frozen=True, eq=False)
class Measured:
    """What a program earns, without floors and ceiling.

    Attributes:
        metrics: by name.
        reported: what never ranks.
    """

    metrics: Mapping[str, float]
    reported: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class ProgramKey:
    """What answers of the `program` track are compared with, for one task.

    Attributes:
        behaviour: the model's answers on the domain.
        exhaustive: whether the domain is all inputs.
        form: the normal form of the program that the model was compiled from.
        done: the model's answers when its variables are interchanged.
        n_variables: how many variables its own program has, by `accuracies`; none where it is not
            known where they are.
    """

    behaviour: Behaviour
    exhaustive: bool
    form: NormalForm
    done: Interchanges
    n_variables: int

    @classmethod
    def of(cls, task: Task, seed: int) -> "ProgramKey":
        """Run the model of a task on its domain, and interchange its variables.

        Args:
            task: the task.
            seed: draws the pairs that are interchanged.
        """
        program, domain = task.compiled.program, task.domain
        behaviour = Behaviour.of(task.compiled.model, domain.tokens)
        form = _form(program, behaviour)
        done = interchanges(task, form, seed)
        n_variables = len(accuracies(done, program, form)) if done.answers else 0
        return cls(behaviour, domain.exhaustive, form, done, n_variables)

    def measured(self, program: Program) -> Measured:
        """Return what a program earns.

        Raises:
            AnswerError: it takes too much work to see what its functions are.
        """
        agreeing = self.behaviour.agreeing(program)
        try:
            form = _form(program, self.behaviour)
            matching = Matching.of(form, self.form)
        except EffortError as error:
            raise AnswerError(f"The answer cannot be compared with the model: {error}") from None
        sought = accuracies(self.done, program, form)
        metrics = self.behaviour.metrics(agreeing) | matching.metrics()
        if self.n_variables:
            metrics |= Alignment.of(sought, self.n_variables).metrics()
        reported = {
            "equivalent": float((agreeing == self.behaviour.real).all()),
            "inputs": float(len(self.behaviour.tokens)),
            "exhaustive": float(self.exhaustive),
            "nodes": float(matching.nodes.submitted),
            "true_nodes": float(matching.nodes.true),
            "variables": float(len(sought)),
            "true_variables": float(self.n_variables),
        }
        return Measured(metrics, reported)


def _form(program: Program, behaviour: Behaviour) -> NormalForm:
    """Return the normal form of a program, as it is seen on some of the domain."""
    step = -(-len(behaviour.tokens) // _SEEN)
    return NormalForm.of(program, behaviour.tokens[::step], Effort(MOST_WORK))


@dataclass(frozen=True, eq=False)
class Marks:
    """Floors and ceilings, which are the same for every method.

    Attributes:
        random: the mean over programs of the library.
        prior: what the best program without attention earns.
        ceiling: what the program earns that the model was compiled from.
    """

    random: Mapping[str, float]
    prior: Mapping[str, float]
    ceiling: Mapping[str, float]


@lru_cache(maxsize=16)
def _key(task: Task, seed: int) -> ProgramKey:
    """Return what answers are compared with; large, so that a few are kept."""
    return ProgramKey.of(task, seed)


@kept_with_task
def _marks(task: Task, seed: int) -> Marks:
    """Return floors and ceilings."""
    key = _key(task, seed)
    ceiling = key.measured(task.compiled.program).metrics
    others = [key.measured(one).metrics for one in library_programs(task, seed=seed)]
    random = {name: float(np.mean([one[name] for one in others] or [0.0])) for name in ceiling}
    local = [key.behaviour.metrics(one) for one in key.behaviour.without_attention()]
    prior = {name: max(one[name] for one in local) for name in local[0]}
    return Marks(random, prior, ceiling)
