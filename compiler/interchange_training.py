"""Strict interchange-intervention training of an ordinary transformer (SIIT).

Gupta et al. 2024, arXiv:2407.14494, after Geiger et al. 2022, arXiv:2112.00826: a transformer is
trained until interchanges in it do what interchanges of variables do in a program. There are
three terms, and every row of a batch has all that apply to it: the answers of the program where
nothing is interchanged; where an aligned edge or component is, the answers of the program with the
variables that it carries overridden; and either may not change when edges that are aligned
with nothing are interchanged as well, any of them at once. So strictness covers edges, not
components alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from .interchanged_forward import Arrays, InterchangedForward
from .least_one import below_one, not_finite
from .model import Codec
from .values import Encoding
from .weights import Weights

_LEAST = 1e-6
_MOMENTUM, _MEMORY = 0.9, 0.98


@dataclass(frozen=True)
class TrainingRecipe:
    """How models are trained: by AdamW without a schedule.

    Steps are taken from one sequence of weights, and the model is their mean (Defazio et al. 2024,
    arXiv:2405.15682). So it can be looked at at any time, and training ends when it is good; a
    rate that falls would have to know beforehand when that is.

    Attributes:
        steps: how many are taken at most.
        chunk: steps that are taken at a time. After each the model is looked at, and training can
            be gone on with.
        batch: rows in a step. Small ones fit in the cache: twice as many take more than twice as
            long.
        rate: the learning rate.
        warm_up: over so many steps it rises at first.
        weight_decay: of AdamW.
        norm: gradients are cut to it.
        strict: in which share of the rows edges that are aligned with nothing are interchanged
            too.
        sharpness: what categorical logits are multiplied by before the softmax of the
            cross-entropy.
    """

    steps: int = 40_000
    chunk: int = 1_000
    batch: int = 48
    rate: float = 8e-3
    warm_up: int = 500
    weight_decay: float = 1e-3
    norm: float = 1.0
    strict: float = 0.5
    sharpness: float = 8.0

    @property
    def problems(self) -> Iterator[str]:
        """Why nothing can be trained by it; nothing if something can."""
        wrong = [
            *below_one(self, "steps", "chunk", "batch", "warm_up"),
            *not_finite(self, "rate", "weight_decay", "norm", "strict", "sharpness"),
        ]
        if wrong:
            yield from wrong
            return
        if self.steps % self.chunk:
            yield f"steps: must be a multiple of chunk, {self.chunk}, got {self.steps}"
        for name in ("rate", "norm", "sharpness"):
            if not getattr(self, name) > 0:
                yield f"{name}: must be above 0, got {getattr(self, name)}"
        if not self.weight_decay >= 0:
            yield f"weight_decay: must be at least 0, got {self.weight_decay}"
        if not 0 <= self.strict <= 1:
            yield f"strict: must be from 0 to 1, got {self.strict}"


class InterchangeRows(NamedTuple):
    """Rows that a model is trained on.

    Attributes:
        base: token ids `[rows, position]`.
        source: token ids of the sources.
        places: the row of `W_pos` at each position of a source.
        aligned: which set of aligned edges is interchanged, `[rows]`; 0 is none.
        targets: the logits that stand for the answers, `[rows, position, d_out]`.
        counted: 1 where an answer counts, `[rows, position]`.
    """

    base: Array
    source: Array
    places: Array
    aligned: Array
    targets: Array
    counted: Array


class TrainingState(NamedTuple):
    """Where the training of several seeds stands.

    Attributes:
        arrays: where gradients are taken, by name, `[seeds, ...]`.
        optimiser: its state, from which the weights come.
        key: draws the next batches.
        step: how many steps were taken.
    """

    arrays: dict[str, Array]
    optimiser: Any
    key: Array
    step: Array


@dataclass(frozen=True, eq=False)
class InterchangeTraining:
    """Trains ordinary transformers of one architecture on the interchanges of one program.

    Attributes:
        like: weights of the architecture.
        codec: tells categorical logits from numerical ones.
        sets: for each set of aligned edges 1 where it has one, `[sets, reader, writer]`; none in
            the first.
        quiet: 1 for each edge that is aligned with nothing that has an effect, `[reader, writer]`.
        rows: what is trained on.
        recipe: how.
    """

    like: Weights
    codec: Codec
    sets: Float[np.ndarray, "sets reader writer"]
    quiet: Float[np.ndarray, "reader writer"]
    rows: InterchangeRows
    recipe: TrainingRecipe

    @cached_property
    def forward(self) -> InterchangedForward:
        """Runs the models."""
        return InterchangedForward(self.like)

    def start(self, starts: list[Weights], seed: int) -> TrainingState:
        """Return where training starts, for several models at once."""
        arrays = {
            name: jnp.asarray(np.stack([getattr(one, name) for one in starts]), jnp.float32)
            for name, _ in self.like.arrays()
        }
        state = jax.jit(jax.vmap(self._optimiser.init))(arrays)
        return TrainingState(arrays, state, jax.random.PRNGKey(seed), jnp.zeros((), jnp.int32))

    def chunk(self, state: TrainingState) -> tuple[TrainingState, Float[np.ndarray, " seeds"]]:
        """Return where training stands after a chunk of steps, and the mean loss over them."""
        state, losses = self._run(state, self.rows)
        return state, np.asarray(losses)

    def weights(self, state: TrainingState) -> list[Weights]:
        """Return the weights of each of the models, in float64."""
        averaged = jax.vmap(optax.contrib.schedule_free_eval_params)
        arrays = averaged(state.optimiser[-1], state.arrays)
        return [
            self.like.with_arrays(
                {name: np.asarray(array[place], np.float64) for name, array in arrays.items()}
            )
            for place in range(len(arrays["W_E"]))
        ]

    def loss(self, arrays: Arrays, rows: InterchangeRows, edges: Array) -> Array:
        """Return the loss on rows, with the edges `[rows, reader, writer]` that are interchanged.

        It is the squared error of the logits, of numerical outputs relative to the variance of
        their values, and of categorical outputs the cross-entropy as well, with the distribution
        that the targets stand for.
        """
        _, logits = self.forward.interchange(arrays, rows.base, rows.source, rows.places, edges)
        error = jnp.square(logits - rows.targets)
        lost = jnp.zeros(error.shape[:-1])
        for readout, some in self.codec.logit_slices:
            own = error[..., some].sum(axis=-1)
            if readout.encoding is Encoding.NUMERICAL:
                lost += own / max(float(readout.values.numbers.var()), _LEAST)
            else:
                lost += own
                wanted, found = (
                    jax.nn.log_softmax(self.recipe.sharpness * each[..., some])
                    for each in (rows.targets, logits)
                )
                lost += (jnp.exp(wanted) * (wanted - found)).sum(axis=-1)
        return (lost * rows.counted).sum() / rows.counted.sum()

    @cached_property
    def _optimiser(self) -> optax.GradientTransformation:
        recipe = self.recipe
        return optax.chain(
            optax.clip_by_global_norm(recipe.norm),
            optax.contrib.schedule_free_adamw(
                recipe.rate,
                recipe.warm_up,
                b1=_MOMENTUM,
                b2=_MEMORY,
                weight_decay=recipe.weight_decay,
            ),
        )

    def _drawn(self, rows: InterchangeRows, key: Array) -> tuple[InterchangeRows, Array]:
        """Return a batch, and its edges: in some of the rows quiet ones are among them."""
        which, whether, share, each = jax.random.split(key, 4)
        n = self.recipe.batch
        picked = jax.random.choice(which, len(rows.base), (n,))
        batch = jax.tree.map(lambda array: array[picked], rows)
        most = (
            jax.random.bernoulli(whether, self.recipe.strict, (n,))
            * jax.random.uniform(share, (n,)) ** 2
        )
        drawn = jax.random.uniform(each, (n, *self.quiet.shape)) < most[:, None, None]
        return batch, jnp.asarray(self.sets)[batch.aligned] + drawn * jnp.asarray(self.quiet)

    @cached_property
    def _run(self) -> Any:
        slope = jax.vmap(jax.value_and_grad(self.loss), in_axes=(0, None, None))

        def step(
            rows: InterchangeRows, state: TrainingState, _: None
        ) -> tuple[TrainingState, Array]:
            key, drawn = jax.random.split(state.key)
            losses, gradient = slope(state.arrays, *self._drawn(rows, drawn))
            updates, inner = jax.vmap(self._optimiser.update)(
                gradient, state.optimiser, state.arrays
            )
            arrays = optax.apply_updates(state.arrays, updates)
            return TrainingState(arrays, inner, key, state.step + 1), losses

        @jax.jit
        def run(state: TrainingState, rows: InterchangeRows) -> tuple[TrainingState, Array]:
            state, losses = jax.lax.scan(partial(step, rows), state, length=self.recipe.chunk)
            return state, losses.mean(axis=0)

        return run
