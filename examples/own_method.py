"""Score a circuit-discovery method of your own.

A method is a function from a problem to one number for each edge. This one measures how
differently the writer writes on the base and on the source, as its reader sees it: in a trained
model that is to first order, through the LayerNorm before the reader.

    python own_method.py
    glassbench score own_method:change_read --suite quick
"""

import numpy as np

import glassbench as gb
from glassbench.compiler import run
from glassbench.compiler.derivatives import LayerNormed
from glassbench.compiler.executor import reader_matrix


def change_read(problem: gb.CircuitProblem) -> dict[str, float]:
    weights, graph = problem.model.weights, problem.graph
    base = run(weights, problem.base, graph=graph)
    source = run(weights, problem.source, graph=graph)
    # [writer, pair, position, d_model]
    change = np.subtract(source.contributions, base.contributions)
    real = problem.model.codec.is_real(problem.base)
    scores = {}
    for edge in graph.edges:
        seen = change[graph.writer_index[edge.writer.name]]
        if weights.layer_norm:
            seen = LayerNormed.of(base.streams[edge.reader.depth]).derivative(seen)
        read = np.linalg.norm(seen @ reader_matrix(weights, edge.reader), axis=-1)
        scores[edge.name] = float(read[real].mean())
    return scores


if __name__ == "__main__":
    for name in ("histogram", "sort", "sort/crowded", "sort/crowded/scrambled"):
        print(f"{name:24}{gb.score(change_read, name)}")
