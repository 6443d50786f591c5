"""Position labels: at which positions an interchange of an edge changes an output.

The edge is interchanged at a single position of its reader only: the query's position for
`<q>`, the key's for `<k>` and `<v>`, its own for an MLP and for `logits`. Which of these
pairs of edge and position are causal says where a circuit works, not just with what.
"""

from dataclasses import replace
from typing import Literal

from threadpoolctl import threadpool_limits

from ..errors import CertificationError, listing
from .circuit_labels import EdgeLabel, EdgeState, Exhausted, Searched, Witness
from .domain_runs import DomainRuns
from .interchange_pairs import Family
from .interchange_search import InterchangeSearch, Tally
from .record import Record
from .swap import Swap
from .task import Task

FORMAT_VERSION: Literal["1.0"] = "1.0"
_FIRST = range(1)
_LATER = range(1, 3)


class PositionLabel(Record):
    """One edge at one position.

    Attributes:
        edge: the edge's name.
        position: of the reader, `<bos>` being 0.
        state: `causal`, or `inert` if no interchange that was tried changes an output.
        certificate: a witness, or how many pairs were tried.
    """

    edge: str
    position: int
    state: EdgeState
    certificate: Witness | Searched


class PositionLabels(Record):
    """The pairs of edge and position at which something that varies is read.

    An edge that is not named here carries the same on every input, or nothing, or nothing
    that reaches an output; so does an edge that is named at a position that is not.

    Attributes:
        task: the task's id.
        weights: sha256 of the weights that the certificates hold for.
        seed: draws the pairs.
        positions: by edge in the order of the component graph, then by position.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    weights: str
    seed: int
    positions: tuple[PositionLabel, ...]

    @property
    def states(self) -> dict[tuple[str, int], EdgeState]:
        """The state of each pair of edge and position."""
        return {(label.edge, label.position): label.state for label in self.positions}


def position_labels(task: Task) -> PositionLabels:
    """Return the certified labels of the edges of a task at single positions.

    Raises:
        CertificationError: program and weights differ.
    """
    compiled = task.compiled
    runs = DomainRuns(compiled.model.weights, task.domain.tokens)
    search = InterchangeSearch(compiled, task.domain, runs, task.labels.seed)
    tried = {label.edge: label for label in task.labels.edges if _was_tried(label)}
    swaps = {
        (edge.name, position): replace(whole, name=f"{edge.name} at {position}", position=position)
        for edge in task.graph.edges
        if edge.name in tried
        for whole in [Swap.of_edge(task.graph, edge, tried[edge.name].variables)]
        for position in range(compiled.model.weights.n_ctx)
    }
    tallies = {swap.name: Tally() for swap in swaps.values()}
    likely = [swap for (edge, _), swap in swaps.items() if tried[edge].state is EdgeState.CAUSAL]
    with threadpool_limits(limits=1):
        search.random_pairs(tallies, list(swaps.values()), _FIRST, Family.FULL)
        still = [swap for swap in likely if tallies[swap.name].is_open]
        search.random_pairs(tallies, still, _LATER, Family.FULL)
    problems = [f"{name}: {t.disagreement}" for name, t in tallies.items() if t.disagreement]
    if problems:
        raise CertificationError(
            listing(f"The positions of {task.id} cannot be certified:", problems)
        )
    found = {place: tallies[swap.name] for place, swap in swaps.items()}
    return PositionLabels(
        task=str(task.id),
        weights=task.labels.weights,
        seed=task.labels.seed,
        positions=tuple(_label(*place, tally) for place, tally in found.items() if tally.varies),
    )


def _was_tried(label: EdgeLabel) -> bool:
    """Whether the edge carries what varies, and no proof says that it does not matter."""
    return isinstance(label.certificate, Witness | Exhausted | Searched)


def _label(edge: str, position: int, tally: Tally) -> PositionLabel:
    witness = tally.witness
    return PositionLabel(
        edge=edge,
        position=position,
        state=EdgeState.INERT if witness is None else EdgeState.CAUSAL,
        certificate=witness or Searched(n_pairs=tally.tried),
    )
