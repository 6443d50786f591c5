"""The `variables` track: where is this variable, so that swapping it swaps the meaning?

An answer is a subspace at a hook for each variable that is asked about, and is measured on pairs
of held-out inputs: how often the model gives, when the subspace is swapped, the answers that the
program gives when the variable is (causal variable localisation: Mueller et al. 2025, MIB,
arXiv:2504.13151; Geiger et al. 2024, arXiv:2303.02536). Every number is the mean over variables.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import JsonValue

from ..compiler.one_thread import one_thread
from .problem_content import AskedArrays, ProblemContent
from .result import MetricValue, TrackName
from .track import AnyTask, Content, Measures, Priors, Track, certified
from .variables_metrics import InterchangeRuns, mean_accuracy_interval, overlap
from .variables_pairs import AS_SOURCE, KEPT, OWN
from .variables_pose import VariablesPose, posed, why_not
from .variables_problem import Subspace, VariablesProblem, checked_subspaces, place_of

_HOOK, _DIRECTIONS, _READ = "hook", "directions", "read"
_OF_METRIC = ("accuracy", "floor", "ceiling")
"""What the metric has in the mean."""
_KINDS = {KEPT: "kept", AS_SOURCE: "as_source", OWN: "own"}


@dataclass(frozen=True)
class VariablesTrack(Track[VariablesProblem, dict[str, Subspace]]):
    """Where is this variable, so that swapping it swaps the meaning?"""

    name: ClassVar[TrackName] = "variables"
    primary: ClassVar[str] = "interchange_accuracy"
    needs: ClassVar[str] = (
        "The variables track needs programs that compute something on the way to their answers, "
        "and inputs to hold out; leave these tasks out:"
    )
    has_priors: ClassVar[bool] = False

    def why_not(self, task: AnyTask) -> str:
        """Return why no variable of a task can be asked about."""
        return super().why_not(task) or why_not(certified(task))

    def digest(self, task: AnyTask) -> str:
        """Return the sha256 of the weights."""
        return certified(task).labels.weights

    def problem(self, task: AnyTask, seed: int) -> VariablesProblem:
        """Return the model, and for each variable pairs of inputs to learn from."""
        return self.posed(task, seed).problem

    def public(self, problem: VariablesProblem) -> ProblemContent:
        """Return the model and the pairs of each variable; hook and directions are asked for."""
        d_model = problem.model.weights.d_model
        arrays: dict[str, np.ndarray] = {}
        asked: dict[str, tuple[int | str, ...]] = {}
        for number, (name, question) in enumerate(problem.variables.items()):
            pairs = vars(question.train).items()
            arrays |= {f"{name}/{part}": array.astype(np.int32) for part, array in pairs}
            word = _letters(number)
            asked[f"{name}/{_HOOK}"] = (1,)
            asked[f"{name}/{_DIRECTIONS}"] = (f"k{word}", d_model)
            asked[f"{name}/{_READ}"] = (f"m{word}", d_model)
        every = problem.variables.items()
        facts: dict[str, JsonValue] = {
            "hooks": list(problem.hooks),
            "max_directions": {name: question.max_directions for name, question in every},
            "numbers": {
                name: None if question.numbers is None else list(question.numbers)
                for name, question in every
            },
            "seed": problem.seed,
        }
        optional = tuple(f"{name}/{_READ}" for name in problem.variables)
        return ProblemContent(
            AskedArrays(arrays=asked, optional=optional), problem.model, arrays, facts
        )

    def checked(self, problem: VariablesProblem, answer: Any) -> dict[str, Subspace]:
        """Return a subspace for every variable."""
        return checked_subspaces(problem, answer)

    def answer_bytes(self, answer: dict[str, Subspace]) -> bytes:
        """Return a digest of every array, with its variable, hook, name and shape, as text."""
        lines = []
        for name, found in sorted(answer.items()):
            for part, rows in ((_DIRECTIONS, found.directions), (_READ, found.read)):
                if rows is not None:
                    numbers = np.ascontiguousarray(rows, "<f8").tobytes()
                    digest = hashlib.sha256(numbers).hexdigest()
                    lines.append(f"{name} {found.hook} {part} {list(rows.shape)} {digest}\n")
        return "".join(lines).encode()

    def content(self, answer: dict[str, Subspace]) -> Content:
        """Return the arrays of each variable: the place of the hook, directions, what is read."""
        arrays = {}
        for name, found in answer.items():
            arrays[f"{name}/{_HOOK}"] = np.array([place_of(found.hook)], dtype=np.float64)
            arrays[f"{name}/{_DIRECTIONS}"] = found.directions
            if found.read is not None:
                arrays[f"{name}/{_READ}"] = found.read
        return Content(arrays=arrays)

    def raw(self, content: Content) -> dict[str, dict[str, Any]]:
        """Return the place of the hook and the arrays by variable."""
        found: dict[str, dict[str, Any]] = {}
        for path, array in content.arrays.items():
            name, _, part = path.rpartition("/")
            found.setdefault(name, {})[part] = _place(array) if part == _HOOK else array
        return found

    def evidence(self, task: AnyTask) -> None:
        """Return nothing, since nothing is learned."""

    def learned(self, evidence: Mapping[str, Any]) -> Priors:  # noqa: ARG002
        """Return none: a subspace of one model says nothing of another model's."""
        return {}

    def posed(self, task: AnyTask, seed: int) -> VariablesPose:
        """Return the problem of a task, and what answers are compared with."""
        return posed(certified(task), seed)

    def measures(
        self,
        answer: dict[str, Subspace],
        task: AnyTask,
        seed: int,
        priors: Priors,
    ) -> Measures:
        """Return interchange accuracy; what it is made of, and overlap with the truth, beside."""
        assert not priors
        pose = self.posed(task, seed)
        hooks = pose.problem.hooks
        with one_thread():
            hits = {
                name: InterchangeRuns.of(pose.problem.model, key.held_out).hits(
                    hooks.index(answer[name].hook), [answer[name].factors]
                )[0]
                for name, key in pose.keys.items()
            }
        every = [key.marks for key in pose.keys.values()]
        metric = MetricValue.of(
            float(np.mean([one.mean() for one in hits.values()])),
            random=float(np.mean([one.floor for one in every])),
            ceiling=float(np.mean([one.ceiling for one in every])),
            interval=mean_accuracy_interval(list(hits.values()), seed=seed),
        )
        return Measures({self.primary: metric}, _reported(answer, pose, hits))


def _letters(number: int) -> str:
    """Return a number in letters, another one for each."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def _place(array: np.ndarray) -> Any:
    """Return the place of a hook as an integer, if it is one."""
    if array.shape != (1,) or not float(array[0]).is_integer():
        return array.tolist()
    return int(array[0])


def _reported(
    answer: Mapping[str, Subspace], pose: VariablesPose, hits: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Return what is told of an answer and never ranks: in the mean, and of each variable."""
    found = {"variables": float(len(pose.keys))}
    of_each: dict[str, list[float]] = {}
    for name, key in pose.keys.items():
        own, place = answer[name], place_of(answer[name].hook)
        numbers = {
            "accuracy": float(hits[name].mean()),
            "floor": key.marks.floor,
            "ceiling": key.marks.ceiling,
            "dimensions": float(len(own.factors[1])),
            "max_dimensions": float(pose.problem.variables[name].max_directions),
            "overlap": overlap(key.true.directions, own.directions),
            "in_window": float(key.window[0] <= place <= key.window[1]),
        }
        found |= {f"{name}_{part}": number for part, number in numbers.items()}
        numbers |= {f"floor_{part}": number for part, number in key.marks.floors.items()}
        for kind, word in _KINDS.items():
            if (key.kinds == kind).any():
                numbers[f"accuracy_{word}"] = float(hits[name][key.kinds == kind].mean())
        for part, number in numbers.items():
            of_each.setdefault(part, []).append(number)
    means = {part: float(np.mean(numbers)) for part, numbers in of_each.items()}
    return found | {part: means[part] for part in means if part not in _OF_METRIC}
