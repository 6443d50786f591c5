"""Gated models against a slow one, gates and gradients, and against jax."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassbench.compiler import ComponentGraph, run
from glassbench.compiler.interchanged_forward import InterchangedForward
from glassbench.evaluators import CircuitProblem
from glassbench.evaluators.block_gradients import Mlp, blocks_of
from glassbench.evaluators.gated_model import GatedModel
from glassbench.evaluators.pair_runs import PairRuns
from glassbench.ground_truth import load


def named(model, values):
    return dict(zip((edge.name for edge in model.edges), values.tolist(), strict=True))


def some_gates(model, circuits, seed=0):
    """Return gates between 0 and 1, some of them exactly either."""
    drawn = np.random.default_rng(seed).uniform(-0.3, 1.3, (circuits, len(model.edges)))
    return drawn.clip(0, 1)


def test_pair_runs_are_those_of_the_executor(circuit_problem, runs):
    weights = circuit_problem.model.weights
    base, source = (
        run(weights, tokens) for tokens in (circuit_problem.base, circuit_problem.source)
    )
    np.testing.assert_allclose(runs.logits, base.logits, rtol=0, atol=1e-9)
    np.testing.assert_allclose(runs.source_logits, source.logits, rtol=0, atol=1e-9)


def test_gates_do_what_they_do_in_a_slow_model(circuit_problem, gated, runs, gated_logits):
    gates = some_gates(gated, 3)
    found = gated.run(gated.gates(gates), runs.contributions[None, :2], runs.source).logits
    for circuit, values in enumerate(gates):
        expected = gated_logits(circuit_problem, named(gated, values))
        np.testing.assert_allclose(found[circuit], expected, rtol=0, atol=1e-8)
    assert np.abs(found[0] - runs.logits).max() > 1e-3


def test_zeros_for_others_ablate(circuit_problem, gated, runs, gated_logits):
    gates = some_gates(gated, 1).round()
    nothing = np.zeros_like(runs.source)
    found = gated.run(gated.gates(gates), runs.contributions[None, :2], nothing).logits[0]
    nothing = [np.zeros(())] * len(circuit_problem.graph.writers)
    expected = gated_logits(circuit_problem, named(gated, gates[0]), nothing)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_closed_gates_give_the_source(gated, runs):
    closed = gated.gates(np.zeros((1, len(gated.edges))))
    done = gated.run(closed, runs.contributions[None, :2], runs.source)
    np.testing.assert_allclose(done.logits[0], runs.source_logits, rtol=0, atol=1e-8)


def test_a_run_can_begin_where_writers_are_known(gated, runs):
    gates = gated.gates(some_gates(gated, 2))
    full = gated.run(gates, runs.contributions[None, :2], runs.source)
    for block in gated._blocks[1:]:
        known = block.writers.start
        if known == len(gated.graph.writers):
            continue
        first = (full.contrasts + runs.source)[:, :known]
        part = gated.run(gates, first, runs.source)
        np.testing.assert_allclose(part.logits, full.logits, rtol=0, atol=1e-9)


def test_gate_gradients_are_slopes_of_the_slow_model(circuit_problem, gated, runs, gated_logits):
    """By central differences, edge by edge, at gates that are no kinks."""
    values = np.random.default_rng(1).uniform(0.2, 0.8, len(gated.edges))
    direction = np.random.default_rng(2).normal(size=runs.logits.shape)
    done = gated.run(gated.gates(values[None]), runs.contributions[None, :2], runs.source)
    found = gated.gate_gradients(done, direction[None])[0]
    step, slopes = 1e-6, []
    for place in range(len(gated.edges)):
        moved = []
        for sign in (1, -1):
            nudged = values.copy()
            nudged[place] += sign * step
            moved.append((gated_logits(circuit_problem, named(gated, nudged)) * direction).sum())
        slopes.append((moved[0] - moved[1]) / (2 * step))
    np.testing.assert_allclose(found, slopes, rtol=1e-4, atol=1e-4 * max(np.abs(slopes)))
    assert np.abs(slopes).max() > 1e-3


def test_gate_gradients_are_those_of_jax():
    problem = CircuitProblem.of(load("histogram[vocab=2,length=3]"), n_pairs=16)
    model = GatedModel(problem.model.weights)
    (runs,) = PairRuns.of(model, problem)
    forward = InterchangedForward(problem.model.weights)
    arrays = {name: jnp.asarray(array) for name, array in problem.model.weights.arrays()}
    values = np.random.default_rng(3).uniform(0.2, 0.8, len(model.edges))
    direction = np.random.default_rng(4).normal(size=runs.logits.shape)
    names = [edge.name for edge in forward.graph.edges]
    share = np.array([1 - named(model, values).get(name, 1.0) for name in names])
    masks = np.stack([forward.graph.edge_mask([name]) for name in names])
    base, source = jnp.asarray(problem.base), jnp.asarray(problem.source)
    places = jnp.broadcast_to(jnp.arange(base.shape[1]), base.shape)

    def along(share):
        edges = jnp.broadcast_to(jnp.tensordot(share, masks, 1), (len(base), *masks.shape[1:]))
        _, logits = forward.interchange(arrays, base, source, places, edges)
        return (logits * direction).sum()

    with jax.default_matmul_precision("highest"):
        slopes = dict(zip(names, -np.asarray(jax.grad(along)(share)), strict=True))
    done = model.run(model.gates(values[None]), runs.contributions[None, :2], runs.source)
    found = named(model, model.gate_gradients(done, direction[None])[0])
    largest = max(map(abs, found.values()))
    expected = {name: slopes[name] for name in found}
    assert found == pytest.approx(expected, rel=0.01, abs=1e-3 * largest)
    assert max(abs(slopes[name]) for name in names if name not in found) < 1e-3 * largest


def test_reader_gradients_times_contrasts_are_gate_gradients(gated, runs):
    done = gated.run(gated.gates(some_gates(gated, 2)), runs.contributions[None, :2], runs.source)
    direction = np.random.default_rng(5).normal(size=done.logits.shape)
    at_readers = gated.reader_gradients(done, direction)
    table = np.einsum("crnpd,cwnpd->crw", at_readers, done.contrasts)
    found = gated.gate_gradients(done, direction)
    np.testing.assert_allclose(found, table[:, *gated.places], atol=1e-9 * np.abs(found).max())


def test_pairs_come_some_at_a_time(circuit_problem, gated, runs):
    parts = list(PairRuns.of(gated, circuit_problem, most_pairs=5))
    n_pairs = len(circuit_problem.base)
    sizes = [min(5, n_pairs - start) for start in range(0, n_pairs, 5)]
    assert [len(part.real) for part in parts] == sizes
    np.testing.assert_allclose(np.concatenate([p.logits for p in parts]), runs.logits, atol=1e-9)
    source = np.concatenate([part.source for part in parts], axis=1)
    np.testing.assert_allclose(source, runs.source, rtol=0, atol=1e-9)


def test_neurons_at_their_kink_have_no_gradient():
    """Which side of it rounding puts them on shall not be seen."""
    weights = load("frac_prevs[vocab=2,length=3]").compiled.model.weights
    block = next(
        block for block in blocks_of(weights, ComponentGraph.of(weights)) if isinstance(block, Mlp)
    )
    (direction,) = np.linalg.pinv(block.W_in[0].T).T[:1]
    at_kink = -block.b_in[0] * direction
    gradients = []
    for side in (-1e-12, 0.0, 1e-12, 1e-3):
        read = (at_kink + side * direction).reshape(1, 1, 1, 1, -1)
        written, kept = block.forward(read)
        gradients.append(block.backward(kept, np.ones_like(written)))
    assert not any(gradient.any() for gradient in gradients[:3])
    assert gradients[3].any()
