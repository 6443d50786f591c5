"""ToyId: the name of a toy model of superposition, which says everything needed to train it again.

    toy_superposition-v1[n=5,d=2,sparsity=95,seed=0]

`n` features in `d` dimensions; `sparsity` is the probability, in per cent, that a feature is
zero; `seed` draws the start of the training and its data. What is left out has its default. Each
toy has exactly one canonical text, in which everything stands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import TaskError, listing
from .suggestion import unknown_name

TOY = "toy_superposition"
VERSION = 1
DEFAULTS: Mapping[str, int] = {"n": 5, "d": 2, "sparsity": 95, "seed": 0}
"""The parameters in canonical order."""
MOST_FEATURES = 200
_LIMITS = {"n": (2, MOST_FEATURES), "sparsity": (0, 99), "seed": (0, 2**31 - 1)}

_TOY = re.compile(
    rf"{TOY}(?:-v(?P<version>[1-9][0-9]{{0,8}}))?"
    r"(?:\[(?P<parameters>[a-z_]+=[0-9]{1,40}(?:,[a-z_]+=[0-9]{1,40})*)\])?",
    re.ASCII,
)
_GRAMMAR = f"{TOY}[{','.join(f'{key}=N' for key in DEFAULTS)}]"


def is_toy(text: str) -> bool:
    """Return whether a text is meant as a toy, well-formed or not.

    Example:
        >>> is_toy("toy_superposition[n=7]"), is_toy("histogram")
        (True, False)
    """
    return re.split(r"[\[/\-]", text.strip())[0] == TOY


@dataclass(frozen=True)
class ToyId:
    """A toy model of superposition by name; make one with `parse`.

    Attributes:
        n: how many features there are.
        d: how many dimensions they share.
        sparsity: the probability that a feature is zero, in per cent.
        seed: of its training.
    """

    n: int
    d: int
    sparsity: int
    seed: int

    @classmethod
    def parse(cls, text: str) -> "ToyId":
        """Return the toy that `text` names, with every default filled in.

        Raises:
            TaskError: the text is not the id of a toy, names a parameter that there is not, or
                gives one out of its range; all problems are listed.

        Example:
            >>> print(ToyId.parse("toy_superposition[n=40,d=10]"))
            toy_superposition-v1[n=40,d=10,sparsity=95,seed=0]
        """
        match = _TOY.fullmatch(text.strip())
        if match is None:
            raise TaskError(
                f"The id of a toy must read {_GRAMMAR}, each part in square brackets may be left "
                f"out and there are no regimes, got {text!r}."
            )
        if match["version"] not in (None, str(VERSION)):
            raise TaskError(
                f"There is no version {match['version']} of {TOY!r}. Known: {TOY}-v{VERSION}."
            )
        problems: list[str] = []
        chosen = dict(DEFAULTS) | _read(match["parameters"], problems)
        problems += _out_of_range(chosen)
        if problems:
            raise TaskError(listing(f"The id {text!r} cannot be read:", problems))
        return cls(**chosen)

    def __str__(self) -> str:
        written = ",".join(f"{key}={getattr(self, key)}" for key in DEFAULTS)
        return f"{TOY}-v{VERSION}[{written}]"


def _read(text: str | None, problems: list[str]) -> dict[str, int]:
    """Return `key=N,...` as a dictionary, and note keys that stand twice or are unknown."""
    chosen: dict[str, int] = {}
    for item in text.split(",") if text else ():
        key, _, value = item.partition("=")
        if key not in DEFAULTS:
            problems.append(unknown_name("parameter", key, DEFAULTS))
            continue
        if key in chosen:
            problems.append(f"{key} must stand once, got it twice.")
        chosen[key] = int(value)
    return chosen


def _out_of_range(chosen: Mapping[str, int]) -> list[str]:
    """Return what is wrong with the values of all parameters."""
    limits = _LIMITS | {"d": (1, chosen["n"])}
    return [
        f"{key} must be from {limits[key][0]} to {limits[key][1]}, got {value}."
        for key, value in chosen.items()
        if not limits[key][0] <= value <= limits[key][1]
    ]
