"""Sparse autoencoders: L1 (standard), TopK and batch TopK.

    z = sparse((x - b) W_enc + c),    x' = z W_dec + b,    rows of W_dec of length one

with `sparse` a ReLU whose activations are penalised (L1), or one that keeps the largest
activations of each row (TopK) or of the whole batch (batch TopK). Units that have not been
active for a while are trained to explain what the others leave over (the auxiliary loss of Gao
et al. 2024, section 2.4), so that few stay dead.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..features_problem import FeaturesProblem, FoundFeatures, StreamRows

if TYPE_CHECKING:
    import jax

Kind = Literal["l1", "topk", "batch-topk"]


@dataclass(frozen=True)
class Recipe:
    """How a sparse autoencoder is trained; rows have a root mean square norm of one.

    Attributes:
        kind: how activations are kept sparse.
        penalty: the weight of the L1 norm of activations; for `l1` only.
        share: how many units are kept for each row, as a share of all; for the others.
        learning_rate: of Adam, falling to zero over the last half.
        steps: of gradient descent.
        batch: rows a step, drawn with replacement.
        patience: after so many steps without activity a unit is trained on what is left over.
        auxiliary: the weight of that loss.
    """

    kind: Kind
    penalty: float = 0.0
    share: float = 0.1
    learning_rate: float = 3e-3
    steps: int = 4000
    batch: int = 256
    patience: int = 100
    auxiliary: float = 1 / 32

    def kept(self, n_units: int) -> int:
        """Return how many of so many units are kept for each row."""
        return max(1, round(self.share * n_units))


L1 = Recipe("l1", penalty=0.01)
TOPK = Recipe("topk")
BATCH_TOPK = Recipe("batch-topk")


def sae_l1(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return the decoder of an autoencoder with an L1 penalty on its activations."""
    return found_by(problem, L1)


def sae_topk(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return the decoder of an autoencoder that keeps the largest activations of a row."""
    return found_by(problem, TOPK)


def sae_batch_topk(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return the decoder of an autoencoder that keeps the largest activations of a batch.

    On held-out rows activations above a threshold are kept, the one that keeps as many on the
    training rows.
    """
    return found_by(problem, BATCH_TOPK)


def found_by(problem: FeaturesProblem, recipe: Recipe) -> dict[str, FoundFeatures]:
    """Train an autoencoder at every hook, with as many units as directions may be given."""
    return {
        hook: _found_at(rows, recipe, problem.seed + place)
        for place, (hook, rows) in enumerate(problem.hooks.items())
    }


def _found_at(rows: StreamRows, recipe: Recipe, seed: int) -> FoundFeatures:
    import jax
    import jax.numpy as jnp

    mean = rows.train.mean(axis=0)
    scale = float(np.sqrt(np.square(rows.train - mean).sum(axis=1).mean())) or 1.0
    train, held_out = (
        jnp.asarray((part - mean) / scale, jnp.float32) for part in (rows.train, rows.held_out)
    )
    params = trained(train, jax.random.key(seed), rows.max_directions, recipe)
    before = preactivations(params, held_out)
    if recipe.kind == "batch-topk":
        known = np.sort(np.asarray(preactivations(params, train)).ravel())
        threshold = max(float(known[-recipe.kept(rows.max_directions) * len(train)]), 0.0)
        active = jnp.where(before > threshold, before, 0.0)
    else:
        active = sparse(before, recipe)
    directions = np.asarray(params["decoder"], np.float64)
    return FoundFeatures(directions, np.asarray(active, np.float64) * scale)


Params = dict[str, Any]


def preactivations(params: Params, x: "jax.Array") -> "jax.Array":
    """Return what the encoder gives, not negative: `[n, units]`."""
    import jax

    return jax.nn.relu((x - params["offset"]) @ params["encoder"] + params["bias"])


def sparse(before: "jax.Array", recipe: Recipe) -> "jax.Array":
    """Return the activations that are kept of those of a batch `[n, units]`."""
    import jax
    import jax.numpy as jnp

    count = recipe.kept(before.shape[1])
    match recipe.kind:
        case "l1":
            return before
        case "topk":
            least = jax.lax.top_k(before, count)[0][:, -1:]
        case "batch-topk":
            least = jax.lax.top_k(before.ravel(), count * len(before))[0][-1]
    return jnp.where(before >= least, before, 0.0)


def trained(train: "jax.Array", key: "jax.Array", n_units: int, recipe: Recipe) -> Params:
    """Return the parameters after training.

    Args:
        train: rows `[n, d_model]`, float32, with mean zero and a root mean square norm of one.
        key: draws the start and the batches.
        n_units: how many units.
        recipe: how it is trained.
    """
    import jax

    return dict(jax.jit(_train, static_argnums=(2, 3))(train, key, n_units, recipe))


def _train(train: "jax.Array", key: "jax.Array", n_units: int, recipe: Recipe) -> Params:
    import jax
    import jax.numpy as jnp
    import optax

    start_key, rows_key = jax.random.split(key)
    decoder = _unit(jax.random.normal(start_key, (n_units, train.shape[1])))
    params = {
        "encoder": decoder.T,
        "bias": jnp.zeros(n_units),
        "decoder": decoder,
        "offset": jnp.zeros(train.shape[1]),
    }
    half = recipe.steps // 2
    rate = optax.join_schedules(
        [
            optax.constant_schedule(recipe.learning_rate),
            optax.linear_schedule(recipe.learning_rate, 0.0, recipe.steps - half),
        ],
        [half],
    )
    adam = optax.adam(rate)
    loss = jax.grad(partial(_loss, recipe=recipe), has_aux=True)

    def step(carry: Any, key: "jax.Array") -> Any:
        params, state, idle = carry
        batch = train[jax.random.randint(key, (recipe.batch,), 0, len(train))]
        gradient, fired = loss(params, batch, idle > recipe.patience)
        updates, state = adam.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        params = {**params, "decoder": _unit(params["decoder"])}
        return (params, state, jnp.where(fired, 0, idle + 1)), None

    start = params, adam.init(params), jnp.zeros(n_units, jnp.int32)
    (params, _, _), _ = jax.lax.scan(step, start, jax.random.split(rows_key, recipe.steps))
    return params


def _loss(params: Params, batch: "jax.Array", idle: "jax.Array", recipe: Recipe) -> Any:
    """Return the loss of a batch, and which units were active."""
    import jax.numpy as jnp

    before = preactivations(params, batch)
    z = sparse(before, recipe)
    left = batch - params["offset"] - z @ params["decoder"]
    error = jnp.square(left).sum(axis=1).mean()
    sparsity = recipe.penalty * z.sum(axis=1).mean()
    again = jnp.where(idle, (batch - params["offset"]) @ params["encoder"], 0.0)
    again = jnp.maximum(again, 0.0) @ params["decoder"]
    auxiliary = jnp.square(jnp.where(idle.any(), left - again, 0.0)).sum(axis=1).mean()
    return error + sparsity + recipe.auxiliary * auxiliary, (z > 0).any(axis=0)


def _unit(rows: "jax.Array") -> "jax.Array":
    import jax.numpy as jnp

    return rows / jnp.maximum(jnp.linalg.norm(rows, axis=1, keepdims=True), 1e-8)
