"""Exact interchange: which edges can change an answer at all, decided on the whole domain.

The domain is had from the model alone: all sequences over its vocabulary up to its length, as
far as they are 50,000 at most, else a sample. Each edge that the weights do not rule out is
interchanged on random pairs until an answer, decoded, changes. Where none does, the edge is
ruled out if what passes over it is the same on every input, or if every input as base with
every distinct thing that can pass has been tried; where that would be more than 400,000
interchanges, random ones are, some 20,000 more of each edge and 400,000 of all together. So a
score of 0 is a proof in the first three cases, and the result of a search in the last. It is the
question that the labels answer (Geiger et al. 2021, arXiv:2106.02997), asked without the program.
Scores have no sign.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...compiler.component_graph import Edge
from ...compiler.input_space import InputSpace
from ...compiler.model import Codec
from ...compiler.one_thread import one_thread
from ...ground_truth.contributions import distinct_sources, spreads
from ...ground_truth.domain_runs import DomainRuns
from ...ground_truth.interchange_pairs import DOMAIN_LIMIT, SAMPLE, Pairs, TaskDomain
from ...ground_truth.interchange_states import EXHAUSTIVE_LIMIT
from ...ground_truth.swap import Swap
from ...ground_truth.wiring import ROUNDING_BOUND
from ..circuit_problem import CircuitProblem
from ..edge_interchanges import EdgeInterchanges
from ..live_model import LiveModel
from .edge_scores import live_edges

FIRST_ROUNDS = (256, 512, 512)
"""Random pairs that every edge is tried on, up to the round that changes an answer."""
LATER_ROUNDS = (1024,) * 20
"""Further ones where not all interchanges can be tried: so many if few edges are left."""
LATER_LIMIT = 400_000
"""How many of these interchanges there are at most, of all edges."""
_BASES = 512
_SEED = 0


@one_thread()
def exact_interchange(problem: CircuitProblem) -> dict[str, float]:
    """Return for each edge the share of the tried interchanges that change an answer."""
    model = LiveModel.of(problem.model.weights)
    search = _Search(model, problem.model.codec)
    return live_edges(problem, model.edges, search.shares())


@dataclass(frozen=True, eq=False)
class _Batch:
    """Interchanges: an edge, a base and a source in each row, among inputs of their own."""

    base_tokens: np.ndarray
    source_tokens: np.ndarray
    edge: np.ndarray
    base: np.ndarray
    source: np.ndarray


class _Search:
    """Tries interchanges of one model until each edge is decided."""

    def __init__(self, model: LiveModel, codec: Codec) -> None:
        self._model = model
        self._codec = codec
        space = InputSpace(len(codec.tokens), codec.max_length)
        exhaustive = space.size <= DOMAIN_LIMIT
        tokens = space.everything() if exhaustive else space.sample(SAMPLE, _SEED)
        self._runs = DomainRuns(model.weights, tokens)
        length = codec.is_real(tokens).sum(axis=1)
        self._domain = TaskDomain(tokens, exhaustive, self._strata(length), length)
        self._rng = np.random.default_rng(_SEED)
        self._tried = np.zeros(len(model.edges))
        self._changed = np.zeros(len(model.edges))

    def shares(self) -> np.ndarray:
        """Return the share of interchanges that changed an answer, for each edge."""
        everything = np.arange(len(self._model.edges))
        self._random_pairs(everything, FIRST_ROUNDS)
        swaps = {place: self._swap(self._model.edges[place]) for place in self._open(everything)}
        if swaps:
            self._decide(swaps)
        return self._changed / np.maximum(self._tried, 1)

    def _strata(self, length: np.ndarray) -> np.ndarray:
        """Return a number for each input: equal for equal length and equal answers."""
        answers = [self._codec.decode_ids(done.logits) for _, done in self._runs.chunks()]
        real = self._codec.is_real(self._runs.tokens)
        rows = np.where(real, np.concatenate(answers), 0)
        rows = np.column_stack([length, rows])
        return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)

    def _swap(self, edge: Edge) -> Swap:
        return Swap.of_edge(self._model.graph, edge, ())

    def _open(self, edges: np.ndarray) -> np.ndarray:
        return edges[self._changed[edges] == 0]

    def _random_pairs(
        self, edges: np.ndarray, rounds: Sequence[int], limit: float = math.inf
    ) -> None:
        """Interchange edges on random pairs, up to the round that changes an answer."""
        for most in rounds:
            edges = self._open(edges)
            size = int(min(most, limit // max(len(edges), 1)))
            if not len(edges) or not size:
                return
            limit -= size * len(edges)
            pairs = Pairs.draw(self._domain, size, self._rng)
            pair, edge = np.repeat(np.arange(size), len(edges)), np.tile(edges, size)
            self._try(_Batch(pairs.base, pairs.source, edge, pair, pair))

    def _decide(self, swaps: dict[int, Swap]) -> None:
        """Rule out edges, or find what they change."""
        spread = spreads(self._runs, list(swaps.values()))
        varying = {
            place: swap for place, swap in swaps.items() if spread[swap.name] > ROUNDING_BOUND
        }
        found = distinct_sources(self._runs, list(varying.values()))
        sources = {place: found[swap.name] for place, swap in varying.items()}
        n_inputs = len(self._domain.tokens)
        few = {
            place: rows
            for place, rows in sources.items()
            if rows is not None
            and self._domain.exhaustive
            and n_inputs * len(rows) <= EXHAUSTIVE_LIMIT
        }
        for batch in self._everything(few):
            self._try(batch)
        others = [place for place in varying if place not in few]
        self._random_pairs(np.array(others, dtype=np.int64), LATER_ROUNDS, LATER_LIMIT)

    def _everything(self, sources: dict[int, np.ndarray]) -> Iterator[_Batch]:
        """Yield every input as base with every given source of every edge."""
        tokens = self._domain.tokens
        for place, rows in sources.items():
            for start in range(0, len(tokens), _BASES):
                base = tokens[start : start + _BASES]
                each = np.repeat(np.arange(len(base)), len(rows))
                source = np.tile(np.arange(len(rows)), len(base))
                yield _Batch(base, tokens[rows], np.full(len(each), place), each, source)

    def _try(self, batch: _Batch) -> None:
        """Count the interchanges that change an answer."""
        interchanges = EdgeInterchanges(self._model, batch.base_tokens, batch.source_tokens)
        before = self._codec.decode_ids(interchanges.base.logits)
        real = self._codec.is_real(batch.base_tokens)
        np.add.at(self._tried, batch.edge, 1)
        for moved in interchanges.logits(batch.edge, batch.base, batch.source):
            base = batch.base[moved.rows]
            differs = (self._codec.decode_ids(moved.logits) != before[base]) & real[base]
            np.add.at(self._changed, batch.edge[moved.rows], differs.any(axis=1))
