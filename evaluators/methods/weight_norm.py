"""Weight norm: how strongly the reader reads what the writer writes, data unseen.

The score of an edge is the Frobenius norm of the product of the writer's output
matrix and the reader's input matrix, divided by the product of their norms: the
composition score of Elhage et al. 2021, "A Mathematical Framework for
Transformer Circuits", applied to embeddings, heads and MLPs alike. Of a LayerNorm
only the part that is linear counts (see `centred_reads`). Scores have no sign.
"""

import numpy as np

from ...compiler.component_graph import EMBED, POS_EMBED, Reader, Writer
from ...compiler.one_thread import one_thread
from ...compiler.weights import Weights
from ..circuit_problem import CircuitProblem
from .centred_reads import with_centred_reads


@one_thread()
def weight_norm(problem: CircuitProblem) -> dict[str, float]:
    """Return the composition score of every edge, between 0 and 1."""
    weights, graph = with_centred_reads(problem.model.weights), problem.graph
    outputs = {writer.name: _output(weights, writer) for writer in graph.writers}
    inputs = {reader.name: _input(weights, reader) for reader in graph.readers}
    return {
        edge.name: _composition(outputs[edge.writer.name], inputs[edge.reader.name])
        for edge in graph.edges
    }


def _composition(output: np.ndarray, reading: np.ndarray) -> float:
    """Return the normalised norm of the product of two matrices."""
    scale = float(np.linalg.norm(output) * np.linalg.norm(reading))
    return float(np.linalg.norm(output @ reading)) / scale if scale else 0.0


def _output(weights: Weights, writer: Writer) -> np.ndarray:
    """Return the matrix whose rows a writer can write."""
    at = (writer.layer, writer.head)
    if writer.name == EMBED:
        return weights.W_E
    if writer.name == POS_EMBED:
        return weights.W_pos
    if writer.head >= 0:
        return weights.W_V[at] @ weights.W_O[at]
    return np.vstack([weights.W_out[writer.layer], weights.b_out[writer.layer]])


def _input(weights: Weights, reader: Reader) -> np.ndarray:
    """Return the matrix through which a reader reads."""
    at = (reader.layer, reader.head)
    match reader.role:
        case "q":
            return weights.W_Q[at] @ weights.W_K[at].T
        case "k":
            return weights.W_K[at] @ weights.W_Q[at].T
        case "v":
            return weights.W_V[at] @ weights.W_O[at]
        case "mlp":
            return weights.W_in[reader.layer]
    return weights.W_U
