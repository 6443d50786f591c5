"""Learned masks: gates of hard concrete distributions, and what training does with them."""

import numpy as np
import pytest

from glassbench.evaluators import CircuitProblem
from glassbench.evaluators.gated_model import GatedModel
from glassbench.evaluators.methods.edge_pruning import edge_pruning
from glassbench.evaluators.methods.hard_concrete import HIGH, LOW, open_probability, sampled
from glassbench.evaluators.methods.learned_masks import Recipe, distance_gradient, open_gates
from glassbench.evaluators.methods.subnetwork_probing import subnetwork_probing
from glassbench.ground_truth import EdgeState, load

PLANTED = "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled"


def test_gates_are_between_zero_and_one_and_often_exactly_either():
    uniform = np.random.default_rng(0).uniform(size=(10_000, 3))
    log_alpha = np.array([-2.0, 0.0, 3.0])
    gates, _ = sampled(log_alpha, uniform)
    assert gates.min() == 0 and gates.max() == 1
    open_share = (gates > 0).mean(axis=0)
    np.testing.assert_allclose(open_share, open_probability(log_alpha), atol=0.02)
    # By symmetry a gate is 1 as often as one of the opposite location is 0.
    np.testing.assert_allclose(
        (gates == 1).mean(axis=0), 1 - open_probability(-log_alpha), atol=0.02
    )
    assert LOW + HIGH == 1


def test_slopes_of_gates_by_differences():
    uniform = np.random.default_rng(1).uniform(0.01, 0.99, size=(50, 4))
    log_alpha, step = np.array([-1.0, 0.0, 0.5, 2.0]), 1e-6
    gates, slopes = sampled(log_alpha, uniform)
    up, down = (sampled(log_alpha + sign * step, uniform)[0] for sign in (1, -1))
    np.testing.assert_allclose(slopes, (up - down) / (2 * step), atol=1e-6)
    assert (slopes[(gates == 0) | (gates == 1)] == 0).all()
    assert (slopes > 0).any()


def test_the_distance_falls_along_its_gradient(circuit_problem, gated, runs, gated_logits):
    """By differences of the slow model."""
    gates = np.random.default_rng(2).uniform(0.2, 0.8, (1, len(gated.edges)))
    found = distance_gradient(gated, runs, gates)[0]
    names = [edge.name for edge in gated.edges]
    real = circuit_problem.model.codec.is_real(circuit_problem.base)

    def distance(values):
        logits = gated_logits(circuit_problem, dict(zip(names, values, strict=True)))
        return np.square(logits - runs.logits).sum(axis=-1)[real].mean()

    step, slopes = 1e-6, []
    for place in range(len(names)):
        nudge = np.eye(len(names))[place] * step
        slopes.append((distance(gates[0] + nudge) - distance(gates[0] - nudge)) / (2 * step))
    np.testing.assert_allclose(found, slopes, rtol=1e-3, atol=1e-4 * np.abs(slopes).max())


def test_pruning_recovers_a_planted_circuit():
    task = load(PLANTED)
    scores = edge_pruning(CircuitProblem.of(task))
    states = task.labels.states
    causal = [scores[edge] for edge, state in states.items() if state is EdgeState.CAUSAL]
    others = [scores[edge] for edge, state in states.items() if state is not EdgeState.CAUSAL]
    assert min(causal) > 0.9 > 0.5 > max(others)


def test_probing_keeps_the_components_of_a_planted_circuit():
    task = load(PLANTED)
    model = GatedModel(task.compiled.model.weights)
    problem = CircuitProblem.of(task)
    names = [writer.name for writer in model.graph.writers]
    found = dict(
        zip(names, open_gates(problem, model, model.places.writers, len(names)), strict=True)
    )
    causal = {e.split("->")[0] for e, s in task.labels.states.items() if s is EdgeState.CAUSAL}
    assert min(found[name] for name in causal) > 0.9
    assert max(found[name] for name in names if name not in causal) < 0.5
    scores = subnetwork_probing(problem)
    assert scores["embed->logits"] == found["embed"]


def test_a_high_price_closes_all_gates_and_none_opens_them():
    problem = CircuitProblem.of(load("histogram[vocab=2,length=3]"), n_pairs=16)
    model = GatedModel(problem.model.weights)
    each = np.arange(len(model.edges))
    for penalty, expected in ((100.0, 0.0), (0.0, 1.0)):
        recipe = Recipe(penalty=penalty, start=0.0 if penalty else 4.0)
        found = open_gates(problem, model, each, len(each), recipe)
        np.testing.assert_allclose(found, expected, atol=0.2)


def test_without_steps_gates_are_where_they_begin():
    problem = CircuitProblem.of(load("histogram[vocab=2,length=3]"), n_pairs=16)
    model = GatedModel(problem.model.weights)
    each = np.arange(len(model.edges))
    found = open_gates(problem, model, each, len(each), Recipe(start=1.0, steps=0))
    assert found == pytest.approx(open_probability(np.ones(len(each))))
