"""Interchange search: try an edge on many pairs, measured on the weights and predicted.

Every interchange is answered twice, by the weights and by the program, and the
decoded outputs must agree at every real position of every pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import ComponentGraph, Edge
from ..compiler.executor import Run, interchange, project, run
from .circuit_labels import Witness
from .interchange_pairs import Pairs, TaskDomain
from .prediction import Interchange, Predictor, Values
from .wiring import ROUNDING_BOUND, reader_matrix

FIRST_ROUND = 256
LATER_SIZE = 512
LATER_ROUNDS = {"full": 8, "positions": 2}
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

    def repeated(self, place: int, count: int) -> "_Seen":
        """Return what is seen of one input, as often as there are bases."""
        tokens = np.broadcast_to(self.tokens[place], (count, *self.tokens.shape[1:]))
        values = {
            name: np.broadcast_to(value[place], (count, *value.shape[1:]))
            for name, value in self.values.items()
        }
        each = self.run.contributions[:, place, None]
        shape = (len(each), count, *each.shape[2:])
        logits = np.broadcast_to(self.run.logits[place], (count, *self.run.logits.shape[1:]))
        answers = np.broadcast_to(self.answers[place], (count, *self.answers.shape[1:]))
        return _Seen(tokens, Run(np.broadcast_to(each, shape), logits), values, answers)


class InterchangeSearch:
    """Tries interchanges of the edges of one model.

    Args:
        compiled: the model, with the program that predicts.
        domain: the inputs.
        seed: draws the pairs.
    """

    def __init__(self, compiled: CompiledModel, domain: TaskDomain, seed: int) -> None:
        self._weights = compiled.model.weights
        self._codec = compiled.model.codec
        self._graph = ComponentGraph.of(self._weights)
        self._predictor = Predictor(compiled)
        self._carried = compiled.source_map.carried
        self._domain = domain
        self._seed = seed

    def random_pairs(self, edges: Sequence[Edge], *, permute: bool) -> dict[str, Tally]:
        """Try random pairs, in rounds.

        Edges go on to the next round while they have no effect, unless their
        readers could not tell a single source from its base.

        Args:
            edges: which edges to interchange, each by itself.
            permute: whether the positions of the sources are permuted.
        """
        rng = np.random.default_rng([self._seed, permute])
        tallies = {edge.name: Tally() for edge in edges}
        undecided = list(edges)
        for turn in range(1 + LATER_ROUNDS["positions" if permute else "full"]):
            if not undecided:
                break
            pairs = Pairs.draw(self._domain, LATER_SIZE if turn else FIRST_ROUND, rng)
            self._try(undecided, pairs, tallies, permute=permute)
            undecided = [edge for edge in undecided if tallies[edge.name].is_open]
        return tallies

    def every_base(self, edge: Edge, sources: np.ndarray) -> Tally:
        """Try every input as base with each of the given inputs as source, up to a witness."""
        tally = Tally()
        everything = self._domain.tokens
        given = self._seen(everything[sources])
        for start in range(0, len(everything), _CHUNK):
            base = self._seen(everything[start : start + _CHUNK])
            for place in range(len(sources)):
                source = given.repeated(place, len(base.tokens))
                self._interchange(edge, base, source, tally, None)
                if tally.changed:
                    return tally
        return tally

    def distinct_contributions(self, edge: Edge, sources: np.ndarray) -> Tally:
        """Try random bases with the given inputs, each as likely, up to a witness."""
        rng = np.random.default_rng([self._seed, 2])
        tally = Tally()
        for _ in range(DISTINCT_ROUNDS):
            base = self._domain.draw(_CHUNK, rng)
            source = self._domain.tokens[rng.choice(sources, size=_CHUNK)]
            self._try([edge], Pairs.aligned(base, source), {edge.name: tally}, permute=False)
            if tally.changed:
                break
        return tally

    def _try(
        self, edges: list[Edge], pairs: Pairs, tallies: dict[str, Tally], *, permute: bool
    ) -> None:
        """Interchange every edge on the same pairs."""
        positions = pairs.positions if permute else None
        base, source = self._seen(pairs.base), self._seen(pairs.source, positions)
        for edge in edges:
            self._interchange(edge, base, source, tallies[edge.name], positions)

    def _seen(self, tokens: np.ndarray, positions: np.ndarray | None = None) -> _Seen:
        """Return what weights and program do on inputs."""
        moved = None if positions is None else self._weights.W_pos[positions]
        done = run(self._weights, tokens, graph=self._graph, pos_embed=moved)
        values = self._predictor.values(tokens, positions)
        return _Seen(tokens, done, values, self._codec.decode_ids(done.logits))

    def _interchange(
        self, edge: Edge, base: _Seen, source: _Seen, tally: Tally, positions: np.ndarray | None
    ) -> None:
        """Interchange one edge, on the weights and by the program, row by row."""
        delta = contribution_delta(self._graph, edge, base.run, source.run)
        visible = np.abs(project(delta, reader_matrix(self._weights, edge.reader)))
        tally.varies |= bool(visible.max() > ROUNDING_BOUND)
        logits = interchange(self._weights, self._graph, base.run, edge.reader, delta)
        swap = Interchange(edge.reader.name, self._carried[edge.name], source.values)
        expected = self._predictor.output(base.values, swap)
        after, predicted = self._codec.decode_ids(logits), self._codec.decode_ids(expected)
        pairs = Pairs.aligned(base.tokens, source.tokens)
        self._compare(tally, pairs, after, predicted)
        self._count(tally, pairs, positions, base.answers, after)

    def _compare(
        self, tally: Tally, pairs: Pairs, after: np.ndarray, predicted: np.ndarray
    ) -> None:
        """Note the first pair on which the weights do not do what the program says."""
        differs = (after != predicted) & self._codec.is_real(pairs.base)
        if differs.any() and tally.disagreement is None:
            pair, at = np.argwhere(differs)[0].tolist()
            tally.disagreement = (
                f"on base {self._shown(pairs.base[pair])} and source "
                f"{self._shown(pairs.source[pair])} the program predicts "
                f"{self._codec.answer(predicted[pair, at])} at position {at}, and the weights give "
                f"{self._codec.answer(after[pair, at])}"
            )

    def _count(
        self,
        tally: Tally,
        pairs: Pairs,
        rows: np.ndarray | None,
        before: np.ndarray,
        after: np.ndarray,
    ) -> None:
        """Count the pairs with a changed output, and keep the first."""
        changed = (after != before) & self._codec.is_real(pairs.base)
        tally.tried += len(changed)
        tally.changed += int(changed.any(axis=1).sum())
        if changed.any() and tally.first is None:
            pair, at = np.argwhere(changed)[0].tolist()
            tally.first = Witness(
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
        known = len(self._codec.tokens)
        return [self._codec.tokens.values[token] for token in tokens.tolist() if token < known]


def contribution_delta(graph: ComponentGraph, edge: Edge, base: Run, source: Run) -> np.ndarray:
    """Return what interchanging an edge adds to its reader's input."""
    writer = graph.writer_index[edge.writer.name]
    return source.contributions[writer] - base.contributions[writer]
