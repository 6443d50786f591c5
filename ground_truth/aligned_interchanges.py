"""Aligned interchanges: what a program gives when edges of its model are interchanged.

Answers come from the interpreter, with the variables that the edges carry overridden by their
values on a source, at the readers of these edges and nowhere else. Sources have any length, and
in every fourth row their positions are permuted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ..compiler import CompiledModel
from .interchange_pairs import Pairs, TaskDomain
from .prediction import Interchange, Predictor

_PERMUTED = 4


@dataclass(frozen=True, eq=False)
class AlignedRows:
    """Interchanges with the answers of the program.

    Attributes:
        base: token ids `[rows, position]`.
        source: token ids of the sources.
        positions: the row of `pos_embed` at each place of a source.
        chosen: the place of the set of edges that is interchanged, `[rows]`; 0 is none.
        answers: of each output the position of its value, -1 for `None`,
            `[rows, position, outputs]`.
    """

    base: Int[np.ndarray, "rows position"]
    source: Int[np.ndarray, "rows position"]
    positions: Int[np.ndarray, "rows position"]
    chosen: Int[np.ndarray, " rows"]
    answers: Int[np.ndarray, "rows position outputs"]


class AlignedInterchanges:
    """Interchanges in the program of one compiled model.

    Args:
        compiled: the model.
        sets: its edges that are interchanged together.
    """

    def __init__(self, compiled: CompiledModel, sets: Mapping[str, Sequence[str]]) -> None:
        self._codec = compiled.model.codec
        self._carried = compiled.source_map.carried
        self._predictor = Predictor(compiled)
        self._sets = [tuple(edges) for edges in sets.values()]

    def draw(self, domain: TaskDomain, size: int, rng: np.random.Generator) -> AlignedRows:
        """Return rows of every set, as many of each and of none.

        Args:
            domain: bases and sources are drawn from here.
            size: how many rows each set has.
            rng: draws them.
        """
        parts = [self._rows(domain, size, rng, place) for place in range(1 + len(self._sets))]
        return AlignedRows(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("base", "source", "positions", "chosen", "answers")
            )
        )

    def _rows(
        self, domain: TaskDomain, size: int, rng: np.random.Generator, place: int
    ) -> AlignedRows:
        """Return rows of one set, or of none."""
        pairs = Pairs.draw(domain, size, rng)
        positions = np.tile(np.arange(pairs.base.shape[1]), (size, 1))
        positions[::_PERMUTED] = pairs.positions[::_PERMUTED]
        base = self._predictor.values(pairs.base)
        made: list[Interchange] = []
        if place:
            source = self._predictor.values(pairs.source, positions)
            for edge in self._sets[place - 1]:
                reader = edge.partition("->")[2]
                made.append(Interchange(reader, self._carried[edge], source))
        logits = self._predictor.output(base, *made)
        answers = self._codec.output_ids(logits)
        return AlignedRows(pairs.base, pairs.source, positions, np.full(size, place), answers)
