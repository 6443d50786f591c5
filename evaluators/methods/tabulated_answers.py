"""Tabulated answers: how well the answers of a model are a function of some variables.

The function is a table: for each value, or each two values, the answer that stands there most.
It is made on one half of the inputs and judged on the other, so that variables of many values
earn nothing by telling inputs apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ...compiler import rasp
from ...compiler.interpreter import interpret
from ...compiler.program import Program
from ...compiler.untrace import tabulated, tabulated_pair
from ..program_behaviour import Behaviour, best_of_each

_FEW = 1024
"""Up to how many pairs are numbered whether they come together or not."""

Codes = Int[np.ndarray, " place"]
"""A number for the value at each place where a token stands."""


@dataclass(frozen=True, eq=False)
class AnswersToTell:
    """The answers of a model, at every place of a batch where a token stands.

    Attributes:
        answers: a number for each answer.
        weights: of each place, so that every answer counts the same.
        made_on: the places on which tables are made; they are judged on the others.
    """

    answers: Codes
    weights: Float[np.ndarray, " place"]
    made_on: Bool[np.ndarray, " place"]

    @classmethod
    def of(cls, behaviour: Behaviour) -> "AnswersToTell":
        """Number the answers of a batch; every other input is one to judge on."""
        real = behaviour.real
        made_on = np.broadcast_to(np.arange(len(real))[:, None] % 2 == 0, real.shape)
        return cls(behaviour.numbers, behaviour.balance[real], made_on[real])

    def uncertainty(self, codes: Codes) -> float:
        """Return how uncertain an answer is when a variable is known, in nats."""
        counts = self._counts(codes, self.weights)
        total = counts.sum(axis=1, keepdims=True)
        shares = np.divide(counts, total, out=np.ones_like(counts), where=counts > 0)
        return float(-(counts * np.log(shares)).sum() / total.sum())

    def agreement(self, codes: Codes) -> float:
        """Return the share of answers that a table tells, on inputs that it was not made on."""
        on = self.made_on
        counts = self._counts(codes, self.weights * on)
        most = counts.sum(axis=0).argmax()
        told = np.where(counts.any(axis=1), counts.argmax(axis=1), most)[codes] == self.answers
        return float((self.weights * ~on)[told].sum() / self.weights[~on].sum())

    def is_told(self, codes: Codes) -> bool:
        """Return whether every value has one answer."""
        return bool((best_of_each(codes, self.answers, self.weights)[codes] == self.answers).all())

    def _counts(self, codes: Codes, weights: np.ndarray) -> Float[np.ndarray, "value answer"]:
        n_answers = int(self.answers.max(initial=0)) + 1
        size = (int(codes.max(initial=0)) + 1) * n_answers
        return np.bincount(codes * n_answers + self.answers, weights, size).reshape(-1, n_answers)


def coded(values: Float[np.ndarray, " place"]) -> Codes:
    """Return a number for each value, in ascending order."""
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def coded_pair(fst: Codes, snd: Codes) -> Codes:
    """Return a number for each two values."""
    n_snd = int(snd.max(initial=0)) + 1
    pairs = fst * n_snd + snd
    return pairs if (int(fst.max(initial=0)) + 1) * n_snd <= _FEW else coded(pairs)


def answer_tables(
    behaviour: Behaviour, sides: Sequence[rasp.SOp], program: Program
) -> list[rasp.SOp]:
    """Return for each output of a model the table of one variable, or of two, that tells it best.

    Args:
        behaviour: what the model does on inputs.
        sides: the variables.
        program: of which they are the outputs.
    """
    real, nodes = behaviour.real, [program.nodes[place] for place in program.outputs]
    values = interpret(program, behaviour.tokens, program.outputs).values
    sizes = [len(node.domain) + 1 for node in nodes]  # no value comes last
    codes = [values[place][real] % size for place, size in zip(program.outputs, sizes, strict=True)]
    cells = np.ravel_multi_index(codes, sizes)
    weights = behaviour.balance[real]
    most = best_of_each(np.zeros_like(cells), behaviour.numbers, weights)[0]
    best = np.full(math.prod(sizes), most)
    seen = np.unique(cells)
    best[seen] = best_of_each(cells, behaviour.numbers, weights)[seen]
    _, first = np.unique(behaviour.numbers, return_index=True)
    domains = [node.domain for node in nodes]
    outputs = []
    for readout, ids in zip(behaviour.codec.readouts, behaviour.answers[:, real], strict=True):
        known = [*readout.values.values, None]
        images = [known[answer] for answer in ids[first[best]].tolist()]
        table = [images[at : at + sizes[-1] - 1] for at in range(0, len(images), sizes[-1])]
        if len(sides) == 1:
            outputs.append(tabulated(sides[0], domains[0], table[0]))
        else:
            outputs.append(tabulated_pair(sides, domains, table[:-1]))
    return outputs
