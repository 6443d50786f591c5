"""Joint sufficiency: the causal edges alone carry the output.

All edges that are not causal are interchanged at once, each with a source of its
own, and the decoded outputs must not change. Necessity is what the witnesses show.
"""

from collections.abc import Mapping

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import ComponentGraph, Reader, edge_name
from ..compiler.executor import run
from .circuit_labels import EdgeState, Sufficiency
from .interchange_pairs import TaskDomain

N_BASES = 256


def joint_sufficiency(
    compiled: CompiledModel,
    states: Mapping[str, EdgeState],
    domain: TaskDomain,
    *,
    seed: int,
    n_bases: int = N_BASES,
) -> Sufficiency:
    """Interchange every edge that is not causal, all at once, with independent sources.

    Args:
        compiled: the model.
        states: the state of each edge by name.
        domain: bases and sources are drawn from here.
        seed: draws them.
        n_bases: how many bases to try.
    """
    model = compiled.model
    graph = ComponentGraph.of(model.weights)
    rng = np.random.default_rng([seed, 1])
    bases, sources = domain.draw(n_bases, rng), domain.draw(n_bases, rng)
    base = run(model.weights, bases, graph=graph)
    source = run(model.weights, sources, graph=graph)

    def read(reader: Reader, stream: np.ndarray, contributions: np.ndarray) -> np.ndarray:
        patched = stream.copy()
        for place, writer in enumerate(graph.writers[: len(contributions)]):
            if states[edge_name(writer.name, reader.name)] is not EdgeState.CAUSAL:
                order = rng.permutation(n_bases)
                patched += source.contributions[place][order] - contributions[place]
        return patched

    patched = run(model.weights, bases, graph=graph, read=read)
    before, after = (model.codec.decode_ids(r.logits) for r in (base, patched))
    changed = ((before != after) & model.codec.is_real(bases)).any(axis=1)
    return Sufficiency(n_bases=n_bases, n_changed=int(changed.sum()))
