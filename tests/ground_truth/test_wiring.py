"""What matrices prove, on a model small enough to write down."""

import numpy as np
import pytest

from glassbench.compiler import ComponentGraph, Weights, run
from glassbench.compiler.executor import resume
from glassbench.ground_truth import build_model, load
from glassbench.ground_truth.contributions import distinct_sources, spreads
from glassbench.ground_truth.domain_runs import DomainRuns
from glassbench.ground_truth.swap import Swap
from glassbench.ground_truth.wiring import Wiring, proof_bound, without_dead_ends

# Axes: 0 tokens, 1 positions, 2 written by head 0, 3 by m0, 4 by the head of layer 1, 5 by m1.
D = 6


def hand_made():
    """Return a model whose wiring is known.

    tokens -> a0.h0 (value) -> m0 -> logits; positions -> a0.h0 (query);
    m0 -> a1.h0 (key); tokens -> a1.h0 (value) -> m1 -> nobody.
    """
    arrays = {
        "W_E": np.zeros((4, D)),
        "W_pos": np.zeros((3, D)),
        "W_Q": np.zeros((2, 1, D, 2)),
        "b_Q": np.zeros((2, 1, 2)),
        "W_K": np.zeros((2, 1, D, 2)),
        "W_V": np.zeros((2, 1, D, 2)),
        "W_O": np.zeros((2, 1, 2, D)),
        "W_in": np.zeros((2, D, 3)),
        "b_in": np.zeros((2, 3)),
        "W_out": np.zeros((2, 3, D)),
        "b_out": np.zeros((2, D)),
        "W_U": np.zeros((D, 2)),
    }
    arrays["W_E"][:, 0] = [1, 2, 0, 0]
    arrays["W_pos"][:, 1] = [0, 1, 2]
    arrays["W_Q"][0, 0, 1, 0] = 1.0
    arrays["b_Q"][0, 0, 1] = 1.0
    arrays["W_K"][0, 0, 0, 1] = 1.0
    arrays["W_V"][0, 0, 0, 0] = 3.0
    arrays["W_O"][0, 0, 0, 2] = 1.0
    arrays["W_in"][0, 2, 0] = 0.5
    arrays["W_out"][0, 0, 3] = 1.0
    arrays["W_U"][3, 0] = 2.0
    arrays["b_Q"][1, 0, 0] = 1.0
    arrays["W_K"][1, 0, 3, 0] = 1.0
    arrays["W_V"][1, 0, 0, 0] = 1.0
    arrays["W_O"][1, 0, 0, 4] = 1.0
    arrays["W_in"][1, 4, 0] = 1.0
    arrays["W_out"][1, 0, 5] = 1.0
    return arrays


KINDS = ({}, {"activation": "gelu"}, {"activation": "gelu", "layer_norm": True})


def at_random(rng, **kind):
    """Return the same model with some weights gone and some added."""
    arrays = {
        name: array * (rng.random(array.shape) < 0.8) + (rng.random(array.shape) < 0.03)
        for name, array in hand_made().items()
    }
    return Weights(**arrays, causal=False, **kind)


def wiring_of(arrays):
    weights = Weights(**arrays, causal=False)
    graph = ComponentGraph.of(weights)
    return Wiring(weights, graph), {edge.name: edge for edge in graph.edges}


PASSES = {
    "pos_embed->a0.h0<q>": 2,
    "embed->a0.h0<k>": 2,
    "embed->a0.h0<v>": 6,
    "a0.h0->m0": 0.5,
    "m0->logits": 2,
    "m0->a1.h0<k>": 1,
    "embed->a1.h0<v>": 2,
    "a1.h0->m1": 1,
}
REACHES = ("pos_embed->a0.h0<q>", "embed->a0.h0<k>", "embed->a0.h0<v>", "a0.h0->m0", "m0->logits")


def test_products():
    wiring, edges = wiring_of(hand_made())
    assert {
        name: wiring.product(edge) for name, edge in edges.items() if wiring.product(edge)
    } == PASSES


def test_reach():
    wiring, edges = wiring_of(hand_made())
    for name in PASSES:
        assert (wiring.reach(edges[name]) > 0) == (name in REACHES), name


@pytest.mark.parametrize(
    ("array", "place", "edges"),
    [
        ("W_U", (5, 1), ("m0->a1.h0<k>", "embed->a1.h0<v>", "a1.h0->m1")),
        ("W_U", (4, 1), ("m0->a1.h0<k>", "embed->a1.h0<v>")),
    ],
)
def test_a_path_that_is_opened_is_seen(array, place, edges):
    arrays = hand_made()
    arrays[array][place] = 1e-3
    wiring, named = wiring_of(arrays)
    for name in PASSES:
        expected = name in edges or name in REACHES
        assert (wiring.reach(named[name]) > 0) == expected, name


def test_paths_through_later_heads_and_neurons_are_followed():
    """a0.h0 to the logits through each role of the second head."""
    for role in ("W_Q", "W_K", "W_V"):
        arrays = hand_made()
        arrays["W_U"][3, 0] = 0
        arrays["W_U"][4, 0] = 1
        arrays["W_in"][0] = 0  # not by way of m0
        for name in ("W_Q", "W_K", "W_V"):
            arrays[name][1] = 0
        arrays[role][1, 0, 2, 0] = 1
        wiring, edges = wiring_of(arrays)
        assert wiring.reach(edges["embed->a0.h0<v>"]) > 0, role


def test_what_a_head_moves_is_followed_coordinate_by_coordinate():
    arrays = hand_made()
    arrays["W_V"][0, 0, 1, 1] = 1.0  # positions are moved too ...
    arrays["W_O"][0, 0, 1, 5] = 1.0  # ... to where nobody reads
    wiring, edges = wiring_of(arrays)
    assert wiring.product(edges["pos_embed->a0.h0<v>"]) == 2
    assert wiring.reach(edges["pos_embed->a0.h0<v>"]) == 0
    assert wiring.reach(edges["embed->a0.h0<v>"]) > 0
    assert wiring.reach(edges["pos_embed->a0.h0<q>"]) > 0


def test_neurons_that_are_not_entered_lead_nowhere():
    arrays = hand_made()
    arrays["W_in"][0, 1, 1] = 1.0  # a neuron that reads positions ...
    arrays["W_out"][0, 1, 5] = 1.0  # ... and writes where nobody reads
    wiring, edges = wiring_of(arrays)
    assert wiring.product(edges["pos_embed->m0"]) == 2
    assert wiring.reach(edges["pos_embed->m0"]) == 0
    assert wiring.reach(edges["a0.h0->m0"]) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_reachable_is_called_unreachable(kind):
    """On weights at random: an edge without reach changes no logit, whatever is put in."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(40):
        weights = at_random(rng, **kind)
        graph = ComponentGraph.of(weights)
        wiring = Wiring(weights, graph)
        tokens = rng.integers(0, 4, size=(8, 3))
        logits = run(weights, tokens).logits
        for edge in graph.edges:
            rows = wiring._written[edge.writer.name]
            delta = rng.normal(size=(8, 3, len(rows))) @ rows

            def read(reader, stream, contributions, edge=edge, delta=delta):
                return stream + delta if reader == edge.reader else stream

            changed = np.abs(run(weights, tokens, read=read).logits - logits).max() > 1e-9
            unwired, unreached = wiring.product(edge) == 0, wiring.reach(edge) == 0
            assert not (changed and (unwired or unreached)), edge.name
            seen.add((changed, unwired, unreached))
    assert {(True, False, False), (False, True, True), (False, False, True)} <= seen


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_out_changes_no_logit(kind):
    """On weights at random, whatever is put into the stream, at whatever depth."""
    rng = np.random.default_rng(1)
    left_out = 0
    for _ in range(40):
        weights = at_random(rng, **kind)
        if "layer_norm" in kind:
            weights.W_O[1, 0] = 1.0  # which it hides, but for the rounding of a mean
        live = without_dead_ends(weights, 1e-9 if "layer_norm" in kind else 0.0)
        left_out += int((live.W_out != weights.W_out).any() or (live.W_O != weights.W_O).any())
        stream = rng.normal(size=(8, 3, D))
        for depth in range(5):
            expected = resume(weights, ComponentGraph.of(weights), stream, depth)
            np.testing.assert_allclose(
                resume(live, ComponentGraph.of(live), stream, depth), expected, atol=1e-9
            )
    assert left_out > 10


def test_what_is_left_out_of_a_crowded_model_is_the_distractors():
    compiled = build_model("sort[vocab=2,length=3]/crowded[distractors=4]/scrambled")
    live = ComponentGraph.of(without_dead_ends(compiled.model.weights, proof_bound(compiled)))
    alone = ComponentGraph.of(build_model("sort[vocab=2,length=3]").model.weights)
    all_of_it = ComponentGraph.of(compiled.model.weights)
    heads = [sum(w.head >= 0 for w in graph.writers) for graph in (alone, live, all_of_it)]
    assert heads[0] <= heads[1] < heads[2]


def test_layer_norm_hides_what_is_the_same_in_every_dimension():
    arrays = hand_made()
    arrays["W_pos"][:] = 3.0
    weights = Weights(**arrays, causal=False, layer_norm=True)
    graph = ComponentGraph.of(weights)
    wiring = Wiring(weights, graph)
    for edge in graph.edges:
        hidden = edge.writer.name == "pos_embed"
        assert (wiring.product(edge) < 1e-12) == hidden
        assert (wiring.reach(edge) < 1e-12) == hidden


def test_what_counts_as_zero():
    task = load("sort[vocab=2,length=3]")
    assert proof_bound(task.compiled) == 0
    scrambled = load("sort[vocab=2,length=3]/scrambled").compiled
    assert 0 < proof_bound(scrambled) <= 1e-9
    graph = ComponentGraph.of(scrambled.model.weights)
    wiring = Wiring(scrambled.model.weights, graph)
    carried = scrambled.source_map.carried
    for edge in graph.edges:
        if edge.name in carried:
            assert wiring.product(edge) > 0.1
        else:
            assert wiring.product(edge) <= proof_bound(scrambled)


def test_spreads_and_distinct_sources():
    task = load("sort[vocab=2,length=3]")
    tokens = task.domain.tokens
    runs = DomainRuns(task.compiled.model.weights, tokens)
    swaps = [Swap.of_edge(task.graph, edge, ()) for edge in task.graph.edges]
    found = spreads(runs, swaps)
    assert found["embed->a1.h0<v>"] == 0  # BOS
    assert found["pos_embed->a2.h0<q>"] == 0
    assert found["embed->a2.h0<v>"] == 1
    assert found["embed->m0"] > 0
    sources = distinct_sources(runs, swaps)
    assert len(sources["embed->a1.h0<v>"]) == 1
    assert sources["embed->a2.h0<v>"].tolist() == list(range(len(tokens)))
    # The head sees of padding only where it begins: three lengths.
    assert len(sources["embed->a2.h0<k>"]) == 3
