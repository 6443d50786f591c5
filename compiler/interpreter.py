"""The interpreter: what a `Program` means, on a batch of inputs, without a transformer.

Variables are integer arrays of positions in their domains, -1 for `None` and at
padding. This is the meaning that compiled weights must reproduce.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from .program import (
    Aggregate,
    Indices,
    LinearMap,
    Map,
    Node,
    Program,
    Select,
    SelectorWidth,
    SequenceMap,
    Tokens,
)
from .values import Encoding


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The values of every node on a batch.

    Attributes:
        values: node position to int64 `[batch, position]`, BOS left out; for a
            selector bool `[batch, query, key]`.
        conflicts: categorical aggregates whose selected values disagree
            somewhere, with bool `[batch, position]`; the program has no meaning
            there.
    """

    values: Mapping[int, np.ndarray]
    conflicts: Mapping[int, Bool[np.ndarray, "batch position"]]


def interpret(program: Program, tokens: Int[np.ndarray, "batch position"]) -> Evaluation:
    """Evaluate every node of `program` on token ids (BOS first, then padding)."""
    ids = tokens[:, 1:]
    real = ids < len(program.vocabulary)
    visible = real[:, :, None] & real[:, None, :]
    if program.causal:
        visible &= np.tri(ids.shape[1], dtype=bool)
    values: dict[int, np.ndarray] = {}
    conflicts: dict[int, np.ndarray] = {}
    for place, node in enumerate(program.nodes):
        match node.operation:
            case Tokens():
                result = ids
            case Indices():
                result = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
            case Map(inner=inner, table=table):
                result = _extended(table)[values[inner]]
            case SequenceMap(fst=fst, snd=snd, table=table):
                result = _extended(table)[values[fst], values[snd]]
            case LinearMap():
                result = _linear(program, node, node.operation, values)
            case Select(keys=keys, queries=queries, table=table):
                padded = np.pad(table, (0, 1))
                chosen = padded[values[queries][:, :, None], values[keys][:, None, :]]
                values[place] = chosen & visible
                continue
            case SelectorWidth(selector=selector):
                count = values[selector].sum(axis=-1)
                result = count - int(node.domain.values[0])  # type: ignore[call-overload]
            case Aggregate(selector=selector, value=value):
                chosen, given = values[selector], values[value]
                if node.encoding is Encoding.NUMERICAL:
                    result = _mean(program, node, node.operation, chosen, given)
                else:
                    result, conflict = _common_value(program, node, chosen, given)
                    if conflict.any():
                        conflicts[place] = conflict
        values[place] = np.where(real, result, -1)
    return Evaluation(values, conflicts)


def _extended(table: np.ndarray) -> np.ndarray:
    """Return `table` with -1 appended on every axis, so that index -1 gives -1."""
    return np.pad(table, (0, 1), constant_values=-1)


def _nearest(node: Node, numbers: np.ndarray) -> np.ndarray:
    """Return the position of each of `numbers` in the node's domain."""
    domain = node.domain.numbers
    return np.searchsorted((domain[1:] + domain[:-1]) / 2, numbers)


def _linear(
    program: Program, node: Node, op: LinearMap, values: Mapping[int, np.ndarray]
) -> np.ndarray:
    """Return the values of a linear combination."""
    terms = [
        float(factor) * program.nodes[place].domain.numbers[values[place]]
        for place, factor in ((op.fst, op.fst_factor), (op.snd, op.snd_factor))
    ]
    absent = (values[op.fst] < 0) | (values[op.snd] < 0)
    return np.where(absent, -1, _nearest(node, terms[0] + terms[1]))


def _mean(
    program: Program, node: Node, op: Aggregate, chosen: np.ndarray, given: np.ndarray
) -> np.ndarray:
    """Return the positions of the means over the chosen keys."""
    numbers = np.append(program.nodes[op.value].domain.numbers, 0.0)[given]
    count = chosen.sum(axis=-1)
    total = (chosen * numbers[:, None, :]).sum(axis=-1)
    means = np.where(count > 0, total / np.maximum(count, 1), float(op.default))  # type: ignore[arg-type]
    return _nearest(node, means)


def _common_value(
    program: Program, node: Node, chosen: np.ndarray, given: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the value that all chosen keys share, and where they do not."""
    op = node.operation
    assert isinstance(op, Aggregate)
    source = program.nodes[op.value].domain
    translate = np.append(node.domain.indices(source.values), -1)
    first = np.take_along_axis(given, chosen.argmax(axis=-1), axis=1)
    differs = (chosen & (given[:, None, :] != first[:, :, None])).any(axis=-1)
    result = np.where(chosen.any(axis=-1), translate[first], node.domain.index(op.default))
    return result, differs
