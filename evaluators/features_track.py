"""The `features` track: which directions does the residual stream use?

An answer is directions and their activations on held-out rows, and is measured by how near the
directions come to those of the key, and how well the activations tell when a feature is active.
With several hooks every metric is the mean over hooks.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from pydantic import JsonValue

from ..errors import BundleError
from ..ground_truth import FeatureData, feature_data, features_digest
from .features_floors import blind_floors
from .features_metrics import (
    FeatureTruth,
    Matching,
    n_dead_units,
    n_duplicates,
    oracle,
    unexplained,
)
from .features_problem import (
    N_HELD_OUT,
    N_TRAIN,
    FeaturesProblem,
    FoundFeatures,
    checked_features,
)
from .intervals import mean_interval
from .problem_content import AskedArrays, ProblemContent
from .result import MetricValue, TrackName
from .task_cache import kept_with_task
from .track import AnyTask, Content, Measures, Priors, Track

MODEL_ARM = "model"
_DIRECTIONS, _ACTIVATIONS = "directions", "activations"


@dataclass(frozen=True, eq=False)
class FeaturesPose:
    """A problem with what answers to it are compared with.

    Attributes:
        problem: what a tool sees.
        truths: the classes that are asked for, by hook.
    """

    problem: FeaturesProblem
    truths: Mapping[str, FeatureTruth]


@dataclass(frozen=True)
class FeaturesTrack(Track[FeaturesProblem, dict[str, FoundFeatures]]):
    """Which directions does the residual stream use?

    Attributes:
        arm: `model` for rows of the running model, `independent` for rows of the same
            features with no class depending on another.
        hooks: where, as TransformerLens names it, one or several; empty for the stream before the
            logits, which holds all features.
    """

    arm: str = MODEL_ARM
    hooks: tuple[str, ...] = ()

    name: ClassVar[TrackName] = "features"
    primary: ClassVar[str] = "matched_cosine"
    needs: ClassVar[str] = "The features track needs features that vary at every hook:"
    needs_program: ClassVar[bool] = False
    has_priors: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Take one hook by its name, and several in any sequence."""
        hooks = (self.hooks,) if isinstance(self.hooks, str) else tuple(self.hooks)
        object.__setattr__(self, "hooks", hooks)

    @property
    def question(self) -> Mapping[str, JsonValue]:
        """The arm and the hooks, where they are not those by default."""
        arm: dict[str, JsonValue] = {} if self.arm == MODEL_ARM else {"arm": self.arm}
        return {**arm, "hooks": list(self.hooks)} if self.hooks else arm

    def asking(self, question: Mapping[str, JsonValue]) -> "FeaturesTrack":
        """Return the track with the arm and the hooks of a question.

        Raises:
            BundleError: the question says something else.
        """
        arm, hooks = question.get("arm", MODEL_ARM), question.get("hooks", [])
        strings = isinstance(hooks, list) and all(isinstance(hook, str) for hook in hooks)
        if question.keys() - {"arm", "hooks"} or not isinstance(arm, str) or not strings:
            raise BundleError(
                "A question of the features track has an arm and a list of hooks, got "
                f"{dict(question)}"
            )
        assert isinstance(hooks, list)
        return FeaturesTrack(arm, tuple(map(str, hooks)))

    def why_not(self, task: AnyTask) -> str:
        """Return which hooks a task has not, and at which no feature varies."""
        data = feature_data(task, self.arm)
        return "; ".join(
            why for hook in self._hooks_of(data) if (why := _nothing_varies(data, hook))
        )

    def _hooks_of(self, data: FeatureData) -> tuple[str, ...]:
        """Return the hooks that are asked about."""
        return self.hooks or data.hooks[-1:]

    def digest(self, task: AnyTask) -> str:
        """Return the sha256 of the weights, or of what else makes the features."""
        return features_digest(task)

    def problem(self, task: AnyTask, seed: int) -> FeaturesProblem:
        """Return rows of the stream, and the model that they come from."""
        return self.posed(task, seed).problem

    def public(self, problem: FeaturesProblem) -> ProblemContent:
        """Return the model and the rows of each hook; directions and activations are asked for."""
        rows: dict[str, np.ndarray] = {}
        asked: dict[str, tuple[int | str, ...]] = {}
        for hook, there in problem.hooks.items():
            n_rows, d_model = there.held_out.shape
            rows |= {f"{hook}/train": there.train, f"{hook}/held_out": there.held_out}
            asked[f"{hook}/{_DIRECTIONS}"] = ("m", d_model)
            asked[f"{hook}/{_ACTIVATIONS}"] = (n_rows, "m")
        facts: dict[str, JsonValue] = {
            "max_directions": {hook: there.max_directions for hook, there in problem.hooks.items()},
            "seed": problem.seed,
        }
        return ProblemContent(AskedArrays(arrays=asked), problem.model, rows, facts)

    def checked(self, problem: FeaturesProblem, answer: Any) -> dict[str, FoundFeatures]:
        """Return arrays for every hook."""
        return checked_features(problem, answer)

    def answer_bytes(self, answer: dict[str, FoundFeatures]) -> bytes:
        """Return a digest of every array, with its hook, name and shape, as text."""
        lines = []
        for hook, found in sorted(answer.items()):
            for name, array in (
                (_ACTIVATIONS, found.activations),
                (_DIRECTIONS, found.directions),
            ):
                numbers = np.ascontiguousarray(array, "<f8").tobytes()
                digest = hashlib.sha256(numbers).hexdigest()
                lines.append(f"{hook} {name} {list(array.shape)} {digest}\n")
        return "".join(lines).encode()

    def content(self, answer: dict[str, FoundFeatures]) -> Content:
        """Return the arrays of every hook; activations are float32 already, but for the type."""
        arrays: dict[str, np.ndarray] = {}
        for hook, found in answer.items():
            arrays[f"{hook}/{_DIRECTIONS}"] = found.directions.astype(np.float64)
            arrays[f"{hook}/{_ACTIVATIONS}"] = found.activations.astype(np.float32)
        return Content(arrays=arrays)

    def raw(self, content: Content) -> dict[str, dict[str, np.ndarray]]:
        """Return the arrays by hook and by name."""
        found: dict[str, dict[str, np.ndarray]] = {}
        for place, array in content.arrays.items():
            hook, _, name = place.rpartition("/")
            found.setdefault(hook, {})[name] = array
        return found

    def evidence(self, task: AnyTask) -> None:
        """Return nothing, since nothing is learned."""

    def learned(self, evidence: Mapping[str, Any]) -> Priors:  # noqa: ARG002
        """Return none: a direction cannot be learned from the names of other tasks."""
        return {}

    def posed(self, task: AnyTask, seed: int) -> FeaturesPose:
        """Return the problem of a task, and what answers are compared with."""
        return _posed(self, task, seed)

    def measures(
        self,
        answer: dict[str, FoundFeatures],
        task: AnyTask,
        seed: int,
        priors: Priors,
    ) -> Measures:
        """Return every metric; duplicates, dead units and reconstruction are reported beside."""
        assert not priors
        pose, (floors, ceilings) = self.posed(task, seed), _marks(task, self, seed)
        matched = {hook: Matching.of(truth, answer[hook]) for hook, truth in pose.truths.items()}
        values = _mean([one.metrics() for one in matched.values()])
        cosines = np.concatenate([one.cosine for one in matched.values()])
        metrics = {
            name: MetricValue.of(
                value,
                random=floors[name],
                ceiling=ceilings[name],
                interval=mean_interval(cosines, seed=seed) if name == self.primary else None,
            )
            for name, value in values.items()
        }
        return Measures(metrics, _reported(answer, pose.truths))


def _nothing_varies(data: FeatureData, hook: str) -> str:
    """Return what stands against asking about a hook; empty if nothing does."""
    if hook not in data.hooks:
        return f"has no hook {hook!r}; it has {', '.join(data.hooks)}"
    key = data.key(hook)
    return "" if ((key.class_of >= 0) & ~key.constant).any() else f"no feature varies at {hook}"


def _mean(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each number over the parts that have it."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: float(np.mean([part[name] for part in parts if name in part])) for name in names}


def _reported(
    answer: Mapping[str, FoundFeatures], truths: Mapping[str, FeatureTruth]
) -> dict[str, float]:
    """Return what is told of an answer and never ranks: counts over hooks, a mean of errors."""
    found = list(answer.values())
    return {
        "directions": float(sum(len(one.directions) for one in found)),
        "duplicate_directions": float(sum(n_duplicates(one.directions) for one in found)),
        "dead_units": float(sum(n_dead_units(one.activations) for one in found)),
        "unexplained_variance": float(
            np.mean([unexplained(truth.streams, answer[hook]) for hook, truth in truths.items()])
        ),
        "classes": float(sum(truth.n_classes for truth in truths.values())),
        "classes_without_activity": float(
            sum(truth.n_classes - int(truth.telling.sum()) for truth in truths.values())
        ),
    }


@lru_cache(maxsize=8)
def _posed(track: FeaturesTrack, task: AnyTask, seed: int) -> FeaturesPose:
    """Return the problem of a task and the classes to find; large, so that a few are kept."""
    data = feature_data(task, track.arm)
    problem = FeaturesProblem.of(data, track._hooks_of(data), seed=seed)
    truths = {
        hook: FeatureTruth.of(data.key(hook), data.rows(hook, N_TRAIN, N_HELD_OUT, seed)[1])
        for hook in problem.hooks
    }
    return FeaturesPose(problem, truths)


@kept_with_task
def _marks(
    task: AnyTask, track: FeaturesTrack, seed: int
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Return floors and ceilings, which are the same for every method, in the mean over hooks."""
    data, pose = feature_data(task, track.arm), _posed(track, task, seed)
    floors, ceilings = [], []
    for hook, rows in pose.problem.hooks.items():
        truth = pose.truths[hook]
        _, held_out = data.rows(hook, N_TRAIN, N_HELD_OUT, seed)
        floors.append(blind_floors(truth, rows.max_directions, seed=seed))
        ceilings.append(Matching.of(truth, oracle(data.key(hook), held_out)).metrics())
    return _mean(floors), _mean(ceilings)
