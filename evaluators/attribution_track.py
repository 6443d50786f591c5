"""The `attribution` track: which input tokens does the answer at each position depend on?

An answer is a number for every pair of an output and an input position of every input. Its
magnitudes are measured by how they rank the tokens to which the model's answer is sensitive;
with their signs, by how they agree with the Shapley values. The labels are those of the
program, on the interpreter, and hold for every model that computes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ..benchmark_programs.relevance_measures import measured_relevance
from ..ground_truth import Relevance, Task, relevance
from .attribution_floors import prior_floors
from .attribution_metrics import PRIMARY, ceilings, counts, floors, per_answer
from .attribution_problem import Attribution, AttributionProblem, checked_attribution
from .intervals import grouped_mean_interval
from .problem_content import AskedArrays, ProblemContent
from .result import MetricValue, TrackName
from .track import AnyTask, Content, Measures, Priors, Track, certified

_ARRAY = "attribution"
_SEED_OF_PRIORS = 0
_NOTHING = "no answer depends on some tokens and not on others"


@dataclass(frozen=True)
class AttributionTrack(Track[AttributionProblem, Attribution]):
    """Which input tokens does the answer at each position depend on?"""

    name: ClassVar[TrackName] = "attribution"
    primary: ClassVar[str] = PRIMARY
    needs: ClassVar[str] = (
        "The attribution track ranks the tokens of an input by whether an answer depends on them, "
        "and these tasks have nothing to rank; leave them out, or take the suite 'relevance', "
        "where all have:"
    )

    def why_not_named(self, name: object) -> str:
        """Return why not, of toy models and of what was measured and has nothing to rank."""
        known = measured_relevance().get(str(name))
        return _NOTHING if known and not known.ranked else super().why_not_named(name)

    def why_not(self, task: AnyTask) -> str:
        """Return why there is no answer of a task whose tokens can be ranked."""
        if isinstance(task, Task) and not posed(task, _SEED_OF_PRIORS).relevance.n_rankable:
            return _NOTHING
        return super().why_not(task)

    def digest(self, task: AnyTask) -> str:
        """Return the sha256 of the weights, which settle every answer."""
        return certified(task).labels.weights

    def problem(self, task: AnyTask, seed: int) -> AttributionProblem:
        """Return the model, and inputs to explain.

        Raises:
            TaskError: none of the inputs that the seed draws has an answer to be ranked.
        """
        pose = posed(certified(task), seed)
        if not pose.relevance.n_rankable:
            self._refuse([(str(task.id), f"{_NOTHING} with seed {seed}; take another")])
        return pose.problem

    def public(self, problem: AttributionProblem) -> ProblemContent:
        """Return the model and the inputs; an array is asked for."""
        asked = AskedArrays(arrays={_ARRAY: problem.answer_shape})
        return ProblemContent(asked, problem.model, {"tokens": problem.tokens})

    def checked(self, problem: AttributionProblem, answer: Any) -> Attribution:
        """Return an array of float32, signs kept."""
        return checked_attribution(problem, answer)

    def answer_bytes(self, answer: Attribution) -> bytes:
        """Return the shape as text, and the numbers."""
        return f"{list(answer.shape)}\n".encode() + np.ascontiguousarray(answer, "<f4").tobytes()

    def content(self, answer: Attribution) -> Content:
        """Return the array."""
        return Content(arrays={_ARRAY: answer})

    def raw(self, content: Content) -> Any:
        """Return the array; `None`, which is no answer, where there is none."""
        return content.arrays.get(_ARRAY)

    def evidence(self, task: AnyTask) -> Relevance:
        """Return the labels of the inputs of one seed, whatever seed is asked with."""
        return posed(certified(task), _SEED_OF_PRIORS).relevance

    def learned(self, evidence: Mapping[str, Relevance]) -> Priors:
        """Return what positions tell, each task learned from the others, on those inputs."""
        return prior_floors(evidence)

    def measures(self, answer: Attribution, task: AnyTask, seed: int, priors: Priors) -> Measures:
        """Return every metric, and how many answers of the model could be ranked."""
        pose = posed(certified(task), seed)
        metrics = {}
        for name, found in per_answer(pose.relevance, answer[:, 1:, 1:]).items():
            prior, interval = priors.get(name), None
            if name == PRIMARY:
                interval = grouped_mean_interval(found.values, found.rows, seed=seed)
            metrics[name] = MetricValue.of(
                found.mean,
                random=pose.floors[name],
                prior=None if prior is None else prior[str(task.id)],
                ceiling=pose.ceilings[name],
                interval=interval,
            )
        return Measures(metrics, counts(pose.relevance))


@dataclass(frozen=True, eq=False)
class AttributionPose:
    """A problem with what answers to it are compared with.

    Attributes:
        problem: what a tool sees.
        relevance: the labels of its inputs.
        floors: what random answers earn, by metric.
        ceilings: what the labels themselves earn.
    """

    problem: AttributionProblem
    relevance: Relevance
    floors: Mapping[str, float]
    ceilings: Mapping[str, float]


@lru_cache(maxsize=256)
def posed(task: Task, seed: int) -> AttributionPose:
    """Return the problem of a task and its labels; the same for every method, and made once."""
    problem = AttributionProblem.of(task, seed=seed)
    labels = relevance(task.compiled.program, problem.model.codec, problem.tokens)
    return AttributionPose(problem, labels, floors(labels), ceilings(labels))
