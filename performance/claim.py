"""What the project claims: figures, each with a target, and the command that measures them."""

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

TOOK = "took"
"""The figure that any command has: the seconds that it took."""

FOLDER = "{folder}/"
"""Stands in commands for a folder that is made for a run and removed."""


class Bound(StrEnum):
    """On which side of a target a figure must lie; the target itself is met."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    EXACTLY = "exactly"


_TARGET = re.compile(rf"({'|'.join(Bound)}) (-?[\d,]+(?:\.\d+)?)(?: (.+))?")


@dataclass(frozen=True)
class Target:
    """A bound that a figure must keep.

    Attributes:
        bound: on which side.
        number: the bound.
        unit: of the number, empty where it has none.
    """

    bound: Bound
    number: float
    unit: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the target that a text such as `at most 1,200 s` tells.

        Raises:
            ValueError: it tells none.
        """
        match = _TARGET.fullmatch(text)
        if match is None:
            raise ValueError(
                f"a target must be one of {', '.join(Bound)}, then a number, then a unit or "
                f"nothing, as in `at most 30 s`, and is {text!r}."
            )
        bound, number, unit = match.groups()
        return cls(Bound(bound), float(number.replace(",", "")), unit or "")

    def is_met(self, number: float) -> bool:
        """Whether a figure keeps the bound; what is not a number keeps none."""
        match self.bound:
            case Bound.AT_LEAST:
                return number >= self.number
            case Bound.AT_MOST:
                return number <= self.number
            case Bound.EXACTLY:
                return number == self.number

    def __str__(self) -> str:
        return f"{self.bound} {with_unit(self.number, self.unit)}"


def with_unit(number: float, unit: str) -> str:
    """Return a number as it is read: three digits, or all that stand before the point."""
    if number == int(number) or abs(number) >= 100:
        text = f"{number:,.0f}"
    else:
        text = f"{number:#.3g}" if abs(number) >= 1e-3 else f"{number:.1e}"
    return f"{text} {unit}".strip()


@dataclass(frozen=True)
class Figure:
    """A number that a command measures.

    Attributes:
        key: its name among the figures of the script, or `TOOK`.
        what: what it is, in words.
        target: what was asked for before it was measured, as text; empty where nothing was.
        unit: its unit, where no target tells it.
        claimed: what was told of it earlier.
    """

    key: str
    what: str
    target: str = ""
    unit: str = ""
    claimed: str = ""

    @property
    def bound(self) -> Target | None:
        """The target, `None` where there is none."""
        return Target.parse(self.target) if self.target else None

    def told(self, number: float) -> str:
        """Return a measured number with its unit."""
        return with_unit(number, self.bound.unit if self.bound else self.unit)


@dataclass(frozen=True)
class Claim:
    """Figures that one command measures.

    Attributes:
        name: how it is asked for.
        command: what Python is given: a script with its arguments, in which `FOLDER` stands for
            a folder of the run.
        figures: what it measures.
        quick: the arguments of a reduced run, after the script; empty where there is none.
        needs: the tools that it cannot do without, by their names in `needed_tools`.
    """

    name: str
    command: str
    figures: tuple[Figure, ...]
    quick: str = ""
    needs: tuple[str, ...] = ()

    @property
    def writes_figures(self) -> bool:
        """Whether the script takes `--figures`."""
        return any(one.key != TOOK for one in self.figures)

    def words(self, folder: str, quick: bool = False) -> list[str]:
        """Return the command as words, for a folder of the run."""
        text = self._text(quick)
        return [word.replace(FOLDER, f"{folder}/") for word in shlex.split(text)]

    def shown(self, quick: bool = False) -> str:
        """Return the command as one would type it."""
        return f"python {self._text(quick).replace(FOLDER, '')}"

    def _text(self, quick: bool) -> str:
        script = self.command.split()[0]
        return f"{script} {self.quick}" if quick and self.quick else self.command
