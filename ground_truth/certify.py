"""Certify: predict the state of every edge, measure it on the weights, compare.

Both sides answer the same interchanges and must agree on every decoded output
of every pair, not only on the state. A disagreement stops the build and names
the edge.
"""

from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import ComponentGraph, Edge
from ..compiler.executor import Run, interchange, project, run
from ..errors import CertificationError, listing
from .circuit_labels import (
    Certificate,
    CircuitLabels,
    Constant,
    EdgeLabel,
    EdgeState,
    Exhausted,
    Searched,
    Structural,
    Unreachable,
    Witness,
)
from .contributions import distinct_sources, spreads
from .digest import weights_digest
from .interchange_pairs import Pairs, TaskDomain
from .prediction import Interchange, Predictor
from .sufficiency import joint_sufficiency
from .wiring import ROUNDING_BOUND, Wiring, proof_bound, reader_matrix

FIRST_ROUND = 256
LATER_SIZE = 512
LATER_ROUNDS = {"full": 8, "positions": 2}
EXHAUSTIVE_LIMIT = 40_000
_CHUNK = 2048


def certify(
    compiled: CompiledModel, task: str = "", *, seed: int = 0, domain: TaskDomain | None = None
) -> CircuitLabels:
    """Return the certified state of every edge of a compiled model.

    Args:
        compiled: the model with its program and source map.
        task: the task's id, kept in the labels.
        seed: draws the pairs.
        domain: the inputs, if they are at hand already.

    Raises:
        CertificationError: prediction and measurement differ, or the causal
            edges are not sufficient together; every edge concerned is named.
    """
    domain = domain or TaskDomain.of(compiled, seed=seed)
    with threadpool_limits(limits=1):  # many small products: more threads are slower
        return _Certifier(compiled, seed, domain).labels(task)


@dataclass
class _Tally:
    """What the interchanges of one edge showed so far.

    Attributes:
        tried: pairs tried.
        changed: pairs with a changed output.
        varies: whether the reader could tell some source from its base.
        witness: the first pair with a changed output.
        disagreement: the first pair on which prediction and measurement differ.
    """

    tried: int = 0
    changed: int = 0
    varies: bool = False
    witness: Witness | None = None
    disagreement: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether further pairs could still show an effect."""
        return self.varies and not self.changed

    def counted_witness(self) -> Witness:
        """Return the witness with the counts of the whole search."""
        assert self.witness is not None
        return self.witness.model_copy(update={"changed": self.changed, "tried": self.tried})


@dataclass
class _Certifier:
    """The state of one certification."""

    compiled: CompiledModel
    seed: int
    domain: TaskDomain
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.weights = self.compiled.model.weights
        self.codec = self.compiled.model.codec
        self.graph = ComponentGraph.of(self.weights)
        self.wiring = Wiring(self.weights, self.graph)
        self.predictor = Predictor(self.compiled)
        self.bound = proof_bound(self.compiled)
        self.carried = self.compiled.source_map.carried

    def labels(self, task: str) -> CircuitLabels:
        """Certify every edge, then the circuit as a whole."""
        proofs: dict[str, tuple[EdgeState, Certificate]] = {}
        open_edges: list[Edge] = []
        for edge in self.graph.edges:
            proof = self._structural(edge)
            if proof is None:
                open_edges.append(edge)
            else:
                proofs[edge.name] = proof
        spread = spreads(self.weights, self.graph, open_edges, self.domain.tokens)
        varying = [edge for edge in open_edges if spread[edge.name] > ROUNDING_BOUND]
        full = self._search(varying, permute=False)
        steady = [edge for edge in open_edges if not full.get(edge.name, _Tally()).changed]
        permuted = self._search(steady, permute=True)
        for edge in open_edges:
            proofs[edge.name] = self._decided(
                edge,
                full.get(edge.name, _Tally()),
                permuted.get(edge.name, _Tally()),
                spread[edge.name],
            )
        if self.problems:
            raise CertificationError(
                listing(
                    f"The labels of {task or 'this model'} cannot be certified: prediction from "
                    "the program and measurement on the weights differ.",
                    self.problems,
                )
            )
        states = {name: state for name, (state, _) in proofs.items()}
        sufficiency = joint_sufficiency(self.compiled, states, self.domain, seed=self.seed)
        labels = CircuitLabels(
            task=task,
            weights=weights_digest(self.weights),
            n_inputs=len(self.domain.tokens),
            exhaustive=self.domain.exhaustive,
            seed=self.seed,
            edges=tuple(
                EdgeLabel(
                    edge=edge.name,
                    state=proofs[edge.name][0],
                    variables=self.carried.get(edge.name, ()),
                    certificate=proofs[edge.name][1],
                    permuted=self._permuted(edge, proofs[edge.name][0], permuted),
                )
                for edge in self.graph.edges
            ),
            sufficiency=sufficiency,
        )
        if sufficiency.n_changed:
            raise CertificationError(
                f"The causal edges of {task or 'this model'} must suffice together, and on "
                f"{sufficiency.n_changed} of {sufficiency.n_bases} bases the output changes when "
                "all other edges are interchanged at once"
            )
        return labels

    def _permuted(self, edge: Edge, state: EdgeState, tallies: dict[str, _Tally]) -> int:
        """Return how many pairs with permuted positions left an inert edge's outputs alone."""
        if state is not EdgeState.INERT or edge.name not in tallies:
            return 0
        return tallies[edge.name].tried

    # -- proofs ------------------------------------------------------------------

    def _structural(self, edge: Edge) -> tuple[EdgeState, Certificate] | None:
        """Return what the weight matrices alone prove about an edge."""
        predicted = edge.name in self.carried
        largest = self.wiring.product(edge)
        if largest <= self.bound:
            if predicted:
                self.problems.append(
                    f"{edge.name}: the program has it carry {', '.join(self.carried[edge.name])}, "
                    f"and on the weights nothing passes (largest product {largest:g})"
                )
            return EdgeState.UNWIRED, Structural(bound=self.bound)
        if not predicted:
            self.problems.append(
                f"{edge.name}: the program has no use for it, and on the weights something "
                f"passes (largest product {largest:g})"
            )
            return EdgeState.INERT, Structural(bound=self.bound)
        arriving = self.wiring.reach(edge)
        reaches = self.predictor.reaches_output(edge.reader.name, self.carried[edge.name])
        if arriving <= self.bound:
            return EdgeState.INERT, Unreachable(bound=self.bound)
        if not reaches:
            self.problems.append(
                f"{edge.name}: no output depends on what it carries, and on the weights a path "
                f"leads to the logits (largest product {arriving:g})"
            )
        return None

    # -- search ------------------------------------------------------------------

    def _search(self, edges: list[Edge], *, permute: bool) -> dict[str, _Tally]:
        """Try interchanges, in rounds.

        Edges go on to the next round while they have no effect, unless their
        readers could not tell a single source from its base.
        """
        rng = np.random.default_rng([self.seed, permute])
        tallies = {edge.name: _Tally() for edge in edges}
        undecided = edges
        for turn in range(1 + LATER_ROUNDS["positions" if permute else "full"]):
            if not undecided:
                break
            pairs = Pairs.draw(self.domain, LATER_SIZE if turn else FIRST_ROUND, rng)
            self._try(undecided, pairs, tallies, permute=permute)
            undecided = [edge for edge in undecided if tallies[edge.name].is_open]
        return tallies

    def _try(
        self, edges: list[Edge], pairs: Pairs, tallies: dict[str, _Tally], *, permute: bool
    ) -> None:
        """Interchange every edge on the same pairs, measured and predicted."""
        base = run(self.weights, pairs.base, graph=self.graph)
        rows = pairs.positions if permute else None
        moved = None if rows is None else self.weights.W_pos[rows]
        source = run(self.weights, pairs.source, graph=self.graph, pos_embed=moved)
        base_values = self.predictor.values(pairs.base)
        source_values = self.predictor.values(pairs.source, rows)
        before = self.codec.decode_ids(base.logits)
        real = self.codec.is_real(pairs.base)
        for edge in edges:
            delta = contribution_delta(self.graph, edge, base, source)
            tally = tallies[edge.name]
            visible = np.abs(project(delta, reader_matrix(self.weights, edge.reader))).max()
            tally.varies |= bool(visible > ROUNDING_BOUND)
            logits = interchange(self.weights, self.graph, base, edge.reader, delta)
            after = self.codec.decode_ids(logits)
            swap = Interchange(edge.reader.name, self.carried[edge.name], source_values)
            predicted = self.codec.decode_ids(self.predictor.output(base_values, swap))
            self._record(tally, edge, pairs, rows, (before, after, predicted, real))

    def _record(
        self,
        tally: _Tally,
        edge: Edge,
        pairs: Pairs,
        rows: np.ndarray | None,
        decoded: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    ) -> None:
        """Add one batch to a tally; note the first disagreement and the first witness."""
        before, after, predicted, real = decoded
        differs = (after != predicted) & real
        changed = (after != before) & real
        tally.tried += len(real)
        tally.changed += int(changed.any(axis=1).sum())
        if differs.any() and tally.disagreement is None:
            pair, at = np.argwhere(differs)[0].tolist()
            tally.disagreement = (
                f"{edge.name}: on base {self._shown(pairs.base[pair])} and source "
                f"{self._shown(pairs.source[pair])} the program predicts "
                f"{self._value(predicted[pair, at])} at position {at}, and the weights give "
                f"{self._value(after[pair, at])}"
            )
            self.problems.append(tally.disagreement)
        if changed.any() and tally.witness is None:
            pair, at = np.argwhere(changed)[0].tolist()
            tally.witness = Witness(
                base=tuple(pairs.base[pair].tolist()),
                source=tuple(pairs.source[pair].tolist()),
                positions=None if rows is None else tuple(rows[pair].tolist()),
                position=at,
                before=int(before[pair, at]),
                after=int(after[pair, at]),
                changed=0,
                tried=0,
            )

    def _shown(self, tokens: np.ndarray) -> list[object]:
        known = len(self.codec.tokens)
        return [self.codec.tokens.values[token] for token in tokens.tolist() if token < known]

    def _value(self, index: int) -> object:
        return None if index < 0 else self.codec.outputs.values[index]

    # -- decisions ---------------------------------------------------------------

    def _decided(
        self, edge: Edge, full: _Tally, permuted: _Tally, spread: float
    ) -> tuple[EdgeState, Certificate]:
        """Return the state of an edge that no product of matrices settles."""
        if full.witness is not None:
            return EdgeState.CAUSAL, full.counted_witness()
        n_inputs, constant = len(self.domain.tokens), spread <= ROUNDING_BOUND
        sources = np.array([0])
        if not constant:
            sources = distinct_sources(self.weights, self.graph, edge, self.domain.tokens)
        exhausted = self.domain.exhaustive and n_inputs * len(sources) <= EXHAUSTIVE_LIMIT
        if not constant and exhausted:
            full = self._exhaust(edge, sources)
            if full.witness is not None:
                return EdgeState.CAUSAL, full.counted_witness()
        if permuted.witness is not None:
            return EdgeState.POSITIONAL, permuted.counted_witness()
        if constant:
            exhaustive = self.domain.exhaustive
            return EdgeState.INERT, Constant(
                n_sources=n_inputs, bound=ROUNDING_BOUND, exhaustive=exhaustive
            )
        if exhausted:
            return EdgeState.INERT, Exhausted(n_bases=n_inputs, n_contributions=len(sources))
        return EdgeState.INERT, Searched(n_pairs=full.tried)

    def _exhaust(self, edge: Edge, representatives: np.ndarray) -> _Tally:
        """Try every base with one source of every distinct contribution."""
        tally = _Tally()
        bases = self.domain.tokens
        for source in representatives:
            for start in range(0, len(bases), _CHUNK):
                base = bases[start : start + _CHUNK]
                sources = np.broadcast_to(self.domain.tokens[source], base.shape)
                pairs = Pairs(base, sources, np.zeros_like(base))
                self._try([edge], pairs, {edge.name: tally}, permute=False)
        return tally


def contribution_delta(graph: ComponentGraph, edge: Edge, base: Run, source: Run) -> np.ndarray:
    """Return what interchanging an edge adds to its reader's input."""
    writer = graph.writer_index[edge.writer.name]
    return source.contributions[writer] - base.contributions[writer]
