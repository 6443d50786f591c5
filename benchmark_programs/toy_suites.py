"""Toy suites: fixed sets of toy models of superposition, for the features track."""

from collections.abc import Mapping
from dataclasses import dataclass

from .toy_id import ToyId


@dataclass(frozen=True)
class ToySuite:
    """A set of toy models.

    Attributes:
        description: what it holds, in a sentence.
        toys: how each toy is named beyond its defaults.
    """

    description: str
    toys: tuple[str, ...]

    @property
    def members(self) -> tuple[ToyId, ...]:
        """The toys."""
        return tuple(ToyId.parse(f"toy_superposition[{one}]") for one in self.toys)


TOY_SUITES: Mapping[str, ToySuite] = {
    "toys": ToySuite(
        "Toy models of superposition, from pairs to five features in a plane; features track.",
        (
            "n=5,d=2",
            "n=20,d=10",
            "n=40,d=10",
            "n=40,d=10,sparsity=80",
            "n=40,d=10,sparsity=99",
            "n=80,d=20",
            "n=80,d=20,sparsity=99",
            "n=160,d=40",
        ),
    )
}
"""The toy suites, by name: each has the features of a model share dimensions in another way."""
