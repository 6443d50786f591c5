"""Superposed models: a task's model compressed to fewer dimensions, and measured.

A recipe offers matrices; each is rounded to the grid of `compression_grid` and measured on the
whole domain, and the first whose model passes the quality gate is taken. If none does, the best
of them is: it is of use to those who study compression, and not as a task, since its labels are
void.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float

from ..compiler.adam_recipe import AdamRecipe, AdamTraining
from ..compiler.compression_attempt import Attempt
from ..compiler.gauss_newton_recipe import GaussNewtonRecipe, GaussNewtonTraining
from ..compiler.interchanged_edges import InterchangedEdges
from ..errors import TaskError
from .adam_checkpoint import AdamCheckpoint, Stand
from .compression_grid import on_grid
from .interchange_pairs import spread_rows
from .quality_gate import QualityGate, quality_gate
from .task import Task

Recipe = GaussNewtonRecipe | AdamRecipe

RECIPES: Mapping[str, Recipe] = {
    "gauss-newton": GaussNewtonRecipe(),
    "inputs": GaussNewtonRecipe(n_interchanged=0, interchanged=0, squeezes=0),
    "adam": AdamRecipe(),
    "talk": AdamRecipe(
        start="random",
        steps=300_000,
        batch=256,
        n_interchanged=0,
        schedule="linear",
        weight_decay=0.1,
        b2=0.99,
    ),
}
"""The recipes by name; see their own files."""

MOST_FOR_GAUSS_NEWTON = 600
"""How many entries `W` has at most where the recipe is not named and Gauss-Newton is used."""

Progress = Callable[[int, str], None]
"""Told of each attempt: how many there were for this seed, and how it ended."""


@dataclass(frozen=True, eq=False)
class Superposed:
    """A compressed model, and how it came about.

    Attributes:
        task: the id of the task that was compressed.
        d: the width of its residual stream now.
        seed: of the training.
        recipe: the name of the recipe.
        W: the matrix that compresses, on the grid.
        gate: what was measured.
        loss: of `W`, over what it was trained on.
        attempts: how many matrices were measured; with Adam after how many steps this one was.
        seconds: how long all of it took; of seeds that were trained together, for each the whole.
    """

    task: str
    d: int
    seed: int
    recipe: str
    W: Float[np.ndarray, "d d_model"]
    gate: QualityGate
    loss: float
    attempts: int
    seconds: float


def superpose(
    task: Task,
    d: int,
    seeds: Sequence[int] = (0,),
    *,
    recipe: str | Recipe | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Superposed, ...]:
    """Compress the model of a task to `d` dimensions, once for each seed.

    Args:
        task: certified.
        d: the new width of the residual stream.
        seeds: of the training.
        recipe: one of `RECIPES` or of one's own; `None` for Gauss-Newton where `W` is small
            enough, and Adam where it is not. One that is trained on no interchanges is done
            when answers and outputs of components are within bounds, wherever edges went.
        checkpoint: a file in which training with Adam keeps where it stands, and from which it
            goes on; Gauss-Newton takes seconds and keeps nothing.
        progress: is told of every attempt.

    Raises:
        TaskError: `d` is not between 1 and the width of the model, there is no such recipe, or
            the model is compressed already.
    """
    if task.gate is not None:
        raise TaskError(
            f"A model is compressed once, and that of {task.id} is; compress the task without its "
            "last regime."
        )
    width = task.compiled.model.weights.d_model
    if not 1 <= d <= width:
        raise TaskError(
            f"A model is compressed to at least one and at most its {width} dimensions, got {d}."
        )
    name, chosen = _recipe(recipe, d * width)
    inputs_only = not chosen.n_interchanged
    measuring = _Measuring(task, d, name, inputs_only, progress or (lambda _number, _text: None))
    states = task.labels.states
    quiet = [edge for edge, state in states.items() if not state.has_effect]
    edges = InterchangedEdges.of(states, quiet)
    n_inputs = min(chosen.n_inputs, len(task.domain.tokens))
    rows = spread_rows(task.domain.length, task.domain.stratum, n_inputs)
    sampled = task.domain.tokens[rows]
    model = task.compiled.model
    if isinstance(chosen, AdamRecipe):
        training = AdamTraining(model, sampled, edges, chosen)
        return measuring.together(training, list(seeds), checkpoint)
    with jax.enable_x64(True):
        one_by_one = GaussNewtonTraining(model, sampled, edges, chosen)
        return tuple(measuring.best(one_by_one.attempts(d, seed), seed) for seed in seeds)


def _recipe(recipe: str | Recipe | None, size: int) -> tuple[str, Recipe]:
    """Return a recipe and its name."""
    if recipe is None:
        recipe = "gauss-newton" if size <= MOST_FOR_GAUSS_NEWTON else "adam"
    if not isinstance(recipe, str):
        return type(recipe).__name__, recipe
    if recipe not in RECIPES:
        raise TaskError(f"A recipe must be one of {', '.join(RECIPES)}, got {recipe!r}.")
    return recipe, RECIPES[recipe]


@dataclass(frozen=True, eq=False)
class _Measuring:
    """Measures attempts on one task, and keeps the best of each seed."""

    task: Task
    d: int
    recipe: str
    inputs_only: bool
    progress: Progress

    def best(self, attempts: Iterator[Attempt], seed: int) -> Superposed:
        """Return the first attempt that is good enough, or the best."""
        started = time.perf_counter()
        found: Superposed | None = None
        for number, attempt in enumerate(attempts, start=1):
            measured = self._measured(attempt, seed, number, started)
            if found is None or _rank(measured) < _rank(found):
                found = measured
            if self._is_enough(measured):
                break
        assert found is not None
        return found

    def together(
        self, training: AdamTraining, seeds: list[int], checkpoint: Path | None
    ) -> tuple[Superposed, ...]:
        """Train several seeds at once, until all are good enough or all steps are taken."""
        started = time.perf_counter()
        kept = AdamCheckpoint(checkpoint, self.task.labels.weights, self.recipe, self.d, seeds)
        stand = kept.read(training.start(self.d, seeds))
        found = {
            seed: self._measured(attempt, seed, attempt.steps, started)
            for seed, attempt in zip(seeds, stand.best, strict=False)
        }
        for done, state, losses in training.chunks(stand.state, stand.done):
            for place, seed in enumerate(seeds):
                if seed in found and self._is_enough(found[seed]):
                    continue
                W = np.asarray(state.W[place], np.float64)
                measured = self._measured(
                    Attempt(W, float(losses[place]), done), seed, done, started
                )
                if seed not in found or _rank(measured) < _rank(found[seed]):
                    found[seed] = measured
            best = [Attempt(found[one].W, found[one].loss, found[one].attempts) for one in seeds]
            kept.write(Stand(done, state, tuple(best)))
            if all(map(self._is_enough, found.values())):
                break
        return tuple(found[seed] for seed in seeds)

    def _is_enough(self, one: Superposed) -> bool:
        return one.gate.passed or (self.inputs_only and not one.gate.quality.shortcomings)

    def _measured(self, attempt: Attempt, seed: int, number: int, started: float) -> Superposed:
        task, W = self.task, on_grid(attempt.W)
        gate = quality_gate(task.compiled, W, task.labels, task.domain, task=f"{task.id}")
        self.progress(number, _told(gate))
        return Superposed(
            str(task.id),
            self.d,
            seed,
            self.recipe,
            W,
            gate,
            attempt.loss,
            number,
            time.perf_counter() - started,
        )


def _rank(one: Superposed) -> tuple[bool, bool, float, int, float]:
    """What is compared of attempts: the gate, answers, edges, and what components write."""
    gate, quality = one.gate, one.gate.quality
    wrong = bool(quality.shortcomings)
    return not gate.passed, wrong, -quality.accuracy, len(gate.moved), quality.error


def _told(gate: QualityGate) -> str:
    """Return a measurement in a line."""
    quality = gate.quality
    states = "" if gate.labels is None else f", {len(gate.moved)} edges in another state"
    return (
        f"accuracy {quality.accuracy:.2%}, least cosine {quality.cosine:.3f}, "
        f"largest error {quality.error:.3f}{states}"
    )
