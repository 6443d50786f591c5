"""Faults of methods that are Python functions: what they give, and what they raise.

Each is asked a small task of each track. It must become an error that tells what is wrong with the
answer, never a score. What hangs, or ends its process, is a command: `faults_of_tools`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np
from trial import Trial, refused

from glassbench.evaluators import built_in, score
from glassbench.ground_truth import Task, load

TASK = "sort[vocab=2,length=3]"
KIND = "methods"

Answer = object
Score = Callable[[Callable[[object], Answer], Task, str], object]

GOOD = MappingProxyType(
    {
        "circuit": "weight-norm",
        "attribution": "occlusion",
        "features": "pca",
        "variables": "linear-probe",
        "program": "token-position-table",
    }
)
"""A method of each track, whose answer is then spoiled."""


def raising(_: object) -> Answer:
    """Fail, as a method may."""
    raise RuntimeError("no luck")


def ending(_: object) -> Answer:
    """End Python, as a script may."""
    raise SystemExit(0)


ALIKE: Mapping[str, Answer] = {
    "nothing": None,
    "a text": "edges",
    "a number": 3,
    "NaN": math.nan,
    "an empty dictionary": {},
    "a list": [0.5],
    "a function": raising,
}
"""What is given on every track."""

NUMBERS: Mapping[str, object] = {
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "a complex number": 1j,
    "a text": "0.5",
    "nothing": None,
    "a list": [0.5],
}


def of_edges(good: dict[str, float]) -> Iterator[tuple[str, Answer]]:
    """Yield wrong answers of the circuit track."""
    first, *rest = good
    for what, wrong in NUMBERS.items():
        yield f"{what} for an edge", {**good, first: wrong}
    yield "a missing edge", {edge: good[edge] for edge in rest}
    yield "an edge too many", {**good, "embed->nowhere": 1.0}
    yield "a wrong name", {f"{edge}_" if edge == first else edge: s for edge, s in good.items()}
    yield "numbers for names", dict(enumerate(good.values()))


def of_tokens(good: np.ndarray) -> Iterator[tuple[str, Answer]]:
    """Yield wrong answers of the attribution track."""
    for what, value in (("NaN", np.nan), ("infinity", np.inf)):
        wrong = np.array(good)
        wrong[0, 1, 1] = value
        yield what, wrong
    yield "an input too few", good[:-1]
    yield "a position too few", good[..., :-1]
    yield "an axis too many", good[None]
    yield "complex numbers", good * 1j
    yield "texts", good.astype(str)


def of_hooks(good: dict[str, object]) -> Iterator[tuple[str, Answer]]:
    """Yield wrong answers of the tracks that ask for something at each name."""
    first, *rest = good
    yield "a missing name", {name: good[name] for name in rest}
    yield "a name too many", {**good, "nowhere": good[first]}
    yield "nothing for a name", {**good, first: None}
    yield "a number for a name", {**good, first: 1.0}
    yield "an array of NaN for a name", {**good, first: np.full((2, 2), np.nan)}


def of_text(good: str) -> Iterator[tuple[str, Answer]]:
    """Yield wrong answers of the program track."""
    yield "no RASP", f"{good} ((("
    yield "an unknown name", "out = tokenz;"
    yield "no sequence", "s = select(tokens, tokens, ==);"
    yield "an endless text", "x = tokens;" * 200_000
    yield "bytes", good.encode()


WRONG: Mapping[str, Callable[..., Iterator[tuple[str, Answer]]]] = {
    "circuit": of_edges,
    "attribution": of_tokens,
    "features": of_hooks,
    "variables": of_hooks,
    "program": of_text,
}


def trials(scored: Score = score) -> Iterator[Trial]:
    """Yield a trial for each track.

    Args:
        scored: what must refuse a wrong answer of a method to a task.
    """
    task = load(TASK)
    for track, wrong in WRONG.items():
        answers = [*ALIKE.items(), *wrong(right(task, track))]
        methods = [(what, lambda _, answer=answer: answer) for what, answer in answers]
        methods += [("an error", raising), ("the end of Python", ending)]
        attempts = [refused(what, partial(scored, method, task, track)) for what, method in methods]
        yield Trial(KIND, f"a wrong answer on the track {track}", tuple(attempts))


def right(task: Task, track: str) -> Answer:
    """Return the answer of a method that answers."""
    given: list[Answer] = []

    def noted(problem: object) -> Answer:
        given.append(built_in(track)[GOOD[track]].function(problem))
        return given[0]

    score(noted, task, track)
    return given[0]
