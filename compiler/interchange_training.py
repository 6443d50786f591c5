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
from jaxtyping import Array, Float, Int

from .interchanged_forward import Arrays, InterchangedForward
from .model import Codec
from .values import Encoding
from .weights import Weights

_LEAST = 1e-6
_GROWTH = 3


@dataclass(frozen=True)
class TrainingRecipe:
    """How models are trained: by AdamW, with warm restarts.

    The rate falls from its full value to nothing along a cosine, over a cycle of steps, and
    then starts anew over three times as many (SGDR of Loshchilov and Hutter 2017,
    arXiv:1608.03983). A model is looked at where a cycle ends, so that easy programs are done
    early.

    Attributes:
        cycle: steps of the first cycle.
        cycles: how many there are at most.
        chunk: steps that are taken at a time; training can be gone on with after each.
        batch: rows in a step. Small ones fit in the cache: twice as many take more than twice as
            long.
        rate: the full learning rate.
        warm_up: over so many steps it rises at first.
        weight_decay: of AdamW.
        norm: gradients are cut to it.
        strict: in which share of the rows edges that are aligned with nothing are interchanged
            too.
        sharpness: what categorical logits are multiplied by before the softmax of the
            cross-entropy.
    """

    cycle: int = 2_000
    cycles: int = 4
    chunk: int = 500
    batch: int = 48
    rate: float = 3e-3
    warm_up: int = 200
    weight_decay: float = 1e-3
    norm: float = 1.0
    strict: float = 0.5
    sharpness: float = 8.0

    @property
    def problems(self) -> Iterator[str]:
        """Why nothing can be trained by it; nothing if something can."""
        for name in ("cycle", "cycles", "chunk", "batch"):
            if getattr(self, name) < 1:
                yield f"{name}: must be at least 1, got {getattr(self, name)}"
        if self.chunk > 0 and self.cycle % self.chunk:
            yield f"cycle: must be a multiple of chunk, {self.chunk}, got {self.cycle}"
        for name in ("rate", "norm", "sharpness"):
            if not getattr(self, name) > 0:
                yield f"{name}: must be above 0, got {getattr(self, name)}"

    @property
    def steps(self) -> int:
        """How many steps all cycles have."""
        return self._ends[-1]

    def rates(self, done: int) -> Float[np.ndarray, " chunk"]:
        """Return the rate of each step of the next chunk.

        Args:
            done: steps that were taken.
        """
        steps = done + np.arange(self.chunk)
        ends = np.array([0, *self._ends])
        number = np.searchsorted(ends, steps, side="right")
        fallen = (steps - ends[number - 1]) / (ends[number] - ends[number - 1])
        risen = np.minimum(1.0, (steps + 1) / self.warm_up)
        return self.rate * risen * (1 + np.cos(np.pi * fallen)) / 2

    def ends_cycle(self, done: int) -> bool:
        """Return whether a cycle ends after so many steps."""
        return done in self._ends

    @property
    def _ends(self) -> tuple[int, ...]:
        """After how many steps each cycle ends."""
        return tuple(
            self.cycle * (_GROWTH**n - 1) // (_GROWTH - 1) for n in range(1, self.cycles + 1)
        )


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
        arrays: the weights by name, `[seeds, ...]`.
        optimiser: its state.
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
        quiet: 1 for each edge that is aligned with nothing, `[reader, writer]`.
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
        state = jax.vmap(self._optimiser.init)(arrays)
        return TrainingState(arrays, state, jax.random.PRNGKey(seed), jnp.zeros((), jnp.int32))

    def chunk(self, state: TrainingState) -> tuple[TrainingState, Float[np.ndarray, " seeds"]]:
        """Return where training stands after a chunk of steps, and the mean loss over them."""
        rates = jnp.asarray(self.recipe.rates(int(state.step)), jnp.float32)
        state, losses = self._run(state, self.rows, rates)
        return state, np.asarray(losses)

    def weights(self, state: TrainingState, place: int) -> Weights:
        """Return the weights of one of the models, in float64."""
        return self.like.with_arrays(
            {name: np.asarray(array[place], np.float64) for name, array in state.arrays.items()}
        )

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
                target = jax.nn.softmax(self.recipe.sharpness * rows.targets[..., some])
                found = jax.nn.log_softmax(self.recipe.sharpness * logits[..., some])
                lost += (target * (jnp.log(target) - found)).sum(axis=-1)
        return (lost * rows.counted).sum() / rows.counted.sum()

    @cached_property
    def _optimiser(self) -> optax.GradientTransformation:
        """What turns gradients into updates of a rate of one."""
        recipe = self.recipe
        return optax.chain(
            optax.clip_by_global_norm(recipe.norm),
            optax.scale_by_adam(b2=0.98),
            optax.add_decayed_weights(recipe.weight_decay),
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
            rows: InterchangeRows, state: TrainingState, rate: Array
        ) -> tuple[TrainingState, Array]:
            key, drawn = jax.random.split(state.key)
            losses, gradient = slope(state.arrays, *self._drawn(rows, drawn))
            updates, inner = jax.vmap(self._optimiser.update)(
                gradient, state.optimiser, state.arrays
            )
            arrays = jax.tree.map(lambda a, u: a - rate * u, state.arrays, updates)
            return TrainingState(arrays, inner, key, state.step + 1), losses

        @jax.jit
        def run(
            state: TrainingState, rows: InterchangeRows, rates: Float[Array, " steps"]
        ) -> tuple[TrainingState, Array]:
            state, losses = jax.lax.scan(partial(step, rows), state, rates)
            return state, losses.mean(axis=0)

        return run


def answer_logits(
    codec: Codec, answers: Int[np.ndarray, "*rows outputs"]
) -> Float[np.ndarray, "*rows d_out"]:
    """Return logits that stand for answers: one-hot, or the number; zeros for `None`.

    Args:
        codec: the outputs.
        answers: of each the position of its value, -1 for `None`.
    """
    parts = []
    for place, readout in enumerate(codec.readouts):
        ids = answers[..., place]
        if readout.encoding is Encoding.NUMERICAL:
            parts.append(np.where(ids < 0, 0.0, readout.values.numbers[ids])[..., None])
        else:
            parts.append((ids[..., None] == np.arange(readout.width)).astype(np.float64))
    return np.concatenate(parts, axis=-1)
