"""Interchanges of whole components: what a plain loop trains on, and how models do at them.

A component is interchanged where it ends, for all that read it. No position is permuted.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from glassbench.compiler import Weights
from glassbench.compiler.executor import run
from glassbench.ground_truth.aligned_interchanges import AlignedInterchanges, AlignedRows
from glassbench.ground_truth.counted_interchanges import Count
from glassbench.ground_truth.interchange_pairs import TaskDomain
from glassbench.ground_truth.masked_interchanges import interchanged_logits
from glassbench.ground_truth.training_gate import MOST_WRONG, MOST_WRONG_OF_A_SET, HeldOut

UNPERMUTED = 4 / 3
"""Of so many rows, one has no position permuted."""


class ComponentInterchanges:
    """Interchanges of whole components, with the answers of the program.

    Attributes:
        places: of every component that stands for one with an effect, by its name in the
            ordinary model, the place among `AlignedRows.chosen`. The embedding of positions is
            left out: where no position is permuted, its interchange moves nothing.
        quiet: heads and MLPs that stand for nothing with an effect.
    """

    def __init__(self, held_out: HeldOut) -> None:
        leaving: dict[str, list[str]] = {}
        for name in held_out.sets:
            writer, arrow, _ = name.partition("->")
            if arrow and writer != "pos_embed":
                leaving.setdefault(writer, []).append(name)
        alignment = held_out.alignment
        self.places = {alignment.name(one): place for place, one in enumerate(leaving, start=1)}
        self.quiet = tuple(
            one.name
            for one in alignment.ordinary.writers
            if one.depth >= 0 and one.name not in self.places
        )
        assert self.places, "something must stand for components with an effect"
        assert self.quiet, "something must stand for nothing"
        self._aligned = AlignedInterchanges(held_out.original, leaving)

    def draw(self, domain: TaskDomain, size: int, rng: np.random.Generator) -> AlignedRows:
        """Return about three quarters of `size` rows of each component, and of none.

        They are those of `AlignedInterchanges` in which no position is permuted.
        """
        rows = self._aligned.draw(domain, size, rng)
        kept = (rows.positions == np.arange(rows.positions.shape[1])).all(axis=1)
        names = "base", "source", "positions", "chosen", "answers"
        return AlignedRows(*(getattr(rows, name)[kept] for name in names))


@dataclass(frozen=True)
class ComponentGate:
    """What a model does under interchanges of whole components, on held-out inputs.

    Attributes:
        answers: inputs on which an answer is not that of the program.
        interchanges: the same of pairs, for every component that stands for one.
        strict: of pairs on which one is interchanged that stands for nothing.
    """

    answers: Count
    interchanges: Mapping[str, Count]
    strict: Count

    @property
    def interchanged(self) -> Count:
        """Pairs of all components together."""
        return _sum(self.interchanges.values())

    @property
    def shares(self) -> tuple[float, float, float]:
        """Which share of each is right."""
        return tuple(1 - one.share for one in (self.answers, self.interchanged, self.strict))

    @property
    def passed(self) -> bool:
        """Whether none is wrong too often, as in the training gate."""
        whole = self.answers, self.interchanged, self.strict
        return all(one.bounds[1] <= MOST_WRONG for one in whole) and all(
            one.bounds[1] <= MOST_WRONG_OF_A_SET for one in self.interchanges.values()
        )


class ComponentMeasure:
    """Measures models of one task by the same interchanges of components.

    Args:
        held_out: whose models.
        tokens: inputs on which answers are asked.
        interchanges: what is interchanged.
        rows: as `interchanges` draws them.
    """

    def __init__(
        self,
        held_out: HeldOut,
        tokens: np.ndarray,
        interchanges: ComponentInterchanges,
        rows: AlignedRows,
    ) -> None:
        self._original = held_out.original.model
        self._graph = held_out.alignment.ordinary
        self._tokens, self._interchanges, self._rows = tokens, interchanges, rows

    def gate(self, weights: Weights) -> ComponentGate:
        """Return what a model does."""
        codec, tokens = self._original.codec, self._tokens
        given, expected = (
            codec.decode_ids(run(one, tokens).logits) for one in (weights, self._original.weights)
        )
        answers = _wrong(((given == expected) | ~codec.is_real(tokens)).all(axis=1))
        places, quiet = self._interchanges.places, self._interchanges.quiet
        return ComponentGate(
            answers,
            {name: self._count(weights, name, place) for name, place in places.items()},
            _sum([self._count(weights, name, 0) for name in quiet]),
        )

    def _count(self, weights: Weights, component: str, place: int) -> Count:
        """Return on how many of the rows of a place an answer is wrong with one interchanged."""
        codec, rows, graph = self._original.codec, self._rows, self._graph
        edges = {edge.name for edge in graph.edges if edge.writer.name == component}
        some = rows.chosen == place
        base, mask = rows.base[some], graph.edge_mask(edges)
        moved = np.broadcast_to(mask, (len(base), *mask.shape))
        logits = interchanged_logits(weights, base, rows.source[some], rows.positions[some], moved)
        ids = [readout.decode_ids(logits[..., at]) for readout, at in codec.logit_slices]
        same = (np.stack(ids, axis=-1) == rows.answers[some]).all(axis=-1)
        return _wrong((same | ~codec.is_real(base)).all(axis=1))


def _wrong(right: np.ndarray) -> Count:
    return Count(int((~right).sum()), len(right))


def _sum(counts: Collection[Count]) -> Count:
    return Count(sum(one.found for one in counts), sum(one.tried for one in counts))
