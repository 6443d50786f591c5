"""The problem of the `variables` track, and the answer to it.

The problem is what a tool sees: the model, the hooks, and for each variable, under a name that
tells nothing, pairs of inputs to learn from with what to interchange the variable does to the
answers. It holds no direction, writer, window, program, source map or held-out answer.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..compiler.component_graph import ComponentGraph
from ..compiler.model import Model
from ..errors import AnswerError, listing
from ..ground_truth.row_space import row_space
from .real_numbers import real_numbers
from .variables_pairs import VariablePairs

_ROUNDING = 1e-9
_RIGHT_ANGLE = 1e-6


@dataclass(frozen=True, eq=False)
class VariableQuestion:
    """A variable to be found.

    Attributes:
        train: pairs to learn from.
        max_directions: how many dimensions the subspace may have: as many as the variable's own.
        numbers: what the numbers of `train.base_values` stand for, in ascending order, where the
            variable is one number; `None` where its values are names.
    """

    train: VariablePairs
    max_directions: int
    numbers: tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class VariablesProblem:
    """Where is each variable, so that swapping it swaps the meaning?

    Attributes:
        model: weights and codec.
        hooks: the places at which the residual stream can be patched, as TransformerLens names
            them, in the order of the forward pass: that of place `i` is what
            `compiler.executor.run` returns as `streams[i]`.
        variables: what is asked, by a name that tells nothing, such as `v0`.
        seed: for a method that draws at random.
    """

    model: Model
    hooks: tuple[str, ...]
    variables: Mapping[str, VariableQuestion]
    seed: int

    @property
    def graph(self) -> ComponentGraph:
        """The components of the model."""
        return ComponentGraph.of(self.model.weights)


@dataclass(frozen=True, eq=False)
class Subspace:
    """Where a tool says that a variable is.

    Only spans count: what vectors are given for them does not matter. With `W` an orthonormal
    basis of the span of `directions` and `R` one of that of `read`, both as rows, a stream `x` is
    patched with that of the source, `x'`, as `x + (x' - x) R^T (W R^T)^+ W`: its component in
    `directions` is replaced, and what is at right angles to `read` is not looked at. Without
    `read` that is the orthogonal projection `W^T W`, as in distributed alignment search.

    Attributes:
        hook: the hook, by its name.
        directions: what is written, as rows of any length.
        read: what is read, as rows; `None` if it is what is written.
    """

    hook: str
    directions: Float[np.ndarray, "k d_model"]
    read: Float[np.ndarray, "m d_model"] | None = None

    @property
    def factors(self) -> tuple[Float[np.ndarray, "d_model r"], Float[np.ndarray, "r d_model"]]:
        """The matrices `A` and `B` with which a stream is patched: `x + (x' - x) A B`."""
        written = row_space(self.directions)
        if self.read is None:
            return written.T, written
        read = row_space(self.read)
        left, cosines, right = np.linalg.svd(written @ read.T, full_matrices=False)
        kept = cosines > _RIGHT_ANGLE
        return (read.T @ right[kept].T) / cosines[kept], left[:, kept].T @ written


def place_of(hook: str) -> int:
    """Return the place of a hook in the order of the forward pass.

    Example:
        >>> place_of("blocks.1.hook_resid_mid")
        3
    """
    block, stage = re.fullmatch(r"blocks\.(\d+)\.hook_resid_(pre|mid|post)", hook).groups()  # type: ignore[union-attr]
    return 2 * int(block) + ("pre", "mid", "post").index(stage)


def checked_subspaces(problem: VariablesProblem, answer: object) -> dict[str, Subspace]:
    """Return an answer as arrays of float64, in the order of `problem.variables`.

    Each variable has an object with the attributes `hook`, `directions` and, if what is read is
    not what is written, `read`; or a mapping with these keys. A hook is given by its name or by
    its place in `problem.hooks`.

    Raises:
        AnswerError: the answer is no mapping, misses or invents variables, or has hooks that do
            not exist, arrays of wrong shapes, numbers that are not finite, or subspaces of no
            dimension or of too many; every problem is listed.
    """
    if not isinstance(answer, Mapping):
        raise AnswerError(
            "An answer must map the name of every variable to a hook and directions, got "
            f"{type(answer).__name__}; return for instance {{name: Subspace(hook, directions)}}"
        )
    problems = [f"{name}: has no answer" for name in problem.variables if name not in answer]
    problems += [f"{name!r}: is no variable of it" for name in answer if _is_new(name, problem)]
    found = {}
    for name, question in problem.variables.items():
        if name in answer:
            parts, faults = _parts(answer[name])
            faults += _faults(problem, question, parts)
            problems += [f"{name}: {fault}" for fault in faults]
            hook = _hook_of(problem, parts.get("hook"))
            if hook is not None and not faults:
                found[name] = Subspace(hook, parts["directions"], parts["read"])
    if problems:
        heading = "The answer must give a hook and directions for each variable of the problem:"
        raise AnswerError(listing(heading, problems))
    return found


def _is_new(name: object, problem: VariablesProblem) -> bool:
    return not isinstance(name, str) or name not in problem.variables


def _parts(given: Any) -> tuple[dict[str, Any], list[str]]:
    """Return what is given for a variable, as arrays where it can be; and what cannot be read."""
    parts: dict[str, Any] = {"read": None}
    faults = []
    for name in ("hook", "directions", "read"):
        try:
            if name == "read" and _lacks_read(given):
                continue
            value = given[name] if isinstance(given, Mapping) else getattr(given, name)
            if name != "hook":
                value = real_numbers(value).astype(np.float64)
        except Exception as error:  # noqa: BLE001 - a tool's array may refuse in its own way
            kind = "given" if name == "hook" else "an array of numbers"
            faults.append(f"{name} must be {kind}: {type(error).__name__}: {error}")
            continue
        parts[name] = value
    return parts, faults


def _lacks_read(given: Any) -> bool:
    """Whether nothing is said of what is read."""
    there = given.get("read") if isinstance(given, Mapping) else getattr(given, "read", None)
    return there is None


def _hook_of(problem: VariablesProblem, hook: Any) -> str | None:
    """Return a hook by name, whether its name or its place is given; `None` if there is none."""
    if isinstance(hook, str):
        return hook if hook in problem.hooks else None
    is_place = isinstance(hook, int | np.integer) and not isinstance(hook, bool)
    return problem.hooks[hook] if is_place and 0 <= hook < len(problem.hooks) else None


def _faults(
    problem: VariablesProblem, question: VariableQuestion, parts: Mapping[str, Any]
) -> Iterator[str]:
    """Yield all that is wrong with what is given for a variable."""
    if "hook" in parts and _hook_of(problem, parts["hook"]) is None:
        hooks = problem.hooks
        yield (
            f"its hook must be one of problem.hooks, {hooks[0]} to {hooks[-1]}, got "
            f"{parts['hook']!r:.80}"
        )
    sound = True
    for name in ("directions", "read"):
        rows = parts.get(name)
        if rows is not None:
            faults = list(_row_faults(name, rows, problem.model.weights.d_model, question))
            sound = sound and not faults
            yield from faults
    if sound and "directions" in parts and not len(Subspace("", **_rows_of(parts)).factors[1]):
        yield "read must not be at right angles to directions: nothing of them would be read"


def _rows_of(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parts[name] for name in ("directions", "read")}


def _row_faults(
    name: str, rows: np.ndarray, d_model: int, question: VariableQuestion
) -> Iterator[str]:
    """Yield what is wrong with directions."""
    if rows.ndim != 2 or rows.shape[1] != d_model:
        yield f"{name} must be rows of d_model={d_model} numbers, got the shape {rows.shape}"
    elif not np.isfinite(rows).all():
        yield f"{name} must be finite, got {rows[~np.isfinite(rows)][0]}"
    elif not rows.any():
        yield f"{name} must span one dimension at least, got {len(rows)} that are all zero"
    elif (rank := len(row_space(rows))) > question.max_directions:
        yield (
            f"{name} must span at most max_directions={question.max_directions} dimensions, got "
            f"{rank}"
        )
