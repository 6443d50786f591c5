"""Joint sufficiency: the causal edges alone carry the output.

All edges that are not causal are interchanged at once, and the decoded outputs must
not change. Each has a source of its own, but for the unwired ones of a reader, over
which nothing passes: they share one. Necessity is what the witnesses show.
"""

from collections.abc import Mapping

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import ComponentGraph, Reader, edge_name
from ..compiler.executor import run
from ..compiler.model import Model
from .circuit_labels import EdgeState, Sufficiency
from .interchange_pairs import TaskDomain

LEAST_BASES = 256
MOST_BASES = 8192
_CHUNK = 128


def joint_sufficiency(
    compiled: CompiledModel,
    states: Mapping[str, EdgeState],
    domain: TaskDomain,
    *,
    seed: int,
) -> Sufficiency:
    """Interchange every edge that is not causal, all at once, with independent sources.

    Every input of the domain is a base, as often as it takes to try `LEAST_BASES`; or
    `MOST_BASES` inputs are, drawn at random.

    Args:
        compiled: the model.
        states: the state of each edge by name.
        domain: bases and sources are drawn from here.
        seed: draws them.
    """
    model = compiled.model
    graph = ComponentGraph.of(model.weights)
    rng = np.random.default_rng([seed, 1])
    everything = len(domain.tokens) <= MOST_BASES
    rounds = -(-LEAST_BASES // len(domain.tokens))
    whole = np.tile(domain.tokens, (rounds, 1))
    bases = whole if everything else domain.draw(MOST_BASES, rng)
    n_changed = 0
    for start in range(0, len(bases), _CHUNK):
        batch = bases[start : start + _CHUNK]
        sources = domain.draw(len(batch), rng)
        n_changed += _changed(model, graph, states, batch, sources, rng)
    return Sufficiency(n_bases=len(bases), n_changed=n_changed)


def _changed(
    model: Model,
    graph: ComponentGraph,
    states: Mapping[str, EdgeState],
    bases: np.ndarray,
    sources: np.ndarray,
    rng: np.random.Generator,
) -> int:
    """Return on how many bases the output changes."""
    base = run(model.weights, bases, graph=graph)
    source = run(model.weights, sources, graph=graph)

    def read(reader: Reader, _stream: np.ndarray, contributions: np.ndarray) -> np.ndarray:
        common = rng.permutation(len(bases))
        patched = source.stream(graph, reader.depth)[common]
        for place, writer in enumerate(graph.writers[: len(contributions)]):
            state = states[edge_name(writer.name, reader.name)]
            if state is EdgeState.UNWIRED:
                continue
            given = source.contributions[place]
            patched -= given[common]
            if state is EdgeState.CAUSAL:
                patched += contributions[place]
            else:
                patched += given[rng.permutation(len(bases))]
        return patched

    patched = run(model.weights, bases, graph=graph, read=read)
    before, after = (model.codec.decode_ids(r.logits) for r in (base, patched))
    return int(((before != after) & model.codec.is_real(bases)).any(axis=1).sum())
