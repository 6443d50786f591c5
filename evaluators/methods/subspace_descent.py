"""Subspace descent: gradient descent on subspaces whose interchange is to give certain logits."""

from functools import partial

import jax
import jax.numpy as jnp
import optax

from .slim_forward import Between, SlimModel, logits_from

_RIDGE = 1e-6
MEMORY = 0.9
"""How much of the recent loss a step leaves as it was."""


def projection(directions: jax.Array, mask: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return two factors of the orthogonal projection on the span of some columns of a matrix.

    They are `A` and `(A^T A)^-1 A^T` for the columns `A`, scaled to length one: no basis has to
    be chosen, and there is a gradient wherever they are not nearly dependent.

    Args:
        directions: `[d_model, k]`.
        mask: which columns count, `[k]`.
    """
    lengths = jnp.sqrt(jnp.square(directions).sum(axis=0) + _RIDGE)
    columns = directions * (mask / lengths)
    gram = columns.T @ columns + jnp.diag(1.0 - mask + _RIDGE)
    return columns, jnp.linalg.solve(gram, columns.T)


@partial(jax.jit, static_argnames=("between", "batch"))
def descend(
    model: SlimModel,
    depth: jax.Array,
    base: jax.Array,
    change: jax.Array,
    axes: jax.Array,
    target: jax.Array,
    real: jax.Array,
    params: jax.Array,
    mask: jax.Array,
    learning_rate: jax.Array,
    steps: jax.Array,
    key: jax.Array,
    *,
    between: Between,
    batch: int,
) -> tuple[jax.Array, jax.Array]:
    """Return parameters after some steps of Adam, and the recent loss of each.

    Args:
        model: what is run on.
        depth: the place of the hook.
        base: streams `[pairs, position, d_model]`.
        change: what is added to them if all is swapped, of the same shape.
        axes: from the parameters of each candidate to the stream, `[candidates, d_model,
            d_model]`.
        target: logits that are asked for, `[pairs, position, d_out]`.
        real: the positions that count, `[pairs, position]`.
        params: subspaces to start from, `[candidates, d_model, k]`; all go through the same
            batches.
        mask: which of their columns count, `[candidates, k]`.
        learning_rate: at the start; it falls to zero along a cosine.
        steps: how many.
        key: draws batches.
        between: what stands between its matrices.
        batch: pairs a step, drawn with replacement.
    """
    optimiser = optax.scale_by_adam()

    def loss(
        one: jax.Array, its_axes: jax.Array, its_mask: jax.Array, rows: jax.Array
    ) -> jax.Array:
        columns, dual = projection(its_axes @ one, its_mask)
        stream = base[rows] + change[rows] @ columns @ dual
        logits = logits_from(model, stream, depth, between)
        errors = jnp.square(logits - target[rows]).sum(axis=-1) * real[rows]
        return errors.sum() / real[rows].sum()

    losses_and_gradients = jax.vmap(jax.value_and_grad(loss), in_axes=(0, 0, 0, None))

    def step(number: jax.Array, carry: tuple) -> tuple:
        found, state, recent = carry
        rows = jax.random.randint(jax.random.fold_in(key, number), (batch,), 0, len(base))
        losses, gradients = losses_and_gradients(found, axes, mask, rows)
        updates, state = optimiser.update(gradients, state)
        rate = learning_rate * 0.5 * (1 + jnp.cos(jnp.pi * number / steps))
        found = jax.tree.map(lambda old, change: old - rate * change, found, updates)
        return found, state, jnp.where(number == 0, losses, MEMORY * recent + (1 - MEMORY) * losses)

    carry = params, optimiser.init(params), jnp.zeros(len(params))
    found, _, recent = jax.lax.fori_loop(0, steps, step, carry)
    return found, recent
