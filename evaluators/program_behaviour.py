"""Behaviour: on how much of a task's domain a program gives the answers of its model.

Answers are compared where the model gives any: at every position that holds a token. What a
program gives is taken for an answer of the model as the model's own logits are: a number for
the nearest value that the output can have, if it is within half the smallest gap between them;
anything else is that value or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import Logits, embeddings, resume
from ..compiler.interpreter import interpret
from ..compiler.model import Codec, Model, Readout
from ..compiler.one_thread import one_thread
from ..compiler.program import Node, Program
from ..compiler.values import Encoding, as_argument
from ..ground_truth.bounded_interpretation import slices_that_fit

_ELEMENTS_AT_ONCE = 2**18
_ROUNDING = 1e-9

NO_ANSWER = -2
"""What stands for a value that the model never answers with; `None` is -1."""

TokenIds = Int[np.ndarray, "inputs position"]
Answers = Int[np.ndarray, "output inputs place"]
"""For each output the place of its value in `Readout.values`, at every position but BOS."""
Agreeing = Bool[np.ndarray, "inputs place"]


def model_answers(model: Model, tokens: TokenIds) -> Answers:
    """Return what a model answers; -1 at padding."""
    codec, real = model.codec, tokens[:, 1:] < model.codec.bos
    graph = ComponentGraph.of(model.weights)
    found = np.full((len(codec.readouts), *real.shape), -1, dtype=np.int64)
    step = max(1, _ELEMENTS_AT_ONCE // (tokens.shape[1] * model.weights.d_model))
    with one_thread():
        for start in range(0, len(tokens), step):
            some = slice(start, start + step)
            stream = np.add(*embeddings(model.weights, tokens[some]))
            found[:, some] = decoded(codec, resume(model.weights, graph, stream, 0))
    return np.where(real, found, -1)


def decoded(codec: Codec, logits: Logits) -> Answers:
    """Return the answers that logits stand for, at every position but BOS."""
    return np.moveaxis(codec.output_ids(logits[:, 1:]), -1, 0)


def answers_of(codec: Codec, program: Program, values: Sequence[np.ndarray]) -> Answers:
    """Return the values of a program's outputs as answers of a model.

    Args:
        codec: of the model.
        program: with as many outputs as the model.
        values: of each output, positions in its domain, -1 for `None`.
    """
    found = []
    for readout, place, ids in zip(codec.readouts, program.outputs, values, strict=True):
        found.append(np.append(_places(readout, program.nodes[place]), -1)[ids])
    return np.stack(found)


def _places(readout: Readout, node: Node) -> Int[np.ndarray, " value"]:
    """Return the place in `Readout.values` of every value of an output."""
    known = {value: place for place, value in enumerate(readout.values.values)}
    if readout.encoding is Encoding.CATEGORICAL or not node.domain.is_numeric:
        places = [known.get(value, NO_ANSWER) for value in map(as_argument, node.domain.values)]
        return np.array(places, dtype=np.int64)
    numbers = node.domain.numbers
    places = readout.decode_ids(numbers[None, :, None])[0]
    gap = readout.values.smallest_gap
    bound = gap / 2 if np.isfinite(gap) else _ROUNDING
    near = np.abs(readout.values.numbers[places] - numbers) <= bound + _ROUNDING
    return np.where(near, places, NO_ANSWER)


def program_answers(codec: Codec, program: Program, tokens: TokenIds) -> tuple[Answers, Agreeing]:
    """Return what a program answers on any number of inputs, and where it has a meaning."""
    found = np.full((len(program.outputs), len(tokens), tokens.shape[1] - 1), -1, dtype=np.int64)
    meant = np.ones(found.shape[1:], dtype=bool)
    for some in slices_that_fit(program, len(tokens), tokens.shape[1] - 1, program.outputs):
        done = interpret(program, tokens[some], program.outputs)
        found[:, some] = answers_of(codec, program, [done.values[at] for at in program.outputs])
        for conflict in done.conflicts.values():
            meant[some] &= ~conflict.any(axis=1, keepdims=True)
    return found, meant


@dataclass(frozen=True, eq=False)
class Behaviour:
    """What a model does on a domain.

    Attributes:
        codec: of the model.
        tokens: the inputs.
        answers: the model's.
    """

    codec: Codec
    tokens: TokenIds
    answers: Answers

    @classmethod
    def of(cls, model: Model, tokens: TokenIds) -> "Behaviour":
        """Run a model on a domain."""
        return cls(model.codec, tokens, model_answers(model, tokens))

    @property
    def real(self) -> Agreeing:
        """Where a token stands."""
        return self.tokens[:, 1:] < self.codec.bos

    def agreeing(self, program: Program) -> Agreeing:
        """Return where a program gives the model's answer, on every output; false at padding."""
        answers, meant = program_answers(self.codec, program, self.tokens)
        return (answers == self.answers).all(axis=0) & meant & self.real

    def metrics(self, agreeing: Agreeing) -> dict[str, float]:
        """Return how much agrees: of each answer, of each input, and of whole inputs."""
        right = np.bincount(self.numbers, agreeing[self.real]) / np.bincount(self.numbers)
        return {
            "balanced_agreement": float(right.mean()),
            "agreement": float((agreeing.sum(axis=1) / self.real.sum(axis=1)).mean()),
            "input_agreement": float((agreeing == self.real).all(axis=1).mean()),
        }

    @property
    def share(self) -> Float[np.ndarray, "inputs place"]:
        """What each place counts where every input counts the same, and each place of it."""
        return self.real / self.real.sum(axis=1, keepdims=True) / len(self.real)

    @cached_property
    def balance(self) -> Float[np.ndarray, "inputs place"]:
        """What each place counts where every answer counts the same, and each place with it."""
        found = np.zeros(self.real.shape)
        places = np.bincount(self.numbers)
        found[self.real] = 1 / places[self.numbers] / len(places)
        return found

    @cached_property
    def numbers(self) -> Int[np.ndarray, " token"]:
        """A number for the answer, on all outputs, wherever a token stands."""
        _, numbers = np.unique(self.answers[:, self.real].T, axis=0, return_inverse=True)
        return numbers.reshape(-1)

    def without_attention(self) -> list[Agreeing]:
        """Return where the best constants agree, and the best functions of token and position.

        Of either one agrees most of every answer, and one of every input: no constant, and no
        program without attention, agrees more.
        """
        real = self.real
        place = np.broadcast_to(np.arange(real.shape[1]), real.shape)[real]
        local = self.tokens[:, 1:][real] * real.shape[1] + place
        found = []
        for cell in (np.zeros_like(local), local):
            for weights in (self.balance, self.share):
                told = best_of_each(cell, self.numbers, weights[real])[cell] == self.numbers
                agreeing = np.zeros_like(real)
                agreeing[real] = told
                found.append(agreeing)
        return found


def best_of_each(
    cell: Int[np.ndarray, " n"], answer: Int[np.ndarray, " n"], weight: Float[np.ndarray, " n"]
) -> Int[np.ndarray, " cells"]:
    """Return the answer of the greatest weight in each cell; the first of those as heavy.

    Example:
        >>> best_of_each(np.array([0, 0, 1]), np.array([2, 2, 1]), np.ones(3)).tolist()
        [2, 1]
    """
    sizes = cell.max(initial=0) + 1, answer.max(initial=0) + 1
    total = np.bincount(cell * sizes[1] + answer, weights=weight, minlength=sizes[0] * sizes[1])
    return total.reshape(sizes).argmax(axis=1)
