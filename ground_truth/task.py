"""Task: a program compiled under its regimes, with certified labels."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..benchmark_programs import TaskId
from ..compiler import CompiledModel, Weights
from ..compiler.component_graph import ComponentGraph
from .circuit_labels import CircuitLabels, EdgeState
from .interchange_pairs import TaskDomain
from .own_task_id import OwnTaskId
from .quality_gate import QualityGate
from .training_gate import TrainingGate
from .universes import node_states


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """A model whose insides are known.

    Attributes:
        id: says everything needed to build the task again; of a program that is not of
            the library, it says which one that is.
        compiled: the model, its program, and the map between them.
        labels: the certified state of every edge.
        domain: the inputs.
        gate: what was measured of a superposed model; `None` of others.
        training: what was measured of a trained model; `None` of others.
    """

    id: TaskId | OwnTaskId
    compiled: CompiledModel
    labels: CircuitLabels
    domain: TaskDomain
    gate: QualityGate | None = None
    training: TrainingGate | None = None

    @property
    def graph(self) -> ComponentGraph:
        """The components of the model and the edges between them."""
        return ComponentGraph.of(self.compiled.model.weights)

    def __repr__(self) -> str:
        """Return the task's id."""
        return f"Task({str(self.id)!r})"

    def __str__(self) -> str:
        """Return the task's id, what it computes, its sizes and its edge states."""
        sizes = sizes_text(self.compiled.model.weights)
        return f"{self.id}\n{self.id.spec.description}\n{sizes}\n{self.edge_summary}"

    @property
    def edge_summary(self) -> str:
        """How many edges are in each state, and on what that was certified."""
        counts = ", ".join(f"{count} {state}" for state, count in self.labels.counts.items())
        exhaustive = "all" if self.labels.exhaustive else "a sample of"
        return f"edges: {counts}; certified on {exhaustive} {self.labels.n_inputs:,} inputs"


def sizes_text(weights: Weights) -> str:
    """Return the sizes of a model in a line."""
    return (
        f"layers {weights.n_layers}, heads {weights.n_heads}, d_model {weights.d_model}, "
        f"d_mlp {weights.d_mlp}, {weights.n_parameters:,} parameters"
    )


def edge_positives(states: Mapping[str, EdgeState]) -> dict[str, bool]:
    """Return whether each edge counts as positive; `positional` edges are left out."""
    return {
        edge: state is EdgeState.CAUSAL
        for edge, state in states.items()
        if state is not EdgeState.POSITIONAL
    }


def node_positives(states: Mapping[str, EdgeState]) -> dict[str, bool]:
    """Return whether each writer is causal: whether any edge that leaves it is.

    A node whose strongest edge is `positional` is left out.
    """
    return edge_positives(node_states(states))
