"""Joint sufficiency: the causal edges alone carry the output.

All edges that are not causal are interchanged at once, and the decoded outputs must
not change. Each has a source of its own, but for the unwired ones of a reader, over
which nothing passes: they share one. Necessity is what the witnesses show.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import Reader, edge_name
from ..compiler.executor import run
from ..compiler.model import Model
from .circuit_labels import EdgeState, Sufficiency
from .domain_runs import DomainRuns
from .interchange_pairs import TaskDomain

LEAST_BASES = 256
MOST_BASES = 8192
_CHUNK = 128


def joint_sufficiency(
    compiled: CompiledModel,
    states: Mapping[str, EdgeState],
    domain: TaskDomain,
    runs: DomainRuns,
    *,
    seed: int,
    least_bases: int = LEAST_BASES,
) -> Sufficiency:
    """Interchange every edge that is not causal, all at once, with independent sources.

    Every input of the domain is a base, as often as it takes to try `least_bases`; or
    `MOST_BASES` inputs are, drawn at random.

    Args:
        compiled: the model.
        states: the state of each edge by name.
        domain: bases and sources are drawn from here.
        runs: the model's runs on the domain.
        seed: draws them.
        least_bases: how often bases are tried at least.
    """
    rng = np.random.default_rng([seed, 1])
    n_inputs = len(domain.tokens)
    rounds = -(-least_bases // n_inputs)
    whole = np.tile(np.arange(n_inputs), rounds)
    bases = whole if n_inputs <= MOST_BASES else domain.draw_rows(MOST_BASES, rng)
    n_changed = 0
    for start in range(0, len(bases), _CHUNK):
        batch = bases[start : start + _CHUNK]
        sources = domain.draw_rows(len(batch), rng)
        n_changed += _changed(compiled.model, runs, states, batch, sources, rng)
    return Sufficiency(n_bases=len(bases), n_changed=n_changed)


def _changed(
    model: Model,
    runs: DomainRuns,
    states: Mapping[str, EdgeState],
    bases: np.ndarray,
    sources: np.ndarray,
    rng: np.random.Generator,
) -> int:
    """Return on how many bases the output changes."""
    graph, tokens = runs.graph, runs.tokens[bases]
    source = runs.at(sources)

    def read(
        reader: Reader, _stream: np.ndarray, contributions: Sequence[np.ndarray]
    ) -> np.ndarray:
        common = source.take(rng.permutation(len(bases)))
        patched = common.streams[reader.depth]
        for place, writer in enumerate(graph.writers[: len(contributions)]):
            state = states[edge_name(writer.name, reader.name)]
            if state is EdgeState.UNWIRED:
                continue
            patched -= common.contributions[place]
            if state is EdgeState.CAUSAL:
                patched += contributions[place]
            else:
                patched += source.take(rng.permutation(len(bases))).contributions[place]
        return patched

    patched = run(model.weights, tokens, graph=graph, read=read)
    before, after = (model.codec.decode_ids(r.logits) for r in (runs.at(bases), patched))
    return int((~model.codec.answered_alike(after, before, tokens)).sum())
