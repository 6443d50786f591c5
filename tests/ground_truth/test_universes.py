"""Coarse universes take the strongest state of what they cover, and nothing else."""

from glassbench.ground_truth import EdgeState, load
from glassbench.ground_truth.subspace_labels import subspace_labels
from glassbench.ground_truth.universes import (
    coarse_edges,
    neuron_ranges,
    neuron_states,
    node_states,
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


def test_neurons_have_the_states_of_what_they_compute():
    crowded = load("sort[vocab=2,length=3]/crowded[distractors=2]")
    subspaces = subspace_labels(crowded).states
    states = neuron_states(subspaces, crowded.compiled.source_map)
    computed = [name for name in subspaces if name.startswith("m")]
    assert len(states) == len(computed) > 0
    assert sorted(states.values()) == sorted(subspaces[name] for name in computed)


def test_neurons_of_a_program(histogram):
    states = neuron_states(subspace_labels(histogram).states, histogram.compiled.source_map)
    assert states == {"m0[n0-n3]->logits": CAUSAL}


def test_a_task_has_positive_and_negative_nodes_in_every_universe():
    states = load("sort[vocab=2,length=3]").labels.states
    for split in (True, False):
        coarse = coarse_edges(states, split_qkv=split, merge_input=True)
        assert {CAUSAL, UNWIRED} <= set(coarse.values())
