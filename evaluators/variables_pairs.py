"""Variable pairs: bases and sources for one variable, and what to interchange it must do.

To interchange a variable is to set it, on a base and at some positions, to the value that it has
on a source; the program then says what the answers become (interchange interventions: Geiger, Lu,
Icard and Potts 2021, arXiv:2106.02997). Pairs are of three kinds:

* `KEPT`: the answers stay those of the base. To do nothing is right there;
* `AS_SOURCE`: at each position that is interchanged the answer becomes that of the source, and
  no other changes. To swap the whole stream where it is read out is right there;
* `OWN`: anything else. There nothing helps but to swap the variable.

Each kind has as many pairs as the others, as far as there are any. Half of all pairs are
interchanged wherever base and source both have a token, half at random ones of these positions.
Only pairs of which the interpreter of the program gives every answer are taken: an interchange
can bring values together that no input does, and what is right is then no matter of meaning.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from ..ground_truth import Task
from ..ground_truth.high_level_model import HighLevelModel, Override
from ..ground_truth.interchange_pairs import TaskDomain

HELD_OUT_SHARE = 0.25
"""Which share of the inputs is held out."""
CANDIDATES = 2048
"""From how many pairs those of every variable are chosen."""
KEPT, AS_SOURCE, OWN = range(3)
_LEAST_SHARE, _MOST_SHARE = 0.3, 0.9


@dataclass(frozen=True, eq=False)
class VariablePairs:
    """Pairs of inputs between which one variable is interchanged.

    Attributes:
        base: token ids, BOS first, then padding.
        source: token ids, of any length.
        base_values: the variable on the base, as a number for each of its values; -1 where it
            has none, as at BOS and padding.
        source_values: the variable on the source, likewise.
        where: the positions at which it is interchanged.
        answers: what the base's answers become, as `Codec.decode_ids` numbers them.
    """

    base: Int[np.ndarray, "pairs position"]
    source: Int[np.ndarray, "pairs position"]
    base_values: Int[np.ndarray, "pairs position"]
    source_values: Int[np.ndarray, "pairs position"]
    where: Bool[np.ndarray, "pairs position"]
    answers: Int[np.ndarray, "pairs position"]

    def __len__(self) -> int:
        """Return how many pairs there are."""
        return len(self.base)

    def take(self, rows: "Int[np.ndarray, ' taken'] | slice") -> "VariablePairs":
        """Return some of the pairs."""
        return VariablePairs(
            self.base[rows],
            self.source[rows],
            self.base_values[rows],
            self.source_values[rows],
            self.where[rows],
            self.answers[rows],
        )


def split_domain(domain: TaskDomain, seed: int) -> tuple[TaskDomain, TaskDomain]:
    """Return the inputs to learn from and those that are held out; none is in both.

    A quarter is held out, at least two. The domain must have four inputs or more.
    """
    order = np.random.default_rng([seed, 9]).permutation(len(domain.tokens))
    n_out = max(2, round(HELD_OUT_SHARE * len(order)))
    return _part(domain, np.sort(order[n_out:])), _part(domain, np.sort(order[:n_out]))


def _part(domain: TaskDomain, rows: np.ndarray) -> TaskDomain:
    """Return some inputs of a domain, their strata numbered anew."""
    _, stratum = np.unique(domain.stratum[rows], return_inverse=True)
    return TaskDomain(domain.tokens[rows], False, stratum, domain.length[rows])


class PairSource:
    """Pairs of some inputs of a task, for any of its variables.

    Args:
        task: whose program says what an interchange does.
        inputs: bases and sources are drawn from here, evenly over lengths and answers.
        rng: draws them.
    """

    def __init__(self, task: Task, inputs: TaskDomain, rng: np.random.Generator) -> None:
        self._model = HighLevelModel(task.compiled)
        codec = task.compiled.model.codec
        rows = np.stack([inputs.draw_rows(CANDIDATES, rng) for _ in range(2)])
        base, source = inputs.tokens[rows[:, rows[0] != rows[1]]]
        here = rng.random(base.shape) < rng.uniform(_LEAST_SHARE, _MOST_SHARE, (len(base), 1))
        here[::2] = True
        self.base, self.source = base, source
        self.real = codec.is_real(base)
        self.where = here & self._model.exchangeable(base, source)

    @cached_property
    def _answers(self) -> tuple[np.ndarray, np.ndarray]:
        return self._model.output(self.base), self._model.output(self.source)

    @cached_property
    def _coefficients(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        base, source = map(self._model.coefficients, (self.base, self.source))
        return dict(base), dict(source)

    @cached_property
    def _values(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        return self._model.values(self.base), self._model.values(self.source)

    def pairs(self, variable: str, size: int) -> tuple[VariablePairs, Int[np.ndarray, " pairs"]]:
        """Return at most so many pairs for a variable, and the kind of each.

        Args:
            variable: its name in the program.
            size: how many pairs; fewer where not as many can be told.

        Returns:
            The pairs, kinds by turns, so that the first of them are as mixed as all; and kinds.
        """
        base, source = self._coefficients
        found = self._model.override(base, {variable: Override(source[variable], self.where)})
        told = np.flatnonzero((found.defined | ~self.real).all(axis=1) & self.where.any(axis=1))
        kinds = self._kinds(found.answers)[told]
        chosen = _by_turns(kinds)[:size]
        rows = told[chosen]
        base_values, source_values = (values[variable] for values in self._values)
        pairs = VariablePairs(
            self.base, self.source, base_values, source_values, self.where, found.answers
        ).take(rows)
        for array in vars(pairs).values():
            array.setflags(write=False)
        return pairs, kinds[chosen]

    def _kinds(self, answers: np.ndarray) -> np.ndarray:
        """Return the kind of each candidate, from what its answers become."""
        base, source = self._answers
        kept = ((answers == base) | ~self.real).all(axis=1)
        swapped = np.where(self.where, source, base)
        as_source = ((answers == swapped) | ~self.real).all(axis=1)
        return np.where(kept, KEPT, np.where(as_source, AS_SOURCE, OWN))


def _by_turns(kinds: np.ndarray) -> np.ndarray:
    """Return the places of pairs, one of each kind after the other as long as there are any."""
    turn = np.zeros(len(kinds), dtype=np.int64)
    for kind in (KEPT, AS_SOURCE, OWN):
        turn[kinds == kind] = np.arange((kinds == kind).sum())
    return np.argsort(turn, kind="stable")
