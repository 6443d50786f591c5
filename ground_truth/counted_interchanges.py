"""Counted interchanges: how often interchanges change an answer, with exact bounds.

Of a trained model no state of an edge can be proved: each is measured, on a stated number of
pairs. The share of pairs with another answer has an exact confidence interval (Clopper and
Pearson 1934). An edge has an effect if the interval lies above a stated tolerance, and none if
it lies below; else more pairs are needed to tell. Pairs are taken in two rounds, of which the first
is so large that an edge that changes nothing in it has none: most edges need no second. As the
interval has two ends and only its upper one is looked at twice, the chance to err on that side
is 1% at most all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import binomtest

from ..compiler import CompiledModel
from ..compiler.component_graph import ComponentGraph, Edge
from ..compiler.executor import Run, change_of_stream, resume, run
from ..compiler.one_thread import one_thread
from .circuit_labels import CircuitLabels, Counted, EdgeLabel, EdgeState, Sufficiency, Witness
from .digest import weights_digest
from .domain_runs import DomainRuns
from .interchange_pairs import Family, Pairs, TaskDomain
from .sufficiency import joint_sufficiency

CONFIDENCE = 0.99
ROUNDS = (544, 480)
"""On how many pairs of each family edges are interchanged: all, and those that changed anything."""
TOLERANCE = 0.01
"""An edge has an effect where it changes an answer on a larger share of pairs than this."""


@dataclass(frozen=True)
class Count:
    """How many of some trials showed something.

    Attributes:
        found: so many did.
        tried: of so many.
    """

    found: int
    tried: int

    @property
    def share(self) -> float:
        """The share that did."""
        return self.found / self.tried

    @property
    def bounds(self) -> tuple[float, float]:
        """The exact interval of the share of all that do, at a confidence of 99%."""
        return _bounds(self.found, self.tried)

    def may_exceed(self, most: float) -> bool:
        """Whether the share can be above what is allowed, as far as its upper bound tells."""
        return self.bounds[1] > most

    def exceeds(self, tolerance: float) -> bool | None:
        """Whether the share is above a tolerance; `None` where that cannot be told."""
        low, high = self.bounds
        return True if low > tolerance else False if high <= tolerance else None


@cache
def _bounds(found: int, tried: int) -> tuple[float, float]:
    interval = binomtest(found, tried).proportion_ci(CONFIDENCE, method="exact")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True, eq=False)
class CountedEdge:
    """What was counted of one edge.

    Attributes:
        name: of the edge.
        full: pairs that change an answer, with any sources; those of the second round are tried
            if there are any in the first.
        permuted: with the rows of `pos_embed` permuted on the sources as well.
        witness: the first of `full` where its share is above the tolerance, else of `permuted`,
            else of `full`.
    """

    name: str
    full: Count
    permuted: Count
    witness: Witness | None

    @property
    def state(self) -> EdgeState | None:
        """The state of the edge; `None` where it cannot be told."""
        match self.full.exceeds(TOLERANCE), self.permuted.exceeds(TOLERANCE):
            case True, _:
                return EdgeState.CAUSAL
            case False, True:
                return EdgeState.POSITIONAL
            case False, False:
                return EdgeState.INERT
        return None

    def label(self, carried: tuple[str, ...]) -> EdgeLabel:
        """Return the label of the edge; where its state cannot be told, the likelier one."""
        states = EdgeState.CAUSAL, EdgeState.POSITIONAL
        for state, count in zip(states, (self.full, self.permuted), strict=True):
            if count.share > TOLERANCE and self.witness is not None:
                counts = {"changed": count.found, "tried": count.tried}
                witness = self.witness.model_copy(update=counts)
                return EdgeLabel(
                    edge=self.name, state=state, variables=carried, certificate=witness
                )
        bounds = self.full.bounds[1], self.permuted.bounds[1]
        return EdgeLabel(
            edge=self.name,
            state=EdgeState.INERT,
            variables=carried,
            certificate=Counted(
                changed=self.full.found,
                tried=self.full.tried,
                permuted_changed=self.permuted.found,
                bound=max(bounds),
                tolerance=TOLERANCE,
            ),
            permuted=self.permuted.tried,
        )


@dataclass(frozen=True, eq=False)
class CountedStates:
    """The states of all edges of a model, as they were counted.

    Attributes:
        edges: what was counted of each, by name.
        labels: the label of each, and how far the causal ones suffice together.
    """

    edges: Mapping[str, CountedEdge]
    labels: CircuitLabels


def counted_states(
    compiled: CompiledModel,
    domain: TaskDomain,
    *,
    task: str,
    seed: int,
) -> CountedStates:
    """Interchange every edge of a model by itself, and count.

    Args:
        compiled: the model.
        domain: bases and sources are drawn from here, the same ones for all edges.
        task: the id that is kept in the labels.
        seed: draws them.
    """
    with one_thread():
        counting = EdgeCounting(compiled, domain, seed)
        edges = {edge.name: counting.counted(edge) for edge in counting.edges}
        carried = compiled.source_map.carried
        found = tuple(one.label(carried.get(name, ())) for name, one in edges.items())
        sufficiency = counting.sufficiency({label.edge: label.state for label in found})
    labels = CircuitLabels(
        task=task,
        weights=weights_digest(compiled.model.weights),
        n_inputs=len(domain.tokens),
        exhaustive=domain.exhaustive,
        seed=seed,
        edges=found,
        sufficiency=sufficiency,
    )
    return CountedStates(edges, labels)


class EdgeCounting:
    """Counts interchanges in one model, each time on the same pairs.

    Attributes:
        compiled: the model.
        domain: bases and sources are drawn from here.
        seed: draws them.
    """

    def __init__(self, compiled: CompiledModel, domain: TaskDomain, seed: int) -> None:
        self.compiled, self.domain, self.seed = compiled, domain, seed
        self._runs = DomainRuns(compiled.model.weights, domain.tokens)
        self._full = _rounds(compiled, domain, seed, Family.FULL)
        self._permuted = _rounds(compiled, domain, seed, Family.POSITIONS)

    @property
    def edges(self) -> Sequence[Edge]:
        """All edges of the model."""
        return self._runs.graph.edges

    def counted(self, edge: Edge) -> CountedEdge:
        """Return what is counted when one edge is interchanged by itself."""
        (first, witness), (second, other) = _count(edge, self._full), _count(edge, self._permuted)
        shown = witness if first.share > TOLERANCE else other or witness
        return CountedEdge(edge.name, first, second, shown)

    def sufficiency(self, states: Mapping[str, EdgeState]) -> Sufficiency:
        """Return how often an answer changes when all but the causal edges are interchanged."""
        return joint_sufficiency(
            self.compiled,
            states,
            self.domain,
            self._runs,
            seed=self.seed,
            least_bases=sum(ROUNDS),
        )


def _count(edge: Edge, rounds: Sequence["_Round"]) -> tuple[Count, Witness | None]:
    """Return on how many pairs an answer changes, and the first; no round after one without."""
    found, tried, witness = 0, 0, None
    for one in rounds:
        count, shown = one.count(edge)
        found, tried, witness = found + count.found, tried + count.tried, witness or shown
        if not found:
            break
    return Count(found, tried), witness


def _rounds(
    compiled: CompiledModel, domain: TaskDomain, seed: int, family: Family
) -> list["_Round"]:
    rng = np.random.default_rng([seed, 20 + (family is Family.POSITIONS)])
    return [_Round.of(compiled, Pairs.draw(domain, size, rng, family), family) for size in ROUNDS]


@dataclass(frozen=True, eq=False)
class _Round:
    """Counts interchanges on some pairs of one family."""

    compiled: CompiledModel
    graph: ComponentGraph
    pairs: Pairs
    base: Run
    source: Run
    before: np.ndarray
    moves: bool

    @classmethod
    def of(cls, compiled: CompiledModel, pairs: Pairs, family: Family) -> "_Round":
        weights, moves = compiled.model.weights, family is Family.POSITIONS
        moved = weights.W_pos[pairs.positions] if moves else None
        base, source = run(weights, pairs.base), run(weights, pairs.source, pos_embed=moved)
        before = compiled.model.codec.decode_ids(base.logits)
        return cls(compiled, ComponentGraph.of(weights), pairs, base, source, before, moves)

    def count(self, edge: Edge) -> tuple[Count, Witness | None]:
        """Return on how many pairs an answer changes, and the first of them."""
        weights, codec = self.compiled.model.weights, self.compiled.model.codec
        graph, before = self.graph, self.before
        place = graph.writer_index[edge.writer.name]
        delta = self.source.contributions[place] - self.base.contributions[place]
        depth, change = change_of_stream(weights, graph, self.base, edge.reader, delta)
        logits = resume(weights, graph, self.base.streams[depth] + change, depth)
        after = codec.decode_ids(logits)
        changed = (before != after) & codec.is_real(self.pairs.base)
        count = Count(int(changed.any(axis=1).sum()), len(changed))
        if not count.found:
            return count, None
        pair, at = np.argwhere(changed)[0].tolist()
        pairs = self.pairs
        return count, Witness(
            base=tuple(pairs.base[pair].tolist()),
            source=tuple(pairs.source[pair].tolist()),
            positions=tuple(pairs.positions[pair].tolist()) if self.moves else None,
            position=at,
            before=int(before[pair, at]),
            after=int(after[pair, at]),
            changed=0,
            tried=0,
        )
