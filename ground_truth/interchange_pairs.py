"""Interchange pairs: which inputs are bases, and which are their sources.

Sources are any sequences of the domain, of any length. Bases are drawn evenly
over lengths and outputs, since random inputs of some programs almost all lead to
the same output (random brackets are almost never balanced).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.input_space import InputSpace
from ..compiler.interpreter import interpret
from ..compiler.program import Program
from .bounded_interpretation import slices_that_fit

DOMAIN_LIMIT = 50_000
SAMPLE = 20_000
CANDIDATES = 4 * SAMPLE


class Family(StrEnum):
    """Which sources an interchange may have."""

    TOKENS = "tokens"
    """Any input of the same length as the base."""
    FULL = "full"
    """Any input."""
    POSITIONS = "positions"
    """Any input, the rows of `pos_embed` permuted."""


@dataclass(frozen=True, eq=False)
class TaskDomain:
    """The inputs of a task.

    Attributes:
        tokens: token ids `[inputs, position]`, all of them or a sample.
        exhaustive: whether they are all.
        stratum: a number for each input; inputs with the same number have the
            same length and the same output at every position.
        length: how many tokens each input has.
    """

    tokens: np.ndarray
    exhaustive: bool
    stratum: np.ndarray
    length: np.ndarray

    @classmethod
    def of(cls, compiled: CompiledModel, *, seed: int = 0) -> "TaskDomain":
        """Return the domain of a compiled program, whole up to 50,000 inputs."""
        program = compiled.program
        space = InputSpace(len(program.vocabulary), program.max_length)
        exhaustive = space.size <= DOMAIN_LIMIT
        tokens = space.everything() if exhaustive else space.sample(CANDIDATES, seed)
        stratum = _strata(program, tokens)
        if not exhaustive:
            kept = spread_rows(_lengths(program, tokens), stratum, SAMPLE)
            tokens, stratum = tokens[kept], stratum[kept]
        length = _lengths(program, tokens)
        return cls(tokens, exhaustive, stratum, length)

    def split(self, share: float, seed: int) -> tuple["TaskDomain", "TaskDomain"]:
        """Return two parts that have no input in common, drawn at random.

        Args:
            share: about how much of the distinct inputs is in the second.
            seed: draws which.
        """
        _, distinct = np.unique(self.tokens, axis=0, return_inverse=True)
        held = np.random.default_rng([seed, 10]).random(distinct.max() + 1) < share
        second = held[distinct.reshape(-1)]
        return self._only(~second), self._only(second)

    def _only(self, kept: np.ndarray) -> "TaskDomain":
        """Return some of the inputs."""
        _, stratum = np.unique(self.stratum[kept], return_inverse=True)
        return TaskDomain(self.tokens[kept], False, stratum.reshape(-1), self.length[kept])

    @property
    def effective_size(self) -> float:
        """How many equally likely inputs would be drawn twice as often as those of `draw`.

        It is the inverse of the chance that two draws are of one input: at least the number of
        strata, and at most that of inputs.
        """
        counts = np.bincount(self.stratum)
        return len(counts) ** 2 / float((1 / counts).sum())

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return `size` inputs, strata equally likely, drawn with replacement."""
        return self.tokens[self.draw_rows(size, rng)]

    def draw_rows(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return the places of such inputs in `tokens`."""
        counts = np.bincount(self.stratum)
        order = np.argsort(self.stratum, kind="stable")
        starts = np.cumsum(counts) - counts
        strata = rng.integers(0, len(counts), size=size)
        picks = starts[strata] + (rng.random(size) * counts[strata]).astype(np.int64)
        return order[picks]

    def draw_as_long(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the place of an input for each given one, any of the same length."""
        order = np.argsort(self.length, kind="stable")
        counts = np.bincount(self.length)
        starts = np.cumsum(counts) - counts
        wanted = self.length[rows]
        picks = (rng.random(len(rows)) * counts[wanted]).astype(np.int64)
        return order[starts[wanted] + picks]


def _strata(program: Program, tokens: np.ndarray) -> np.ndarray:
    """Return a number for each input: equal for equal length and equal output everywhere."""
    rows = np.empty((len(tokens), 1 + len(program.outputs) * (tokens.shape[1] - 1)), dtype=np.int64)
    rows[:, 0] = _lengths(program, tokens)
    for some in slices_that_fit(program, len(tokens), tokens.shape[1] - 1, program.outputs):
        values = interpret(program, tokens[some], program.outputs).values
        rows[some, 1:] = np.concatenate([values[place] for place in program.outputs], axis=1)
    _, first, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    by_appearance = np.empty(len(first), dtype=np.int64)
    by_appearance[np.argsort(first)] = np.arange(len(first))
    return by_appearance[number.reshape(-1)]


def spread_rows(length: np.ndarray, stratum: np.ndarray, most: int) -> np.ndarray:
    """Return the places of at most so many inputs, ascending.

    They are spread evenly over lengths, and within a length over strata.
    """
    by_turn = np.argsort(_rank_within(stratum), kind="stable")
    rank = _rank_within(length[by_turn])
    return np.sort(by_turn[np.argsort(rank, kind="stable")[:most]])


def _lengths(program: Program, tokens: np.ndarray) -> np.ndarray:
    """Return how many tokens each input has."""
    return (tokens < len(program.vocabulary)).sum(axis=1)


def _rank_within(stratum: np.ndarray) -> np.ndarray:
    """Return for each input how many of its stratum come before it."""
    order = np.argsort(stratum, kind="stable")
    counts = np.bincount(stratum)
    rank = np.empty(len(stratum), dtype=np.int64)
    rank[order] = np.arange(len(stratum)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank


@dataclass(frozen=True, eq=False)
class Pairs:
    """Bases and sources, row by row, and a permutation of positions for each source.

    Attributes:
        base: token ids `[pairs, position]`.
        source: token ids `[pairs, position]`.
        base_rows: the places of the bases in the domain `[pairs]`.
        source_rows: the places of the sources in the domain `[pairs]`.
        positions: the row of `pos_embed` at each place `[pairs, position]`; BOS
            keeps row 0.
    """

    base: np.ndarray
    source: np.ndarray
    base_rows: np.ndarray
    source_rows: np.ndarray
    positions: np.ndarray

    @classmethod
    def draw(
        cls,
        domain: TaskDomain,
        size: int,
        rng: np.random.Generator,
        family: Family = Family.FULL,
    ) -> "Pairs":
        """Draw pairs of a family."""
        base = domain.draw_rows(size, rng)
        if family is Family.TOKENS:
            source = domain.draw_as_long(base, rng)
        else:
            source = domain.draw_rows(size, rng)
        rows = np.tile(np.arange(1, domain.tokens.shape[1]), (size, 1))
        permuted = np.pad(rng.permuted(rows, axis=1), ((0, 0), (1, 0)))
        return cls(domain.tokens[base], domain.tokens[source], base, source, permuted)
