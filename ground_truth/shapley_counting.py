r"""Shapley counting: exact Shapley values of tokens, from the answers to all sequences.

For an input `x` of `l` tokens, an output position `t` and an input position `i`; `relevance`
says what the game `v` is.

**One pass over the sequences instead of one for each coalition.** Let `V` be the number of
tokens, `z` any of the `V^l` sequences and `M(z)` the positions at which it agrees with `x`. A
draw that keeps `S` is one of the `V^(l - |S|)` sequences with `S` in `M(z)`, all as likely, so

    v(S) = sum over z with answer_t(z) = answer_t(x) and S in M(z) of V^-(l - |S|).

The Shapley value is the sum over the coalitions `S` without `i` of `w(|S|) (v(S + i) - v(S))`
with `w(s) = s! (l - s - 1)! / l!`. Insert `v` and exchange the two sums. A sequence `z` with
the same answer, `m = |M(z)|`, adds to `v(S)` for every `S` in `M(z)`, and to `v(S + i)` if also
`i` is in `M(z)`. Of the coalitions of size `s` in `M(z)` without `i` there are `C(m - 1, s)` if
`i` is in `M(z)`, else `C(m, s)`. Hence `z` adds to the value of `i`

    alpha(m) =  sum over s of C(m - 1, s) w(s) (V^-(l - s - 1) - V^-(l - s))    if i in M(z),
    beta(m)  = -sum over s of C(m, s) w(s) V^-(l - s)                           otherwise,

which depend on `z` by `m` alone. So it is enough to count the sequences with the same answer
by `m` (`T[m]`), and those among them that agree with `x` at `i` (`N[m, i]`):

    value of i = sum over m of alpha(m) N[m, i] + beta(m) (T[m] - N[m, i]).

**Counting is two products of matrices.** Split the positions into a first and a second half,
and `m` into the agreements in each. `same`, zero or one, is a matrix with a row for each first
half of a sequence and a column for each second half. Its product with the table that says
which second half has how many agreements counts, for each first half, the sequences by
agreements in the second; those are then sorted by what the first half has. The other half of
the positions follows from the transpose. Inputs with the same answer at `t` have the same matrix,
so their tables stand side by side in one product.

**The same bytes everywhere.** All products are of numbers zero and one and of counts up to
`V^l <= 2^20`, of which float32 holds every partial sum exactly, in whatever order and with
whatever fused operations a BLAS adds them. `alpha` and `beta` are made as rationals and scaled
to whole numbers by their common denominator, which divides `lcm(1..l) V^l`; the sum over `m` is
one of int64. Numerator and denominator are below 2^53, so the value is the result of one
division of float64 numbers that are exact: the nearest float64 to the exact Shapley value.
"""

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from jaxtyping import Float, Int

SEQUENCE_LIMIT = 2**20
"""Shapley values are computed up to this many sequences of the greatest length."""

_COUNT_ELEMENTS = 2**22


def shapley_values(
    answers: Int[np.ndarray, "length sequences"],
    n_tokens: int,
    sequences: Int[np.ndarray, "rows length"],
) -> tuple[Float[np.ndarray, "rows length length"], Float[np.ndarray, "rows length"]]:
    """Return exact Shapley values of the tokens of some sequences, and the baselines.

    Args:
        answers: the answers to all sequences of that length: see `relevance.answer_table`.
        n_tokens: the size of the vocabulary.
        sequences: token ids, without BOS and padding.

    Returns:
        The values, by row, output position and input position, and the probability that the
        answer stays the same when all tokens are drawn.
    """
    n_rows, length = sequences.shape
    n_sequences = n_tokens**length
    assert answers.shape == (length, n_sequences)
    assert n_sequences <= SEQUENCE_LIMIT, "float32 must hold every count"
    own = answers[:, sequences @ n_tokens ** np.arange(length - 1, -1, -1)].T
    kept = np.zeros((n_rows, length, length + 1, length), dtype=np.int64)
    total = np.zeros((n_rows, length, length + 1), dtype=np.int64)
    split = length // 2
    first, second = (
        sequences_in_order(n_tokens, split),
        sequences_in_order(n_tokens, length - split),
    )
    same = np.empty((len(first), len(second)), dtype=np.float32)
    for output in range(length):
        table = answers[output].reshape(same.shape)
        for answer in np.unique(own[:, output]):
            np.equal(table, answer, out=same)
            for rows in _row_chunks(np.flatnonzero(own[:, output] == answer), first, second):
                x = sequences[rows, None]
                agreements = x[..., :split] == first, x[..., split:] == second
                total[rows, output], kept[rows, output] = _counts(same, *agreements)
    alpha, beta, denominator = _coefficients(n_tokens, length)
    # What alpha multiplies sums to at most one before it is scaled, and what beta does as well.
    assert 2 * denominator < 2**53
    shares = alpha[:, None] * kept + beta[:, None] * (total[..., None] - kept)
    return shares.sum(axis=2) / denominator, total.sum(axis=2) / n_sequences


def _counts(
    same: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many sequences have the same answer as some inputs, by their agreements.

    Args:
        same: which sequences have it, 0 or 1, float32 `[first half, second half]`.
        first: where a first half agrees, bool `[rows, first half, position]`.
        second: where a second half agrees, bool `[rows, second half, position]`.

    Returns:
        `T[m]`, `[rows, length + 1]`, and `N[m, i]`, `[rows, length + 1, length]`.
    """
    halves = _by_agreements(first), _by_agreements(second)
    left = _sorted_by_half(_summed(same, halves[1]), first, halves[0])
    right = _sorted_by_half(_summed(same.T, halves[0]), second, halves[1])
    return left[..., -1], np.concatenate([left[..., :-1], right[..., :-1]], axis=2)


def _by_agreements(agrees: np.ndarray) -> np.ndarray:
    """Return the one-hot of the number of agreements, float32 `[rows, half, number]`."""
    numbers = np.arange(agrees.shape[2] + 1)
    return (agrees.sum(axis=2)[..., None] == numbers).astype(np.float32)


def _summed(same: np.ndarray, by_number: np.ndarray) -> np.ndarray:
    """Return `same` times each row's `[other half, number]`, as one product of two matrices."""
    n_rows, size, n_numbers = by_number.shape
    product = same @ by_number.swapaxes(0, 1).reshape(size, n_rows * n_numbers)
    return product.reshape(len(same), n_rows, n_numbers).swapaxes(0, 1)


def _sorted_by_half(counts: np.ndarray, agrees: np.ndarray, by_number: np.ndarray) -> np.ndarray:
    """Return the counts of sequences by all agreements, split by where one half agrees.

    Args:
        counts: float32 `[rows, half, agreements in the other half]`.
        agrees: where the half agrees, bool `[rows, half, position]`.
        by_number: the one-hot of how often it does, `[rows, half, agreements in the half]`.

    Returns:
        float32 `[rows, agreements, position + 1]`: at each position those that agree there,
        and in the last place all of them.
    """
    n_rows, size, n_other = counts.shape
    n_own = by_number.shape[2]
    columns = np.concatenate([agrees, np.ones((n_rows, size, 1), dtype=bool)], axis=2)
    split = (by_number[..., None] * columns[:, :, None, :]).reshape(n_rows, size, -1)
    joint = (split.swapaxes(1, 2) @ counts).reshape(n_rows, n_own, -1, n_other)
    found = np.zeros((n_rows, n_own + n_other - 1, columns.shape[2]), dtype=np.float32)
    for other in range(n_other):
        found[:, other : other + n_own] += joint[..., other]
    return found


def _coefficients(n_tokens: int, length: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return alpha and beta for each number of agreements, as int64 over one denominator."""

    def weight(size: int, drawn: int) -> Fraction:
        return Fraction(1, length * math.comb(length - 1, size) * n_tokens**drawn)

    def alpha(m: int) -> Fraction:
        terms = (
            math.comb(m - 1, s) * (weight(s, length - s - 1) - weight(s, length - s))
            for s in range(m)
        )
        return sum(terms, Fraction(0))

    def beta(m: int) -> Fraction:
        if m == length or n_tokens == 1:  # No sequence agrees so often and differs somewhere.
            return Fraction(0)
        terms = (math.comb(m, s) * weight(s, length - s) for s in range(m + 1))
        return -sum(terms, Fraction(0))

    both = [[side(m) for m in range(length + 1)] for side in (alpha, beta)]
    denominator = math.lcm(*(one.denominator for side in both for one in side))
    alphas, betas = np.array([[int(one * denominator) for one in side] for side in both])
    return alphas, betas, denominator


def sequences_in_order(n_tokens: int, length: int, some: slice | None = None) -> np.ndarray:
    """Return sequences of a length in lexicographic order, int64 `[sequences, length]`."""
    some = some or slice(0, n_tokens**length)
    powers = n_tokens ** np.arange(length - 1, -1, -1)
    return np.arange(some.start, some.stop)[:, None] // powers % n_tokens


def _row_chunks(rows: np.ndarray, first: np.ndarray, second: np.ndarray) -> Iterator[np.ndarray]:
    """Yield some of the rows at a time, so that the tables of their halves are small."""
    size = sum(len(half) * (half.shape[1] + 1) ** 2 for half in (first, second))
    step = max(1, _COUNT_ELEMENTS // size)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
