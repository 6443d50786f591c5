"""Model: weights with the vocabulary that encodes inputs and decodes outputs.

This is the public face of a transformer: what a tool may see. It carries no
source map and no labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from ..errors import InputError, ProgramError, listing
from .domains import canonical
from .executor import run
from .values import Domain, Encoding, Value, as_argument
from .weights import Weights

NONE_THRESHOLD = 0.5
TIE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Readout:
    """How the logits tell the value of one output; its name is not for tools to see.

    Attributes:
        values: what it can be.
        encoding: categorical outputs have one logit per value, numerical outputs a
            single one that holds the number.
    """

    values: Domain
    encoding: Encoding

    @property
    def width(self) -> int:
        """The number of logits."""
        return 1 if self.encoding is Encoding.NUMERICAL else len(self.values)

    def decode_ids(
        self, logits: Float[np.ndarray, "batch position width"]
    ) -> Int[np.ndarray, "batch position"]:
        """Return the position in `values` of every decoded value, -1 for `None`.

        Categorical: the largest logit, `None` when none exceeds one half; of
        logits within 1e-6 of the largest the first wins, so that rounding never
        decides. Numerical: the nearest value, the lower of two as near.
        """
        if self.encoding is Encoding.NUMERICAL:
            numbers = self.values.numbers
            middles = numbers[:-1] + np.diff(numbers) * (0.5 + TIE_TOLERANCE)
            return np.searchsorted(middles, logits[..., 0])
        best = logits.max(axis=-1)
        ids = (logits >= best[..., None] - TIE_TOLERANCE).argmax(axis=-1)
        return np.where(best > NONE_THRESHOLD + TIE_TOLERANCE, ids, -1)


@dataclass(frozen=True)
class Codec:
    """Translates sequences of values into token ids, and logits into values.

    A model of several outputs answers with a tuple of their values at each position.

    Attributes:
        tokens: the vocabulary; the id of a token is its position here, BOS is
            `len(tokens)` and padding `len(tokens) + 1`.
        max_length: the longest sequence, BOS not counted.
        readouts: the outputs, in the order of their logits.
    """

    tokens: Domain
    max_length: int
    readouts: tuple[Readout, ...]

    @property
    def bos(self) -> int:
        """The token id of BOS."""
        return len(self.tokens)

    @property
    def pad(self) -> int:
        """The token id of padding."""
        return len(self.tokens) + 1

    @property
    def logit_slices(self) -> list[tuple[Readout, slice]]:
        """Each output with the place of its logits on their last axis."""
        ends = np.cumsum([readout.width for readout in self.readouts]).tolist()
        starts = [0, *ends[:-1]]
        return [
            (readout, slice(start, end))
            for readout, start, end in zip(self.readouts, starts, ends, strict=True)
        ]

    def encode(self, sequences: Sequence[Sequence[object]]) -> Int[np.ndarray, "batch position"]:
        """Return token ids `[batch, max_length + 1]`: BOS, the tokens, padding.

        Raises:
            InputError: a sequence is empty or too long or holds an unknown token.
        """
        problems = []
        known = {value: index for index, value in enumerate(self.tokens.values)}
        ids = np.full((len(sequences), self.max_length + 1), self.pad, dtype=np.int64)
        ids[:, 0] = self.bos
        for row, sequence in enumerate(sequences):
            if not isinstance(sequence, Sequence):
                problems.append(
                    f"sequence {row}: it must be a sequence of tokens, got {sequence!r}"
                )
                continue
            if not 1 <= len(sequence) <= self.max_length:
                problems.append(
                    f"sequence {row}: length must be 1 to {self.max_length}, got {len(sequence)}"
                )
                continue
            try:
                ids[row, 1 : len(sequence) + 1] = [known[canonical(token)] for token in sequence]
            except (KeyError, TypeError, ProgramError):
                shown = [as_argument(value) for value in self.tokens.values]
                unknown = [token for token in sequence if not _is_among(token, known)]
                problems.append(f"sequence {row}: tokens must be in {shown}, got {unknown}")
        if problems:
            raise InputError(listing("The model cannot read these inputs:", problems))
        return ids

    def sequence(self, tokens: Int[np.ndarray, " position"]) -> list[Value]:
        """Return the sequence of one row of token ids, without BOS and padding."""
        return [self.tokens.values[token] for token in tokens.tolist() if token < self.bos]

    def is_real(self, tokens: Int[np.ndarray, "batch position"]) -> np.ndarray:
        """Return which positions hold a token, bool `[batch, position]`: not BOS, not padding."""
        return tokens < self.bos

    def is_bos_or_real(self, tokens: Int[np.ndarray, "batch position"]) -> np.ndarray:
        """Return which positions hold BOS or a token, bool `[batch, position]`: not padding."""
        found = self.is_real(tokens)
        found[:, 0] = True
        return found

    def answer_ids(
        self, ids: Sequence[Int[np.ndarray, "batch position"]]
    ) -> Int[np.ndarray, "batch position"]:
        """Return one number for the values of all outputs; the same for the same values.

        Args:
            ids: for each output the positions of its values, -1 for `None`. With a
                single output they are the answer.
        """
        if len(ids) == 1:
            return np.asarray(ids[0])
        shape = tuple(len(readout.values) + 1 for readout in self.readouts)
        return np.ravel_multi_index(tuple(np.asarray(one) + 1 for one in ids), shape)

    def answer(self, answer_id: int | np.integer) -> Value:
        """Return the answer for a number that `answer_ids` or `decode_ids` gave."""
        values = tuple(
            None if place < 0 else readout.values.values[place]
            for readout, place in zip(
                self.readouts, self.ids_of(np.asarray(answer_id)), strict=True
            )
        )
        return values if len(values) > 1 else values[0]

    def decode_ids(
        self, logits: Float[np.ndarray, "batch position d_out"]
    ) -> Int[np.ndarray, "batch position"]:
        """Return the number of the answer at every position: see `answer_ids`."""
        return self.answer_ids(list(np.moveaxis(self.output_ids(logits), -1, 0)))

    def output_ids(
        self, logits: Float[np.ndarray, "batch position d_out"]
    ) -> Int[np.ndarray, "batch position output"]:
        """Return for each output the place of its value in `Readout.values`, -1 for `None`."""
        ids = [readout.decode_ids(logits[..., some]) for readout, some in self.logit_slices]
        return np.stack(ids, axis=-1)

    def answer_logits(
        self, ids: Int[np.ndarray, "*batch output"]
    ) -> Float[np.ndarray, "*batch d_out"]:
        """Return logits that stand for answers: one-hot, or the number; zeros for `None`.

        Args:
            ids: as `output_ids` gives them.
        """
        parts = []
        for place, readout in enumerate(self.readouts):
            own = ids[..., place]
            if readout.encoding is Encoding.NUMERICAL:
                parts.append(np.where(own < 0, 0.0, readout.values.numbers[own])[..., None])
            else:
                parts.append((own[..., None] == np.arange(readout.width)).astype(np.float64))
        return np.concatenate(parts, axis=-1)

    def answered_alike(
        self,
        given: Int[np.ndarray, "*several batch position"],
        expected: Int[np.ndarray, "*#several batch position"],
        tokens: Int[np.ndarray, "batch position"],
    ) -> Bool[np.ndarray, "*several batch"]:
        """Return for which sequences the answers are the same at every position of a token.

        Args:
            given: numbers of answers, as `decode_ids` gives them.
            expected: likewise.
            tokens: the ids of the sequences, from `encode`.
        """
        return np.asarray(((given == expected) | ~self.is_real(tokens)).all(axis=-1))

    def ids_of(self, answer_ids: Int[np.ndarray, "*batch"]) -> Int[np.ndarray, "*batch output"]:
        """Return the values of all outputs: the other way of `answer_ids`, outputs last."""
        if len(self.readouts) == 1:
            return np.asarray(answer_ids)[..., None]
        shape = tuple(len(readout.values) + 1 for readout in self.readouts)
        return np.stack(np.unravel_index(answer_ids, shape), axis=-1) - 1

    def decode(
        self, logits: Float[np.ndarray, "batch position d_out"], lengths: Sequence[int]
    ) -> list[list[Value]]:
        """Return the decoded answers at the real positions of every sequence."""
        found, places = np.unique(self.decode_ids(logits), return_inverse=True)
        answers = [self.answer(index) for index in found.tolist()]
        return [
            [answers[place] for place in row[1 : length + 1]]
            for row, length in zip(places.tolist(), lengths, strict=True)
        ]


def _is_among(token: object, known: Mapping[Value, int]) -> bool:
    """Whether a token, whatever it is, is one of the known ones."""
    try:
        return canonical(token) in known
    except (TypeError, ProgramError):
        return False


@dataclass(frozen=True, eq=False)
class Model:
    """A transformer with its codec, and nothing that tells how it works inside."""

    weights: Weights
    codec: Codec

    def __post_init__(self) -> None:
        """Make the arrays read-only: models are shared, and tools must not change them."""
        for _, array in self.weights.arrays():
            array.setflags(write=False)

    def __call__(self, sequence: Sequence[Value]) -> list[Value]:
        """Return the decoded output at every position of one sequence."""
        return self.apply([sequence])[0]

    def apply(self, sequences: Sequence[Sequence[Value]]) -> list[list[Value]]:
        """Return the decoded outputs of a batch of sequences, by the reference executor."""
        logits = run(self.weights, self.codec.encode(sequences)).logits
        return self.codec.decode(logits, [len(sequence) for sequence in sequences])

    def to_haiku(self, **options: Any) -> Any:
        """Return `(apply, params)`; options as in `compiler.hosts.haiku`."""
        from .hosts.haiku import to_haiku

        return to_haiku(self, **options)

    def to_torch(self, **options: Any) -> Any:
        """Return a plain `torch.nn.Module`; options as in `compiler.hosts.torch`."""
        from .hosts.torch import to_torch

        return to_torch(self, **options)

    def to_transformer_lens(self, **options: Any) -> Any:
        """Return a TransformerLens model; options as in `compiler.hosts.transformer_lens`."""
        from .hosts.transformer_lens import to_transformer_lens

        return to_transformer_lens(self, **options)
