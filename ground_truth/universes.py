"""Universes: coarser views of the same circuit, derived from the states of the edges.

A coarse edge has the strongest state of the edges that it covers; nothing is labelled
anew. Heads may be one reader instead of three, `embed` and `pos_embed` one writer called
`input`, and nodes may stand for all edges that leave them.
"""

from collections.abc import Callable, Mapping

from ..compiler.component_graph import EMBED, POS_EMBED, edge_name
from ..compiler.source_map import SourceMap
from .circuit_labels import EdgeState

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


def neuron_states(subspaces: States, source_map: SourceMap) -> dict[str, EdgeState]:
    """Return the states of ranges of neurons on the way to readers, `m0[n3-n7,n9]->a1.h0<k>`.

    The neurons that compute a variable write to its subspace and to nothing else, so each
    has the state of the variable.

    Args:
        subspaces: the state of each variable on the way to a reader; see `SubspaceLabels`.
        source_map: says which neurons compute which variable.
    """
    computed = [variable for variable in source_map.variables if variable.neurons]
    ranges = {
        f"{one.writer}[{one.name}]": f"{one.writer}[{neuron_ranges(one.neurons)}]"
        for one in computed
    }
    renamed = ((edge.split("->"), state) for edge, state in subspaces.items())
    return {
        edge_name(ranges[writer], reader): state
        for (writer, reader), state in renamed
        if writer in ranges
    }


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
