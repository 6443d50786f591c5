"""The recipe of compressions by default: from what readers need, down by Gauss-Newton.

A start of `reads` is often all but right; a few tens of steps of `gauss_newton.descend` do the
rest. Where they do not, another start is tried. Where none leads anywhere, the model is first
compressed to one dimension more, and that dimension is squeezed out: its row of `W` shrinks
step by step while the others are trained to make up for it. That finds solutions whose
features have very different sizes, far from every start.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .compression_attempt import Attempt
from .compression_loss import CompressionLoss, Parts, Sample
from .compression_starts import STARTS
from .gauss_newton import Descent, descend
from .model import Model

Matrix = Float[np.ndarray, "d d_model"]

_SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""How large the row that is squeezed out still is, step by step."""


@dataclass(frozen=True)
class GaussNewtonRecipe:
    """How a compression is trained.

    Attributes:
        start: one of `STARTS`.
        n_inputs: how many inputs are looked at, evenly over lengths and outputs.
        n_interchanged: how many interchanges of single edges.
        steps: how many steps are tried from each start.
        tries: from how many starts.
        squeezes: how often more steps are taken from what is squeezed out of a wider one.
        enough: a loss at which no more steps are taken.
    """

    start: str = "reads"
    n_inputs: int = 80
    n_interchanged: int = 160
    steps: int = 60
    tries: int = 3
    squeezes: int = 8
    enough: float = 1e-7


class GaussNewtonTraining:
    """Trains compressions of one model.

    Args:
        model: the original.
        sampled: the inputs that are trained on.
        edges: the names of the edges that have no effect, and shall have none.
        recipe: how.
    """

    def __init__(
        self,
        model: Model,
        sampled: Int[np.ndarray, "rows position"],
        edges: Collection[str],
        recipe: GaussNewtonRecipe,
    ) -> None:
        self._model = model
        self._sampled = sampled
        self._edges = edges
        self._recipe = recipe
        self._plain = CompressionLoss.of(model, sampled)
        self._in_gaps = replace(self._plain, in_gaps=True)
        self._descents: dict[tuple[bool, int], Callable[..., Descent]] = {}

    def attempts(self, d: int, seed: int) -> Iterator[Attempt]:
        """Yield one attempt after the other: starts, and each after more steps.

        Whoever asks stops at one that is good enough.
        """
        for number in range(self._recipe.tries):
            yield from self._from_start(d, seed, number)
        if d + 1 < self._model.weights.d_model:
            wider = [self._wider(d + 1, seed, number) for number in range(self._recipe.tries)]
            yield from self._squeezed(min(wider, key=lambda one: one.loss).W, seed)

    def _wider(self, d: int, seed: int, number: int) -> Attempt:
        """Return the last attempt from a start."""
        *_, last = self._from_start(d, seed, number)
        return last

    def _from_start(self, d: int, seed: int, number: int) -> Iterator[Attempt]:
        """Go down on the plain loss, then with numerical outputs in gaps."""
        rng = np.random.default_rng([seed, d, number])
        W = STARTS[self._recipe.start](self._model, self._sampled, d, rng)
        sample = self._sample(rng)
        yield Attempt(W, float(self._plain(jnp.asarray(W), sample)), 0)
        for in_gaps in (False, True, True):
            done = self._descend(in_gaps, self._recipe.steps)(jnp.asarray(W), sample)
            W = np.asarray(done.W)
            yield self._attempt(done)

    def _squeezed(self, W: Matrix, seed: int) -> Iterator[Attempt]:
        """Take the weakest dimension out of `W`, little by little."""
        rng = np.random.default_rng([seed, len(W), self._recipe.tries])
        sample = self._sample(rng)
        _, sizes, axes = np.linalg.svd(W, full_matrices=False)
        rows = jnp.asarray(sizes[:, None] * axes)
        kept, last = rows[:-1], rows[-1]
        for share in _SHARES:
            kept = self._beside(kept, share * last, sample).W
        for turn in range(self._recipe.squeezes):
            done = self._descend(turn > 0, 2 * self._recipe.steps)(kept, sample)
            kept = done.W
            yield self._attempt(done)

    def _sample(self, rng: np.random.Generator) -> Sample:
        n_interchanged = self._recipe.n_interchanged
        return self._plain.sample(self._sampled, self._edges, n_interchanged, rng)

    def _descend(self, in_gaps: bool, steps: int) -> Callable[..., Descent]:
        """Return a compiled descent; it is compiled once for each shape."""
        if (in_gaps, steps) not in self._descents:
            loss = self._in_gaps if in_gaps else self._plain
            enough = self._recipe.enough
            self._descents[in_gaps, steps] = jax.jit(
                partial(descend, loss, steps=steps, enough=enough)
            )
        return self._descents[in_gaps, steps]

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
