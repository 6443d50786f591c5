"""Interchange search: try an edge on many pairs, measured on the weights and predicted.

Every interchange is answered twice, by the weights and by the program, and the
decoded outputs must agree at every real position of every pair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import ComponentGraph, Edge
from ..compiler.executor import Run, interchange, project, run
from .circuit_labels import Witness
from .domain_runs import DomainRuns
from .interchange_pairs import Pairs, TaskDomain
from .prediction import Interchange, Predictor, Values
from .wiring import ROUNDING_BOUND, reader_matrix

FIRST_SIZE = 256
LATER_SIZE = 512
DISTINCT_ROUNDS = 8
_CHUNK = 2048


@dataclass
class Tally:
    """What the interchanges of one edge showed so far.

    Attributes:
        tried: pairs tried.
        changed: pairs with a changed output.
        varies: whether the reader could tell some source from its base.
        first: the first pair with a changed output.
        disagreement: the first pair on which program and weights differ, in words.
    """

    tried: int = 0
    changed: int = 0
    varies: bool = False
    first: Witness | None = None
    disagreement: str | None = None

    def add(self, later: "Tally") -> None:
        """Add what later interchanges of the same edge showed."""
        self.tried += later.tried
        self.changed += later.changed
        self.varies |= later.varies
        self.first = self.first or later.first
        self.disagreement = self.disagreement or later.disagreement

    @property
    def is_open(self) -> bool:
        """Whether further pairs could still show an effect."""
        return self.varies and not self.changed

    @property
    def witness(self) -> Witness | None:
        """The first pair with a changed output, with the counts of the whole search."""
        if self.first is None:
            return None
        return self.first.model_copy(update={"changed": self.changed, "tried": self.tried})


@dataclass(frozen=True, eq=False)
class _Seen:
    """What weights and program do on inputs.

    Attributes:
        tokens: token ids `[inputs, position]`.
        run: the forward pass on the weights.
        values: the program's variables, by name.
        answers: the decoded outputs of the weights.
    """

    tokens: np.ndarray
    run: Run
    values: Values
    answers: np.ndarray

    def take(self, rows: np.ndarray) -> "_Seen":
        """Return what is seen of some of the inputs."""
        values = {name: value[rows] for name, value in self.values.items()}
        return _Seen(self.tokens[rows], self.run.take(rows), values, self.answers[rows])


class InterchangeSearch:
    """Tries interchanges of the edges of one model.

    Args:
        compiled: the model, with the program that predicts.
        domain: the inputs.
        runs: the model's runs on them.
        seed: draws the pairs.
    """

    def __init__(
        self, compiled: CompiledModel, domain: TaskDomain, runs: DomainRuns, seed: int
    ) -> None:
        self._weights = runs.weights
        self._codec = compiled.model.codec
        self._graph = runs.graph
        self._runs = runs
        self._predictor = Predictor(compiled)
        self._carried = compiled.source_map.carried
        self._domain = domain
        self._seed = seed

    def random_pairs(
        self, tallies: Mapping[str, Tally], edges: Sequence[Edge], rounds: range, *, permute: bool
    ) -> None:
        """Try random pairs, in rounds; an edge goes on to the next while it is open.

        Args:
            tallies: what is known of each edge, by name; added to.
            edges: which edges to interchange, each by itself.
            rounds: the numbers of the rounds; each draws its own pairs.
            permute: whether the positions of the sources are permuted.
        """
        undecided = list(edges)
        for turn in rounds:
            if not undecided:
                break
            rng = np.random.default_rng([self._seed, permute, turn])
            pairs = Pairs.draw(self._domain, LATER_SIZE if turn else FIRST_SIZE, rng)
            base = self._at(pairs.base_rows)
            if permute:
                source = self._permuted(pairs.source, pairs.positions)
            else:
                source = self._at(pairs.source_rows)
            for edge in undecided:
                swapped = pairs.positions if permute else None
                self._interchange(edge, base, source, tallies[edge.name], swapped)
            undecided = [edge for edge in undecided if tallies[edge.name].is_open]

    def every_base(self, sources: Mapping[Edge, np.ndarray]) -> dict[str, Tally]:
        """Try every input as base with each given source of an edge, up to a witness.

        Args:
            sources: the inputs that are sources, for each edge, by their place in the domain.
        """
        n_inputs = len(self._domain.tokens)
        tallies = {edge.name: Tally() for edge in sources}
        for start in range(0, n_inputs, _CHUNK):
            undecided = [edge for edge in sources if not tallies[edge.name].changed]
            if not undecided:
                break
            base = self._at(np.arange(start, min(start + _CHUNK, n_inputs)))
            for edge in undecided:
                given = self._at(sources[edge])
                for place in range(len(sources[edge])):
                    source = given.take(np.full(len(base.tokens), place))
                    self._interchange(edge, base, source, tallies[edge.name], None)
                    if tallies[edge.name].changed:
                        break
        return tallies

    def distinct_contributions(self, edge: Edge, sources: np.ndarray | None) -> Tally:
        """Try random bases with the given inputs, each as likely, up to a witness.

        Without any given, sources are drawn as bases are.
        """
        rng = np.random.default_rng([self._seed, 2])
        tally = Tally()
        for _ in range(DISTINCT_ROUNDS):
            base = self._at(self._domain.draw_rows(_CHUNK, rng))
            if sources is None:
                source = self._at(self._domain.draw_rows(_CHUNK, rng))
            else:
                source = self._at(rng.choice(sources, size=_CHUNK))
            self._interchange(edge, base, source, tally, None)
            if tally.changed:
                break
        return tally

    def _at(self, rows: np.ndarray) -> _Seen:
        """Return what is seen of inputs of the domain, by their places."""
        if self._runs.are_few:
            return self._everything.take(rows)
        return self._seen(self._domain.tokens[rows], self._runs.at(rows))

    @cached_property
    def _everything(self) -> _Seen:
        """What is seen of the whole of a small domain."""
        return self._seen(self._domain.tokens, self._runs.at(np.arange(len(self._domain.tokens))))

    def _permuted(self, tokens: np.ndarray, positions: np.ndarray) -> _Seen:
        """Return what is seen of inputs whose positions are permuted."""
        moved = self._weights.W_pos[positions]
        done = run(self._weights, tokens, graph=self._graph, pos_embed=moved)
        return self._seen(tokens, done, positions)

    def _seen(self, tokens: np.ndarray, done: Run, positions: np.ndarray | None = None) -> _Seen:
        values = self._predictor.values(tokens, positions)
        return _Seen(tokens, done, values, self._codec.decode_ids(done.logits))

    def _interchange(
        self, edge: Edge, base: _Seen, source: _Seen, tally: Tally, positions: np.ndarray | None
    ) -> None:
        """Interchange one edge, on the weights and by the program, row by row."""
        delta = contribution_delta(self._graph, edge, base.run, source.run)
        if not tally.varies:
            visible = np.abs(project(delta, reader_matrix(self._weights, edge.reader)))
            tally.varies = bool(visible.max() > ROUNDING_BOUND)
        logits = interchange(self._weights, self._graph, base.run, edge.reader, delta)
        swap = Interchange(edge.reader.name, self._carried[edge.name], source.values)
        expected = self._predictor.output(base.values, swap)
        after, predicted = self._codec.decode_ids(logits), self._codec.decode_ids(expected)
        self._compare(tally, base, source, after, predicted)
        self._count(tally, base, source, after, positions)

    def _compare(
        self, tally: Tally, base: _Seen, source: _Seen, after: np.ndarray, predicted: np.ndarray
    ) -> None:
        """Note the first pair on which the weights do not do what the program says."""
        differs = (after != predicted) & self._codec.is_real(base.tokens)
        if differs.any() and tally.disagreement is None:
            pair, at = np.argwhere(differs)[0].tolist()
            tally.disagreement = (
                f"on base {self._shown(base.tokens[pair])} and source "
                f"{self._shown(source.tokens[pair])} the program predicts "
                f"{self._codec.answer(predicted[pair, at])} at position {at}, and the weights give "
                f"{self._codec.answer(after[pair, at])}"
            )

    def _count(
        self,
        tally: Tally,
        base: _Seen,
        source: _Seen,
        after: np.ndarray,
        positions: np.ndarray | None,
    ) -> None:
        """Count the pairs with a changed output, and keep the first."""
        changed = (after != base.answers) & self._codec.is_real(base.tokens)
        tally.tried += len(changed)
        tally.changed += int(changed.any(axis=1).sum())
        if changed.any() and tally.first is None:
            pair, at = np.argwhere(changed)[0].tolist()
            tally.first = Witness(
                base=tuple(base.tokens[pair].tolist()),
                source=tuple(source.tokens[pair].tolist()),
                positions=None if positions is None else tuple(positions[pair].tolist()),
                position=at,
                before=int(base.answers[pair, at]),
                after=int(after[pair, at]),
                changed=0,
                tried=0,
            )

    def _shown(self, tokens: np.ndarray) -> list[object]:
        known = len(self._codec.tokens)
        return [self._codec.tokens.values[token] for token in tokens.tolist() if token < known]


def contribution_delta(graph: ComponentGraph, edge: Edge, base: Run, source: Run) -> np.ndarray:
    """Return what interchanging an edge adds to its reader's input."""
    writer = graph.writer_index[edge.writer.name]
    return source.contributions[writer] - base.contributions[writer]
