"""Names and what they stand for: at the top of a text, and inside each call of a function."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .parts import Part


@dataclass
class Scope:
    """Names assigned here, inside of those of `outer`."""

    outer: "Scope | None" = None
    own: dict[str, Part] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Mapping[str, Part]) -> "Scope":
        """Return a scope with the given names."""
        return cls(None, dict(known))

    def inside(self) -> "Scope":
        """Return an empty scope inside of this one."""
        return Scope(self)

    def find(self, name: str) -> Part:
        """Return what a name stands for.

        Raises:
            KeyError: it stands for nothing.
        """
        scope: Scope | None = self
        while scope is not None:
            if name in scope.own:
                return scope.own[name]
            scope = scope.outer
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Yield every name that stands for something."""
        if self.outer is not None:
            yield from self.outer
        yield from self.own
