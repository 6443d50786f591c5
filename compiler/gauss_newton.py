"""Gauss-Newton with damping (Levenberg 1944, Marquardt 1963), in jax.

A step solves `(H + damping) step = -gradient`, where `H` is `J^T J` of the residuals and
the generalised Gauss-Newton matrix of the cross-entropies (Schraudolph 2002). Saturated
attention makes the landscape of a compression narrow and long; a method of first order needs
thousands of steps where this one needs tens.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .compression_loss import Parts, Sample

_FIRST_DAMPING = 1e-3
_LEAST_DAMPING = 1e-10
_MOST_DAMPING = 1e6
_LESS, _MORE = 1 / 3, 4.0
_MOST_TURN = 0.4

Matrix = Float[Array, "d d_model"]


@runtime_checkable
class Loss(Protocol):
    """What can be gone down on: see `CompressionLoss`."""

    def __call__(self, W: Matrix, sample: Sample) -> Array:
        """Return the loss of `W`."""

    def parts(self, W: Matrix, sample: Sample) -> Parts:
        """Return its parts."""

    def targets(self, sample: Sample) -> tuple[Array, ...]:
        """Return the distributions of the cross-entropies among them."""


class Descent(NamedTuple):
    """Where a descent stands.

    Attributes:
        W: the matrix.
        loss: its loss.
        gradient: half the gradient there, flat.
        curvature: half the Gauss-Newton matrix there.
        damping: of the next step.
        steps: how many were tried.
    """

    W: Matrix
    loss: Array
    gradient: Array
    curvature: Array
    damping: Array
    steps: Array


def descend(loss: Loss, W: Matrix, sample: Sample, *, steps: int | Array, enough: float) -> Descent:
    """Go down from `W` until the loss is `enough`, no step lowers it, or all steps are used.

    Args:
        loss: of the model.
        W: the start.
        sample: over which the loss is taken.
        steps: how many are tried at most.
        enough: a loss at which to stop.
    """

    def going_on(at: Descent) -> Array:
        return (at.steps < steps) & (at.loss > enough) & (at.damping < _MOST_DAMPING)

    def there(at: Descent, W: Matrix, reached: Array) -> Descent:
        damping = jnp.maximum(at.damping * _LESS, _LEAST_DAMPING)
        return Descent(W, reached, *_quadratic(loss, W, sample), damping, at.steps + 1)

    def here(at: Descent, _W: Matrix, _reached: Array) -> Descent:
        return at._replace(damping=at.damping * _MORE, steps=at.steps + 1)

    def step(at: Descent) -> Descent:
        factor = jax.scipy.linalg.cho_factor(at.curvature + at.damping * jnp.eye(W.size))
        move = -jax.scipy.linalg.cho_solve(factor, at.gradient).reshape(W.shape)
        bend = _bend(loss, at.W, move, sample)
        turn = -jax.scipy.linalg.cho_solve(factor, bend).reshape(W.shape) / 2
        moved = at.W + move + turn
        reached = loss(moved, sample)
        small = jnp.linalg.norm(turn) < _MOST_TURN * jnp.linalg.norm(move)
        return jax.lax.cond(small & (reached < at.loss), there, here, at, moved, reached)

    first = jnp.asarray(_FIRST_DAMPING, W.dtype)
    start = Descent(
        W, loss(W, sample), *_quadratic(loss, W, sample), first, jnp.zeros((), jnp.int32)
    )
    return jax.lax.while_loop(going_on, step, start)


def _bend(loss: Loss, W: Matrix, move: Matrix, sample: Sample) -> Array:
    """Return half the gradient, flat, of what the residuals curve away by along a move."""

    def parts(flat: Array) -> Parts:
        return loss.parts(flat.reshape(W.shape), sample)

    def slope(flat: Array) -> Parts:
        return jax.jvp(parts, (flat,), (move.ravel(),))[1]

    _, second = jax.jvp(slope, (W.ravel(),), (move.ravel(),))
    at, pull = jax.vjp(parts, W.ravel())
    weight = sample.at_answers[..., None] / 2
    curved = []
    for logits, curve in zip(at.logits, second.logits, strict=True):
        given = jax.nn.softmax(logits)
        curved.append(weight * given * (curve - (given * curve).sum(axis=-1, keepdims=True)))
    return pull(Parts(second.residuals, tuple(curved)))[0]


def _quadratic(loss: Loss, W: Matrix, sample: Sample) -> tuple[Array, Array]:
    """Return half the gradient of the loss, flat, and half its Gauss-Newton matrix."""
    parts, push = jax.linearize(lambda flat: loss.parts(flat.reshape(W.shape), sample), W.ravel())
    moved = jax.vmap(push)(jnp.eye(W.size))
    gradient = moved.residuals @ parts.residuals
    curvature = moved.residuals @ moved.residuals.T
    targets = loss.targets(sample)
    for logits, target, by_logits in zip(parts.logits, targets, moved.logits, strict=True):
        given = jax.nn.softmax(logits)
        wrong = sample.at_answers[..., None] * (given - target) / 2
        gradient += by_logits.reshape(W.size, -1) @ wrong.ravel()
        # The Fisher matrix of a softmax is B^T B with B = sqrt(p) (1 - 1 p^T).
        centred = by_logits - (given * by_logits).sum(axis=-1, keepdims=True)
        root = jnp.sqrt(given * sample.at_answers[..., None] / 2)
        rows = (root * centred).reshape(W.size, -1)
        curvature += rows @ rows.T
    return gradient, curvature
