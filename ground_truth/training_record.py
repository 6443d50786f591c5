"""TrainingRecord: what was measured of a trained model, and which components carry its program.

On disk this is `labels/training.json`.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ..compiler import CompiledModel
from ..strict_record import Natural, Positive
from .alignment import Alignment
from .circuit_labels import CircuitLabels, EdgeState
from .counted_interchanges import CONFIDENCE, TOLERANCE, Count
from .record import Record
from .task import Task
from .training_gate import MOST_WRONG, MOST_WRONG_OF_A_SET, InterchangedSet, TrainingGate
from .training_history import TrainingHistory

FORMAT_VERSION: Literal["1.0"] = "1.0"


class CountRecord(Record):
    """How many of some trials were wrong.

    Attributes:
        wrong: so many were.
        tried: of so many.
    """

    wrong: Natural
    tried: Positive

    @classmethod
    def of(cls, count: Count) -> "CountRecord":
        """Return the record of a count."""
        return cls(wrong=count.found, tried=count.tried)

    @property
    def count(self) -> Count:
        """The count."""
        return Count(self.wrong, self.tried)


class SetRecord(Record):
    """Edges of the compiled model that were interchanged together.

    Attributes:
        name: an edge, or a component all of whose edges with an effect are meant.
        edges: of the trained model, that stand for them.
        counted: pairs on which an answer was not that of the program.
    """

    name: str
    edges: Annotated[tuple[str, ...], Field(min_length=1)]
    counted: CountRecord


class AlignedComponent(Record):
    """Which component of the trained model stands for one of the compiled model.

    Attributes:
        compiled: the one.
        trained: the other.
    """

    compiled: str
    trained: str


class UnmatchedEdge(Record):
    """An edge of the trained model that is in another state than it must be.

    Attributes:
        edge: its name.
        wanted: the state of the edge that it stands for.
        found: what was measured; `None` where it can be either side of the tolerance.
    """

    edge: str
    wanted: EdgeState
    found: EdgeState | None


class TrainingRecord(Record):
    """What the training gate measured, on inputs that no model was trained on.

    Attributes:
        task: the id of the trained task.
        weights: sha256 of the trained weights.
        components: those that stand for one of the compiled model; all others stand for none.
        answers: held-out inputs on which an answer was not that of the program.
        sets: what was interchanged, each on as many pairs.
        strict: pairs on which an answer was not that of the program when edges that stand for
            nothing were interchanged as well.
        moved: edges in another state than they must be; a model with one is no task.
        history: how the model came about; `None` where that is not known.
        most_wrong: the upper bound of the share of these that may be wrong.
        most_wrong_of_a_set: that of each set.
        tolerance: an edge has an effect where it changes an answer on a larger share of pairs.
        confidence: of all bounds.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    weights: str
    components: tuple[AlignedComponent, ...]
    answers: CountRecord
    sets: tuple[SetRecord, ...]
    strict: CountRecord
    moved: tuple[UnmatchedEdge, ...] = ()
    history: TrainingHistory | None = None
    most_wrong: float = MOST_WRONG
    most_wrong_of_a_set: float = MOST_WRONG_OF_A_SET
    tolerance: float = TOLERANCE
    confidence: float = CONFIDENCE

    @classmethod
    def of(cls, task: Task) -> "TrainingRecord":
        """Return the record of a trained task."""
        gate = task.training
        assert gate is not None
        alignment = gate.alignment
        return cls(
            task=str(task.id),
            weights=task.labels.weights,
            components=tuple(
                AlignedComponent(compiled=one.name, trained=alignment.name(one.name))
                for one in alignment.compiled.writers
            ),
            answers=CountRecord.of(gate.answers),
            sets=tuple(
                SetRecord(name=name, edges=one.edges, counted=CountRecord.of(one.wrong))
                for name, one in gate.interchanges.items()
            ),
            strict=CountRecord.of(gate.strict),
            moved=tuple(
                UnmatchedEdge(edge=edge, wanted=wanted, found=found)
                for edge, wanted, found in gate.moved
            ),
            history=gate.history,
        )

    def gate(
        self,
        original: CompiledModel,
        alignment: Alignment,
        compiled: CompiledModel,
        labels: CircuitLabels,
        wanted: Mapping[str, EdgeState] | None = None,
    ) -> TrainingGate:
        """Return the gate that this is the record of.

        Args:
            original: the compiled model.
            alignment: which components stand for its own.
            compiled: the trained model.
            labels: its labels.
            wanted: the state that each edge must have, where that is known; else no more edges
                are taken to have moved than the record says.
        """
        moved = [(one.edge, one.wanted, one.found) for one in self.moved]
        said, found = {one.edge for one in self.moved}, labels.states
        moved += [
            (name, state, found[name])
            for name, state in (wanted or {}).items()
            if found[name] is not state and name not in said
        ]
        return TrainingGate(
            original=original,
            alignment=alignment,
            compiled=compiled,
            answers=self.answers.count,
            interchanges={
                one.name: InterchangedSet(one.edges, one.counted.count) for one in self.sets
            },
            strict=self.strict.count,
            history=self.history,
            labels=labels,
            moved=tuple(moved),
        )
