"""Universes: coarser views of the same circuit, derived from the states of the edges.

A coarse edge has the strongest state of the edges that it covers; nothing is labelled
anew. Heads may be one reader instead of three, `embed` and `pos_embed` one writer called
`input`, and nodes may stand for all edges that leave them.
"""

from collections.abc import Callable, Mapping

from ..compiler.component_graph import EMBED, POS_EMBED, ComponentGraph, Reader, edge_name
from ..compiler.source_map import PlacedVariable, SourceMap
from .circuit_labels import EdgeState
from .swap import variable_edge_name

INPUT = "input"

States = Mapping[str, EdgeState]


def coarse_edges(
    states: States, *, split_qkv: bool = True, merge_input: bool = False
) -> dict[str, EdgeState]:
    """Return the states of the edges of a coarser universe.

    Args:
        states: the state of each edge by name.
        split_qkv: whether a head has three inputs, `a0.h0<q>`, `<k>` and `<v>`, or is one
            reader, `a0.h0`.
        merge_input: whether `embed` and `pos_embed` are one writer, `input`.

    Example:
        >>> states = {"embed->a0.h0<q>": EdgeState.INERT, "embed->a0.h0<k>": EdgeState.CAUSAL}
        >>> coarse_edges(states, split_qkv=False, merge_input=True)
        {'input->a0.h0': <EdgeState.CAUSAL: 'causal'>}
    """

    def coarse(edge: str) -> str:
        writer, reader = edge.split("->")
        return edge_name(
            _merged(writer) if merge_input else writer,
            reader if split_qkv else reader.split("<")[0],
        )

    return _strongest(states, coarse)


def node_states(states: States, *, merge_input: bool = False) -> dict[str, EdgeState]:
    """Return the state of each writer: the strongest of the edges that leave it."""

    def writer_of(edge: str) -> str:
        writer = edge.split("->")[0]
        return _merged(writer) if merge_input else writer

    return _strongest(states, writer_of)


def variable_states(
    subspaces: States, source_map: SourceMap, graph: ComponentGraph
) -> dict[str, EdgeState]:
    """Return the state of every variable on the way to every later reader.

    Args:
        subspaces: the states of those that are read, or in a superposed model of all; those
            not named are `unwired`, which was shown when these were made: see `SubspaceLabels`.
        source_map: says which variables there are.
        graph: the readers.
    """
    names = (
        variable_edge_name(variable, reader.name)
        for variable in source_map.variables
        for reader in later_readers(graph, variable)
    )
    return {name: subspaces.get(name, EdgeState.UNWIRED) for name in names}


def neuron_states(
    subspaces: States, source_map: SourceMap, graph: ComponentGraph
) -> dict[str, EdgeState]:
    """Return the states of ranges of neurons on the way to readers, `m0[n3-n7,n9]->a1.h0<k>`.

    The neurons that compute a variable write to its subspace and to nothing else, so each
    has the state of the variable.

    Args:
        subspaces: the states of variables that are read; see `variable_states`.
        source_map: says which neurons compute which variable.
        graph: the readers.
    """
    return {
        edge_name(f"{variable.writer}[{neuron_ranges(variable.neurons)}]", reader.name): (
            subspaces.get(variable_edge_name(variable, reader.name), EdgeState.UNWIRED)
        )
        for variable in source_map.variables
        if variable.neurons
        for reader in later_readers(graph, variable)
    }


def later_readers(graph: ComponentGraph, variable: PlacedVariable) -> list[Reader]:
    """Return the readers after the writer of a variable."""
    depth = graph.writers[graph.writer_index[variable.writer]].depth
    return [reader for reader in graph.readers if reader.depth > depth]


def neuron_ranges(neurons: tuple[int, ...]) -> str:
    """Return the numbers of neurons as ranges.

    Example:
        >>> neuron_ranges((3, 4, 5, 9))
        'n3-n5,n9'
    """
    ordered = sorted(neurons)
    starts = [n for n in ordered if n - 1 not in neurons]
    ends = [n for n in ordered if n + 1 not in neurons]
    pairs = zip(starts, ends, strict=True)
    return ",".join(f"n{a}" if a == b else f"n{a}-n{b}" for a, b in pairs)


def _merged(writer: str) -> str:
    return INPUT if writer in (EMBED, POS_EMBED) else writer


def _strongest(states: States, name_of: Callable[[str], str]) -> dict[str, EdgeState]:
    """Return the strongest state of all that have the same name."""
    strength = list(EdgeState).index
    found: dict[str, EdgeState] = {}
    for name, state in states.items():
        coarse = name_of(name)
        found[coarse] = min(found.get(coarse, state), state, key=strength)
    return found
