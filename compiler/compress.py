"""Compress: fold a matrix into a model, so that its residual stream has fewer dimensions.

One matrix `W` `[d, d_model]` is shared by every read and every write (Lindner et al. 2023,
section 5): what was written along `y` is written along `W y`, and what was read through a
matrix `A` is read through `W A`. The result is an ordinary model whose `d_model` is `d`.

In the coordinates of the original the same model writes as before and reads through
`W^T W A`. `seen_through` gives it in that form, in which the output of each layer can be
compared with the original's, and in which variables keep directions of their own.

Products with `W` are summed one axis after the other: IEEE arithmetic rounds additions and
multiplications of single numbers the same way on every machine, as a matrix product is not,
so that the same `W` gives the same weights to the last bit.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ..errors import TaskError
from .compiled_model import CompiledModel
from .model import Model
from .source_map import SourceMap
from .weights import READS, WRITES, Weights

Matrix = Float[np.ndarray, "d d_model"]


def compress(compiled: CompiledModel, W: Matrix) -> CompiledModel:
    """Return the model with `W` folded into it, and its source map carried over.

    A direction of the source map becomes its image under `W`: no longer of length one, nor
    orthogonal to the others. `margins` are the original's and say nothing of this model.

    Args:
        compiled: the model to compress.
        W: from its residual stream to the new one.

    Raises:
        TaskError: `W` has not as many columns as the stream has dimensions, or the model has a
            LayerNorm.
    """
    if compiled.model.weights.layer_norm:
        raise TaskError(
            "A model that is compressed must read its stream through matrices alone, and this one "
            "has a LayerNorm, which a matrix does not pass; compress a compiled model"
        )
    d_model = compiled.model.weights.d_model
    if W.ndim != 2 or W.shape[1] != d_model:
        raise TaskError(
            f"The matrix that compresses this model must have {d_model} columns, got the shape "
            f"{W.shape}."
        )
    weights = _changed(
        compiled.model.weights,
        lambda y: _image(W, y, axis=-1),
        lambda A: _image(W, A, axis=-2),
    )
    variables = tuple(
        replace(variable, directions=_image(W, variable.directions, axis=-1))
        for variable in compiled.source_map.variables
    )
    source_map = SourceMap(variables, compiled.source_map.reads, compiled.source_map.outputs)
    return replace(compiled, model=Model(weights, compiled.model.codec), source_map=source_map)


def seen_through(weights: Weights, W: Matrix) -> Weights:
    """Return the compressed model in the coordinates of the original."""
    return _changed(weights, lambda y: y, lambda A: W.T @ (W @ A))


def model_seen_through(compiled: CompiledModel, W: Matrix) -> CompiledModel:
    """Return the compressed model in the coordinates of the original, and in its source map.

    To interchange `D^T D c` of what a writer contributes, for a variable whose directions are
    the rows of `D`, is to interchange its image `W D^T D c` in the compressed model.
    """
    weights = seen_through(compiled.model.weights, W)
    return replace(compiled, model=Model(weights, compiled.model.codec))


def _image(W: Matrix, array: np.ndarray, axis: int) -> np.ndarray:
    """Return an array in which every vector along `axis` is its image, summed in a fixed order."""
    vectors = np.moveaxis(array, axis, -1)
    image = np.zeros((*vectors.shape[:-1], len(W)))
    for place in range(W.shape[1]):
        image += vectors[..., place, None] * W[:, place]
    return np.ascontiguousarray(np.moveaxis(image, -1, axis))


def _changed(
    weights: Weights,
    write: Callable[[np.ndarray], np.ndarray],
    read: Callable[[np.ndarray], np.ndarray],
) -> Weights:
    written = {name: write(getattr(weights, name)) for name in WRITES}
    return weights.with_arrays(written | {name: read(getattr(weights, name)) for name in READS})
