"""Variable window: in which subspace a variable lives, and at which hooks."""

import numpy as np
from jaxtyping import Float

from ..compiler.component_graph import EMBED, LOGITS, POS_EMBED
from ..compiler.source_map import PlacedVariable, SourceMap
from .row_space import row_space


def basis(variable: PlacedVariable) -> Float[np.ndarray, "k d_model"]:
    """Return an orthonormal basis of a variable's subspace, one row each.

    These are its directions, where they are orthonormal already.
    """
    rows = variable.directions
    if np.allclose(rows @ rows.T, np.eye(len(rows)), rtol=0, atol=1e-9):
        return rows
    return row_space(rows)


def window(source_map: SourceMap, variable: str, n_layers: int) -> tuple[int, int]:
    """Return the first and the last depth at which a variable can be interchanged."""
    first = _depth(source_map.by_name[variable].writer, n_layers) + 1
    reads = [_depth(reader, n_layers) for reader, name in source_map.reads if name == variable]
    return first, max(reads, default=first)


def hook_name(depth: int, n_layers: int) -> str:
    """Return the name that TransformerLens has for the residual stream at a depth.

    Example:
        >>> [hook_name(depth, n_layers=1) for depth in range(3)]
        ['blocks.0.hook_resid_pre', 'blocks.0.hook_resid_mid', 'blocks.0.hook_resid_post']
    """
    if depth == 2 * n_layers:
        return f"blocks.{n_layers - 1}.hook_resid_post"
    return f"blocks.{depth // 2}.hook_resid_{'mid' if depth % 2 else 'pre'}"


def _depth(name: str, n_layers: int) -> int:
    """Return the depth of a component or a reader; -1 for the embeddings."""
    if name in (EMBED, POS_EMBED):
        return -1
    if name == LOGITS:
        return 2 * n_layers
    layer = int(name[1:].partition(".")[0])
    return 2 * layer + (name[0] == "m")
