"""Position labels: at which positions an interchange of an edge changes an output.

The edge is interchanged at a single position of its reader only: the query's position for
`<q>`, the key's for `<k>` and `<v>`, its own for an MLP and for `logits`. Which of these
pairs of edge and position are causal says where a circuit works, not just with what.

Each pair has a state of its own. What `pos_embed` writes at a position is the same on every
input, so that its edges are positional at most; and an edge of which nothing changes when all
positions are permuted together can be positional at one of them.

On a superposed model the program predicts nothing: every edge is named, and measured.
"""

from dataclasses import replace
from typing import Literal

from ..compiler.one_thread import one_thread
from ..errors import CertificationError, TaskError, listing
from ..strict_record import Natural
from .circuit_labels import (
    EdgeLabel,
    EdgeState,
    Quiet,
    Witness,
    can_show,
)
from .domain_runs import DomainRuns
from .interchange_search import InterchangeSearch
from .interchange_states import InterchangeStates, disagreements
from .record import Record
from .swap import Swap
from .task import Task

FORMAT_VERSION: Literal["1.0"] = "1.0"


class PositionLabel(Record):
    """One edge at one position.

    Attributes:
        edge: the edge's name.
        position: of the reader, `<bos>` being 0.
        state: `causal`, `positional`, or `inert` if no interchange that was tried changes an
            output.
        certificate: why, as for an edge.
        permuted: pairs with permuted positions that were tried without effect.
    """

    edge: str
    position: int
    state: EdgeState
    certificate: Witness | Quiet
    permuted: int = 0

    @property
    def fits(self) -> bool:
        """Whether a certificate of this kind can show this state."""
        return can_show(self.certificate, self.state)


class PositionLabels(Record):
    """The edges of which interchanges were tried, at every position.

    What the certificate of an edge that is not named here says of the edge holds of it at every
    position: it is unwired, or unreachable.

    Attributes:
        task: the task's id.
        weights: sha256 of the weights that the certificates hold for.
        seed: draws the pairs.
        positions: by edge in the order of the component graph, then by position.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    weights: str
    seed: Natural
    positions: tuple[PositionLabel, ...]

    @property
    def states(self) -> dict[tuple[str, int], EdgeState]:
        """The state of each pair of edge and position."""
        return {(label.edge, label.position): label.state for label in self.positions}


def position_labels(task: Task) -> PositionLabels:
    """Return the certified labels of the edges of a task at single positions.

    Raises:
        CertificationError: program and weights differ.
        TaskError: the model was trained.
    """
    if task.training is not None:
        raise TaskError(f"{task.id} was trained, and nothing is known of positions in it.")
    compiled, graph = task.compiled, task.graph
    runs = DomainRuns(compiled.model.weights, task.domain.tokens)
    search = InterchangeSearch(
        compiled, task.domain, runs, task.labels.seed, predicts=task.gate is None
    )
    whole = [
        Swap.of_edge(graph, edge, label.variables)
        for edge, label in zip(graph.edges, task.labels.edges, strict=True)
        if was_tried(label)
    ]
    places = [(swap.name, at) for swap in whole for at in range(compiled.model.weights.n_ctx)]
    swaps = [
        replace(swap, name=f"{swap.name} at {position}", position=position)
        for swap in whole
        for position in range(compiled.model.weights.n_ctx)
    ]
    with one_thread():
        settled = InterchangeStates(search).settle(swaps, same_length=False)
    problems = disagreements(settled)
    if problems:
        raise CertificationError(
            listing(f"The positions of {task.id} cannot be certified:", problems)
        )
    return PositionLabels(
        task=str(task.id),
        weights=task.labels.weights,
        seed=task.labels.seed,
        positions=tuple(
            PositionLabel(
                edge=edge,
                position=position,
                state=settled[swap.name].state,
                certificate=settled[swap.name].certificate,
                permuted=settled[swap.name].permuted,
            )
            for (edge, position), swap in zip(places, swaps, strict=True)
        ),
    )


def was_tried(label: EdgeLabel) -> bool:
    """Whether interchanges of an edge settled its state, and not the weights alone, nor counts."""
    return isinstance(label.certificate, Witness | Quiet)
