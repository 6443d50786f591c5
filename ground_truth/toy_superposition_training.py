"""Training of the toy model of superposition: many settings and seeds at once, on fresh data.

Adam, with a learning rate that rises over a short warm-up and falls along a cosine. A batch is
drawn anew at each step, from the seed and the number of the step alone; from the same uniform
numbers `u` every setting makes its own inputs,

    x = u / density where u < density, else 0,

so that settings differ in nothing but what they are. The same seed gives the same bytes on a
machine; in float32, which another machine may round differently.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from ..errors import TaskError
from .toy_superposition import ToySetting

_TEST = 2**31 - 1  # the seed of the inputs that losses are measured on, whatever the model


@dataclass(frozen=True)
class ToyRecipe:
    """How toy models are trained.

    Attributes:
        steps: of the optimiser.
        batch: fresh inputs in each step.
        rate: the highest learning rate.
        warm_up: the share of the steps over which the rate rises to it.
        test: how many inputs the loss is measured on afterwards.
    """

    steps: int = 4_000
    batch: int = 1024
    rate: float = 2e-2
    warm_up: float = 0.02
    test: int = 2**16


@dataclass(frozen=True, eq=False)
class TrainedToys:
    """Toy models of several settings, each from several seeds.

    Attributes:
        W: what each feature is in the hidden layer: a column.
        b: the biases of the outputs.
        loss: on fresh inputs; the same uniform numbers are behind those of every model.
    """

    W: Float[np.ndarray, "settings seeds d n"]
    b: Float[np.ndarray, "settings seeds n"]
    loss: Float[np.ndarray, "settings seeds"]

    def best(self) -> tuple[Float[np.ndarray, "settings d n"], Float[np.ndarray, "settings n"]]:
        """Return `W` and `b` of the seed with the least loss, for each setting."""
        seed = self.loss.argmin(axis=1)
        rows = np.arange(len(seed))
        return self.W[rows, seed], self.b[rows, seed]


def train(
    settings: Sequence[ToySetting], seeds: Sequence[int], recipe: ToyRecipe | None = None
) -> TrainedToys:
    """Return toy models of all settings from all seeds, trained side by side.

    Args:
        settings: of the same `n` and `d`.
        seeds: each draws a start, which all settings share, and the data.
        recipe: how they are trained.

    Raises:
        TaskError: there is no setting or no seed, or sizes differ.
    """
    sizes = {(setting.n, setting.d) for setting in settings}
    if len(sizes) != 1 or not seeds:
        found = ", ".join(f"n={n}, d={d}" for n, d in sorted(sizes)) or "none"
        raise TaskError(
            "Toy models that are trained together must have the same n and d, and a seed each, "
            f"got {len(seeds)} seeds and sizes {found}; train each size in a call of its own"
        )
    ((n, d),) = sizes
    density = jnp.array([setting.density for setting in settings], jnp.float32)
    importance = jnp.array([setting.importance for setting in settings], jnp.float32)
    keys = jnp.stack([jax.random.PRNGKey(seed) for seed in seeds])
    run = _training(n, d, recipe or ToyRecipe())
    W, b, loss = map(np.asarray, run(keys, density, importance))
    return TrainedToys(*(one.swapaxes(0, 1) for one in (W, b, loss)))


def toy_loss(
    W: Float[Array, "d n"],
    b: Float[Array, " n"],
    x: Float[Array, "batch n"],
    importance: Float[Array, " n"],
) -> Float[Array, ""]:
    """Return the mean over inputs and features of `importance (x - ReLU(W^T W x + b))^2`."""
    return (importance * (x - jax.nn.relu(x @ W.T @ W + b)) ** 2).mean()


def inputs(
    key: Array, size: int, n: int, density: Float[Array, " settings"]
) -> Float[Array, "settings size n"]:
    """Return inputs, the same uniform numbers behind those of every density."""
    u = jax.random.uniform(key, (size, n))
    p = density[:, None, None]
    return jnp.where(u < p, u / p, 0.0)


@lru_cache(maxsize=8)
def _training(n: int, d: int, recipe: ToyRecipe) -> Callable[..., Any]:
    """Return the compiled training of one size: keys, densities and importances in."""
    warm_up = round(recipe.warm_up * recipe.steps)
    schedule = optax.warmup_cosine_decay_schedule(0.0, recipe.rate, warm_up, recipe.steps)
    optimiser = optax.adam(schedule)

    def total(toys: tuple[Array, Array], x: Array, importance: Array) -> Array:
        W, b = toys
        return jax.vmap(toy_loss)(W, b, x, importance).sum()

    def tested(one: tuple[Array, ...]) -> Array:
        W, b, density, importance = one
        (x,) = inputs(jax.random.PRNGKey(_TEST), recipe.test, n, density[None])
        return toy_loss(W, b, x, importance)

    def trained(key: Array, density: Array, importance: Array) -> tuple[Array, Array, Array]:
        start, data = jax.random.split(key)
        W = jax.random.normal(start, (d, n)) * jnp.sqrt(2 / (n + d))
        toys = jnp.tile(W, (len(density), 1, 1)), jnp.zeros((len(density), n))

        def step(state: Any, number: Array) -> tuple[Any, None]:
            toys, inner = state
            x = inputs(jax.random.fold_in(data, number), recipe.batch, n, density)
            update, inner = optimiser.update(jax.grad(total)(toys, x, importance), inner)
            return (optax.apply_updates(toys, update), inner), None

        state = (toys, optimiser.init(toys))
        (toys, _), _ = jax.lax.scan(step, state, jnp.arange(recipe.steps))
        return *toys, jax.lax.map(tested, (*toys, density, importance))

    return jax.jit(lambda keys, *rest: jax.lax.map(lambda key: trained(key, *rest), keys))
