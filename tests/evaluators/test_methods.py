"""The built-in methods against slow, direct versions of what they are meant to compute."""

import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassbench.compiler import ComponentGraph, run, scramble
from glassbench.evaluators.circuit_problem import CircuitProblem
from glassbench.evaluators.methods import built_in
from glassbench.evaluators.methods.edge_gradients import EdgeGradients
from glassbench.evaluators.methods.weight_norm import weight_norm
from glassbench.ground_truth import EdgeState, load

BUILT_IN = built_in("circuit")
TASKS = (
    "histogram[vocab=2,length=3]",
    "frac_prevs[vocab=2,length=3]",
    "detect_pattern[vocab=3,length=4]",
    "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled",
)


@pytest.fixture(scope="module", params=TASKS)
def task(request):
    return load(request.param)


@pytest.fixture(scope="module")
def problem(task):
    return CircuitProblem.of(task, n_pairs=16)


def difference(problem):
    """Return what each writer contributes on the source less what it does on the base."""
    weights = problem.model.weights
    runs = [run(weights, tokens) for tokens in (problem.source, problem.base)]
    return np.stack(runs[0].contributions) - np.stack(runs[1].contributions)


def with_edge_moved(problem, edge, delta):
    """Return the logits when one reader reads `delta` more, everything recomputed."""

    def read(reader, stream, contributions):
        return stream + delta if reader == edge.reader else stream

    return run(problem.model.weights, problem.base, read=read).logits


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_method_scores_every_edge(name, problem):
    scores = BUILT_IN[name].function(problem)
    assert tuple(scores) == problem.edges
    assert all(type(score) is float for score in scores.values())
    assert np.isfinite(list(scores.values())).all()
    assert min(scores.values()) >= 0
    assert max(scores.values()) > 0


@pytest.mark.parametrize("name", BUILT_IN)
def test_methods_are_deterministic_and_leave_the_problem_alone(name, problem):
    before = {key: array.copy() for key, array in problem.model.weights.arrays()}
    tokens = problem.base.copy(), problem.source.copy()
    assert BUILT_IN[name].function(problem) == BUILT_IN[name].function(problem)
    for key, array in problem.model.weights.arrays():
        np.testing.assert_array_equal(array, before[key])
    np.testing.assert_array_equal(problem.base, tokens[0])
    np.testing.assert_array_equal(problem.source, tokens[1])


@pytest.mark.parametrize("name", BUILT_IN)
def test_edges_that_are_not_wired_score_next_to_nothing(name, task):
    scores = BUILT_IN[name].function(CircuitProblem.of(task))
    largest = max(scores.values())
    for edge, state in task.labels.states.items():
        if state is EdgeState.UNWIRED:
            assert scores[edge] <= 1e-5 * largest, edge


def test_interchange_finds_the_circuit_of_small_tasks(task):
    """Enough pairs show every causal edge, and logits move on no inert or unwired one."""
    scores = BUILT_IN["interchange"].function(CircuitProblem.of(task, n_pairs=256))
    for edge, state in task.labels.states.items():
        if state is EdgeState.CAUSAL:
            assert scores[edge] > 1e-3, edge
        elif state is EdgeState.UNWIRED:
            assert scores[edge] < 1e-9, edge


def test_interchange_is_the_mean_distance_of_the_logits(problem):
    changes = difference(problem)
    base = run(problem.model.weights, problem.base).logits
    real = problem.model.codec.is_real(problem.base)
    scores = BUILT_IN["interchange"].function(problem)
    for edge in problem.graph.edges:
        delta = changes[problem.graph.writer_index[edge.writer.name]]
        moved = with_edge_moved(problem, edge, delta) - base
        distances = [
            np.sqrt((moved[row, at] ** 2).sum()) for row, at in zip(*np.nonzero(real), strict=True)
        ]
        assert scores[edge.name] == pytest.approx(np.mean(distances), abs=1e-9), edge.name


def nearness(problem, logits):
    """Return minus half the squared distance to the logits of the source, for each pair."""
    target = run(problem.model.weights, problem.source).logits
    real = problem.model.codec.is_real(problem.base)
    return -0.5 * (((logits - target) ** 2).sum(axis=-1) * real).sum(axis=-1)


def test_eap_is_the_slope_of_nearness(problem):
    """By finite differences in float64, edge by edge and pair by pair."""
    changes = difference(problem)
    scores = BUILT_IN["eap"].function(problem)
    largest = max(scores.values())
    assert largest > 0.1
    step = 1e-5
    for edge in problem.graph.edges:
        delta = changes[problem.graph.writer_index[edge.writer.name]]
        up, down = (
            nearness(problem, with_edge_moved(problem, edge, sign * step * delta))
            for sign in (1, -1)
        )
        slope = np.abs(up - down).mean() / (2 * step)
        assert scores[edge.name] == pytest.approx(slope, rel=2e-3, abs=2e-3 * largest), edge.name


def test_integrated_gradients_are_complete():
    """The integrated effects of all edges out of the embeddings add up to the whole change.

    Each reader's gradient counts what passes through its component and on from there,
    so that the sum over readers is the gradient with respect to the embeddings.
    """
    task = load("frac_prevs[vocab=2,length=3]")
    problem = CircuitProblem.of(task, n_pairs=8)
    gradients = EdgeGradients(problem)
    steps = 400
    total = np.zeros(8)
    for step in range(steps):
        share = (step + 0.5) / steps
        at = gradients.at(gradients.base + share * (gradients.source - gradients.base))
        change = np.asarray(gradients.source - gradients.base).sum(axis=0)
        read = [np.asarray(at.logits), *np.asarray(at.mlps)]
        read += [array for role in np.asarray(at.heads) for layer in role for array in layer]
        total += sum((gradient * change).sum(axis=(1, 2)) for gradient in read) / steps
    start = nearness(problem, run(problem.model.weights, problem.base).logits)
    end = nearness(problem, run(problem.model.weights, problem.source).logits)
    expected = end - start
    np.testing.assert_allclose(total, expected, rtol=0.02, atol=0.02)
    assert np.abs(expected).max() > 0.1


def test_eap_ig_takes_its_gradients_between_base_and_source(problem, monkeypatch):
    from glassbench.evaluators.methods.eap_integrated_gradients import (
        eap_integrated_gradients as method,
    )

    module = sys.modules[method.__module__]
    monkeypatch.setattr(module, "STEPS", 1)
    gradients = EdgeGradients(problem)
    middle = gradients.at((gradients.base + gradients.source) / 2)
    expected = gradients.edge_scores(middle)
    tolerance = 1e-5 * max(1.0, *expected.values())
    assert method(problem) == pytest.approx(expected, rel=1e-4, abs=tolerance)
    monkeypatch.setattr(module, "STEPS", 2)
    quarters = [gradients.base * (1 - s) + gradients.source * s for s in (0.25, 0.75)]
    mean = jax.tree.map(lambda *g: sum(g) / 2, *map(gradients.at, quarters))
    expected = gradients.edge_scores(mean)
    tolerance = 1e-5 * max(1.0, *expected.values())
    assert method(problem) == pytest.approx(expected, rel=1e-4, abs=tolerance)


def test_eap_ig_at_one_end_of_the_path_is_eap(problem):
    gradients = EdgeGradients(problem)
    at_base = gradients.edge_scores(gradients.at(gradients.base))
    eap = BUILT_IN["eap"].function(problem)
    assert at_base == pytest.approx(eap, rel=1e-5, abs=1e-6)


def test_gradients_run_the_model_of_the_executor(problem):
    gradients = EdgeGradients(problem)
    done = run(problem.model.weights, problem.base)
    written = gradients._base_written
    np.testing.assert_allclose(written.logits, done.logits, rtol=0, atol=1e-4)
    for place, writer in enumerate(problem.graph.writers):
        if writer.layer < 0:
            found = written.embeddings[place]
        elif writer.head >= 0:
            found = written.heads[writer.layer, writer.head]
        else:
            found = written.mlps[writer.layer]
        np.testing.assert_allclose(found, done.contributions[place], rtol=0, atol=1e-4)
    assert gradients.base.dtype == jnp.float32


def rotated(model, seed):
    """Return the model with its residual stream in another orthonormal basis."""
    weights = model.weights
    draw = np.random.default_rng(seed).normal(size=(weights.d_model,) * 2)
    basis, _ = np.linalg.qr(draw)
    writes = {
        name: getattr(weights, name) @ basis for name in ("W_E", "W_pos", "W_O", "W_out", "b_out")
    }
    reads = {
        name: basis.T @ getattr(weights, name) for name in ("W_Q", "W_K", "W_V", "W_in", "W_U")
    }
    return replace(model, weights=replace(weights, **writes, **reads))


@pytest.mark.parametrize("name", BUILT_IN)
def test_methods_do_not_depend_on_the_basis_of_the_stream(name, problem):
    before = BUILT_IN[name].function(problem)
    turned = replace(problem, model=rotated(problem.model, 0))
    assert turned.edges == turned.graph.edge_names
    after = BUILT_IN[name].function(turned)
    tolerance = 1e-9 if name in ("interchange", "weight-norm") else 2e-3 * max(before.values())
    assert after == pytest.approx(before, rel=2e-3, abs=tolerance)


def test_weight_norm_reads_no_data_and_lies_between_zero_and_one(problem):
    before = weight_norm(problem)
    blind = replace(problem, base=problem.source[:1], source=problem.base[-1:])
    assert weight_norm(blind) == before
    assert max(before.values()) <= 1 + 1e-12


def test_weight_norm_by_hand():
    problem = CircuitProblem.of(load("histogram[vocab=2,length=3]"), n_pairs=1)
    rng = np.random.default_rng(0)
    weights = problem.model.weights
    drawn = {name: rng.normal(size=array.shape) for name, array in weights.arrays()}
    weights = replace(weights, **drawn)
    scores = weight_norm(replace(problem, model=replace(problem.model, weights=weights)))
    query_key = weights.W_Q[0, 0] @ weights.W_K[0, 0].T
    value = weights.W_V[0, 0] @ weights.W_O[0, 0]

    def composition(output, reading):
        return np.linalg.norm(output @ reading) / np.linalg.norm(output) / np.linalg.norm(reading)

    assert scores["embed->a0.h0<q>"] == pytest.approx(composition(weights.W_E, query_key))
    assert scores["embed->a0.h0<k>"] == pytest.approx(composition(weights.W_E, query_key.T))
    assert scores["embed->a0.h0<v>"] == pytest.approx(composition(weights.W_E, value))
    assert scores["a0.h0->m0"] == pytest.approx(composition(value, weights.W_in[0]))
    bias = np.vstack([weights.W_out[0], weights.b_out[:1]])
    assert scores["m0->logits"] == pytest.approx(composition(bias, weights.W_U))
    assert scores["pos_embed->logits"] == pytest.approx(composition(weights.W_pos, weights.W_U))


def test_scrambled_heads_do_not_change_what_weight_norm_says_of_attention():
    task = load("sort[vocab=2,length=3]")
    problem = CircuitProblem.of(task, n_pairs=1)
    turned = replace(problem, model=scramble(task.compiled, 0).model)
    assert len(ComponentGraph.of(turned.model.weights).edges) == len(problem.edges)
    before, after = weight_norm(problem), weight_norm(turned)
    attention = [edge for edge in before if "<" in edge.split("->")[1] and edge.startswith("embed")]
    assert attention
    by_value = [sorted(scores[edge] for edge in attention) for scores in (before, after)]
    np.testing.assert_allclose(*by_value, atol=1e-9)


def test_what_is_said_of_every_method():
    assert list(BUILT_IN) == ["interchange", "eap", "eap-ig", "weight-norm"]
    for name, method in BUILT_IN.items():
        assert method.name == name
        assert "20" in method.citation
        assert method.sign
