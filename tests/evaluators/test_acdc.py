"""ACDC against a direct loop over all edges of the whole model, one threshold at a time."""

import numpy as np
import pytest

from glassbench.compiler import run
from glassbench.evaluators import CircuitProblem
from glassbench.evaluators.gated_model import GatedModel
from glassbench.evaluators.methods.acdc import THRESHOLDS, acdc, surviving
from glassbench.evaluators.pair_runs import PairRuns
from glassbench.ground_truth import EdgeState, load

FEW = (1e-5, 1e-3, 0.03, 0.3)


def distance(problem, logits):
    """Return the summed squared distance to the logits of the whole model."""
    whole = run(problem.model.weights, problem.base).logits
    real = problem.model.codec.is_real(problem.base)
    return float((np.square(logits - whole).sum(axis=-1) * real).sum())


def survivors(problem, threshold, gated_logits):
    """Return what the algorithm of the paper keeps, edge by edge from the output back."""
    limit = threshold * distance(problem, run(problem.model.weights, problem.source).logits)
    gates = dict.fromkeys(problem.edges, 1.0)
    now = 0.0
    for edge in reversed(problem.edges):
        after = distance(problem, gated_logits(problem, gates | {edge: 0.0}))
        if after - now < limit:
            gates[edge] = 0.0
            now = after
    return {edge for edge, gate in gates.items() if gate}


@pytest.fixture(scope="module")
def small(circuit_task):
    return CircuitProblem.of(circuit_task, n_pairs=4)


def test_thresholds_side_by_side_are_direct_loops(small, gated_logits):
    model = GatedModel(small.model.weights)
    runs = list(PairRuns.of(model, small, most_pairs=3))
    assert len(runs) == 2
    found = surviving(model, runs, np.array(FEW))
    for threshold, kept in zip(FEW, found, strict=True):
        names = {edge.name for edge, gate in zip(model.edges, kept, strict=True) if gate}
        assert names == survivors(small, threshold, gated_logits), threshold
    assert 0 < found.sum() < found.size


def test_scores_are_the_largest_thresholds_survived(small):
    scores = acdc(small)
    assert tuple(scores) == small.edges
    assert set(scores.values()) <= {0.0, *THRESHOLDS}
    model = GatedModel(small.model.weights)
    kept = surviving(model, list(PairRuns.of(model, small)), np.array(THRESHOLDS))
    for place, edge in enumerate(model.edges):
        survived = [t for t, gates in zip(THRESHOLDS, kept, strict=True) if gates[place]]
        assert scores[edge.name] == max(survived, default=0.0)


def test_a_model_that_never_changes_has_no_circuit():
    task = load("histogram[vocab=2,length=3]")
    problem = CircuitProblem.of(task, n_pairs=4)
    same = CircuitProblem(problem.model, problem.base, problem.base, problem.edges)
    assert not any(acdc(same).values())


def test_circuits_are_found():
    task = load("sort[vocab=2,length=3]/crowded[distractors=2]/scrambled")
    scores = acdc(CircuitProblem.of(task, n_pairs=64))
    causal = {e for e, s in task.labels.states.items() if s is EdgeState.CAUSAL}
    assert {edge for edge, score in scores.items() if score} == causal
