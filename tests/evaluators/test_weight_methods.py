"""Methods that look at weights alone: by hand, and by walking along every path."""

from dataclasses import replace

import numpy as np
import pytest

from glassbench.compiler import ComponentGraph, run, scramble
from glassbench.evaluators import CircuitProblem
from glassbench.evaluators.methods.path_norm import path_norm
from glassbench.evaluators.methods.weight_norm import weight_norm
from glassbench.ground_truth import load

BLIND = [weight_norm, path_norm]
by_method = pytest.mark.parametrize("method", BLIND)


def with_random_weights(name, seed=0):
    problem = CircuitProblem.of(load(name), n_pairs=1)
    rng = np.random.default_rng(seed)
    weights = problem.model.weights
    drawn = {name: rng.normal(size=array.shape) for name, array in weights.arrays()}
    weights = replace(weights, **drawn)
    graph = ComponentGraph.of(weights)
    return replace(problem, model=replace(problem.model, weights=weights), edges=graph.edge_names)


@by_method
def test_no_data_is_read(circuit_problem, method):
    before = method(circuit_problem)
    base, source = circuit_problem.source[:1], circuit_problem.base[-1:]
    assert method(replace(circuit_problem, base=base, source=source)) == before


def test_weight_norm_lies_between_zero_and_one(circuit_problem):
    assert max(weight_norm(circuit_problem).values()) <= 1 + 1e-12


def test_weight_norm_by_hand():
    problem = with_random_weights("histogram[vocab=2,length=3]")
    weights, scores = problem.model.weights, weight_norm(problem)
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


@by_method
def test_what_layer_norm_hides_does_not_count(method):
    """The same model, with a number added to all that a column of a reader's matrix holds."""
    problem = with_random_weights("histogram[vocab=2,length=3]")
    weights = replace(problem.model.weights, layer_norm=True)
    rng = np.random.default_rng(1)
    shifted = {
        name: array + rng.normal(size=(*array.shape[:-2], 1, array.shape[-1]))
        for name, array in weights.arrays()
        if name in ("W_Q", "W_K", "W_V", "W_in", "W_U")
    }
    plain, other = (
        replace(problem, model=replace(problem.model, weights=one))
        for one in (weights, replace(weights, **shifted))
    )
    logits = [run(one.model.weights, problem.base).logits for one in (plain, other)]
    np.testing.assert_allclose(*logits, atol=1e-9)
    assert method(other) == pytest.approx(method(plain), rel=1e-9)
    assert method(plain) != pytest.approx(method(problem), rel=1e-3)


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


def units(weights, writer):
    """Return what each unit of a writer writes."""
    if writer.layer < 0:
        return weights.W_E if writer.name == "embed" else weights.W_pos
    return (
        weights.W_out[writer.layer] if writer.head < 0 else weights.W_O[writer.layer, writer.head]
    )


def paths(problem):
    """Yield the edges and the product of squared weights of every path, walked unit by unit."""
    weights, graph = problem.model.weights, problem.graph

    def onward(writer, unit, product, edges):
        row = units(weights, writer)[unit]
        for edge in graph.edges:
            if edge.writer != writer:
                continue
            reader, taken = edge.reader, (*edges, edge.name)
            if reader.role == "logits":
                for weight in row @ weights.W_U:
                    yield taken, product * weight**2
                continue
            target = next(w for w in graph.writers if w.name == reader.component)
            at = (reader.layer, reader.head)
            matrix = {"q": weights.W_Q, "k": weights.W_K, "v": weights.W_V}.get(reader.role)
            read = row @ (weights.W_in[reader.layer] if matrix is None else matrix[at])
            for place, weight in enumerate(read):
                whole = range(weights.d_head) if reader.role in "qk" else [place]
                for out in whole:  # a pattern weighs all values
                    yield from onward(target, out, product * weight**2, taken)

    for writer in graph.writers[:2]:
        for unit in range(len(units(weights, writer))):
            yield from onward(writer, unit, 1.0, ())


def test_path_norm_is_the_sum_over_all_paths():
    problem = with_random_weights("histogram[vocab=2,length=2]")
    total = dict.fromkeys(problem.edges, 0.0)
    count = 0
    for edges, product in paths(problem):
        count += 1
        for edge in edges:
            total[edge] += product
    assert count > 900
    expected = {edge: np.sqrt(value) for edge, value in total.items()}
    assert path_norm(problem) == pytest.approx(expected, rel=1e-9)


def test_path_norm_of_a_deep_model_is_the_sum_over_all_paths():
    """Two layers, one of which has no MLP: paths through two heads."""
    problem = with_random_weights("frac_prevs[vocab=2,length=2]")
    total = dict.fromkeys(problem.edges, 0.0)
    for edges, product in paths(problem):
        for edge in edges:
            total[edge] += product
    expected = {edge: np.sqrt(value) for edge, value in total.items()}
    assert path_norm(problem) == pytest.approx(expected, rel=1e-9)
