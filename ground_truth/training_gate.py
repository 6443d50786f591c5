"""The training gate: whether an ordinary transformer runs the program that it was trained to run.

All of it is measured on inputs that were held out of training. Answers must be those of the
program; those under an interchange must be those of the program with the variables overridden
that the edges carry; none may change when edges that are aligned with nothing are interchanged
as well; and every edge must be measured in the state of the one that it stands for. Each share of
failures has an exact upper bound, and it is the bound that must not exceed what is allowed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from ..compiler import CompiledModel, Weights
from ..compiler.executor import run
from ..compiler.one_thread import one_thread
from ..errors import listing
from .aligned_interchanges import AlignedInterchanges, AlignedRows
from .alignment import Alignment
from .circuit_labels import CircuitLabels, EdgeState, Sufficiency
from .counted_interchanges import CONFIDENCE, Count, EdgeCounting, counted_states
from .interchange_pairs import TaskDomain
from .masked_interchanges import interchanged_logits
from .training_history import TrainingHistory

HELD_OUT = 0.25
"""How much of the distinct inputs is held out of training."""
MOST_WRONG = 0.02
"""Which share of held-out inputs, or of interchanges, may be wrong at most."""
MOST_WRONG_OF_A_SET = 0.05
"""Which share of the interchanges of one set of edges."""
N_INTERCHANGES = 512
"""On how many pairs each set of edges is interchanged."""


@dataclass(frozen=True)
class InterchangedSet:
    """Edges that were interchanged together.

    Attributes:
        edges: of the trained model.
        wrong: pairs on which an answer is not that of the program.
    """

    edges: tuple[str, ...]
    wrong: Count


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedBehaviour:
    """What a trained model answers, and what under the interchanges that it was trained on.

    Attributes:
        answers: inputs on which an answer is not that of the program.
        interchanges: every set of edges that was interchanged, by the name of what it stands
            for: an edge of `original`, or a component all of whose edges with an effect are meant.
        strict: pairs of all sets, and of none, on which an answer is not that of the program
            when other edges are interchanged too.
    """

    answers: Count
    interchanges: Mapping[str, InterchangedSet]
    strict: Count

    @property
    def interchanged(self) -> Count:
        """Pairs of all sets together."""
        counts = [one.wrong for one in self.interchanges.values()]
        return Count(sum(one.found for one in counts), sum(one.tried for one in counts))

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Why it is not that of a model whose inside is known; empty if it is."""
        return tuple(self._shortcomings())

    def _shortcomings(self) -> Iterator[str]:
        whole = (
            ("answers", "held-out inputs", self.answers),
            ("interchanges of aligned edges", "pairs", self.interchanged),
            ("strictness", "pairs", self.strict),
        )
        for name, of_what, count in whole:
            if count.may_exceed(MOST_WRONG):
                yield _too_many(name, of_what, count, MOST_WRONG)
        for name, one in self.interchanges.items():
            if one.wrong.may_exceed(MOST_WRONG_OF_A_SET):
                yield _too_many(f"interchange of {name}", "pairs", one.wrong, MOST_WRONG_OF_A_SET)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingGate(TrainedBehaviour):
    """What a trained model was measured to be, on held-out inputs.

    Attributes:
        original: the compiled model whose components its own stand for.
        alignment: which for which.
        compiled: the trained model, with the program and who carries which variable.
        labels: the measured state of every edge.
        moved: the edges that are in another state than they must be, each with the two; the
            second is `None` where it cannot be told.
        history: how the model came about; `None` where that is not known.
    """

    original: CompiledModel
    alignment: Alignment
    compiled: CompiledModel
    labels: CircuitLabels
    moved: tuple[tuple[str, EdgeState, EdgeState | None], ...]
    history: TrainingHistory | None = None

    @property
    def passed(self) -> bool:
        """Whether the model is one whose inside is known."""
        return not self.shortcomings

    def refusal(self, name: object, advice: str = "") -> str:
        """Return that a model is no task, and why.

        Args:
            name: what it would be.
            advice: what can be done.
        """
        said = f"{name} is no task: what is inside its model is not what the program says"
        return listing(f"{said}. {advice}" if advice else f"{said}:", self.shortcomings)

    def _shortcomings(self) -> Iterator[str]:
        yield from super()._shortcomings()
        if self.sufficiency.may_exceed(MOST_WRONG):
            yield _too_many("sufficiency", "inputs", self.sufficiency, MOST_WRONG)
        for edge, wanted, found in self.moved:
            what = "can be either side of the tolerance" if found is None else f"is {found}"
            yield f"{edge}: must be {wanted} as in the program, and as measured {what}"

    @property
    def sufficiency(self) -> Count:
        """Inputs whose answers change when all edges that are not causal are interchanged."""
        return _changed(self.labels.sufficiency)


def _too_many(name: str, of_what: str, count: Count, most: float) -> str:
    return (
        f"{name}: at most {most:.0%} may be wrong, and {count.found:,} of {count.tried:,} "
        f"{of_what} are, so that it can be {count.bounds[1]:.1%} of all at a confidence of "
        f"{CONFIDENCE:.0%}"
    )


class HeldOut:
    """Interchanges on held-out inputs, drawn once, by which models of one alignment are measured.

    During training the same is rehearsed on inputs of training, with other pairs of them.

    Args:
        original: the compiled model.
        labels: its certified labels; their seed draws which inputs are held out, and interchanges.
        domain: its inputs.
        alignment: which components stand for its own.
    """

    def __init__(
        self,
        original: CompiledModel,
        labels: CircuitLabels,
        domain: TaskDomain,
        alignment: Alignment,
    ) -> None:
        self.original, self.alignment, self.seed = original, alignment, labels.seed
        self.wanted = alignment.states(labels.states)
        compiled_sets = alignment.sets(labels.states)
        self.sets = {
            name: tuple(alignment.edge(edge) for edge in edges)
            for name, edges in compiled_sets.items()
        }
        self.train, self.domain = domain.split(HELD_OUT, self.seed)
        self.aligned = AlignedInterchanges(original, compiled_sets)
        self._suspect = ""

    @cached_property
    def rows(self) -> AlignedRows:
        """As many interchanges of each set, and of none."""
        return self._rows(self.domain, self.seed)

    @cached_property
    def rehearsed(self) -> AlignedRows:
        """As many of inputs that models are trained on."""
        return self._rows(self.train, self.seed + 1)

    def _rows(self, domain: TaskDomain, seed: int) -> AlignedRows:
        return self.aligned.draw(domain, N_INTERCHANGES, np.random.default_rng([seed, 31]))

    def gate(self, weights: Weights, task: str) -> TrainingGate:
        """Measure a model on held-out inputs.

        Args:
            weights: of the trained model.
            task: the id that is kept in its labels.
        """
        behaviour = self._behaviour(weights, self.domain, self.rows)
        compiled = self.alignment.trained(self.original, weights)
        counted = counted_states(compiled, self.domain, task=task, seed=self.seed)
        found = {name: edge.state for name, edge in counted.edges.items()}
        return TrainingGate(
            answers=behaviour.answers,
            interchanges=behaviour.interchanges,
            strict=behaviour.strict,
            original=self.original,
            alignment=self.alignment,
            compiled=compiled,
            labels=counted.labels,
            moved=tuple(
                (name, wanted, found[name])
                for name, wanted in self.wanted.items()
                if found[name] is not wanted
            ),
        )

    def passes_rehearsal(self, weights: Weights) -> bool:
        """Return whether a model would pass on inputs that it was trained on, in float32.

        The first thing that is wrong ends it. The states of edges take longest and come last, but
        for the edge that was in another state the last time.
        """
        arrays = {name: array.astype(np.float32) for name, array in weights.arrays()}
        rough = weights.with_arrays(arrays)
        if self._behaviour(rough, self.train, self.rehearsed).shortcomings:
            return False
        compiled = self.alignment.trained(self.original, rough)
        with one_thread():
            counting = EdgeCounting(compiled, self.train, self.seed + 1)
            for edge in sorted(counting.edges, key=lambda edge: edge.name != self._suspect):
                if counting.counted(edge).state is not self.wanted[edge.name]:
                    self._suspect = edge.name
                    return False
            return not _changed(counting.sufficiency(self.wanted)).may_exceed(MOST_WRONG)

    def _behaviour(
        self, weights: Weights, domain: TaskDomain, rows: AlignedRows
    ) -> TrainedBehaviour:
        right, strict = self.right(weights, rows)
        return TrainedBehaviour(
            answers=self._answers(weights, domain),
            interchanges={
                name: InterchangedSet(edges, _wrong(right[rows.chosen == place]))
                for place, (name, edges) in enumerate(self.sets.items(), start=1)
            },
            strict=_wrong(strict),
        )

    @cached_property
    def masks(self) -> Float[np.ndarray, "sets reader writer"]:
        """1 for each edge of each set; the first has none."""
        mask = self.alignment.ordinary.edge_mask
        return np.stack([mask(edges) for edges in ((), *self.sets.values())])

    @cached_property
    def quiet(self) -> Float[np.ndarray, "reader writer"]:
        """1 for each edge that is aligned with nothing that has an effect."""
        quiet = {name for name, one in self.wanted.items() if not one.has_effect}
        return self.alignment.ordinary.edge_mask(quiet)

    def right(
        self, weights: Weights, rows: AlignedRows
    ) -> tuple[Bool[np.ndarray, " rows"], Bool[np.ndarray, " rows"]]:
        """Return on which rows all answers are the program's, and where quiet edges move too.

        In the second run a random part of the quiet edges of each row is interchanged.
        """
        codec, edges = self.original.model.codec, self.masks[rows.chosen]
        rng = np.random.default_rng([self.seed, 32])
        shares = rng.random((len(edges), 1, 1)) ** 2
        moved = (rng.random(edges.shape) < shares) * self.quiet
        found = []
        for each in (edges, edges + moved):
            given = rows.base, rows.source, rows.positions
            logits = interchanged_logits(weights, *given, each)
            same = (codec.output_ids(logits) == rows.answers).all(axis=-1)
            found.append((same | ~codec.is_real(rows.base)).all(axis=1))
        return found[0], found[1]

    def _answers(self, weights: Weights, domain: TaskDomain) -> Count:
        """Return on how many inputs an answer is not that of the program."""
        original, tokens = self.original.model, domain.tokens
        codec = original.codec
        given, expected = (
            codec.decode_ids(run(one, tokens).logits) for one in (weights, original.weights)
        )
        return _wrong(codec.answered_alike(given, expected, tokens))


def _changed(found: Sufficiency) -> Count:
    return Count(found.n_changed, found.n_bases)


def _wrong(right: Bool[np.ndarray, " trials"]) -> Count:
    return Count(int((~right).sum()), len(right))
