"""Superposed models: a task's model compressed to fewer dimensions, and measured.

A recipe offers matrices; each is rounded to the grid of `compression_grid` and measured on the
whole domain, and the first whose model passes the quality gate is taken. If none does, the best
of them is: it is of use to those who study compression, and not as a task, since its labels are
void. The edges of a model that was chosen because it passes are measured again on other pairs.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from ..compiler.adam_recipe import AdamRecipe, AdamTraining
from ..compiler.compression_attempt import Attempt
from ..compiler.gauss_newton_recipe import GaussNewtonRecipe, GaussNewtonTraining
from ..compiler.interchanged_edges import InterchangedEdges
from ..errors import TaskError, listing
from .adam_checkpoint import AdamCheckpoint
from .checkpoint_file import CheckpointFile
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

Progress = Callable[[int, int, str], None]
"""Told of each attempt: its seed, its number (with Adam the steps that were taken), the outcome."""


@dataclass(frozen=True, eq=False)
class Superposed:
    """A compressed model, and how it came about.

    Attributes:
        task: the id of the task that was compressed.
        d: the width of its residual stream now.
        seed: of the training.
        recipe: the name of the recipe.
        parameters: of the recipe, by name.
        W: the matrix that compresses, on the grid.
        gate: what was measured.
        loss: of `W`, over what it was trained on.
        attempts: how many matrices were measured.
        seconds: how long all of it took; of seeds that were trained together, for each the whole.
    """

    task: str
    d: int
    seed: int
    recipe: str
    parameters: Mapping[str, Any]
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
        TaskError: something that is asked for cannot be; all of it is told.
        BundleError: the checkpoint is of another training.
    """
    if not isinstance(task, Task):
        raise TaskError(f"A certified task is compressed, got {task!r}; load it first.")
    name, chosen = _recipe(recipe, d, task.compiled.model.weights.d_model)
    _check(task, d, seeds, chosen, checkpoint)
    measuring = _Measuring(task, d, name, chosen, progress or (lambda _seed, _number, _text: None))
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


def default_recipe(d: int, d_model: int) -> str:
    """Return the name of the recipe for a matrix of a size."""
    return "gauss-newton" if d * d_model <= MOST_FOR_GAUSS_NEWTON else "adam"


def _recipe(recipe: str | Recipe | None, d: int, d_model: int) -> tuple[str, Recipe]:
    """Return a recipe and its name."""
    if recipe is None:
        recipe = default_recipe(d, d_model)
    if not isinstance(recipe, str):
        return type(recipe).__name__, recipe
    if recipe not in RECIPES:
        raise TaskError(f"A recipe must be one of {', '.join(RECIPES)}, got {recipe!r}.")
    return recipe, RECIPES[recipe]


def _check(
    task: Task, d: int, seeds: Sequence[int], recipe: Recipe, checkpoint: Path | None
) -> None:
    """Refuse what cannot be, all of it at once."""
    width = task.compiled.model.weights.d_model
    problems = list(recipe.problems)
    if task.gate is not None:
        problems.append(
            f"a model is compressed once, and that of {task.id} is; compress the task without its "
            "last regime"
        )
    if not isinstance(d, int) or not 1 <= d <= width:
        problems.append(
            f"d: a model is compressed to at least one and at most its {width} dimensions, got {d}"
        )
    if not seeds or any(not isinstance(seed, int) or seed < 0 for seed in seeds):
        problems.append(f"seeds: must be one or more numbers from 0 up, got {list(seeds)}")
    if checkpoint is not None and not isinstance(recipe, AdamRecipe):
        problems.append("checkpoint: only training with Adam keeps one; leave it out")
    if problems:
        raise TaskError(listing("The model cannot be compressed so:", problems))


@dataclass(frozen=True, eq=False)
class _Measuring:
    """Measures attempts on one task, and keeps the best of each seed."""

    task: Task
    d: int
    name: str
    recipe: Recipe
    progress: Progress

    def best(self, attempts: Iterator[Attempt], seed: int) -> Superposed:
        """Return the first attempt that is good enough, or the best."""
        started, number = time.perf_counter(), 0
        found: Superposed | None = None
        for number, attempt in enumerate(attempts, start=1):
            found = self._better(found, attempt, seed, number)
            if self._is_enough(found):
                break
        assert found is not None
        return replace(found, attempts=number, seconds=time.perf_counter() - started)

    def together(
        self, training: AdamTraining, seeds: list[int], checkpoint: Path | None
    ) -> tuple[Superposed, ...]:
        """Train several seeds at once, until all are good enough or all steps are taken."""
        of = f"{self.task.labels.weights} {self.recipe!r} {self.d}"
        file = CheckpointFile(checkpoint, of, seeds)
        stand = AdamCheckpoint.read(file, training.start(self.d, seeds))
        started = time.perf_counter() - stand.seconds
        found = {
            seed: self._better(None, attempt, seed, stand.done)
            for seed, attempt in zip(seeds, stand.best, strict=False)
        }
        measured = stand.measured
        for done, state, losses in training.chunks(stand.state, stand.done):
            measured += 1
            for seed, W, loss in zip(seeds, np.asarray(state.W, np.float64), losses, strict=True):
                if seed not in found or not self._is_enough(found[seed]):
                    attempt = Attempt(W, float(loss), done)
                    found[seed] = self._better(found.get(seed), attempt, seed, done)
            best = [Attempt(found[one].W, found[one].loss, done) for one in seeds]
            seconds = time.perf_counter() - started
            AdamCheckpoint(done, state, measured, seconds, tuple(best)).write(file)
            if all(map(self._is_enough, found.values())):
                break
        seconds = time.perf_counter() - started
        return tuple(replace(found[one], attempts=measured, seconds=seconds) for one in seeds)

    def _is_enough(self, one: Superposed) -> bool:
        is_right = not self.recipe.n_interchanged and not one.gate.quality.shortcomings
        return one.gate.passed or is_right

    def _better(
        self, known: Superposed | None, attempt: Attempt, seed: int, number: int
    ) -> Superposed:
        """Measure an attempt, and return it if it is better than what is known."""
        W = on_grid(attempt.W)
        gate = self._gate(W, self.task.labels.seed + 1)
        if gate.passed:  # It was chosen by these pairs: others must show the same.
            gate = self._gate(W, self.task.labels.seed)
        self.progress(seed, number, _told(gate))
        of = str(self.task.id), self.d, seed, self.name, asdict(self.recipe)
        one = Superposed(*of, W, gate, attempt.loss, number, 0.0)
        return one if known is None or _rank(one) < _rank(known) else known

    def _gate(self, W: np.ndarray, seed: int) -> QualityGate:
        task = self.task
        return quality_gate(
            task.compiled, W, task.labels, task.domain, task=f"{task.id}", seed=seed
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
