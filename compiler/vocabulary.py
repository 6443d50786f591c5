"""Vocabulary: the tokens that a program is compiled for, checked."""

from collections.abc import Sequence

import numpy as np

from ..errors import ProgramError, listing
from .domains import canonical
from .values import Domain, Value


def checked_vocabulary(vocabulary: Sequence[Value], max_length: int) -> Domain:
    """Return the vocabulary as a domain.

    Args:
        vocabulary: the tokens, in any order.
        max_length: the longest input.

    Raises:
        ProgramError: tokens are missing, no values, or not all different, or the length is none;
            every problem is listed.
    """
    if not isinstance(vocabulary, Sequence):
        raise ProgramError(f"the vocabulary must be a sequence of tokens, got {vocabulary!r}")
    problems = []
    tokens = []
    for value in vocabulary:
        try:
            tokens.append(canonical(value))
        except ProgramError as error:
            problems.append(str(error))
    if len(vocabulary) == 0:
        problems.append("the vocabulary must hold at least one token, got none")
    if any(value is None for value in vocabulary):
        problems.append("None cannot be a token; choose another value to stand for it")
    if len(set(tokens)) < len(tokens):
        problems.append(f"tokens must differ from one another, got {list(vocabulary)}")
    is_count = isinstance(max_length, int | np.integer) and not isinstance(max_length, bool)
    if not is_count or max_length < 1:
        problems.append(f"the greatest length must be an integer of at least 1, got {max_length!r}")
    if problems:
        raise ProgramError(listing("The program's inputs are not well defined:", problems))
    return Domain.of(tokens)
