"""Where a compression starts: random, orthogonal, PCA, embeddings, or what readers need.

The last is a problem of its own, small and smooth whatever the model computes. A reader at
depth `l` sees `W^T W s` in place of the stream `s`, through its matrix `A`. With the second
moments `C_l` of the streams the mean square error of all that is read is

    sum over depths of tr(M_l (W^T W - 1) C_l (W^T W - 1)),   M_l = sum of A A^T / tr(A^T C_l A),

a quartic in `W` that knows neither softmax nor ReLU. The moments are those of streams whose
contributions come from different inputs: a reader may not use what only goes along with what
it reads, since an interchange would tell.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from .component_graph import ComponentGraph
from .executor import reader_matrix, run
from .model import Model

_STEPS = 2000
_RATE = 0.03
_LEAST = 1e-12

Matrix = Float[np.ndarray, "d d_model"]
Tokens = Int[np.ndarray, "rows position"]
Start = Callable[[Model, Tokens, int, np.random.Generator], Matrix]


def random(model: Model, _tokens: Tokens, d: int, rng: np.random.Generator) -> Matrix:
    """Return columns of expected length one, every entry normal."""
    return rng.normal(size=(d, model.weights.d_model)) / np.sqrt(d)


def orthogonal(model: Model, tokens: Tokens, d: int, rng: np.random.Generator) -> Matrix:
    """Return the projection onto a random subspace."""
    return np.linalg.qr(random(model, tokens, d, rng).T)[0].T


def pca(model: Model, tokens: Tokens, d: int, _rng: np.random.Generator) -> Matrix:
    """Return the projection onto the first principal axes of the last stream."""
    stream = run(model.weights, tokens).streams[-1][model.codec.is_bos_or_real(tokens)]
    return _first_axes(stream, d)


def embeddings(model: Model, tokens: Tokens, d: int, rng: np.random.Generator) -> Matrix:
    """Return the first principal axes of the embeddings; random ones where these are fewer."""
    weights = model.weights
    rows = np.vstack([weights.W_E, weights.W_pos])
    known = _first_axes(rows, min(d, np.linalg.matrix_rank(rows)))
    drawn = random(model, tokens, d, rng)
    drawn -= drawn @ known.T @ known
    return np.vstack([known, np.linalg.qr(drawn.T)[0].T[: d - len(known)]])


def reads(model: Model, tokens: Tokens, d: int, rng: np.random.Generator) -> Matrix:
    """Return a matrix through which readers see what they need, as far as `d` allows."""
    return reading_matrix(d, *read_moments(model, tokens), rng)


STARTS: Mapping[str, Start] = {
    "random": random,
    "orthogonal": orthogonal,
    "pca": pca,
    "embeddings": embeddings,
    "reads": reads,
}
"""The starts by name."""


def start_problems(start: str) -> list[str]:
    """Return why there is no such start; empty if there is."""
    if start in STARTS:
        return []
    return [f"start: must be one of {', '.join(STARTS)}, got {start!r}"]


def reading_matrix(
    d: int, scale: np.ndarray, moments: np.ndarray, rng: np.random.Generator
) -> Matrix:
    """Return a matrix of `d` rows of which `read_error` is small."""
    width = scale.shape[-1]
    start = rng.normal(size=(d, width)) / np.sqrt(width)
    return np.asarray(_least_error(jnp.asarray(start), jnp.asarray(scale), jnp.asarray(moments)))


def read_error(W: Matrix, scale: np.ndarray, moments: np.ndarray) -> float:
    """Return the mean square error of what is read, summed over depths, relative to its size.

    Args:
        W: a matrix.
        scale: from `read_moments`.
        moments: likewise.
    """
    return float(_error(jnp.asarray(W), jnp.asarray(scale), jnp.asarray(moments)))


def read_moments(model: Model, tokens: Tokens) -> tuple[np.ndarray, np.ndarray]:
    """Return `M_l` and `C_l`, `[depths, d_model, d_model]` each, of the depths at which any reads.

    Contributions of different writers are taken as independent of each other. Padding is
    looked at too: keys are read there, and must say so.

    Args:
        model: the original.
        tokens: inputs over which moments are taken.
    """
    weights = model.weights
    graph = ComponentGraph.of(weights)
    contributions = run(weights, tokens, graph=graph).contributions
    depths = np.array([writer.depth for writer in graph.writers])
    everywhere = np.ones(tokens.shape, dtype=bool)
    scale, moments = [], []
    for keys, kept in ((False, model.codec.is_bos_or_real(tokens)), (True, everywhere)):
        rows = [written[kept] for written in contributions]
        means = np.array([each.mean(axis=0) for each in rows])
        spreads = np.array([np.cov(each.T, bias=True) for each in rows])
        readers = [reader for reader in graph.readers if (reader.role == "k") == keys]
        for depth in sorted({reader.depth for reader in readers}):
            before = depths < depth
            mean = means[before].sum(axis=0)
            moment = spreads[before].sum(axis=0) + np.outer(mean, mean)
            matrices = [reader_matrix(weights, one) for one in readers if one.depth == depth]
            scale.append(sum(_relative(matrix, moment) for matrix in matrices))
            moments.append(moment)
    return np.array(scale), np.array(moments)


def _relative(matrix: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Return `A A^T` over the mean square of what is read; zero where that is nothing."""
    size = np.trace(matrix.T @ moment @ matrix)
    return matrix @ matrix.T / size if size > _LEAST else np.zeros_like(moment)


def _error(W: Array, scale: Array, moments: Array) -> Array:
    off = W.T @ W - jnp.eye(W.shape[1], dtype=W.dtype)
    return jnp.einsum("lij,ljk,lki->", scale @ off, moments, off[None])


@jax.jit
def _least_error(start: Array, scale: Array, moments: Array) -> Array:
    """Return where the error is small, by Adam with a cosine schedule."""
    optimiser = optax.adam(optax.cosine_decay_schedule(_RATE, _STEPS))

    def step(carry: tuple, _: None) -> tuple[tuple, None]:
        W, state = carry
        gradient = jax.grad(_error)(W, scale, moments)
        update, state = optimiser.update(gradient, state)
        return (optax.apply_updates(W, update), state), None

    (W, _), _ = jax.lax.scan(step, (start, optimiser.init(start)), length=_STEPS)
    return W


def _first_axes(rows: np.ndarray, d: int) -> Matrix:
    """Return the axes along which rows are longest, as orthonormal rows."""
    return np.linalg.svd(rows, full_matrices=False)[2][:d]
