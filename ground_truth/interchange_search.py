"""Interchange search: try a swap on many pairs, measured on the weights and predicted.

Every interchange is answered twice, by the weights and by the program, and the
decoded outputs must agree at every real position of every pair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import Run, change_of_stream, project, resume, run, seen_columns
from .circuit_labels import Witness
from .domain_runs import DomainRuns
from .interchange_pairs import Family, Pairs, TaskDomain
from .prediction import Interchange, Predictor
from .seen import Seen
from .swap import Swap
from .wiring import ROUNDING_BOUND, proof_bound, without_dead_ends

FIRST_SIZE = 256
LATER_SIZE = 512
DISTINCT_ROUNDS = 8
_CHUNK = 2048
_STREAMS = (Family.FULL, Family.POSITIONS, Family.TOKENS)


@dataclass
class Tally:
    """What the interchanges of one swap showed so far.

    Attributes:
        tried: pairs tried.
        changed: pairs with a changed output.
        sampled: how many changed, and how many were tried, in the first round of random
            pairs; later ones are tried only where these show nothing.
        first: the first pair with a changed output.
        disagreement: the first pair on which program and weights differ, in words.
    """

    tried: int = 0
    changed: int = 0
    sampled: tuple[int, int] = (0, 0)
    first: Witness | None = None
    disagreement: str | None = None

    def add(self, later: "Tally") -> None:
        """Add what later interchanges of the same swap showed."""
        self.tried += later.tried
        self.changed += later.changed
        self.first = self.first or later.first
        self.disagreement = self.disagreement or later.disagreement

    @property
    def is_open(self) -> bool:
        """Whether no effect was seen yet."""
        return not self.changed

    @property
    def witness(self) -> Witness | None:
        """The first pair with a changed output, with the share of random pairs that have one."""
        if self.first is None:
            return None
        changed, tried = self.sampled
        return self.first.model_copy(update={"changed": changed, "tried": tried})


def _that_are_seen(changes: np.ndarray) -> np.ndarray:
    """Return the rows of `[rows, n_ctx, width]` that hold more than rounding."""
    return np.flatnonzero(np.abs(changes).max(axis=(1, 2)) > ROUNDING_BOUND)


class InterchangeSearch:
    """Tries interchanges in one model.

    Args:
        compiled: the model, with the program that predicts.
        domain: the inputs.
        runs: the model's runs on them.
        seed: draws the pairs.
        predicts: whether the program predicts every outcome, and is compared with the weights;
            not for a model that only comes near the program.
    """

    def __init__(
        self,
        compiled: CompiledModel,
        domain: TaskDomain,
        runs: DomainRuns,
        seed: int,
        *,
        predicts: bool = True,
    ) -> None:
        self._weights = runs.weights
        self._live = without_dead_ends(runs.weights, proof_bound(compiled))
        self._live_graph = ComponentGraph.of(self._live)
        self._codec = compiled.model.codec
        self._graph = runs.graph
        self.runs = runs
        self._predictor = Predictor(compiled) if predicts else None
        self.domain = domain
        self._seed = seed

    def random_pairs(
        self,
        tallies: Mapping[str, Tally],
        swaps: Sequence[Swap],
        rounds: range,
        family: Family,
    ) -> None:
        """Try random pairs, in rounds; a swap goes on to the next while it is open.

        Args:
            tallies: what is known of each swap, by name; added to.
            swaps: what to interchange, each by itself.
            rounds: the numbers of the rounds; each draws its own pairs.
            family: which sources there are.
        """
        undecided = list(swaps)
        for turn in rounds:
            if not undecided:
                break
            rng = np.random.default_rng([self._seed, _STREAMS.index(family), turn])
            size = LATER_SIZE if turn else FIRST_SIZE
            pairs = Pairs.draw(self.domain, size, rng, family)
            base, positions = self._at(pairs.base_rows), None
            if family is Family.POSITIONS:
                positions = pairs.positions
                source = self._permuted(pairs.source, positions)
            else:
                source = self._at(pairs.source_rows)
            for swap in undecided:
                tally = tallies[swap.name]
                self._interchange(swap, base, source, tally, positions)
                if not tally.sampled[1]:
                    tally.sampled = tally.changed, tally.tried
            undecided = [swap for swap in undecided if tallies[swap.name].is_open]

    def every_base(self, sources: Mapping[Swap, np.ndarray]) -> dict[str, Tally]:
        """Try every input as base with each given source of a swap, up to a witness.

        Args:
            sources: the inputs that are sources, for each swap, by their place in the domain.
        """
        n_inputs = len(self.domain.tokens)
        tallies = {swap.name: Tally() for swap in sources}
        for start in range(0, n_inputs, _CHUNK):
            undecided = [swap for swap in sources if not tallies[swap.name].changed]
            if not undecided:
                break
            base = self._at(np.arange(start, min(start + _CHUNK, n_inputs)))
            for swap in undecided:
                given = self._at(sources[swap])
                for place in range(len(sources[swap])):
                    source = given.take(np.full(len(base.tokens), place))
                    self._interchange(swap, base, source, tallies[swap.name], None)
                    if tallies[swap.name].changed:
                        break
        return tallies

    def distinct_contributions(self, swap: Swap, sources: np.ndarray | None) -> Tally:
        """Try random bases with the given inputs, each as likely, up to a witness.

        Without any given, sources are drawn as bases are.
        """
        rng = np.random.default_rng([self._seed, 2])
        tally = Tally()
        for _ in range(DISTINCT_ROUNDS):
            base = self._at(self.domain.draw_rows(_CHUNK, rng))
            if sources is None:
                source = self._at(self.domain.draw_rows(_CHUNK, rng))
            else:
                source = self._at(rng.choice(sources, size=_CHUNK))
            self._interchange(swap, base, source, tally, None)
            if tally.changed:
                break
        return tally

    def _at(self, rows: np.ndarray) -> Seen:
        """Return what is seen of inputs of the domain, by their places."""
        if self.runs.are_few:
            return self._everything.take(rows)
        return self._seen(self.domain.tokens[rows], self.runs.at(rows))

    @cached_property
    def _everything(self) -> Seen:
        """What is seen of the whole of a small domain."""
        return self._seen(self.domain.tokens, self.runs.at(np.arange(len(self.domain.tokens))))

    def _permuted(self, tokens: np.ndarray, positions: np.ndarray) -> Seen:
        """Return what is seen of inputs whose positions are permuted."""
        moved = self._weights.W_pos[positions]
        done = run(self._weights, tokens, graph=self._graph, pos_embed=moved)
        return self._seen(tokens, done, positions)

    def _seen(self, tokens: np.ndarray, done: Run, positions: np.ndarray | None = None) -> Seen:
        values = self._predictor.values(tokens, positions) if self._predictor else {}
        return Seen(tokens, done, values, self._codec.decode_ids(done.logits))

    def _interchange(
        self, swap: Swap, base: Seen, source: Seen, tally: Tally, positions: np.ndarray | None
    ) -> None:
        """Interchange, on the weights and by the program, row by row."""
        after = self._measured(swap, base, source)
        if self._predictor is not None:
            carried = Interchange(swap.reader.name, swap.carried, source.values, swap.position)
            predicted = self._codec.decode_ids(self._predictor.output(base.values, carried))
            self._compare(tally, base, source, after, predicted)
        self._count(tally, base, source, after, positions)

    def _measured(self, swap: Swap, base: Seen, source: Seen) -> np.ndarray:
        """Return the decoded outputs of the weights after an interchange.

        Where the reader cannot tell the source from the base, or its component writes the
        same, they are those before it.
        """
        weights, reader = self._weights, swap.reader
        delta = swap.delta(base.run, source.run)
        rows = _that_are_seen(project(delta, seen_columns(weights, reader)))
        after = base.answers.copy()
        if not len(rows):
            return after
        run = base.run.take(rows)
        depth, change = change_of_stream(weights, self._graph, run, reader, delta[rows])
        other = _that_are_seen(change)
        if len(other):
            stream = run.streams[depth][other] + change[other]
            logits = resume(self._live, self._live_graph, stream, depth)
            after[rows[other]] = self._codec.decode_ids(logits)
        return after

    def _compare(
        self, tally: Tally, base: Seen, source: Seen, after: np.ndarray, predicted: np.ndarray
    ) -> None:
        """Note the first pair on which the weights do not do what the program says."""
        differs = (after != predicted) & self._codec.is_real(base.tokens)
        if differs.any() and tally.disagreement is None:
            pair, at = np.argwhere(differs)[0].tolist()
            tally.disagreement = (
                f"on base {self._codec.sequence(base.tokens[pair])} and source "
                f"{self._codec.sequence(source.tokens[pair])} the program predicts "
                f"{self._codec.answer(predicted[pair, at])} at position {at}, and the weights give "
                f"{self._codec.answer(after[pair, at])}"
            )

    def _count(
        self,
        tally: Tally,
        base: Seen,
        source: Seen,
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
