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
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ..compiler.interpreter import interpret
from ..compiler.model import Codec
from ..compiler.program import Program
from .bounded_interpretation import slices_that_fit
from .shapley_counting import SEQUENCE_LIMIT, sequences_in_order, shapley_values
from .token_ids import check_token_ids

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
    check_token_ids(codec, tokens)
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
    for some in slices_that_fit(program, len(tokens), real.shape[1], program.outputs):
        own[some] = _answers(program, codec, tokens[some])
    found = np.zeros((*real.shape, real.shape[1]), dtype=bool)
    rows, places = np.nonzero(real)
    for some in slices_that_fit(
        program, len(rows) * (n_tokens - 1), real.shape[1], program.outputs
    ):
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
    for some in slices_that_fit(program, n_sequences, length, program.outputs):
        tokens = np.full((some.stop - some.start, length + 1), codec.bos, dtype=np.int64)
        tokens[:, 1:] = sequences_in_order(n_tokens, length, some)
        table[:, some] = _answers(program, codec, tokens).T
    return table


def _answers(program: Program, codec: Codec, tokens: np.ndarray) -> np.ndarray:
    """Return the answers to token ids, int64 `[rows, position]` without BOS."""
    values = interpret(program, tokens, program.outputs).values
    return codec.answer_ids([values[place] for place in program.outputs])
