r"""Token relevance: which input tokens the answer of a program depends on, and by how much.

Everything here comes from the interpreter; no weights are looked at, so it holds for every
model that computes the program. For an input `x` of `l` tokens, an output position `t` and an
input position `i`:

* the **sensitivity** says whether some other token at `i` alone changes the answer at `t`;
* the **Shapley value** of `i` shares `1 - v({})` out among the positions, where `v(S)` is the
  probability that the answer at `t` stays the same when the tokens at the positions `S` are
  kept and the others are drawn from the vocabulary, uniformly and independently; the length is
  kept too (Shapley, "A value for n-person games", 1953; as a measure of what a prediction owes
  to each input Lundberg and Lee, "A unified approach to interpreting model predictions", 2017,
  arXiv:1705.07874, where the others follow the data).

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
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float, Int

from ..compiler.interpreter import interpret
from ..compiler.model import Codec
from ..compiler.program import Program, ancestors
from ..errors import InputError, listing

SEQUENCE_LIMIT = 2**20
"""Shapley values are computed up to this many sequences of the greatest length."""

_INTERPRETER_BYTES = 2**25
_COUNT_ELEMENTS = 2**22

TokenIds = Int[np.ndarray, "rows n_ctx"]


@dataclass(frozen=True, eq=False)
class Relevance:
    """The relevance of every input token for every answer.

    Positions are those of the sequence, the first token after BOS being 0; `n` is the
    greatest length. Whatever concerns a position of padding is false or zero.

    Attributes:
        lengths: how many tokens each input has.
        sensitivity: whether another token alone changes the answer, by row, output position
            and input position.
        shapley: the Shapley values in [-1, 1] with the same axes; they sum to `1 - baseline`
            over the input positions. `None` where there are too many sequences.
        baseline: the probability, by row and output position, that the answer stays the same
            when all tokens are drawn. `None` where `shapley` is.
        omitted: empty, or why there are no Shapley values.
    """

    lengths: Int[np.ndarray, " rows"]
    sensitivity: Bool[np.ndarray, "rows n n"]
    shapley: Float[np.ndarray, "rows n n"] | None
    baseline: Float[np.ndarray, "rows n"] | None
    omitted: str

    @property
    def real(self) -> Bool[np.ndarray, "rows n"]:
        """Which positions hold a token."""
        return np.arange(self.sensitivity.shape[1]) < self.lengths[:, None]

    @property
    def rankable(self) -> Bool[np.ndarray, "rows n"]:
        """By row and output position, whether some input positions matter and some do not.

        Where all of them matter, or none does, there is nothing to rank.
        """
        n_sensitive = self.sensitivity.sum(axis=2)
        return (n_sensitive > 0) & (n_sensitive < self.lengths[:, None]) & self.real

    @property
    def n_rankable(self) -> int:
        """The number of answers whose input positions can be ranked: see `rankable`."""
        return int(self.rankable.sum())

    @property
    def n_excluded(self) -> int:
        """The number of answers that are left out of ranking metrics."""
        return int(self.real.sum()) - self.n_rankable


def relevance(program: Program, codec: Codec, tokens: TokenIds) -> Relevance:
    """Return the relevance of every token of some inputs for every answer of a program.

    Answers are compared as the codec numbers them: `None` is an answer like any other, a
    number is the value that it is decoded to, and several outputs are one answer.

    Args:
        program: what is asked about.
        codec: how its inputs are encoded and its answers numbered.
        tokens: token ids, BOS first, then the sequence, then padding.

    Raises:
        InputError: a row is not of that form.

    Example:
        Whether the first token is the second: at position 1 either token decides it, and
        keeping one of them alone does not help.

        >>> from glassbench.compiler import compile_program, rasp
        >>> at_start = rasp.Select(rasp.indices, rasp.Full(0), rasp.Comparison.EQ)
        >>> first = rasp.Aggregate(at_start, rasp.tokens)
        >>> compiled = compile_program(
        ...     rasp.SequenceMap(lambda x, y: x == y, rasp.tokens, first), "abcd", max_length=2
        ... )
        >>> codec = compiled.model.codec
        >>> found = relevance(compiled.program, codec, codec.encode(["aa"]))
        >>> found.shapley[0].tolist(), found.baseline[0].tolist()
        ([[0.0, 0.0], [0.375, 0.375]], [1.0, 0.25])
    """
    _check_form(codec, tokens)
    lengths = codec.is_real(tokens).sum(axis=1)
    sensitive = sensitivity(program, codec, tokens)
    n_tokens, n = len(program.vocabulary), program.max_length
    if n_tokens**n > SEQUENCE_LIMIT:
        omitted = (
            f"there are no Shapley values, since {n_tokens} tokens form more than "
            f"{SEQUENCE_LIMIT:,} sequences of length {n}"
        )
        return Relevance(lengths, sensitive, None, None, omitted)
    shapley = np.zeros((len(tokens), n, n))
    baseline = np.zeros((len(tokens), n))
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        answers = answer_table(program, codec, length)
        sequences = tokens[rows, 1 : length + 1]
        values, kept = shapley_values(answers, n_tokens, sequences)
        shapley[rows, :length, :length] = values
        baseline[rows, :length] = kept
    return Relevance(lengths, sensitive, shapley, baseline, "")


def sensitivity(
    program: Program, codec: Codec, tokens: TokenIds
) -> Bool[np.ndarray, "rows output_position input_position"]:
    """Return whether some other token at a position alone changes an answer, by substitution.

    Arguments are those of `relevance`. BOS is left out, and padding is false.
    """
    real = codec.is_real(tokens)[:, 1:]
    n_tokens = len(program.vocabulary)
    own = np.empty(real.shape, dtype=np.int64)
    for some in _interpreter_chunks(program, len(tokens), real.shape[1]):
        own[some] = _answers(program, codec, tokens[some])
    found = np.zeros((*real.shape, real.shape[1]), dtype=bool)
    rows, places = np.nonzero(real)
    for some in _interpreter_chunks(program, len(rows) * (n_tokens - 1), real.shape[1]):
        which, shift = np.divmod(np.arange(some.start, some.stop), n_tokens - 1)
        row, place = rows[which], places[which]
        substituted = tokens[row]
        here = np.arange(len(row)), place + 1
        substituted[here] = (substituted[here] + shift + 1) % n_tokens
        changed = (_answers(program, codec, substituted) != own[row]) & real[row]
        case, output = np.nonzero(changed)
        found[row[case], output, place[case]] = True
    return found


def answer_table(
    program: Program, codec: Codec, length: int
) -> Int[np.ndarray, "length sequences"]:
    """Return the answers at each position to all sequences of a length, in lexicographic order.

    Answers are numbered as by `Codec.answer_ids`, in the smallest dtype that holds them.
    """
    n_tokens = len(program.vocabulary)
    n_sequences = n_tokens**length
    n_answers = math.prod(len(readout.values) + 1 for readout in codec.readouts)
    table = np.empty((length, n_sequences), dtype=np.min_scalar_type(-n_answers))
    for some in _interpreter_chunks(program, n_sequences, length):
        tokens = np.full((some.stop - some.start, length + 1), codec.bos, dtype=np.int64)
        tokens[:, 1:] = _digits(n_tokens, length, some)
        table[:, some] = _answers(program, codec, tokens).T
    return table


def shapley_values(
    answers: Int[np.ndarray, "length sequences"],
    n_tokens: int,
    sequences: Int[np.ndarray, "rows length"],
) -> tuple[Float[np.ndarray, "rows length length"], Float[np.ndarray, "rows length"]]:
    """Return exact Shapley values of the tokens of some sequences, and the baselines.

    Args:
        answers: the answers to all sequences of that length: see `answer_table`.
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
    first, second = _digits(n_tokens, split), _digits(n_tokens, length - split)
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


def _answers(program: Program, codec: Codec, tokens: np.ndarray) -> np.ndarray:
    """Return the answers to token ids, int64 `[rows, position]` without BOS."""
    values = interpret(program, tokens, program.outputs).values
    return codec.answer_ids([values[place] for place in program.outputs])


def _digits(n_tokens: int, length: int, some: slice | None = None) -> np.ndarray:
    """Return sequences of a length in lexicographic order, int64 `[sequences, length]`."""
    some = some or slice(0, n_tokens**length)
    powers = n_tokens ** np.arange(length - 1, -1, -1)
    return np.arange(some.start, some.stop)[:, None] // powers % n_tokens


def _interpreter_chunks(program: Program, n_rows: int, length: int) -> Iterator[slice]:
    """Yield slices of inputs whose values take a bounded space in the interpreter.

    A selector takes a byte for each pair of positions, any other node eight for each position,
    and both are kept to the end; a condition needs some 16 for each pair while it is evaluated.
    """
    n_nodes = len(ancestors(program, *program.outputs))
    step = max(1, _INTERPRETER_BYTES // (length * (length + 8) * n_nodes + 16 * length**2))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def _row_chunks(rows: np.ndarray, first: np.ndarray, second: np.ndarray) -> Iterator[np.ndarray]:
    """Yield some of the rows at a time, so that the tables of their halves are small."""
    size = sum(len(half) * (half.shape[1] + 1) ** 2 for half in (first, second))
    step = max(1, _COUNT_ELEMENTS // size)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _check_form(codec: Codec, tokens: np.ndarray) -> None:
    """Refuse token ids that are not BOS, a sequence and padding.

    Raises:
        InputError: with every row that is not.
    """
    n = codec.max_length
    if tokens.shape[1] != n + 1:
        raise InputError(
            f"token ids must have {n + 1} columns, BOS and {n} positions, got {tokens.shape[1]}; "
            "encode sequences with Codec.encode"
        )
    real = (tokens >= 0) & codec.is_real(tokens)
    framed = np.where(real, tokens, codec.pad)
    framed[:, 0] = codec.bos
    length = real[:, 1:].sum(axis=1, keepdims=True)
    misplaced = real[:, 1:] != (np.arange(n) < length)
    wrong = (tokens != framed).any(axis=1) | misplaced.any(axis=1) | (length[:, 0] == 0)
    if wrong.any():
        problems = [f"row {row}: got {tokens[row].tolist()}" for row in np.flatnonzero(wrong)]
        heading = (
            f"Token ids must be BOS ({codec.bos}), at least one token (0 to {codec.bos - 1}), then "
            f"padding ({codec.pad}); encode sequences with Codec.encode:"
        )
        raise InputError(listing(heading, problems))
