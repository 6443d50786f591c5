"""The live part of a model gives the same logits, and misses no edge that can matter."""

from collections import Counter
from dataclasses import replace

import numpy as np
from scipy.linalg import null_space

from glassbench.compiler import run
from glassbench.evaluators.live_model import LiveModel
from glassbench.ground_truth import EdgeState, load
from glassbench.ground_truth.circuit_labels import Structural, Unreachable

ALONE = "sort[vocab=2,length=3]"
CROWDED = f"{ALONE}/crowded[distractors=2]/scrambled"


def test_logits_are_those_of_the_whole_model(circuit_problem):
    model = LiveModel.of(circuit_problem.model.weights)
    for tokens in (circuit_problem.base, circuit_problem.source):
        whole = run(circuit_problem.model.weights, tokens).logits
        np.testing.assert_allclose(run(model.weights, tokens).logits, whole, rtol=0, atol=1e-9)


def test_no_edge_with_an_effect_is_left_out(circuit_task):
    live = {edge.name for edge in LiveModel.of(circuit_task.compiled.model.weights).edges}
    for edge, state in circuit_task.labels.states.items():
        if state in (EdgeState.CAUSAL, EdgeState.POSITIONAL):
            assert edge in live


def test_what_is_left_out_is_proved_by_the_weights():
    """Edges that the labels call unwired or out of reach of the logits, and all of them here."""
    task = load(CROWDED)
    live = {edge.name for edge in LiveModel.of(task.compiled.model.weights).edges}
    kinds = Counter((label.edge in live, type(label.certificate)) for label in task.labels.edges)
    assert (True, Structural) not in kinds
    assert (True, Unreachable) not in kinds
    assert kinds[False, Unreachable] > 5
    assert kinds[True, Structural] == 0 < kinds[False, Structural]


def test_of_a_crowded_model_the_program_alone_is_live():
    crowded, alone = (load(name).compiled.model.weights for name in (CROWDED, ALONE))
    live, expected = LiveModel.of(crowded), LiveModel.of(alone)
    assert len(live.edges) == len(expected.edges)
    assert live.weights.d_model == expected.weights.d_model < crowded.d_model


def test_layer_norm_hides_one_direction_alone(random_model):
    """A head that writes the same in every dimension, and neurons that nothing reads."""
    weights = replace(random_model.weights, layer_norm=True)
    W_O, W_out = weights.W_O.copy(), weights.W_out.copy()
    W_O[0, 1] = W_O[0, 1].mean(axis=1, keepdims=True)
    W_out[1] = np.random.default_rng(0).normal(size=(6, 3)) @ null_space(weights.W_U.T).T[:3]
    weights = replace(weights, W_O=W_O, W_out=W_out)
    live = LiveModel.of(weights)
    names = [writer.name for writer in live.graph.writers]
    assert names == ["embed", "pos_embed", "a0.h0", "m0", "a1.h0", "a1.h1", "m1"]
    assert len(live.edges) == len(live.graph.edges)
    tokens = random_model.codec.encode(["abca", "bb", "cab", "a"])
    expected = run(weights, tokens).logits
    np.testing.assert_allclose(run(live.weights, tokens).logits, expected, atol=1e-12)
    unread = LiveModel.of(replace(weights, layer_norm=False))
    assert not unread.weights.W_out[1].any()


def test_the_live_part_is_its_own_live_part(circuit_problem):
    once = LiveModel.of(circuit_problem.model.weights)
    twice = LiveModel.of(once.weights)
    assert twice.edges == once.edges
    assert twice.weights.d_model == once.weights.d_model
