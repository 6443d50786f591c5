"""Effort: how much work a program of someone else may take until it is known what it means.

A short text can stand for a program that never ends to be read: loops in loops, functions that
call themselves twice, tables of all pairs of large variables. Work is counted in entries of
tables, never in seconds, so that a program that is refused here is refused everywhere.
"""

import math

from ..errors import EffortError

STEP = 16
"""What it counts to find what a part of a text stands for."""


class Effort:
    """Work that is left to be spent; it is used up once.

    Args:
        allowed: how many entries of tables may be made; without end by default.

    Example:
        >>> effort = Effort(100)
        >>> effort.spend(60)
        >>> effort.spend(60)
        Traceback (most recent call last):
        ...
        glassbench.errors.EffortError: The program takes too much work: ...
    """

    def __init__(self, allowed: float = math.inf) -> None:
        self._allowed = allowed
        self._spent = 0

    def spend(self, entries: int) -> None:
        """Count work that is about to be done.

        Raises:
            EffortError: it is more than what is left.
        """
        self._spent += entries
        if self._spent > self._allowed:
            raise EffortError(
                f"The program takes too much work: all of its functions together must have at most "
                f"{self._allowed:,} entries as tables, a step of reading counting as {STEP}. Use "
                "fewer or shorter loops, and variables of fewer values."
            )
