"""Random draws: choices that come out the same on every machine and in every version.

The stream of a key is its sha256 in counter mode, since generators of libraries may
change what they draw from one version to the next.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draws:
    """A stream of choices; equal keys give equal streams.

    Args:
        key: what the stream belongs to: texts and integers.

    Example:
        >>> draws = Draws("example", 7)
        >>> [draws.below(10) for _ in range(5)]
        [2, 5, 4, 8, 6]
    """

    def __init__(self, *key: str | int) -> None:
        self._key = "/".join(map(str, key))
        self._count = 0

    def below(self, bound: int) -> int:
        """Return an integer from 0 to `bound - 1`; all are equally likely, up to 1 in 2^60."""
        block = hashlib.sha256(f"{self._key}/{self._count}".encode("ascii")).digest()
        self._count += 1
        return int.from_bytes(block[:16], "big") % bound

    def among(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[self.below(len(items))]

    def chance(self, percent: int) -> bool:
        """Return `True` in `percent` of a hundred cases."""
        return self.below(100) < percent
