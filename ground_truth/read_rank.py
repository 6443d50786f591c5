"""The read rank: how many directions of the stream the readers of a model must tell apart.

Take a compressed model in which every reader gets exactly what it gets in the original, however
edges are interchanged. What a reader sees of a difference between two contributions is then a
linear function of the image of that difference under `W`. A difference that some reader must
see is not mapped to zero, and no two that readers must tell apart to the same: `d` is at least
the rank of all these functions together. What nobody can see does not count: edges without
effect, and what softmax does not notice, which is whatever all keys of a query, or all logits
of a categorical output, have in common.

Nothing is trained for it. It bounds models that are exact. Saturated attention, ReLU and the
largest of several logits leave room below it for models that are nearly so.
"""

import numpy as np
from jaxtyping import Bool, Float

from ..compiler.component_graph import ComponentGraph, Reader
from ..compiler.executor import Stream, project, reader_matrix, run
from ..compiler.model import Model
from ..compiler.values import Encoding
from .interchange_pairs import spread_rows
from .task import Task

_N_INPUTS = 512
_NOTHING = 1e-7


def read_rank(task: Task) -> int:
    """Return how many directions the readers of a task's model must tell apart.

    Args:
        task: certified, and not compressed.
    """
    model, domain = task.compiled.model, task.domain
    n_inputs = min(_N_INPUTS, len(domain.tokens))
    tokens = domain.tokens[spread_rows(domain.length, domain.stratum, n_inputs)]
    graph = ComponentGraph.of(model.weights)
    written = dict(zip(graph.writers, run(model.weights, tokens).contributions, strict=True))
    real = model.codec.is_real(tokens)
    after_bos = np.ones_like(real)
    after_bos[:, 0] = False  # No interchange changes BOS.
    seen = [np.zeros((1, model.weights.d_model))]
    for reader in graph.readers:
        edges = [edge for edge in graph.edges if edge.reader == reader]
        stream = sum(written[edge.writer] for edge in edges)
        functions = _functions(model, reader, stream, real)
        changing = [written[e.writer] for e in edges if task.labels.states[e.name].has_effect]
        if changing:
            kept = after_bos if reader.role in ("k", "v") else real
            differences = _row_space(np.vstack([rows[kept] - rows[kept][0] for rows in changing]))
            seen.append(_row_space(functions @ differences.T @ differences))
    return len(_row_space(np.vstack(seen)))


def _functions(
    model: Model, reader: Reader, stream: Stream, real: Bool[np.ndarray, "batch position"]
) -> Float[np.ndarray, "functions d_model"]:
    """Return as rows what a reader computes of a difference in what it reads.

    A query is seen in the differences between scores of keys, a key in its score with each query.
    """
    weights = model.weights
    if reader.role in ("q", "k"):
        at = reader.layer, reader.head
        if reader.role == "k":
            return project(project(stream[real], weights.W_Q[at]), weights.W_K[at].T)
        keys = stream.reshape(-1, weights.d_model)
        return project(project(keys - keys[0], weights.W_K[at]), weights.W_Q[at].T)
    functions = reader_matrix(weights, reader).T.copy()
    if reader.role == "logits":
        for readout, some in model.codec.logit_slices:
            if readout.encoding is Encoding.CATEGORICAL:
                functions[some] -= functions[some].mean(axis=0)
    return functions


def _row_space(rows: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of what rows span; rows are equally large, or nothing."""
    _, sizes, axes = np.linalg.svd(rows, full_matrices=False)
    return axes[sizes > _NOTHING * max(sizes[0], 1.0)]
