"""Measures table: records of numbers, one a task, as CSV in the package."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from io import StringIO
from types import MappingProxyType
from typing import TypeVar

from pydantic import TypeAdapter


@dataclass(frozen=True, kw_only=True)
class Measures(ABC):
    """What was measured of a task.

    Attributes:
        task: the canonical id.
    """

    task: str

    @property
    @abstractmethod
    def shortcomings(self) -> list[str]:
        """Why the task is not worth ranking methods on; empty where it is."""


Kind = TypeVar("Kind", bound=Measures)


def write_table(kind: type[Kind], measures: Iterable[Kind]) -> str:
    """Return measures of a kind as CSV, one row a task."""
    text = StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(kind)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(one) for one in measures)
    return text.getvalue()


def read_table(kind: type[Kind], text: str) -> tuple[Kind, ...]:
    """Return the measures of a kind that a CSV holds."""
    rows = TypeAdapter(list[kind])  # type: ignore[valid-type]
    return tuple(rows.validate_python(list(csv.DictReader(StringIO(text)))))


def kept_table(kind: type[Kind], file: str) -> Mapping[str, Kind]:
    """Return the measures in a file of the package, by canonical task id."""
    text = files(__package__).joinpath(file).read_text(encoding="utf-8")
    return MappingProxyType({one.task: one for one in read_table(kind, text)})
