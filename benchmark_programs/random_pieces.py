"""Random pieces: the typed parts of which random programs are made.

A piece is an expression with its kind, its name, and what it is in words. What a piece
may be combined with follows from its kind, so that a program reads like one that
somebody wrote: a token is looked up, counted and compared, and never added.
"""

from dataclasses import dataclass
from enum import Enum

from ..compiler import rasp

LONGEST_NAME = 30


class Kind(Enum):
    """What the values of a piece are."""

    TOKEN = "token"
    FLAG = "flag"
    COUNT = "count"
    SHARE = "share"


@dataclass(frozen=True, eq=False)
class Piece:
    """A sequence.

    Attributes:
        sop: the expression, under the piece's name.
        kind: what its values are.
        says: in words: of a flag a clause, else a noun.
        hops: how many attention layers it takes.
        optional: whether it may be `None`.
    """

    sop: rasp.SOp
    kind: Kind
    says: str
    hops: int = 0
    optional: bool = False

    @property
    def name(self) -> str:
        """The name of the expression."""
        return self.sop.name

    @property
    def noun(self) -> str:
        """What other pieces call it: its words if they are few, else its name."""
        return f"`{self.name}`" if self.hops or self.kind is Kind.FLAG else self.says

    @property
    def definition(self) -> str:
        """What the name stands for."""
        if self.kind is Kind.FLAG:
            return f"`{self.name}` is whether {self.says}"
        return f"`{self.name}` is {self.says}"

    @property
    def clause(self) -> str:
        """What holds where a flag holds."""
        return f"`{self.name}` holds" if self.hops else self.says


@dataclass(frozen=True, eq=False)
class Choice:
    """A selector.

    Attributes:
        selector: the expression, under its name.
        says: which positions are selected, in words that follow "positions"; empty for all.
        hops: how many attention layers its keys and queries take.
        single: whether at most one position is selected.
    """

    selector: rasp.Selector
    says: str
    hops: int = 0
    single: bool = False

    @property
    def name(self) -> str:
        """The name of the expression."""
        return self.selector.name

    @property
    def noun(self) -> str:
        """The positions in words."""
        return f"positions {self.says}" if self.says else "all positions"


class Names:
    """Gives every expression of a program a name of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = {"tokens", "indices", "length"}

    def fresh(self, wanted: str, short: str) -> str:
        """Return `wanted`, or `short` if that is too long, with a number if it is taken."""
        base = wanted if len(wanted) <= LONGEST_NAME else short
        name, count = base, 1
        while name in self._taken:
            count += 1
            name = f"{base}_{count}"
        self._taken.add(name)
        return name
