"""Subspace patches: components of the residual stream replaced by those of another run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import Logits, Run, Stream, project, resume
from ..compiler.weights import Weights


@dataclass(frozen=True, eq=False)
class SubspacePatch:
    """A component of the residual stream that is replaced by that of another run.

    Attributes:
        depth: where in the forward pass.
        directions: rows that span the subspace; they need not be orthonormal.
        source: the stream at that depth in the other run.
        where: at which positions.
    """

    depth: int
    directions: Float[np.ndarray, "k d_model"]
    source: Stream
    where: Bool[np.ndarray, "batch position"]

    def applied(self, stream: Stream) -> Stream:
        """Return a stream with the component replaced: `x + (x' - x) D^+ D`."""
        change = project(self.source - stream, np.linalg.pinv(self.directions))
        change[~self.where] = 0.0
        return stream + project(change, self.directions)


def patched_logits(
    weights: Weights, graph: ComponentGraph, base: Run, patches: Sequence[SubspacePatch]
) -> Logits:
    """Return the logits of a run in which components of the stream are replaced.

    Each patch is applied to the stream as the patches before have made it, and everything
    after is recomputed.
    """

    def patched(depth: int, stream: Stream) -> Stream:
        for patch in patches:
            if patch.depth == depth:
                stream = patch.applied(stream)
        return stream

    start = min((patch.depth for patch in patches), default=2 * weights.n_layers)
    return resume(weights, graph, base.streams[start], start, patched)
