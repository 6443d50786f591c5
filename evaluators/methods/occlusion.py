"""Occlusion: a token is replaced, and the logits are watched.

Zeiler and Fergus 2014, arXiv:1311.2901, for patches of images; Li, Monroe and Jurafsky 2016,
arXiv:1612.08220, for words. A token gives way to other tokens of the vocabulary, one at a time,
and not to a blank, which would change the length of the sequence. What is watched is how far the
logits move, which works for classes and for numbers alike. Scores have no sign.

A move below the tolerance with which logits are decoded is rounding, and counts as none.
"""

import numpy as np
from jaxtyping import Float

from ...compiler.model import TIE_TOLERANCE
from ..attribution_problem import AttributionProblem
from .distinct_runs import logits_of

MOST_SUBSTITUTES = 16
"""A token is replaced by all others of the vocabulary, or by as many as this, drawn evenly."""


def occlusion(
    problem: AttributionProblem,
) -> Float[np.ndarray, "rows output_position input_position"]:
    """Return the mean distance that replacing a token moves the logits at each position."""
    tokens = problem.tokens
    n_tokens = len(problem.model.codec.tokens)
    rows, places = np.nonzero(problem.real)
    shifts = _shifts(n_tokens, len(rows))
    substituted = np.repeat(tokens[rows][:, None], shifts.shape[1], axis=1)
    own = tokens[rows, places][:, None]
    substituted[np.arange(len(rows)), :, places] = (own + shifts) % n_tokens
    before = logits_of(problem.model, tokens)[rows][:, None]
    after = logits_of(problem.model, substituted.reshape(-1, tokens.shape[1]))
    moved = np.linalg.norm(after.reshape(*substituted.shape, -1) - before, axis=-1)
    scores = np.zeros(problem.answer_shape)
    scores[rows, :, places] = np.where(moved < TIE_TOLERANCE, 0.0, moved).mean(axis=1)
    return scores


def _shifts(n_tokens: int, n_cases: int) -> np.ndarray:
    """Return by how much the id of each token is moved on, `[case, substitute]`, none twice."""
    others = np.arange(1, n_tokens)
    if len(others) <= MOST_SUBSTITUTES:
        return np.broadcast_to(others, (n_cases, len(others)))
    rng = np.random.default_rng(0)
    every = np.broadcast_to(others, (n_cases, len(others)))
    return rng.permuted(every, axis=1)[:, :MOST_SUBSTITUTES]
