"""Recipes of compressions by Adam, on batches, several seeds at once.

`talk` is what is known at second hand of the recipe of the published experiments (Lindner et al.
2023, section 5): a random start, AdamW, a learning rate that falls from 1e-3 to 1e-6 over the first
half of 300,000 steps. The loss is that of `compression_loss`. `adam` starts where readers see what
they need, and is for models whose `W` is too large for Gauss-Newton.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from .compression_loss import CompressionLoss, Sample
from .compression_starts import STARTS, start_problems
from .interchanged_edges import InterchangedEdges
from .least_one import below_one, not_finite
from .model import Model

Schedule = Literal["cosine", "linear"]

_CHUNK = 500
_SEED = 0


@dataclass(frozen=True)
class AdamRecipe:
    """How compressions are trained.

    Attributes:
        start: one of `STARTS`.
        steps: of the optimiser.
        batch: inputs and interchanges in a step.
        n_inputs: of how many inputs batches are drawn, evenly over lengths and outputs.
        n_interchanged: and of how many interchanges of single edges.
        rate: the first learning rate.
        last_rate: the last.
        schedule: `cosine` over all steps, or `linear` over their first half.
        weight_decay: of AdamW.
        b2: the decay of the second moments; that of the first is 0.9.
    """

    start: str = "reads"
    steps: int = 6_000
    batch: int = 128
    n_inputs: int = 2048
    n_interchanged: int = 4096
    rate: float = 1e-3
    last_rate: float = 1e-6
    schedule: Schedule = "cosine"
    weight_decay: float = 0.0
    b2: float = 0.999

    @property
    def problems(self) -> tuple[str, ...]:
        """Why nothing can be trained by it; empty if something can."""
        wrong = [
            *start_problems(self.start),
            *below_one(self, "steps", "batch", "n_inputs"),
            *not_finite(self, "rate", "last_rate", "weight_decay", "b2"),
        ]
        if not wrong and self.rate <= 0:
            wrong.append(f"rate: must be above 0, got {self.rate}")
        if self.schedule not in (known := get_args(Schedule)):
            wrong.append(f"schedule: must be {' or '.join(known)}, got {self.schedule!r}")
        return tuple(wrong)

    def optimiser(self) -> optax.GradientTransformation:
        """Return the optimiser with its schedule."""
        if self.schedule == "cosine":
            rate = optax.cosine_decay_schedule(self.rate, self.steps, self.last_rate / self.rate)
        else:
            rate = optax.linear_schedule(self.rate, self.last_rate, self.steps // 2)
        return optax.adamw(rate, b1=0.9, b2=self.b2, weight_decay=self.weight_decay)


class AdamState(NamedTuple):
    """Where the training of several seeds stands.

    Attributes:
        W: `[seeds, d, d_model]`.
        optimiser: its state.
        key: draws the next batches.
    """

    W: Array
    optimiser: Any
    key: Array


class AdamTraining:
    """Trains compressions of one model.

    Args:
        model: the original.
        sampled: the inputs that are trained on.
        edges: which are interchanged.
        recipe: how.
    """

    def __init__(
        self,
        model: Model,
        sampled: Int[np.ndarray, "rows position"],
        edges: InterchangedEdges,
        recipe: AdamRecipe,
    ) -> None:
        self._model = model
        self._sampled = sampled
        self._recipe = recipe
        self._loss = CompressionLoss.of(model, sampled)
        rng = np.random.default_rng(_SEED)
        self._sample = self._loss.sample(sampled, edges.each, recipe.n_interchanged, rng)

    def start(self, d: int, seeds: list[int]) -> AdamState:
        """Return where training starts; what a checkpoint holds has the same shape."""
        start = STARTS[self._recipe.start]
        W = jnp.asarray(
            np.stack(
                [
                    start(self._model, self._sampled, d, np.random.default_rng([seed, d, 0]))
                    for seed in seeds
                ]
            ),
            jnp.float32,
        )
        state = jax.vmap(self._recipe.optimiser().init)(W)
        return AdamState(W, state, jax.random.PRNGKey(_SEED))

    def chunks(
        self, state: AdamState, done: int = 0
    ) -> Iterator[tuple[int, AdamState, Float[np.ndarray, " seeds"]]]:
        """Yield how many steps are done, where training stands, and the losses of the last ones.

        Args:
            state: where it stands.
            done: how many steps that took.
        """
        while done < self._recipe.steps:
            length = min(_CHUNK, self._recipe.steps - done)
            state, losses = self._chunk(state, self._sample, length)
            done += length
            yield done, state, np.asarray(losses)

    @cached_property
    def _chunk(self) -> Any:
        optimiser, batch = self._recipe.optimiser(), self._recipe.batch
        slope = jax.vmap(jax.value_and_grad(self._loss), in_axes=(0, None))

        def step(sample: Sample, state: AdamState, _: None) -> tuple[AdamState, Array]:
            key, drawn = jax.random.split(state.key)
            rows = jax.random.choice(drawn, len(sample.base), (batch,))
            losses, gradient = slope(state.W, sample.take(rows))
            update, inner = jax.vmap(optimiser.update)(gradient, state.optimiser, state.W)
            return AdamState(optax.apply_updates(state.W, update), inner, key), losses

        @partial(jax.jit, static_argnums=2)
        def chunk(state: AdamState, sample: Sample, length: int) -> tuple[AdamState, Array]:
            state, losses = jax.lax.scan(partial(step, sample), state, length=length)
            return state, losses.mean(axis=0)

        return chunk
