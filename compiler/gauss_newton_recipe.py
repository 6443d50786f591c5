"""The recipe of compressions by default: from what readers need, down by Gauss-Newton.

A start of `reads` is often all but right; a few tens of steps of `gauss_newton.descend` on a
few hundred rows do the rest. What is asked for is that *no* answer changes, so that rows on
which the loss is largest are then looked for among many more, and put among those that are
trained on, round by round.

Where no start leads to a model that is good enough, one is trained with a dimension more, and
that dimension is squeezed out: its row of `W` shrinks step by step while the others are
trained to make up for it. That finds solutions whose features have very different sizes, far
from every start.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .compression_attempt import Attempt
from .compression_loss import CompressionLoss, Parts, Sample
from .compression_starts import STARTS, start_problems
from .gauss_newton import Descent, descend
from .interchanged_edges import InterchangedEdges
from .least_one import below_one, below_zero, not_finite
from .model import Model

Matrix = Float[np.ndarray, "d d_model"]

_SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""How large the row that is squeezed out still is, step by step."""
_ROUND_STEPS = 30
_POOL_SEED = 0


@dataclass(frozen=True)
class GaussNewtonRecipe:
    """How a compression is trained.

    Attributes:
        start: one of `STARTS`.
        n_inputs: how many inputs rows are drawn from, evenly over lengths and outputs.
        n_interchanged: how many interchanges they are drawn from.
        inputs: how many inputs are trained on at a time.
        interchanged: how many interchanges.
        hardest: how many more of either are those on which the loss is largest.
        steps: how many steps are tried from each start.
        rounds: how often the hardest rows are looked for.
        tries: from how many starts.
        squeezes: how many rounds follow when a dimension was squeezed out.
        enough: a loss at which no more steps are taken.
    """

    start: str = "reads"
    n_inputs: int = 1024
    n_interchanged: int = 6144
    inputs: int = 80
    interchanged: int = 120
    hardest: int = 120
    steps: int = 60
    rounds: int = 8
    tries: int = 3
    squeezes: int = 16
    enough: float = 1e-8

    @property
    def problems(self) -> tuple[str, ...]:
        """Why nothing can be trained by it; empty if something can."""
        return (
            *start_problems(self.start),
            *below_one(self, "n_inputs", "inputs", "tries", "steps"),
            *below_zero(self, "n_interchanged", "interchanged", "hardest", "rounds", "squeezes"),
            *not_finite(self, "enough"),
        )


class GaussNewtonTraining:
    """Trains compressions of one model.

    Args:
        model: the original.
        sampled: the inputs that rows are drawn from.
        edges: which are interchanged.
        recipe: how.
    """

    def __init__(
        self,
        model: Model,
        sampled: Int[np.ndarray, "rows position"],
        edges: InterchangedEdges,
        recipe: GaussNewtonRecipe,
    ) -> None:
        self._model = model
        self._sampled = sampled
        self._recipe = recipe
        self._plain = CompressionLoss.of(model, sampled)
        self._in_bounds = replace(self._plain, in_bounds=True)
        self._edges = edges
        self._descents: dict[tuple[bool, int], Callable[..., Descent]] = {}

    def attempts(self, d: int, seed: int) -> Iterator[Attempt]:
        """Yield one attempt after the other: starts, and each after more steps.

        Whoever asks stops at one that is good enough.
        """
        for number in range(self._recipe.tries):
            rng = np.random.default_rng([seed, d, number])
            yield from self._from_start(d, rng)
        if self._recipe.squeezes and d + 1 < self._model.weights.d_model:
            rng = np.random.default_rng([seed, d, self._recipe.tries])
            *_, wider = self._from_start(d + 1, rng)
            yield from self._squeezed(wider.W, rng)

    def _from_start(self, d: int, rng: np.random.Generator) -> Iterator[Attempt]:
        """Go down from a start."""
        W = STARTS[self._recipe.start](self._model, self._sampled, d, rng)
        rows = self._drawn(self._all, rng)
        yield Attempt(W, float(self._loss(jnp.asarray(W), rows)), 0)
        done = self._descend(False, self._recipe.steps)(jnp.asarray(W), rows)
        yield self._attempt(done)
        yield from self._rounds(done.W, self._all, rng, self._recipe.rounds)

    def _squeezed(self, W: Matrix, rng: np.random.Generator) -> Iterator[Attempt]:
        """Take the weakest dimension out of `W`, little by little."""
        _, sizes, axes = np.linalg.svd(W, full_matrices=False)
        shrunk = jnp.asarray(sizes[:, None] * axes)
        kept, last = shrunk[:-1], shrunk[-1]
        rows = self._drawn(self._quiet, rng)
        for share in _SHARES:
            kept = self._beside(kept, share * last, rows).W
        yield from self._rounds(kept, self._quiet, rng, self._recipe.squeezes)

    def _rounds(
        self, W: Array, pool: Sample, rng: np.random.Generator, rounds: int
    ) -> Iterator[Attempt]:
        """Go down on the rows that are hardest now or were, and on others."""
        hardest = np.array([], int)
        for _ in range(rounds):
            losses = np.asarray(self._by_row(W, pool))
            found = np.argsort(-losses)[: self._recipe.hardest // 2]
            known = np.union1d(hardest, found)
            hardest = known[np.argsort(-losses[known])][: self._recipe.hardest]
            done = self._descend(True, _ROUND_STEPS)(W, self._drawn(pool, rng, hardest))
            W = done.W
            yield self._attempt(done)

    @cached_property
    def _all(self) -> Sample:
        """Inputs, and interchanges of every edge."""
        return self._pool(self._edges.each)

    @cached_property
    def _quiet(self) -> Sample:
        """Inputs, and interchanges of edges without effect."""
        return self._pool(self._edges.quiet)

    def _pool(self, edges: tuple[frozenset[str], ...]) -> Sample:
        rng = np.random.default_rng(_POOL_SEED)
        return self._plain.sample(self._sampled, edges, self._recipe.n_interchanged, rng)

    def _drawn(
        self, pool: Sample, rng: np.random.Generator, hardest: np.ndarray | tuple[()] = ()
    ) -> Sample:
        """Return rows of a pool: always as many, with the hardest among them."""
        recipe = self._recipe
        every = np.arange(len(pool.base))
        inputs, interchanged = np.split(every, [len(self._sampled)])
        some = [
            rng.choice(inputs, recipe.inputs),
            rng.choice(interchanged, recipe.interchanged if len(interchanged) else 0),
            rng.choice(every, recipe.hardest - len(hardest)),
            np.asarray(hardest, int),
        ]
        return pool.take(jnp.asarray(np.concatenate(some)))

    def _descend(self, in_bounds: bool, steps: int) -> Callable[..., Descent]:
        """Return a compiled descent; it is compiled once for each shape."""
        if (in_bounds, steps) not in self._descents:
            loss = self._in_bounds if in_bounds else self._plain
            self._descents[in_bounds, steps] = jax.jit(
                partial(descend, loss, steps=steps, enough=self._recipe.enough)
            )
        return self._descents[in_bounds, steps]

    @cached_property
    def _loss(self) -> Callable[[Array, Sample], Array]:
        return jax.jit(self._plain)

    @cached_property
    def _by_row(self) -> Callable[[Array, Sample], Array]:
        return jax.jit(self._in_bounds.by_row)

    @cached_property
    def _beside(self) -> Callable[..., Descent]:
        """Return a compiled descent of all rows but one."""
        steps, enough = self._recipe.steps // 2, self._recipe.enough

        def down(W: Array, row: Array, sample: Sample) -> Descent:
            return descend(_Beside(self._plain, row), W, sample, steps=steps, enough=enough)

        return jax.jit(down)

    def _attempt(self, done: Descent) -> Attempt:
        return Attempt(np.asarray(done.W), float(done.loss), int(done.steps))


@dataclass(frozen=True, eq=False)
class _Beside:
    """The loss of all rows but one, which stays as it is."""

    loss: CompressionLoss
    row: Array

    def __call__(self, W: Array, sample: Sample) -> Array:
        return self.loss(self._whole(W), sample)

    def parts(self, W: Array, sample: Sample) -> Parts:
        return self.loss.parts(self._whole(W), sample)

    def targets(self, sample: Sample) -> tuple[Array, ...]:
        return self.loss.targets(sample)

    def _whole(self, W: Array) -> Array:
        return jnp.concatenate([W, self.row[None]])
