"""Coarse universes take the strongest state of what they cover, and nothing else."""

from glassbench.compiler.executor import reader_matrix
from glassbench.ground_truth import EdgeState, load
from glassbench.ground_truth.subspace_labels import subspace_labels
from glassbench.ground_truth.universes import (
    coarse_edges,
    neuron_ranges,
    neuron_states,
    node_states,
    variable_states,
)

CAUSAL, POSITIONAL, INERT, UNWIRED = EdgeState
STATES = {
    "embed->a0.h0<q>": UNWIRED,
    "embed->a0.h0<k>": INERT,
    "pos_embed->a0.h0<q>": POSITIONAL,
    "pos_embed->a0.h0<k>": UNWIRED,
    "embed->m0": INERT,
    "a0.h0->m0": CAUSAL,
}


def test_heads_as_one_reader():
    assert coarse_edges(STATES, split_qkv=False) == {
        "embed->a0.h0": INERT,
        "pos_embed->a0.h0": POSITIONAL,
        "embed->m0": INERT,
        "a0.h0->m0": CAUSAL,
    }


def test_one_input():
    assert coarse_edges(STATES, merge_input=True) == {
        "input->a0.h0<q>": POSITIONAL,
        "input->a0.h0<k>": INERT,
        "input->m0": INERT,
        "a0.h0->m0": CAUSAL,
    }


def test_both_at_once_and_neither():
    assert coarse_edges(STATES, split_qkv=False, merge_input=True) == {
        "input->a0.h0": POSITIONAL,
        "input->m0": INERT,
        "a0.h0->m0": CAUSAL,
    }
    assert coarse_edges(STATES) == STATES


def test_nodes():
    assert node_states(STATES) == {"embed": INERT, "pos_embed": POSITIONAL, "a0.h0": CAUSAL}
    assert node_states(STATES, merge_input=True) == {"input": POSITIONAL, "a0.h0": CAUSAL}


def test_neuron_ranges():
    assert neuron_ranges((5,)) == "n5"
    assert neuron_ranges((9, 4, 3, 5, 11, 12)) == "n3-n5,n9,n11-n12"


def test_variables_that_nothing_reads_are_unwired(histogram):
    known = subspace_labels(histogram).states
    states = variable_states(known, histogram.compiled.source_map, histogram.graph)
    assert {name: states[name] for name in known} == known
    others = {name: state for name, state in states.items() if name not in known}
    assert others
    assert set(others.values()) == {UNWIRED}
    matrices = {
        reader.name: reader_matrix(histogram.compiled.model.weights, reader)
        for reader in histogram.graph.readers
    }
    directions = {
        f"{one.writer}[{one.name}]": one.directions
        for one in histogram.compiled.source_map.variables
    }
    for writer, reader in map(_ends, others):
        assert not (directions[writer] @ matrices[reader]).any()


def test_neurons_have_the_states_of_what_they_compute():
    crowded = load("sort[vocab=2,length=3]/crowded[distractors=2]")
    subspaces = subspace_labels(crowded).states
    source_map = crowded.compiled.source_map
    states = neuron_states(subspaces, source_map, crowded.graph)
    ranges = {
        f"{one.writer}[{neuron_ranges(one.neurons)}]": f"{one.writer}[{one.name}]"
        for one in source_map.variables
        if one.neurons
    }
    assert {writer for writer, _ in map(_ends, states)} == set(ranges)
    assert set(states.values()) > {CAUSAL, UNWIRED}
    for name, state in states.items():
        writer, reader = _ends(name)
        assert state is subspaces.get(f"{ranges[writer]}->{reader}", UNWIRED)


def _ends(edge):
    writer, reader = edge.split("->")
    return writer, reader


def test_neurons_of_a_program(histogram):
    source_map = histogram.compiled.source_map
    states = neuron_states(subspace_labels(histogram).states, source_map, histogram.graph)
    assert states == {"m0[n0-n3]->logits": CAUSAL}


def test_a_task_has_positive_and_negative_nodes_in_every_universe():
    states = load("sort[vocab=2,length=3]").labels.states
    for split in (True, False):
        coarse = coarse_edges(states, split_qkv=split, merge_input=True)
        assert {CAUSAL, UNWIRED} <= set(coarse.values())
