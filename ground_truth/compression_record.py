"""CompressionRecord: how near a superposed model comes to the one that was compressed.

On disk this is `labels/compression.json`, beside `labels/compression.safetensors`, the matrix.
"""

from typing import Literal

from ..compiler.compression_quality import Quality
from ..strict_record import Positive
from .compression_report import ComponentReport, quality_of
from .record import Record
from .task import Task
from .variables import Agreement

FORMAT_VERSION: Literal["1.0"] = "1.0"
DECIMALS = 6
"""To how many figures are written: what is beyond can differ from machine to machine."""


class CompressionRecord(Record):
    """What the quality gate measured, and how the variables of the model behave.

    Attributes:
        task: the id of the compressed task.
        weights: sha256 of the compressed weights.
        d_model: the width of the residual stream of the original.
        n_inputs: on how many inputs the two models were compared.
        accuracy: share of tokens at which the decoded answer is the original's.
        components: every head and MLP that writes anything.
        variables: for each variable, at how many of the pairs of `labels/variables.json` the
            answers are those of the program.
        joint: the same for the sets of variables that were interchanged at once.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    weights: str
    d_model: Positive
    n_inputs: Positive
    accuracy: float
    components: tuple[ComponentReport, ...]
    variables: tuple[Agreement, ...]
    joint: tuple[Agreement, ...]

    @classmethod
    def of(cls, task: Task, agreement: tuple[Agreement, ...]) -> "CompressionRecord":
        """Return the record of a superposed task.

        Args:
            task: the task.
            agreement: as `measured_variables` gives it.
        """
        assert task.gate is not None
        quality = task.gate.quality
        n_variables = sum(one.node >= 0 for one in task.compiled.source_map.variables)
        return cls(
            task=str(task.id),
            weights=task.labels.weights,
            d_model=task.gate.original.model.weights.d_model,
            n_inputs=quality.n_inputs,
            accuracy=round(quality.accuracy, DECIMALS),
            components=tuple(
                ComponentReport(
                    name=one.name,
                    cosine=round(one.cosine, DECIMALS),
                    error=round(one.error, DECIMALS),
                )
                for one in quality.components
            ),
            variables=agreement[:n_variables],
            joint=agreement[n_variables:],
        )

    @property
    def quality(self) -> Quality:
        """What is told of answers and components."""
        return quality_of(self.n_inputs, self.accuracy, self.components)
