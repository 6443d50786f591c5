"""Token ids: the form in which inputs are given: BOS, at least one token, then padding."""

import numpy as np
from jaxtyping import Bool

from ..compiler.model import Codec
from ..errors import InputError, listing


def well_formed(codec: Codec, tokens: np.ndarray) -> Bool[np.ndarray, " rows"]:
    """Return which rows are BOS, a sequence and padding.

    Args:
        codec: of the model.
        tokens: integers `[rows, max_length + 1]`.
    """
    real = (tokens >= 0) & codec.is_real(tokens)
    framed = np.where(real, tokens, codec.pad)
    framed[:, 0] = codec.bos
    length = real[:, 1:].sum(axis=1, keepdims=True)
    misplaced = real[:, 1:] != (np.arange(codec.max_length) < length)
    return (tokens == framed).all(axis=1) & ~misplaced.any(axis=1) & (length[:, 0] > 0)


def check_token_ids(codec: Codec, tokens: object, what: str = "Token ids") -> None:
    """Refuse token ids that are not BOS, a sequence and padding.

    Args:
        codec: of the model.
        tokens: whatever is given as token ids.
        what: they are, as a message begins with it.

    Raises:
        InputError: with every row that is not.
    """
    n = codec.max_length
    if not isinstance(tokens, np.ndarray) or tokens.dtype.kind not in "iu" or tokens.ndim != 2:
        got = f"{tokens.dtype} {list(tokens.shape)}" if isinstance(tokens, np.ndarray) else tokens
        raise InputError(
            f"{what} must be an array of integers with a row for each input, got {got}; encode "
            "sequences with Codec.encode"
        )
    if tokens.shape[1] != n + 1:
        raise InputError(
            f"{what} must have {n + 1} columns, BOS and {n} positions, got {tokens.shape[1]}; "
            "encode sequences with Codec.encode"
        )
    wrong = np.flatnonzero(~well_formed(codec, tokens))
    if len(wrong):
        problems = [f"row {row}: got {tokens[row].tolist()}" for row in wrong]
        heading = (
            f"{what} must be BOS ({codec.bos}), at least one token (0 to {codec.bos - 1}), then "
            f"padding ({codec.pad}); encode sequences with Codec.encode:"
        )
        raise InputError(listing(heading, problems))
