"""What holds of every built-in method of the circuit track."""

from dataclasses import replace

import numpy as np
import pytest

from glassbench.evaluators import CircuitProblem, score
from glassbench.evaluators.methods import built_in
from glassbench.ground_truth import EdgeState, load

BUILT_IN = built_in("circuit")
OF_NODES = ("attribution-patching", "subnetwork-probing")
TRAINED = ("edge-pruning", "subnetwork-probing")
every_method = pytest.mark.parametrize("name", BUILT_IN)


def problem_of(task):
    return CircuitProblem.of(task, n_pairs=16)


@every_method
def test_every_method_scores_every_edge(name, circuit_problem):
    scores = BUILT_IN[name].function(circuit_problem)
    assert tuple(scores) == circuit_problem.edges
    assert all(type(score) is float for score in scores.values())
    assert np.isfinite(list(scores.values())).all()
    assert min(scores.values()) >= 0
    assert max(scores.values()) > 0


@every_method
def test_methods_are_deterministic_and_leave_the_problem_alone(name):
    problem = problem_of(load("sort[vocab=2,length=3]/crowded[distractors=2]/scrambled"))
    before = {key: array.copy() for key, array in problem.model.weights.arrays()}
    tokens = problem.base.copy(), problem.source.copy()
    assert BUILT_IN[name].function(problem) == BUILT_IN[name].function(problem)
    for key, array in problem.model.weights.arrays():
        np.testing.assert_array_equal(array, before[key])
    np.testing.assert_array_equal(problem.base, tokens[0])
    np.testing.assert_array_equal(problem.source, tokens[1])


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name not in OF_NODES])
def test_edges_that_are_not_wired_score_next_to_nothing(name, circuit_task):
    """But by methods that score nodes: an edge between two of them can be unwired."""
    scores = BUILT_IN[name].function(CircuitProblem.of(circuit_task))
    largest = max(scores.values())
    for edge, state in circuit_task.labels.states.items():
        if state is EdgeState.UNWIRED:
            assert scores[edge] <= 1e-5 * largest, edge


@pytest.mark.parametrize("name", OF_NODES)
def test_methods_that_score_nodes_score_edges_that_are_not_wired(name):
    task = load("sort[vocab=2,length=3]")
    scores = BUILT_IN[name].function(problem_of(task))
    unwired = [e for e, state in task.labels.states.items() if state is EdgeState.UNWIRED]
    assert max(scores[edge] for edge in unwired) > 0.1 * max(scores.values())


def rotated(model, seed):
    """Return the model with its residual stream in another orthonormal basis.

    It is one in which the mean over dimensions, which LayerNorm takes, is the same.
    """
    weights = model.weights
    draw = np.random.default_rng(seed).normal(size=(weights.d_model,) * 2)
    if weights.layer_norm:
        fixed, _ = np.linalg.qr(np.column_stack([np.ones(weights.d_model), draw[:, 1:]]))
        turn = np.eye(weights.d_model)
        turn[1:, 1:], _ = np.linalg.qr(draw[1:, 1:])
        basis = fixed @ turn @ fixed.T
    else:
        basis, _ = np.linalg.qr(draw)
    writes = {
        name: getattr(weights, name) @ basis for name in ("W_E", "W_pos", "W_O", "W_out", "b_out")
    }
    reads = {
        name: basis.T @ getattr(weights, name) for name in ("W_Q", "W_K", "W_V", "W_in", "W_U")
    }
    return replace(model, weights=replace(weights, **writes, **reads))


@every_method
def test_methods_do_not_depend_on_the_basis_of_the_stream(name, circuit_problem):
    before = BUILT_IN[name].function(circuit_problem)
    turned = replace(circuit_problem, model=rotated(circuit_problem.model, 0))
    assert turned.edges == turned.graph.edge_names
    after = BUILT_IN[name].function(turned)
    tolerance = (0.02 if name in TRAINED else 1e-6) * max(before.values())
    assert after == pytest.approx(before, rel=1e-6, abs=tolerance)


@every_method
@pytest.mark.parametrize("tokens", ["base", "source"])
def test_pairs_of_equal_inputs_show_nothing(name, tokens):
    """No method fails on them, and those that compare the two find nothing."""
    problem = problem_of(load("histogram[vocab=2,length=3]"))
    same = getattr(problem, tokens)
    scores = BUILT_IN[name].function(replace(problem, base=same, source=same))
    assert np.isfinite(list(scores.values())).all()
    if name not in (*TRAINED, "interchange-exact", "path-norm", "weight-norm"):
        assert not any(scores.values())


@every_method
def test_one_pair_is_enough_to_answer(name):
    problem = CircuitProblem.of(load("frac_prevs[vocab=2,length=3]"), n_pairs=1)
    assert np.isfinite(list(BUILT_IN[name].function(problem).values())).all()


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name not in TRAINED])
def test_many_pairs_are_taken_some_at_a_time(name, monkeypatch):
    """What is held at once does not show in the scores, but where a step is on what is held."""
    from glassbench.evaluators import edge_interchanges, pair_runs

    problem = problem_of(load("sort[vocab=2,length=3]"))
    before = BUILT_IN[name].function(problem)
    monkeypatch.setattr(pair_runs, "MOST_BYTES", 1)
    monkeypatch.setattr(edge_interchanges, "MOST_BYTES", 100_000)
    assert BUILT_IN[name].function(problem) == pytest.approx(before, rel=1e-9, abs=1e-9)


def test_saturated_attention_hides_edges_from_gradients():
    """Each of them moves the output when interchanged, and none by the gradient at the base."""
    task = load("sort[vocab=2,length=3]")
    problem = CircuitProblem.of(task)
    queries = [
        edge
        for edge, state in task.labels.states.items()
        if state is EdgeState.CAUSAL and edge.endswith(("<q>", "<k>"))
    ]
    assert len(queries) > 2
    moved, slope = (BUILT_IN[name].function(problem) for name in ("interchange", "eap"))
    for edge in queries:
        assert moved[edge] > 0.01
        assert slope[edge] == 0


def test_the_best_methods_find_the_circuit_of_a_crowded_model():
    task = load("sort[vocab=2,length=3]/crowded[distractors=2]/scrambled")
    for name in ("interchange", "interchange-exact", "acdc", "edge-pruning"):
        result = score(name, task)
        assert result.metrics["edge_average_precision"].value == pytest.approx(1), name


def test_what_is_said_of_every_method():
    assert list(BUILT_IN) == [
        "interchange",
        "interchange-exact",
        "attribution-patching",
        "eap",
        "eap-ig",
        "eap-ig-activations",
        "acdc",
        "edge-pruning",
        "subnetwork-probing",
        "path-norm",
        "weight-norm",
    ]
    for name, method in BUILT_IN.items():
        assert method.name == name
        assert "20" in method.citation
        assert method.sign
        assert method.track == "circuit"
