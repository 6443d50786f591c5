"""Stream deviation: how far the residual stream is from the sum of its features, by depth.

Of a compiled model the two are equal but for rounding. A compressed model comes near its
program as far as the quality gate asks: what a head or an MLP writes is off by a share `s` of
what it wrote before, at most, in the norm over all rows (`compression_quality`). Before it was
compressed its directions were orthonormal, so that the norm of what it wrote is that of its
activations; and the matrix that compresses makes nothing longer than by its largest singular
value on them. With `D` the directions now, one row each, a model that passes the gate therefore has

    |stream - activations D| <= s |D|_2 (sum over heads and MLPs so far of |activations|),

all but the 2-norm `|D|_2` being norms over all rows and coordinates.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import EMBED, POS_EMBED
from ..compiler.executor import run
from .feature_activations import FeatureActivations, TokenIds, is_padding

_CHUNK = 256


@dataclass(frozen=True, eq=False)
class StreamDeviation:
    """How far the stream is from the sum of its features.

    Attributes:
        largest: in any coordinate of any row, at each depth.
        norm: over all rows and coordinates, at each depth.
        written: the right-hand side above at each depth, for `s = 1`.
        n_numbers: how many rows and coordinates there are.
    """

    largest: Float[np.ndarray, " depths"]
    norm: Float[np.ndarray, " depths"]
    written: Float[np.ndarray, " depths"]
    n_numbers: int


def stream_deviation(
    compiled: CompiledModel,
    source: FeatureActivations,
    first: Int[np.ndarray, " k"],
    tokens: TokenIds,
    *,
    padding: bool,
) -> StreamDeviation:
    """Compare the stream with the sum of its features, at every depth.

    Args:
        compiled: the model, and in its source map the directions.
        source: the activations of its features.
        first: the depth from which each feature is in the stream.
        tokens: the inputs.
        padding: whether to compare at padding too, or only at BOS and tokens.
    """
    directions = np.concatenate([one.directions for one in compiled.source_map.variables])
    n_depths = 2 * compiled.model.weights.n_layers + 1
    largest, squares = np.zeros((2, n_depths))
    active, n_rows = np.zeros(len(directions)), 0
    for start in range(0, len(tokens), _CHUNK):
        some = tokens[start : start + _CHUNK]
        kept = padding | ~is_padding(some, len(compiled.program.vocabulary))
        found = source.everywhere(some)
        active += np.square(found[kept]).sum(axis=0)
        n_rows += int(kept.sum())
        expected = np.zeros((*some.shape, directions.shape[1]))
        for depth, stream in enumerate(run(compiled.model.weights, some).streams):
            new = first == depth
            expected += found[..., new] @ directions[new]
            apart = np.abs(stream - expected)[kept]
            largest[depth] = np.maximum(largest[depth], apart.max())
            squares[depth] += np.square(apart).sum()
    written = _written(compiled, directions, active, first, n_depths)
    return StreamDeviation(largest, np.sqrt(squares), written, n_rows * directions.shape[1])


def _written(
    compiled: CompiledModel,
    directions: Float[np.ndarray, "k d_model"],
    active: Float[np.ndarray, " k"],
    first: Int[np.ndarray, " k"],
    n_depths: int,
) -> Float[np.ndarray, " depths"]:
    """Return what heads and MLPs write up to each depth: norms, summed over components.

    Args:
        compiled: the model.
        directions: of its features, not made unit.
        active: the sum of squares of each activation.
        first: the depth from which each feature is in the stream.
        n_depths: how many depths there are.
    """
    placed = compiled.source_map.variables
    writers = np.repeat([one.writer for one in placed], [len(one.directions) for one in placed])
    components = ~np.isin(writers, (EMBED, POS_EMBED))
    if not components.any():
        return np.zeros(n_depths)
    names, of = np.unique(writers[components], return_inverse=True)
    norms = np.sqrt(np.bincount(of, active[components], minlength=len(names)))
    depths = np.zeros(len(names), dtype=np.int64)
    depths[of] = first[components]
    new = np.bincount(depths, norms, minlength=n_depths)
    return new.cumsum() * float(np.linalg.norm(directions[components], 2))
