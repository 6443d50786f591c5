"""Liveness: how much of a model has an effect, before its labels are certified.

A search that costs milliseconds: what it finds to have an effect has one, since the
interchange that shows it is at hand; what it does not find may have one all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import interchange, project, run, seen_columns
from .contributions import MOST_DISTINCT, distinct_sources
from .domain_runs import DomainRuns
from .interchange_pairs import Pairs, TaskDomain
from .swap import Swap
from .wiring import ROUNDING_BOUND

ROUNDS = (64, 192, 512)


@dataclass(frozen=True)
class Liveness:
    """What a short search found.

    Attributes:
        heads: the heads of the model.
        live: the names of the edges that change an output.
        quiet: the names of the edges whose reader sees a difference that changed nothing.
    """

    heads: tuple[str, ...]
    live: tuple[str, ...]
    quiet: tuple[str, ...]

    @property
    def dead_heads(self) -> tuple[str, ...]:
        """The heads that no live edge leaves."""
        writers = {edge.split("->")[0] for edge in self.live}
        return tuple(head for head in self.heads if head not in writers)


def liveness(compiled: CompiledModel, domain: TaskDomain) -> Liveness:
    """Search a model for edges that have an effect."""
    weights, codec = compiled.model.weights, compiled.model.codec
    graph = ComponentGraph.of(weights)
    carried = compiled.source_map.carried
    undecided = [edge for edge in graph.edges if carried.get(edge.name)]
    live: list[str] = []
    varies: set[str] = set()
    rng = np.random.default_rng(0)
    for size in ROUNDS:
        pairs = Pairs.draw(domain, size, rng)
        base = run(weights, pairs.base, graph=graph)
        source = run(weights, pairs.source, graph=graph)
        before, real = codec.decode_ids(base.logits), codec.is_real(pairs.base)
        still = []
        for edge in undecided:
            delta = Swap.of_edge(graph, edge, carried[edge.name]).delta(base, source)
            seen = np.abs(project(delta, seen_columns(weights, edge.reader)))
            if seen.max() <= ROUNDING_BOUND:
                still.append(edge)
                continue
            varies.add(edge.name)
            after = codec.decode_ids(interchange(weights, graph, base, edge.reader, delta))
            if ((after != before) & real).any():
                live.append(edge.name)
            else:
                still.append(edge)
        undecided = still
    quiet = tuple(edge for edge in undecided if edge.name in varies)
    heads = tuple(writer.name for writer in graph.writers if writer.name.startswith("a"))
    return Liveness(heads, tuple(live), tuple(edge.name for edge in quiet))


def proof_cost(compiled: CompiledModel, domain: TaskDomain, found: Liveness) -> int:
    """Return how many interchanges a proof that the quiet edges are inert takes, at least."""
    runs = DomainRuns(compiled.model.weights, domain.tokens)
    carried = compiled.source_map.carried
    quiet = [
        Swap.of_edge(runs.graph, edge, carried[edge.name])
        for edge in runs.graph.edges
        if edge.name in found.quiet
    ]
    sources = distinct_sources(runs, quiet).values()
    counts = (MOST_DISTINCT if given is None else len(given) for given in sources)
    return sum(counts) * len(domain.tokens)


def live_heads(edges: Iterable[str]) -> frozenset[str]:
    """Return the heads that some of the edges lead to or leave."""
    ends = {end.split("<")[0] for edge in edges for end in edge.split("->")}
    return frozenset(end for end in ends if end.startswith("a"))


def live_hops(edges: Iterable[str]) -> int:
    """Return the most heads on one way along the edges that ends at the logits.

    Example:
        >>> live_hops(["embed->a0.h0<v>", "a0.h0->m0", "m0->a1.h2<k>", "a1.h2->logits"])
        2
    """
    readers: dict[str, list[str]] = {}
    for edge in edges:
        writer, reader = edge.split("->")
        readers.setdefault(reader.split("<")[0], []).append(writer)
    known: dict[str, int] = {}

    def longest(component: str) -> int:
        if component not in known:
            before = max((longest(writer) for writer in readers.get(component, ())), default=0)
            known[component] = before + component.startswith("a")
        return known[component]

    return longest("logits")
