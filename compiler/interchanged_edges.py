"""Interchanged edges: which edges a compression is trained on interchanges of."""

from collections.abc import Collection
from typing import NamedTuple


class InterchangedEdges(NamedTuple):
    """Sets of edges that are interchanged together.

    Attributes:
        each: every edge by itself, and all that have no effect at once.
        quiet: the same of those that have no effect.
    """

    each: tuple[frozenset[str], ...]
    quiet: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, edges: Collection[str], quiet: Collection[str]) -> "InterchangedEdges":
        """Return the sets.

        Args:
            edges: the names of all edges.
            quiet: the names of those that have no effect, and shall have none.
        """
        together = (frozenset(quiet),) if quiet else ()
        single = {edge: frozenset((edge,)) for edge in edges}
        return cls((*single.values(), *together), (*(single[edge] for edge in quiet), *together))
