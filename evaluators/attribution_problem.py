"""The problem of the `attribution` track, and the answer to it.

The problem is what a tool sees: a model, and inputs to explain. It holds no label, no program,
no source map and no seed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int

from ..compiler.model import Model
from ..errors import AnswerError, listing
from ..ground_truth import Task, TaskDomain
from ..ground_truth.interchange_pairs import spread_rows
from .real_numbers import why_not_real

N_ROWS = 128
"""How many inputs are to be explained, where the domain has as many."""


@dataclass(frozen=True, eq=False)
class AttributionProblem:
    """Which input tokens does the answer at each position depend on?

    Attributes:
        model: weights and codec.
        tokens: token ids of the inputs to explain, no two alike: BOS first, then the sequence,
            then padding.
    """

    model: Model
    tokens: Int[np.ndarray, "rows position"]

    @classmethod
    def of(cls, task: Task, *, seed: int = 0, n_rows: int = N_ROWS) -> "AttributionProblem":
        """Return the problem that a task poses; see `drawn`."""
        return cls.drawn(task.compiled.model, task.domain, seed=seed, n_rows=n_rows)

    @classmethod
    def drawn(
        cls, model: Model, domain: TaskDomain, *, seed: int = 0, n_rows: int = N_ROWS
    ) -> "AttributionProblem":
        """Return the problem that a model poses on some inputs.

        They are drawn without replacement, evenly over lengths, and within a length evenly
        over the answers that they lead to.

        Args:
            model: weights and codec.
            domain: says which inputs there are.
            seed: draws them.
            n_rows: how many; a domain that has fewer is taken whole.
        """
        order = np.random.default_rng([seed, 8]).permutation(len(domain.tokens))
        drawn = order[spread_rows(domain.length[order], domain.stratum[order], n_rows)]
        tokens = domain.tokens[drawn]
        tokens.setflags(write=False)
        return cls(model, tokens)

    @property
    def real(self) -> Bool[np.ndarray, "rows position"]:
        """Which positions hold a token of the sequence: not BOS, not padding."""
        return self.model.codec.is_real(self.tokens)

    @property
    def answer_shape(self) -> tuple[int, int, int]:
        """The shape of an answer: rows, output positions, input positions."""
        n_rows, n_positions = self.tokens.shape
        return n_rows, n_positions, n_positions


Attribution = Float32[np.ndarray, "rows output_position input_position"]
"""How much each output owes to each token, by the positions of `AttributionProblem.tokens`."""


def checked_attribution(problem: AttributionProblem, answer: object) -> Attribution:
    """Return an answer as an array of float32, signs kept, and zero where nothing is measured.

    Numbers are rounded to float32, so that what is measured is what is kept on disk. What stands
    at BOS and at padding, as output or as input, is not looked at and can be anything, NaN too.

    Raises:
        AnswerError: the answer is no array of real numbers, has another shape, or is not finite
            at some pair of tokens; every problem is listed.
    """
    try:
        given = np.asarray(answer)
    except Exception as error:
        raise _refused(problem, [f"it is no array: {type(error).__name__}: {error}"]) from error
    problems = [why] if (why := why_not_real(answer, given)) else []
    if given.shape != problem.answer_shape:
        problems.append(f"it must have the shape {problem.answer_shape}, got {given.shape}")
    if problems:
        raise _refused(problem, problems)
    real = problem.real
    pairs = real[:, :, None] & real[:, None, :]
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and told below
        rounded = np.where(pairs, given, 0).astype(np.float32)
    places = np.argwhere(~np.isfinite(rounded)).tolist()
    problems = [
        f"row {row}, output position {output}, input position {place}: must be finite in float32, "
        f"got {given[row, output, place]}"
        for row, output, place in places
    ]
    if problems:
        raise _refused(problem, problems)
    return rounded


def _refused(problem: AttributionProblem, problems: list[Any]) -> AnswerError:
    return AnswerError(
        listing(
            "The answer must be a float array [rows, output position, input position], its "
            "positions those of problem.tokens, BOS and padding counted, as "
            f"np.zeros({problem.answer_shape}) is:",
            problems,
        )
    )
