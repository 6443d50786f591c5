"""Glassbench: transformers whose insides are known, to score interpretability tools against.

    import glassbench as gb

    task = gb.load("histogram")             # compiled and certified here
    print(task)                             # what it computes, sizes, edge states
    result = gb.score("eap", task)          # a built-in method, or a function of your own
    print(result)                           # score, interval, floors, ceiling
    gb.score("pca", task, "features")       # another question: directions of the stream
    print(gb.cite(result))                  # the references of what was run

    own = gb.make_task("out = selector_width(select(tokens, tokens, ==));", "abc", 4)
    gb.score("eap", own)                    # a program of your own, certified likewise

    fresh, report = gb.sample_tasks(7, 10)  # ten programs that nobody has seen
    (file,) = gb.download("https://example.org/core/registry.json", [task.id])
    task = gb.load_bundle(file)             # as it was certified where it was built

What is named here is imported from the folders when it is first used, so that importing the
package stays quick; so are the folders themselves, such as `gb.ground_truth`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import (
    AnswerError,
    BundleError,
    CertificationError,
    EffortError,
    GlassbenchError,
    InputError,
    MissingExtraError,
    ProgramError,
    SufficiencyError,
    TaskError,
    ToolError,
)

if TYPE_CHECKING:
    from . import benchmark_programs, compiler, evaluators, ground_truth, leaderboard
    from .benchmark_programs import programs
    from .compiler import compile_program as compile  # noqa: A004
    from .compiler import rasp
    from .compiler.interchange_training import TrainingRecipe
    from .evaluators import (
        AttributionProblem,
        AttributionTrack,
        CircuitProblem,
        FeaturesProblem,
        FeaturesTrack,
        FoundFeatures,
        ProgramProblem,
        ProgramTrack,
        Result,
        Subspace,
        VariablesProblem,
        VariablesTrack,
        cite,
        score,
        score_suite,
        sweep,
    )
    from .ground_truth import (
        Task,
        download,
        load,
        load_bundle,
        load_suite,
        make_task,
        sample_tasks,
        splice,
    )
    from .ground_truth.training import train

__version__ = "0.1.0"

_HOMES = {
    "AttributionProblem": ("evaluators", "AttributionProblem"),
    "AttributionTrack": ("evaluators", "AttributionTrack"),
    "CircuitProblem": ("evaluators", "CircuitProblem"),
    "FeaturesProblem": ("evaluators", "FeaturesProblem"),
    "FeaturesTrack": ("evaluators", "FeaturesTrack"),
    "FoundFeatures": ("evaluators", "FoundFeatures"),
    "ProgramProblem": ("evaluators", "ProgramProblem"),
    "ProgramTrack": ("evaluators", "ProgramTrack"),
    "Result": ("evaluators", "Result"),
    "Subspace": ("evaluators", "Subspace"),
    "Task": ("ground_truth", "Task"),
    "TrainingRecipe": ("compiler.interchange_training", "TrainingRecipe"),
    "VariablesProblem": ("evaluators", "VariablesProblem"),
    "VariablesTrack": ("evaluators", "VariablesTrack"),
    "cite": ("evaluators", "cite"),
    "compile": ("compiler", "compile_program"),
    "download": ("ground_truth", "download"),
    "load": ("ground_truth", "load"),
    "load_bundle": ("ground_truth", "load_bundle"),
    "load_suite": ("ground_truth", "load_suite"),
    "make_task": ("ground_truth", "make_task"),
    "programs": ("benchmark_programs", "programs"),
    "rasp": ("compiler", "rasp"),
    "sample_tasks": ("ground_truth", "sample_tasks"),
    "score": ("evaluators", "score"),
    "score_suite": ("evaluators", "score_suite"),
    "splice": ("ground_truth", "splice"),
    "sweep": ("evaluators", "sweep"),
    "train": ("ground_truth.training", "train"),
}

_FOLDERS = ("benchmark_programs", "compiler", "evaluators", "ground_truth", "leaderboard")

__all__ = [
    "AnswerError",
    "AttributionProblem",
    "AttributionTrack",
    "BundleError",
    "CertificationError",
    "CircuitProblem",
    "EffortError",
    "FeaturesProblem",
    "FeaturesTrack",
    "FoundFeatures",
    "GlassbenchError",
    "InputError",
    "MissingExtraError",
    "ProgramError",
    "ProgramProblem",
    "ProgramTrack",
    "Result",
    "Subspace",
    "SufficiencyError",
    "Task",
    "TaskError",
    "ToolError",
    "TrainingRecipe",
    "VariablesProblem",
    "VariablesTrack",
    "__version__",
    "benchmark_programs",
    "cite",
    "compile",
    "compiler",
    "download",
    "evaluators",
    "ground_truth",
    "leaderboard",
    "load",
    "load_bundle",
    "load_suite",
    "make_task",
    "programs",
    "rasp",
    "sample_tasks",
    "score",
    "score_suite",
    "splice",
    "sweep",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    folder, original = _HOMES[name]
    value = getattr(import_module(f".{folder}", __name__), original)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
