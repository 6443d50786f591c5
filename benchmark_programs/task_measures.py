"""Task measures: what was measured of a certified task, and whether it is worth ranking on.

`measured_tasks.csv` holds them for every program of the library in every regime, so that
suites can be chosen by rule without certifying hundreds of tasks. A script in `performance/`
writes the file; the tests measure some of its rows again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from .measures_table import Measures, kept_table

LEAST_CIRCUIT = 4
FILE = "measured_tasks.csv"


@dataclass(frozen=True, kw_only=True)
class TaskMeasures(Measures):
    """The sizes and labels of a task in numbers.

    Attributes:
        task: the canonical id.
        weights: the beginning of the sha256 of the weights.
        inputs: on how many inputs the labels are certified.
        exhaustive: whether those are all.
        layers: the layers of the model.
        heads: the most heads in a layer.
        d_model: the width of the residual stream.
        parameters: the number of weights.
        causal: edges of the circuit.
        positional: edges that matter only when positions are permuted.
        inert: edges that are read in vain.
        unwired: edges that nothing passes.
        circuit_heads: heads that a causal edge leads to or leaves.
        circuit: a digest of the names of the causal edges.
    """

    weights: str
    inputs: int
    exhaustive: bool
    layers: int
    heads: int
    d_model: int
    parameters: int
    causal: int
    positional: int
    inert: int
    unwired: int
    circuit_heads: int
    circuit: str

    @property
    def edges(self) -> int:
        """The number of edges of the model."""
        return self.causal + self.positional + self.inert + self.unwired

    @property
    def shortcomings(self) -> list[str]:
        """Why the task is not worth ranking methods on; empty where it is.

        The rules of a benchmark that must be looked at: a circuit that has some size,
        attention in it, and negatives that are alive where the model is crowded.
        """
        found = []
        if self.causal < LEAST_CIRCUIT:
            found.append(f"its circuit has {self.causal} edges, fewer than {LEAST_CIRCUIT}")
        if not self.circuit_heads:
            found.append("no head is part of its circuit")
        if "/crowded" in self.task and self.inert < self.causal:
            found.append(f"{self.inert} edges are inert, fewer than the {self.causal} causal ones")
        return found


@lru_cache(maxsize=1)
def measured_tasks() -> Mapping[str, TaskMeasures]:
    """Return what was measured of the library's tasks, by canonical task id."""
    return kept_table(TaskMeasures, FILE)
