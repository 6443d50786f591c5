"""Training: ordinary transformers, trained until they run a program, and measured.

A model is trained by `interchange_training` on inputs of the domain of its program. When it passes
the `training_gate` on inputs that it was trained on, with draws that it was not trained on, it is
measured on the inputs that were held out; if it does not pass there, training goes on. How often
that was asked stands in its history.
"""

import operator
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from ..benchmark_programs import TaskId
from ..benchmark_programs.task_id import REGIMES, TRAINED
from ..compiler import Weights
from ..compiler.interchange_training import (
    InterchangeRows,
    InterchangeTraining,
    TrainingRecipe,
)
from ..errors import TaskError, listing
from ..plurals import counted
from .aligned_interchanges import AlignedRows
from .checkpoint_file import CheckpointFile
from .counted_interchanges import Count
from .digest import weights_digest
from .own_task_id import OwnTaskId
from .task import Task
from .task_building import original_of
from .trained import held_out, initial_weights, trained_id, trained_task
from .training_checkpoint import TrainingCheckpoint
from .training_gate import MOST_WRONG, HeldOut, TrainingGate
from .training_history import TrainingHistory, installed_versions

N_ROWS = 600
"""How many interchanges of each set of edges a model is trained on."""
N_SEEN = 64
"""By how many of each it is seen how good a model is."""
DONE = 0.995
"""Which share of these must be right before the whole gate is asked."""

Progress = Callable[[int, str], None]
"""Told after every chunk: how many steps were taken, and what models can do."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model, and how it came about.

    Attributes:
        id: of its task.
        original: the same program compiled, and certified.
        gate: what was measured, and how the model came about.
        loss: the mean over the last steps; no number where its training had ended before.
    """

    id: TaskId | OwnTaskId
    original: Task
    gate: TrainingGate
    loss: float

    @property
    def history(self) -> TrainingHistory:
        """How the model came about."""
        assert self.gate.history is not None
        return self.gate.history

    @property
    def weights(self) -> Weights:
        """Its weights, which float32 holds."""
        return self.gate.compiled.model.weights

    @property
    def passed(self) -> bool:
        """Whether it is one whose inside is known."""
        return self.gate.passed

    @property
    def as_measured(self) -> Task:
        """The same without asking whether it passes: for its bundle, which says why it does not.

        What is inside a model that does not pass is not known, and no score of it means anything.
        """
        gate = self.gate
        return Task(self.id, gate.compiled, gate.labels, self.original.domain, training=gate)

    @property
    def task(self) -> Task:
        """The task that has this model.

        Raises:
            CertificationError: it does not pass; the first twenty reasons are told.
        """
        return trained_task(self.id, self.original, self.gate)


def train(
    task: TaskId | OwnTaskId | str,
    original: Task | None = None,
    starts: Iterable[int] = (0,),
    *,
    recipe: TrainingRecipe | None = None,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> tuple[Trained, ...]:
    """Train ordinary transformers to run a program, one from each of several starts, together.

    Returned are the models that were measured last: those that seemed to pass when one did, or
    all when all steps were taken. A training that ended before is not taken further. Models whose
    weights are no numbers any more are left out.

    Args:
        task: its last regime is `trained`; where `original` is given, the regime alone will do.
            Bundles of an id that comes with the package hold the weights of the package: for
            others choose another seed.
        original: the same program compiled, and certified; needed of a program of one's own.
        starts: seeds of the first weights. Training ends when one of the models passes.
        recipe: how they are trained.
        checkpoint: a file in which training keeps where it stands, and from which it goes on.
        progress: is told of every chunk of steps that does not end training.

    Raises:
        TaskError: something that is asked for cannot be; all of it is told.
        BundleError: the checkpoint is of another training.
    """
    recipe = recipe or TrainingRecipe()
    problems, seeds = list(recipe.problems), _seeds(starts)
    if seeds is None:
        problems.append(f"starts: must be one or more different seeds from 0 up, got {starts!r}")
    if problems or seeds is None:
        raise TaskError(listing(f"{task} cannot be trained so:", problems))
    task, original = _asked(task, original)
    measured_by = held_out(task, original)
    n_inputs, n_held_out = (len(one.tokens) for one in (original.domain, measured_by.domain))
    if Count(0, n_held_out).may_exceed(MOST_WRONG):
        raise TaskError(
            f"{task} cannot be measured: {n_held_out:,} of its {n_inputs:,} inputs are held out, "
            f"too few to tell whether at most {MOST_WRONG:.0%} are wrong; take a larger vocabulary "
            "or length"
        )
    first = [initial_weights(task, original.compiled, start) for start in seeds]
    tell = progress or (lambda _steps, _text: None)
    place = None if checkpoint is None else Path(checkpoint)
    return _Run(task, original, measured_by, first, seeds, recipe, place, tell).until_good()


def _seeds(starts: Iterable[int]) -> list[int] | None:
    """Return seeds as a list, `None` if they are none."""
    try:
        seeds = [operator.index(one) for one in starts]
    except TypeError:
        return None
    are_good = seeds and min(seeds) >= 0 and len(set(seeds)) == len(seeds)
    return seeds if are_good else None


def _asked(
    task: TaskId | OwnTaskId | str, original: Task | None
) -> tuple[TaskId | OwnTaskId, Task]:
    """Return the id of what is trained, and the same program compiled and certified."""
    if isinstance(task, str):
        if original is not None and task.split("[")[0].split("/")[0] in REGIMES:
            return trained_id(original, task), original
        task = TaskId.parse(task)
    if original is None:
        if isinstance(task, OwnTaskId):
            raise TaskError(f"{task} is trained from its task without the regime: give `original`.")
        return task, original_of(task)
    if TRAINED not in dict(task.regimes) or replace(task, regimes=()) != original.id:
        raise TaskError(
            f"{task} must be the regime `trained` of the program that it is trained from, got "
            f"{original.id}."
        )
    return task, original


@dataclass(frozen=True, eq=False)
class _Run:
    """One training of several models."""

    task: TaskId | OwnTaskId
    original: Task
    held_out: HeldOut
    first: list[Weights]
    starts: list[int]
    recipe: TrainingRecipe
    place: Path | None
    progress: Progress

    def until_good(self) -> tuple[Trained, ...]:
        """Train until a model passes the gate, or all steps are taken."""
        recipe, training = self.recipe, self._training
        stand = TrainingCheckpoint.read(
            self._checkpoint, training.start(self.first, self.starts[0])
        )
        began, losses = time.perf_counter() - stand.seconds, np.full(len(self.starts), np.nan)
        while True:
            state, measured, asked = stand.state, stand.measured, stand.asked
            ends = stand.has_passed or int(state.step) >= recipe.steps
            if not ends:
                state, losses = training.chunk(state)
                ends = int(state.step) >= recipe.steps
            steps, weights = int(state.step), training.weights(state)
            sound = self._sound(weights)
            shares = list(map(self._share, weights))
            ready = [
                is_sound and (ends or self._is_ready(own, share))
                for own, share, is_sound in zip(weights, shares, sound, strict=True)
            ]
            if steps != asked:  # what was measured before is measured again and not counted again
                measured, asked = measured + sum(ready), steps if any(ready) else asked
            seconds = time.perf_counter() - began
            found = self._measured(weights, losses, ready, steps, measured, seconds)
            has_passed = any(one.passed for one in found)
            stand = TrainingCheckpoint(state, measured, asked, seconds, has_passed)
            stand.write(self._checkpoint)
            if ends or has_passed:
                return found
            n_lost, best = sound.count(False), max(shares)
            lost = f", {counted(n_lost, 'start')} lost" if n_lost else ""
            self.progress(
                steps, f"loss {np.nanmin(losses):.2g}, {best:.2%} of interchanges right{lost}"
            )

    def _sound(self, weights: Sequence[Weights]) -> list[bool]:
        """Return which models have weights that are numbers; raise if none has."""
        sound = [all(np.isfinite(array).all() for _, array in one.arrays()) for one in weights]
        if not any(sound):
            raise TaskError(
                f"{self.task} cannot be trained so: weights must stay finite, and of every start "
                f"they do not at a rate of {self.recipe.rate:g}; take a lower rate"
            )
        return sound

    @cached_property
    def _training(self) -> InterchangeTraining:
        held_out, codec = self.held_out, self.held_out.original.model.codec
        rng = np.random.default_rng([held_out.seed, 1])
        rows = held_out.aligned.draw(held_out.train, N_ROWS, rng)
        targets = codec.answer_logits(rows.answers).astype(np.float32)
        counted = codec.is_real(rows.base).astype(np.float32)
        given = rows.base, rows.source, rows.positions, rows.chosen, targets, counted
        return InterchangeTraining(
            self.first[0],
            codec,
            held_out.masks,
            held_out.quiet,
            InterchangeRows(*map(jnp.asarray, given)),
            self.recipe,
        )

    @cached_property
    def _seen(self) -> AlignedRows:
        """New interchanges of inputs that models are trained on."""
        held_out = self.held_out
        rng = np.random.default_rng([held_out.seed, 2])
        return held_out.aligned.draw(held_out.train, N_SEEN, rng)

    def _share(self, weights: Weights) -> float:
        """Return which share of these a model has right, with quiet edges or without."""
        return min(float(right.mean()) for right in self.held_out.right(weights, self._seen))

    def _is_ready(self, weights: Weights, share: float) -> bool:
        """Return whether a model would pass, as far as inputs of training tell."""
        return share >= DONE and self.held_out.passes_rehearsal(weights)

    def _measured(
        self,
        weights: Sequence[Weights],
        losses: np.ndarray,
        ready: Sequence[bool],
        steps: int,
        measured: int,
        seconds: float,
    ) -> tuple[Trained, ...]:
        """Return the models that are ready, measured on held-out inputs."""
        found = []
        recipe, versions = asdict(self.recipe), installed_versions()
        of_each = zip(self.starts, weights, losses, ready, strict=True)
        for start, own, loss, is_ready in of_each:
            if is_ready:
                history = TrainingHistory(
                    start=start,
                    starts=tuple(self.starts),
                    steps=steps,
                    seconds=round(seconds, 1),
                    measured=measured,
                    recipe=recipe,
                    versions=versions,
                )
                gate = replace(self.held_out.gate(own, str(self.task)), history=history)
                found.append(Trained(self.task, self.original, gate, float(loss)))
        return tuple(found)

    @cached_property
    def _checkpoint(self) -> CheckpointFile:
        # With more steps training goes on.
        recipe = replace(self.recipe, steps=self.recipe.chunk)
        of = f"{self.task} {weights_digest(self.held_out.original.model.weights)} {recipe!r}"
        return CheckpointFile(self.place, of, self.starts)
