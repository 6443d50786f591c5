"""The causal edges together carry the output, and with one of them missing they do not."""

import pytest

from glassbench.compiler import ComponentGraph, compile_program, rasp
from glassbench.ground_truth import EdgeState, TaskDomain, load
from glassbench.ground_truth.domain_runs import DomainRuns
from glassbench.ground_truth.sufficiency import joint_sufficiency


def sufficiency(compiled, states, domain, seed=0):
    runs = DomainRuns(compiled.model.weights, domain.tokens)
    return joint_sufficiency(compiled, states, domain, runs, seed=seed)


def changed(task, states, seed=0):
    return sufficiency(task.compiled, states, task.domain, seed)


def test_causal_edges_suffice(task):
    for seed in range(3):
        found = changed(task, task.labels.states, seed=seed)
        assert found.n_bases >= max(256, len(task.domain.tokens))
        assert found.n_changed == 0


def test_no_causal_edge_can_be_missing(task):
    """Each of them matters also when all that is not causal is interchanged."""
    for edge, state in task.labels.states.items():
        if state is EdgeState.CAUSAL:
            states = {**task.labels.states, edge: EdgeState.INERT}
            assert changed(task, states).n_changed > 0, edge


def test_without_any_edge_outputs_are_those_of_others(histogram):
    nothing = dict.fromkeys(histogram.labels.states, EdgeState.UNWIRED)
    found = changed(histogram, nothing)
    assert found.n_changed > found.n_bases / 3


def test_with_every_edge_nothing_is_interchanged(histogram):
    everything = dict.fromkeys(histogram.labels.states, EdgeState.CAUSAL)
    assert changed(histogram, everything).n_changed == 0


@pytest.mark.parametrize("state", [EdgeState.POSITIONAL, EdgeState.INERT, EdgeState.UNWIRED])
def test_only_causal_edges_are_left_alone(histogram, state):
    states = {**histogram.labels.states, "m0->logits": state}
    assert changed(histogram, states).n_changed > 0


def test_every_edge_has_a_source_of_its_own():
    """Two copies of a token always agree, unless they come from different sources."""
    here = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.EQ)
    copies = [rasp.Aggregate(here, rasp.tokens).named(name) for name in ("one", "other")]
    compiled = compile_program(rasp.SequenceMap(lambda x, y: x == y, *copies), "abcd", 1)
    states = dict.fromkeys(ComponentGraph.of(compiled.model.weights).edge_names, EdgeState.CAUSAL)
    states |= dict.fromkeys(("a0.h0->m0", "a0.h1->m0"), EdgeState.INERT)
    found = sufficiency(compiled, states, TaskDomain.of(compiled))
    assert found.n_changed > found.n_bases / 4


def test_sufficiency_follows_its_seed(sort):
    states = {**sort.labels.states, "m1->a2.h0<k>": EdgeState.INERT}
    assert changed(sort, states, seed=1) == changed(sort, states, seed=1)
    counts = {changed(sort, states, seed=seed).n_changed for seed in range(6)}
    assert len(counts) > 1


def test_sufficiency_of_a_crowded_scrambled_model():
    task = load("histogram[vocab=2,length=3]/crowded[distractors=3,seed=1]/scrambled")
    assert changed(task, task.labels.states).n_changed == 0
