"""Sampled Shapley values: tokens are put back in random order, and the answer is watched.

Permutation sampling after Castro, Gomez and Tejada 2009, "Polynomial calculation of the Shapley
value based on sampling", and Strumbelj and Kononenko 2010, "An efficient explanation of
individual classifications using game theory". The game is the one by which the track defines
its labels, and is played on the model: some tokens are kept, the others are drawn evenly from
the vocabulary, and the gain is whether the decoded answer is that of the whole input. So the
estimate is without bias, and what it lacks is samples. A positive score keeps the answer.
"""

import numpy as np
from jaxtyping import Float

from ..attribution_problem import AttributionProblem
from .distinct_runs import logits_of

SAMPLES = 128
"""How many orders are drawn for each input."""
_INPUTS_AT_ONCE = 2**18


def sampled_shapley(
    problem: AttributionProblem,
) -> Float[np.ndarray, "rows output_position input_position"]:
    """Return the mean gain at each position from putting each token back."""
    rng = np.random.default_rng(0)
    scores = np.zeros(problem.answer_shape)
    step = max(1, _INPUTS_AT_ONCE // (SAMPLES * problem.tokens.shape[1]))
    for start in range(0, len(scores), step):
        some = slice(start, start + step)
        scores[some] = _gains(problem, problem.tokens[some], rng)
    return scores


def _gains(problem: AttributionProblem, tokens: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the mean gains for some inputs, `[rows, output position, input position]`."""
    codec = problem.model.codec
    real = codec.is_real(tokens)
    n_rows, n_positions = tokens.shape
    shape = (n_rows, SAMPLES, n_positions)
    drawn = np.where(real[:, None], rng.integers(len(codec.tokens), size=shape), tokens[:, None])
    turn = _turns(np.broadcast_to(real[:, None], shape), rng)
    steps = np.arange(n_positions)  # BOS has no turn, so that there is a step less than positions
    kept = turn[:, :, None, :] < steps[:, None]
    mixed = np.where(kept, tokens[:, None, None], drawn[:, :, None])
    answers = codec.decode_ids(logits_of(problem.model, mixed.reshape(-1, n_positions)))
    own = codec.decode_ids(logits_of(problem.model, tokens))
    same = answers.reshape(*shape, n_positions) == own[:, None, None]
    gains = np.diff(same.astype(np.int8), axis=2)  # by step: what the token put back brought
    step_of = np.minimum(turn, n_positions - 2)[..., None]  # BOS and padding get any number
    return np.take_along_axis(gains, step_of, axis=2).mean(axis=1).swapaxes(1, 2)


def _turns(real: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return when each token is put back, from 0, in orders drawn evenly; BOS and padding last."""
    late = np.where(real, rng.random(real.shape), 2.0)
    return late.argsort(axis=-1).argsort(axis=-1)
