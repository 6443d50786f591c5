"""Method: a function from a problem to an answer, with what one must know of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MethodFunction = Callable[[Any], Any]
"""A function from the problem of a track to an answer."""


@dataclass(frozen=True)
class Method:
    """A method with what one must know of it.

    Attributes:
        name: how tables call it.
        function: from a problem to an answer.
        citation: where it comes from.
        sign: what the sign of its scores, or of its directions, means; both are measured
            by magnitude.
        track: the question that it answers; `None` for a function that does not say.
    """

    name: str
    function: MethodFunction
    citation: str
    sign: str
    track: str | None = None
