"""Program interventions: what a program says comes out when one of its variables is overridden.

The interchange intervention of Geiger, Lu, Icard and Potts, "Causal Abstractions of Neural
Networks" (2021, arXiv:2106.02997), on the interpreter: a variable is set to what it is on
another input, and all that is computed from it follows. Values that no input brings together
can meet then. Where an aggregate finds different values that have no mean, or a sum is none
that the program has, the program says nothing; nor does it of anything computed from there.
Nor does an aggregate say anything where it does what it does on no input, however it is
written: a mean that always is over one number is a copy, and has no mean of two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool

from ..compiler import program as ir
from ..compiler.interpreter import Override, interpret, nearest, sum_of
from ..compiler.model import Codec
from ..ground_truth.bounded_interpretation import slices_that_fit
from .program_behaviour import Answers, TokenIds, answers_of
from .seen_aggregates import SeenAggregate, selects

_ROUNDING = 1e-6

Positions = Bool[np.ndarray, "inputs place"]


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a program says.

    Attributes:
        answers: of the model, at every position but BOS.
        said: where the program says anything; false at padding.
    """

    answers: Answers
    said: Positions


def predicted(
    program: ir.Program,
    codec: Codec,
    bases: TokenIds,
    sources: TokenIds,
    variable: Sequence[int],
    where: Positions,
    seen: Mapping[int, SeenAggregate] = MappingProxyType({}),
) -> Predicted:
    """Return what a program says when a variable has its value on another input.

    Args:
        program: with as many outputs as the model.
        codec: of the model.
        bases: the inputs.
        sources: as many others, from which the variable's values come.
        variable: the nodes that hold it; none to change nothing.
        where: at which positions, BOS left out; a token stands there in base and source.
        seen: what aggregates do on inputs; of one that is not among them anything may be said.
    """
    answers = np.empty((len(program.outputs), *where.shape), dtype=np.int64)
    said = np.empty_like(where)
    wanted = sorted({*program.outputs, *variable})
    for some in slices_that_fit(program, len(bases), where.shape[1], wanted):
        given = interpret(program, sources[some], list(variable)).values if variable else {}
        overrides = {place: Override(given[place], where[some]) for place in variable}
        done = interpret(program, bases[some], wanted, overrides)
        found = [done.values[place] for place in program.outputs]
        answers[:, some] = answers_of(codec, program, found)
        real = bases[some][:, 1:] < codec.bos
        doubtful = _doubtful(program, done.values, done.conflicts, overrides, real, seen)
        unsaid = [doubtful[place] for place in program.outputs if place in doubtful]
        said[some] = real & ~np.any([np.zeros_like(real), *unsaid], axis=0)
    return Predicted(answers, said)


def _doubtful(
    program: ir.Program,
    values: Mapping[int, np.ndarray],
    conflicts: Mapping[int, np.ndarray],
    overrides: Mapping[int, Override],
    real: np.ndarray,
    seen: Mapping[int, SeenAggregate],
) -> dict[int, np.ndarray]:
    """Return where each variable has no meaning, and of which pairs selectors have none."""
    doubtful: dict[int, np.ndarray] = {}
    visible = real[:, :, None] & real[:, None, :]
    if program.causal:
        visible &= np.tri(real.shape[1], dtype=bool)
    for place in sorted(values):
        operation = program.nodes[place].operation
        read = [doubtful[one] for one in ir.operands(operation) if one in doubtful]
        match operation:
            case ir.Select(conditions=conditions):
                own = [visible & pair for pair in _pairs(conditions, doubtful)]
            case ir.Aggregate(selector=selector, value=value):
                own = [conflicts[place]] if place in conflicts else []
                if place in seen:
                    several, nothing = selects(program, place, values)
                    own += [several] * (not seen[place].averages)
                    own += [nothing] * (not seen[place].empty)
                if value in doubtful:
                    chosen = values[selector] & doubtful[value][:, None, :]
                    own.append(chosen.any(axis=-1))
                if selector in doubtful:
                    own.append(doubtful[selector].any(axis=-1))
            case ir.ReciprocalWidth(selector=selector):
                own = [doubtful[selector].any(axis=-1)] if selector in doubtful else []
            case ir.LinearMap(terms=terms):
                numbers = program.nodes[place].domain.numbers
                sums = sum_of(program, terms, values)
                found = numbers[nearest(program.nodes[place].domain, sums)]
                own = [*read, (np.abs(found - sums) > _ROUNDING) & (values[place] >= 0)]
            case _:
                own = read
        if own:
            doubtful[place] = np.any(own, axis=0)
            if place in overrides:
                doubtful[place] &= ~overrides[place].where
    return doubtful


def _pairs(
    conditions: Sequence[ir.Condition], doubtful: Mapping[int, np.ndarray]
) -> list[np.ndarray]:
    """Return the queries, and the keys, of which it is doubtful what they select."""
    found = []
    for one in conditions:
        if one.queries is not None and one.queries in doubtful:
            found.append(doubtful[one.queries][:, :, None])
        if one.keys is not None and one.keys in doubtful:
            found.append(doubtful[one.keys][:, None, :])
    return found
