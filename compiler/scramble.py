"""Scramble: draw exact symmetries of the architecture at random.

The residual stream is rotated, the query-key and the value bases of each head
are rotated, neurons are permuted and rescaled by positive factors, and the heads
of a layer change places. None of it changes what the model computes; all of it
changes what the weights look like.

Rotations are products of plane rotations with rational sine and cosine, applied
one element at a time: only additions, multiplications and divisions, which IEEE
arithmetic rounds the same way on every machine (a matrix product would not be).
"""

from dataclasses import replace

import numpy as np

from ..errors import TaskError
from .compiled_model import CompiledModel
from .component_graph import head_name
from .model import Model
from .source_map import PlacedVariable, SourceMap
from .weights import READS, WRITES, Weights

_EXTRA_ROUNDS = 3

Rotation = tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]


def scramble(compiled: CompiledModel, seed: int) -> CompiledModel:
    """Return the same model in other coordinates, with the source map carried over.

    Raises:
        TaskError: the model has GELU neurons or a LayerNorm, which other coordinates change.
    """
    weights = compiled.model.weights
    if not weights.is_piecewise_linear:
        raise TaskError(
            "A model that is scrambled must have ReLU neurons and no LayerNorm, since to rescale "
            f"neurons and to rotate the stream is to change what others compute; got "
            f"{weights.activation} neurons{' and a LayerNorm' * weights.layer_norm}. Scramble a "
            "compiled model"
        )
    rng = np.random.default_rng(seed)
    residual = _draw_rotation(rng, weights.d_model)
    weights = _rotate_residual(weights, residual)
    weights = _rotate_heads(weights, rng)
    weights, neurons = _scramble_neurons(weights, rng)
    weights, heads = _permute_heads(weights, rng)
    source_map = _carry_over(compiled.source_map, residual, neurons, heads)
    model = Model(weights, compiled.model.codec)
    return replace(compiled, model=model, source_map=source_map)


def _draw_rotation(rng: np.random.Generator, size: int) -> Rotation:
    """Draw rounds of disjoint plane rotations, enough for almost all pairs of axes to mix."""
    rounds = []
    for _ in range(max(1, size - 1).bit_length() + _EXTRA_ROUNDS):
        order = rng.permutation(size)[: size // 2 * 2].reshape(2, -1)
        slope = rng.uniform(0.3, 1.7, size=order.shape[1])
        slope *= rng.integers(0, 2, size=order.shape[1]) * 2 - 1
        square = slope * slope
        cosine, sine = (1.0 - square) / (1.0 + square), 2.0 * slope / (1.0 + square)
        rounds.append((order, cosine, sine))
    return tuple(rounds)


def _rotate(array: np.ndarray, rotation: Rotation, axis: int = -1) -> np.ndarray:
    """Return `array` with one axis rotated."""
    rotated = np.moveaxis(array, axis, -1).copy()
    for (first, second), cosine, sine in rotation:
        a, b = rotated[..., first], rotated[..., second]
        rotated[..., first] = a * cosine - b * sine
        rotated[..., second] = a * sine + b * cosine
    return np.ascontiguousarray(np.moveaxis(rotated, -1, axis))


def _rotate_residual(weights: Weights, rotation: Rotation) -> Weights:
    """Rotate the axis `d_model` of every array."""
    arrays = {name: _rotate(getattr(weights, name), rotation) for name in WRITES}
    arrays |= {name: _rotate(getattr(weights, name), rotation, axis=-2) for name in READS}
    return weights.with_arrays(arrays)


def _rotate_heads(weights: Weights, rng: np.random.Generator) -> Weights:
    """Rotate the query-key basis and the value basis of every head."""
    names = ("W_Q", "b_Q", "W_K", "W_V", "W_O")
    arrays = {name: getattr(weights, name).copy() for name in names}
    for layer in range(weights.n_layers):
        for head in range(weights.n_heads):
            at = (layer, head)
            query_key = _draw_rotation(rng, weights.d_head)
            for name in ("W_Q", "b_Q", "W_K"):
                arrays[name][at] = _rotate(arrays[name][at], query_key)
            value = _draw_rotation(rng, weights.d_head)
            arrays["W_V"][at] = _rotate(arrays["W_V"][at], value)
            arrays["W_O"][at] = _rotate(arrays["W_O"][at], value, axis=0)
    return weights.with_arrays(arrays)


def _scramble_neurons(
    weights: Weights, rng: np.random.Generator
) -> tuple[Weights, list[np.ndarray]]:
    """Permute and rescale the neurons; also return the new place of each, per layer."""
    shape = (weights.n_layers, weights.d_mlp)
    order = rng.permuted(np.tile(np.arange(weights.d_mlp), (weights.n_layers, 1)), axis=1)
    scale = rng.uniform(0.5, 2.0, size=shape)
    layers = np.arange(weights.n_layers)[:, None]
    scrambled = replace(
        weights,
        W_in=np.take_along_axis(weights.W_in, order[:, None, :], axis=2) * scale[:, None, :],
        b_in=weights.b_in[layers, order] * scale,
        W_out=weights.W_out[layers, order] / scale[:, :, None],
    )
    return scrambled, [np.argsort(row) for row in order]


def _permute_heads(weights: Weights, rng: np.random.Generator) -> tuple[Weights, dict[str, str]]:
    """Reorder the heads of every layer; also return the new name of each."""
    order = rng.permuted(np.tile(np.arange(weights.n_heads), (weights.n_layers, 1)), axis=1)
    layers = np.arange(weights.n_layers)[:, None]
    names = ("W_Q", "b_Q", "W_K", "W_V", "W_O")
    arrays = {name: np.ascontiguousarray(getattr(weights, name)[layers, order]) for name in names}
    renamed = {
        head_name(layer, old): head_name(layer, new)
        for layer, row in enumerate(order.tolist())
        for new, old in enumerate(row)
    }
    return weights.with_arrays(arrays), renamed


def _carry_over(
    source_map: SourceMap, rotation: Rotation, neurons: list[np.ndarray], heads: dict[str, str]
) -> SourceMap:
    """Return the source map in the new coordinates."""

    def moved(variable: PlacedVariable) -> PlacedVariable:
        places = variable.neurons
        if places:
            layer = int(variable.writer[1:])
            places = tuple(neurons[layer][list(places)].tolist())
        return replace(
            variable,
            writer=heads.get(variable.writer, variable.writer),
            neurons=places,
            directions=_rotate(variable.directions, rotation),
        )

    def renamed(reader: str) -> str:
        component, _, role = reader.partition("<")
        return f"{heads[component]}<{role}" if component in heads else reader

    return SourceMap(
        tuple(moved(variable) for variable in source_map.variables),
        tuple((renamed(reader), name) for reader, name in source_map.reads),
        source_map.outputs,
    )
