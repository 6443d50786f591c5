"""Compression report: what one compression of a model came to, on disk as JSON.

It holds the matrix itself, so that what it says can be measured again:
`quality_gate(task.compiled, report.matrix, task.labels, task.domain)`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field, JsonValue, model_validator

from ..compiler.compression_quality import ComponentQuality, Quality
from ..errors import BundleError, TaskError
from ..strict_record import Amount, Natural, Positive
from ..whole_file import write_whole
from .circuit_labels import EdgeState, Sufficiency
from .manifest import Sha256
from .own_task_id import name_like
from .record import Record, read_record
from .task import Task

if TYPE_CHECKING:
    from .superposed import Superposed

FORMAT_VERSION: Literal["1.0"] = "1.0"
_DIGITS = 12


class ComponentReport(Record):
    """How a head or an MLP of the compressed model compares with the original's.

    Attributes:
        name: of the component.
        cosine: the mean cosine of what the two write, where the original writes anything.
        error: the norm of the difference, relative to that of what the original writes.
    """

    name: str
    cosine: float
    error: Amount


def quality_of(n_inputs: int, accuracy: float, components: Sequence[ComponentReport]) -> Quality:
    """Return what records tell of answers and components."""
    told = (ComponentQuality(one.name, one.cosine, one.error) for one in components)
    return Quality(n_inputs, accuracy, tuple(told))


class MovedEdge(Record):
    """An edge that is not measured in the state that it has in the original.

    Attributes:
        edge: its name.
        original: its state there.
        measured: its state in the compressed model.
    """

    edge: str
    original: EdgeState
    measured: EdgeState


class CompressionReport(Record):
    """What one compression came to.

    Attributes:
        task: the id of the task that was compressed.
        weights: sha256 of the weights that were compressed.
        d_model: the width of the residual stream of the original.
        d: that of the compressed model.
        seed: of the training.
        recipe: its name.
        parameters: of the recipe.
        loss: of `W`, over what it was trained on.
        n_inputs: on how many inputs the two models were compared.
        accuracy: share of tokens at which the decoded answer is the original's.
        components: every head and MLP that writes anything.
        moved: the edges in another state; `None` where states were not measured, since answers
            or components fall short.
        sufficiency: of the causal edges together; `None` likewise.
        passed: whether the labels of the original hold.
        shortcomings: why not; empty if they do.
        attempts: how many matrices were measured.
        seconds: how long it took; with Adam for all seeds together.
        W: the matrix that compresses, `d` rows.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    weights: Sha256
    d_model: Positive
    d: Positive
    seed: int
    recipe: str
    parameters: dict[str, JsonValue]
    loss: float
    n_inputs: Positive
    accuracy: Annotated[float, Field(ge=0, le=1)]
    components: tuple[ComponentReport, ...]
    moved: tuple[MovedEdge, ...] | None
    sufficiency: Sufficiency | None
    passed: bool
    shortcomings: tuple[str, ...]
    attempts: Natural
    seconds: Amount
    W: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _consistent(self) -> "CompressionReport":
        problems = []
        if not self.d <= self.d_model:
            problems.append(f"d must be at most d_model, {self.d_model}, got {self.d}")
        if len(self.W) != self.d or any(len(row) != self.d_model for row in self.W):
            problems.append(f"W must have {self.d} rows of {self.d_model} numbers")
        if self.passed == bool(self.shortcomings):
            problems.append("passed must be true if and only if there are no shortcomings")
        if (self.moved is None) != (self.sufficiency is None):
            problems.append("moved and sufficiency go together")
        if self.passed and (self.moved is None or self.moved):
            problems.append("a model that passed has measured states, and no edge that moved")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @classmethod
    def of(cls, original: Task, made: "Superposed") -> "CompressionReport":
        """Return the report of a compression.

        Args:
            original: the task that was compressed.
            made: what it came to.

        Raises:
            TaskError: another task was compressed, or training came to numbers that are not
                finite.
        """
        if made.task != str(original.id):
            raise TaskError(f"The task that was compressed is {made.task}, got {original.id}.")
        quality, labels = made.gate.quality, made.gate.labels
        numbers = [made.loss, *(n for one in quality.components for n in (one.cosine, one.error))]
        if not (np.isfinite(made.W).all() and np.isfinite(numbers).all()):
            raise TaskError(
                f"{made.task}, d={made.d}, seed={made.seed}: training came to numbers that are "
                "not finite, of which there is nothing to report; choose another seed or recipe"
            )
        return cls(
            task=made.task,
            weights=original.labels.weights,
            d_model=made.W.shape[1],
            d=made.d,
            seed=made.seed,
            recipe=made.recipe,
            parameters=dict(made.parameters),
            loss=made.loss,
            n_inputs=quality.n_inputs,
            accuracy=quality.accuracy,
            components=tuple(ComponentReport(**asdict(one)) for one in quality.components),
            moved=None if labels is None else _moved(made.gate.moved),
            sufficiency=None if labels is None else labels.sufficiency,
            passed=made.gate.passed,
            shortcomings=made.gate.shortcomings,
            attempts=made.attempts,
            seconds=made.seconds,
            W=tuple(tuple(map(float, row)) for row in made.W),
        )

    @property
    def matrix(self) -> Float[np.ndarray, "d d_model"]:
        """The matrix that compresses."""
        return np.array(self.W, np.float64)

    @property
    def quality(self) -> Quality:
        """What is told of answers and components."""
        return quality_of(self.n_inputs, self.accuracy, self.components)

    @property
    def file_name(self) -> str:
        """The name of the file of this run in a folder of reports; see `report_file_name`."""
        return report_file_name(self.task, self.d, self.seed, self.recipe)

    @property
    def run(self) -> tuple[str, int, int, str]:
        """What tells this run from others: task, d, seed and recipe."""
        return self.task, self.d, self.seed, self.recipe

    def write(self, file: Path) -> Path:
        """Write the report, whole or not at all, and return its path.

        Raises:
            BundleError: it cannot be written.
        """
        return write_whole(self.to_json().encode(), file)

    @classmethod
    def read(cls, path: str | Path) -> "CompressionReport":
        """Return the report that a file holds.

        Raises:
            BundleError: the file is missing, or holds something else; every problem is listed.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise BundleError(
                f"{path} must be a file of a compression report: {error.strerror}"
            ) from None
        return read_record(cls, content, str(path))


def report_file_name(task: str, d: int, seed: int, recipe: str) -> str:
    """Return how the file of a run is called in a folder of reports.

    It ends in a digest of the task, since ids hold characters that file names must not.

    Example:
        >>> report_file_name("sort-v1/scrambled[seed=0]", 9, 1, "adam")
        'sort-v1-d9-seed1-adam-9906970724d0.json'
    """
    digest = hashlib.sha256(task.encode()).hexdigest()[:_DIGITS]
    program = name_like(task.split("/")[0].split("[")[0])
    return f"{program}-d{d}-seed{seed}-{name_like(recipe)}-{digest}.json"


def _moved(moved: Sequence[tuple[str, EdgeState, EdgeState]]) -> tuple[MovedEdge, ...]:
    return tuple(
        MovedEdge(edge=edge, original=original, measured=measured)
        for edge, original, measured in moved
    )
