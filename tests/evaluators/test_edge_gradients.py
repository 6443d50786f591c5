"""Attribution patching of edges and nodes, and integrated gradients, against slow versions."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from glassbench.compiler import run
from glassbench.evaluators.methods.eap_integrated_gradients import (
    eap_integrated_gradients,
    path_gradient,
)
from glassbench.evaluators.methods.edge_attribution_patching import (
    edge_attribution_patching,
    first_order_effects,
)
from glassbench.evaluators.methods.edge_gradients import (
    ROUNDING,
    edge_effects,
    mean_magnitudes,
    midpoints,
    nearness_gradient,
)
from glassbench.evaluators.methods.edge_scores import lower_of_ends
from glassbench.evaluators.methods.integrated_activations import (
    activation_effects,
    integrated_activations,
)
from glassbench.evaluators.methods.node_attribution_patching import (
    node_attribution_patching,
    node_scores,
)
from glassbench.evaluators.pair_runs import PairRuns

CHUNKS = np.split(midpoints(20_000), 20)
"""Steps enough to see how neurons and patterns of compiled models switch within a hundredth."""


@pytest.fixture(scope="module")
def chunks(circuit_problem):
    """Steps from base to source; few where nothing switches."""
    if circuit_problem.model.weights.is_piecewise_linear:
        return CHUNKS
    return [midpoints(400)]


def nearness(problem, logits):
    """Return minus half the squared distance to the logits of the source, for each pair."""
    target = run(problem.model.weights, problem.source).logits
    real = problem.model.codec.is_real(problem.base)
    return -0.5 * (((logits - target) ** 2).sum(axis=-1) * real).sum(axis=-1)


def slopes(problem, gated_logits, edges, gates=None, step=1e-5):
    """Return how fast nearness grows as these edges together go to the source, for each pair."""
    open_gates = dict.fromkeys(problem.edges, 1.0) | (gates or {})
    moved = [
        nearness(problem, gated_logits(problem, open_gates | {e: open_gates[e] - s for e in edges}))
        for s in (step, -step)
    ]
    return (moved[0] - moved[1]) / (2 * step)


def expected_scores(effects):
    magnitudes = {edge: np.abs(effect).mean() for edge, effect in effects.items()}
    largest = max(magnitudes.values())
    assert largest > 0.01
    return pytest.approx(magnitudes, rel=2e-3, abs=2e-3 * largest)


def test_eap_is_the_slope_of_nearness(circuit_problem, gated_logits):
    """By finite differences of the whole model, edge by edge and pair by pair."""
    effects = {e: slopes(circuit_problem, gated_logits, [e]) for e in circuit_problem.edges}
    assert edge_attribution_patching(circuit_problem) == expected_scores(effects)


def test_effects_keep_their_signs(circuit_problem, gated, gated_logits):
    effects = first_order_effects(circuit_problem, gated)
    for place, edge in enumerate(gated.edges):
        expected = slopes(circuit_problem, gated_logits, [edge.name])
        np.testing.assert_allclose(effects[:, place], expected, rtol=1e-3, atol=1e-3)


def test_effects_lost_in_rounding_are_none():
    effects = np.array([[1.0, -1e-10, 0.0, 1e-8], [-1.0, 1e-10, 0.0, -1e-8]])
    assert ROUNDING == 1e-9
    np.testing.assert_array_equal(mean_magnitudes(effects), [1.0, 0.0, 0.0, 1e-8])
    np.testing.assert_array_equal(mean_magnitudes(np.zeros((2, 3))), np.zeros(3))
    assert mean_magnitudes(np.zeros((2, 0))).shape == (0,)


def test_eap_ig_averages_between_base_and_source(circuit_problem, gated, runs, monkeypatch):
    """The gradient at the embeddings' readers, by differences on the way."""
    module = sys.modules[eap_integrated_gradients.__module__]
    base, source = runs.contributions[:2], runs.source[:2]
    gates = gated.gates(np.ones((1, len(gated.edges))))
    for steps, shares in ((1, [0.5]), (2, [0.25, 0.75])):
        monkeypatch.setattr(module, "STEPS", steps)
        at = []
        for share in shares:
            between = base + share * (source - base)
            done = gated.run(gates, between[None], np.zeros_like(runs.source))
            at.append(gated.reader_gradients(done, nearness_gradient(done.logits, runs))[0])
        effects = edge_effects(gated, np.mean(at, axis=0), runs.change)
        names = [edge.name for edge in gated.edges]
        expected = dict.fromkeys(circuit_problem.edges, 0.0)
        expected |= dict(zip(names, mean_magnitudes(effects).tolist(), strict=True))
        found = eap_integrated_gradients(circuit_problem)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def few(circuit_problem):
    return replace(
        circuit_problem, base=circuit_problem.base[:3], source=circuit_problem.source[:3]
    )


def test_gradients_of_inputs_are_complete(few, gated, chunks):
    """The integrated effects of all edges out of the embeddings add up to the whole change.

    Each reader's gradient counts what passes through its component and on from there,
    so that the sum over readers is the gradient with respect to the embeddings.
    """
    (runs,) = PairRuns.of(gated, few)
    at_readers = np.mean([path_gradient(gated, runs, shares) for shares in chunks], axis=0)
    effects = edge_effects(gated, at_readers, runs.change)
    total = effects[:, gated.places.writers < 2].sum(axis=1)
    change = nearness(few, runs.source_logits) - nearness(few, runs.logits)
    np.testing.assert_allclose(total, change, rtol=0.05, atol=0.05)
    assert np.abs(change).max() > 0.1


def test_gradients_of_activations_are_complete(few, gated, chunks, gated_logits):
    """The integrated effects of the edges of a writer add up to the effect of patching it."""
    (runs,) = PairRuns.of(gated, few)
    effects = np.mean([activation_effects(gated, runs, shares) for shares in chunks], axis=0)
    before = nearness(few, runs.logits)
    largest = 0.0
    for place, writer in enumerate(gated.graph.writers):
        total = effects[:, gated.places.writers == place].sum(axis=1)
        closed = {edge.name: 0.0 for edge in few.graph.edges if edge.writer == writer}
        change = nearness(few, gated_logits(few, closed)) - before
        np.testing.assert_allclose(total, change, rtol=0.05, atol=0.05)
        largest = max(largest, np.abs(change).max())
    assert largest > 0.1


def test_steps_of_activations_are_slopes_on_the_way(few, gated, gated_logits):
    """At shares of the way where no neuron has its kink."""
    (runs,) = PairRuns.of(gated, few)
    shares = np.array([0.2134, 0.6789])
    found = activation_effects(gated, runs, shares)
    for place, edge in enumerate(gated.edges):
        beside = [e.name for e in few.graph.edges if e.writer == edge.writer]
        expected = np.mean(
            [
                slopes(few, gated_logits, [edge.name], dict.fromkeys(beside, 1 - share))
                for share in shares
            ],
            axis=0,
        )
        np.testing.assert_allclose(found[:, place], expected, rtol=2e-3, atol=2e-3)


def test_activations_have_the_mean_magnitude_over_steps(circuit_problem, gated, runs):
    effects = activation_effects(gated, runs, midpoints(8))
    expected = dict.fromkeys(circuit_problem.edges, 0.0)
    names = [edge.name for edge in gated.edges]
    expected |= dict(zip(names, mean_magnitudes(effects).tolist(), strict=True))
    assert integrated_activations(circuit_problem) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_nodes_are_slopes_of_all_that_a_component_writes(circuit_problem, gated, gated_logits):
    found = node_scores(circuit_problem, gated)
    effects = {
        writer.name: slopes(
            circuit_problem,
            gated_logits,
            [edge.name for edge in circuit_problem.graph.edges if edge.writer == writer],
        )
        for writer in circuit_problem.graph.writers
    }
    zero = dict.fromkeys(effects, 0.0)
    assert zero | found == expected_scores(effects)


def test_edges_of_nodes_have_the_lower_of_their_ends(circuit_problem, gated):
    nodes = node_scores(circuit_problem, gated)
    scores = node_attribution_patching(circuit_problem)
    assert tuple(scores) == circuit_problem.edges
    for edge, score in scores.items():
        writer, reader = edge.split("->")
        component = reader.split("<")[0]
        ends = [nodes.get(writer, 0.0)]
        ends += [] if component == "logits" else [nodes.get(component, 0.0)]
        assert score == min(ends)


def test_unknown_nodes_have_no_score(circuit_problem):
    scores = lower_of_ends(circuit_problem, {"embed": 2.0})
    assert scores["embed->logits"] == 2.0
    assert scores["pos_embed->logits"] == 0.0
    assert set(scores.values()) == {0.0, 2.0}
