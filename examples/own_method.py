"""Score a circuit-discovery method of your own.

A method is a function from a problem to one number for each edge. This one measures how
differently the writer writes on the base and on the source, as its reader sees it.

    python own_method.py
    glassbench score own_method:change_read --suite quick
"""

import numpy as np

import glassbench as gb
from glassbench.compiler import run


def change_read(problem: gb.CircuitProblem) -> dict[str, float]:
    weights, graph = problem.model.weights, problem.graph
    base = run(weights, problem.base, graph=graph).contributions
    source = run(weights, problem.source, graph=graph).contributions
    change = source - base  # [writer, pair, position, d_model]
    real = problem.model.codec.is_real(problem.base)
    scores = {}
    for edge in graph.edges:
        reader, written = edge.reader, change[graph.writer_index[edge.writer.name]]
        match reader.role:
            case "q":
                matrix = weights.W_Q[reader.layer, reader.head]
            case "k":
                matrix = weights.W_K[reader.layer, reader.head]
            case "v":
                matrix = weights.W_V[reader.layer, reader.head]
            case "mlp":
                matrix = weights.W_in[reader.layer]
            case _:
                matrix = weights.W_U
        read = np.linalg.norm(written @ matrix, axis=-1)
        scores[edge.name] = float(read[real].mean())
    return scores


if __name__ == "__main__":
    for name in ("histogram", "sort", "sort/crowded", "sort/crowded/scrambled"):
        print(f"{name:24}{gb.score(change_read, name)}")
