"""Input spaces: all token sequences of length 1 to n, or a stated sample of them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True)
class InputSpace:
    """All sequences of 1 to `max_length` of `n_tokens` tokens, as token ids.

    Rows are BOS (`n_tokens`), the tokens, then padding (`n_tokens + 1`) up to
    `max_length + 1` positions.
    """

    n_tokens: int
    max_length: int

    @property
    def size(self) -> int:
        """The number of sequences."""
        return sum(self.n_tokens**length for length in range(1, self.max_length + 1))

    def everything(self) -> Int[np.ndarray, "batch position"]:
        """Return every sequence, shorter ones first, in lexicographic order."""
        blocks = []
        for length in range(1, self.max_length + 1):
            count = self.n_tokens**length
            powers = self.n_tokens ** np.arange(length - 1, -1, -1)
            blocks.append(self._framed(np.arange(count)[:, None] // powers % self.n_tokens))
        return np.concatenate(blocks)

    def sample(self, size: int, seed: int) -> Int[np.ndarray, "batch position"]:
        """Return `size` random sequences, as many of each length as can be.

        Where there are fewer of them than lengths, those are spread from the longest down. Within
        a length tokens are uniform, with two thirds of the rows drawn from a random subset of the
        vocabulary, so that repeated tokens are not rare.
        """
        rng = np.random.default_rng(seed)
        lengths = np.arange(size) % self.max_length + 1
        if size < self.max_length:
            lengths = np.linspace(self.max_length, 1, size).round().astype(int)
        blocks = []
        for length in range(1, self.max_length + 1):
            count = int((lengths == length).sum())
            few = rng.integers(1, self.n_tokens + 1, size=(count, 1))
            few[::3] = self.n_tokens
            order = rng.permuted(np.tile(np.arange(self.n_tokens), (count, 1)), axis=1)
            picks = rng.integers(0, few, size=(count, length))
            blocks.append(self._framed(np.take_along_axis(order, picks, axis=1)))
        return np.concatenate(blocks)

    def all_or_sample(self, limit: int, seed: int) -> tuple[np.ndarray, bool]:
        """Return (token ids, whether they are all): everything up to `limit`, else a sample."""
        if self.size <= limit:
            return self.everything(), True
        return self.sample(limit, seed), False

    def _framed(self, tokens: np.ndarray) -> np.ndarray:
        """Return tokens `[batch, length]` with BOS before and padding after."""
        framed = np.full((len(tokens), self.max_length + 1), self.n_tokens + 1, dtype=np.int64)
        framed[:, 0] = self.n_tokens
        framed[:, 1 : tokens.shape[1] + 1] = tokens
        return framed
