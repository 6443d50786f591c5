"""ProblemContent: what a problem is on disk, and what it asks for, whatever the track.

A track says this of its problem in `Track.public`; from it `problem_folder` writes a folder that
any language can read, and `answer_folder` knows what to look for in an answer. It is made from
the problem alone, so that a folder holds no more than a tool in Python sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, JsonValue

from ..compiler.model import Model
from ..ground_truth.record import Record
from ..strict_record import Natural

Extent = Natural | Annotated[str, Field(pattern=r"^[a-z]+$")]
"""How long an axis is: a number, or a word for one that the answer chooses."""


class AskedScores(Record):
    """A number for each name is asked for.

    Attributes:
        kind: tells what is asked for.
        names: what is to be scored.
    """

    kind: Literal["scores"] = "scores"
    names: tuple[str, ...]


class AskedArrays(Record):
    """Arrays are asked for.

    Attributes:
        kind: tells what is asked for.
        arrays: the shape of each, by name.
        optional: those that an answer can leave out.
    """

    kind: Literal["arrays"] = "arrays"
    arrays: dict[str, tuple[Extent, ...]]
    optional: tuple[str, ...] = ()


class AskedText(Record):
    """A text is asked for.

    Attributes:
        kind: tells what is asked for.
        language: in which it must be.
    """

    kind: Literal["text"] = "text"
    language: str


Asked = Annotated[AskedScores | AskedArrays | AskedText, Field(discriminator="kind")]
"""What is asked for."""


@dataclass(frozen=True, eq=False)
class ProblemContent:
    """A problem as model, arrays and JSON, and what it asks for.

    Attributes:
        asked: what is asked for.
        model: weights and codec; `None` where the problem has none.
        arrays: arrays of integers or floating-point numbers, by name.
        facts: whatever else the problem says.
    """

    asked: AskedScores | AskedArrays | AskedText
    model: Model | None = None
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
