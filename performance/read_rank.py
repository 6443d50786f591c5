"""The read rank: how many directions of the stream the readers of a model must tell apart.

What a reader computes of a difference between two contributions is a linear function of that
difference: values and neurons read it through their matrix, a query shows in the differences
between scores of keys, a key in its score with each query, and logits of a categorical output
in their differences. The read rank is the number of independent functions among all of these,
each restricted to what the edges with effect bring its reader. Nothing is trained for it.

It is a count and no bound. A compressed model may let a reader see more than it must, where
that does no harm; and saturated attention, ReLU and the largest of several logits leave room for
seeing less.
"""

import numpy as np
from jaxtyping import Bool, Float

from glassbench.compiler.component_graph import ComponentGraph, Reader
from glassbench.compiler.executor import Stream, project, reader_matrix, run
from glassbench.compiler.model import Model
from glassbench.compiler.values import Encoding
from glassbench.ground_truth import Task
from glassbench.ground_truth.interchange_pairs import spread_rows

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
            queries = project(stream[real], weights.W_Q[at]) + weights.b_Q[at]
            return project(queries, weights.W_K[at].T)
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
