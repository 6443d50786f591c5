"""The problem of the `circuit` track, and the answer to it.

The problem is what a tool sees: a model, pairs of inputs, the names of the edges
to be scored. It holds no label, no program, no source map and no seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from ..compiler.component_graph import ComponentGraph
from ..compiler.model import Model
from ..errors import AnswerError, listing
from ..ground_truth import Pairs, Task

N_PAIRS = 64

Answer = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class CircuitProblem:
    """Which edges compute the output?

    Attributes:
        model: weights and codec.
        base: token ids of the inputs to explain.
        source: token ids of as many other inputs, of any length, to interchange
            with or to corrupt towards.
        edges: the names of the edges to be scored, such as `a0.h1->m0`.
    """

    model: Model
    base: Int[np.ndarray, "pairs position"]
    source: Int[np.ndarray, "pairs position"]
    edges: tuple[str, ...]

    @classmethod
    def of(cls, task: Task, *, seed: int = 0, n_pairs: int = N_PAIRS) -> "CircuitProblem":
        """Return the problem that a task poses, with pairs drawn by `seed`."""
        rng = np.random.default_rng([seed, 2])
        pairs = Pairs.draw(task.domain, n_pairs, rng)
        for tokens in (pairs.base, pairs.source):
            tokens.setflags(write=False)
        return cls(task.compiled.model, pairs.base, pairs.source, task.graph.edge_names)

    @property
    def graph(self) -> ComponentGraph:
        """The components of the model; its edges are those to be scored."""
        return ComponentGraph.of(self.model.weights)


def checked_answer(problem: CircuitProblem, answer: object) -> dict[str, float]:
    """Return an answer as plain numbers, signs kept, in the order of `problem.edges`.

    Raises:
        AnswerError: the answer is no mapping, misses or invents edges, or holds
            scores that are not finite numbers; every problem is listed.
    """
    if not isinstance(answer, Mapping):
        raise AnswerError(
            "An answer must map the name of every edge to a number, got "
            f"{type(answer).__name__}; return for instance {{edge: 0.0 for edge in problem.edges}}"
        )
    known = set(problem.edges)
    problems = [f"{edge}: has no score" for edge in problem.edges if edge not in answer]
    problems += [f"{edge!r}: is no edge of this model" for edge in answer if edge not in known]
    scores = [_finite(answer.get(edge, 0.0)) for edge in problem.edges]
    for edge, score in zip(problem.edges, scores, strict=True):
        if score is None:
            problems.append(f"{edge}: its score must be a finite number, got {answer[edge]!r}")
    if problems:
        raise AnswerError(
            listing(
                f"The answer must give each of the {len(known)} edges in problem.edges one finite "
                "number:",
                problems,
            )
        )
    return {
        edge: score for edge, score in zip(problem.edges, scores, strict=True) if score is not None
    }


def _finite(score: Any) -> float | None:
    """Return a score as a finite float, or `None` if it is no such number.

    Scalars of any array library are taken.
    """
    try:
        if isinstance(score, str | bytes) or tuple(getattr(score, "shape", ())):
            return None
        number = float(score.item() if hasattr(score, "item") else score)
    except Exception:  # noqa: BLE001 - a tool's scalar may refuse in its own way
        return None
    return number if np.isfinite(number) else None
