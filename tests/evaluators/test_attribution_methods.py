"""The built-in attribution methods against slow, direct versions of what they compute."""

import sys
from dataclasses import replace

import jax
import numpy as np
import pytest

from glassbench.compiler import ComponentGraph, Model, run
from glassbench.compiler.executor import attention_patterns, embeddings, normalised, resume
from glassbench.evaluators.attribution_problem import AttributionProblem, checked_attribution
from glassbench.evaluators.attribution_track import posed
from glassbench.evaluators.methods import built_in
from glassbench.evaluators.methods.distinct_runs import logits_of
from glassbench.evaluators.methods.token_gradients import derivative_of_logits, mean_derivatives
from glassbench.ground_truth import load

METHODS = built_in("attribution")
NAMES = (
    "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled",
    "frac_prevs[vocab=2,length=3]",
    "shift[vocab=3,length=3]",
)


@pytest.fixture(scope="module", params=NAMES)
def task(request):
    return load(request.param)


@pytest.fixture(scope="module")
def problem(task):
    return AttributionProblem.of(task, n_rows=20)


def module_of(name):
    return sys.modules[METHODS[name].function.__module__]


DRAWN = {name: (name, {}) for name in NAMES} | {
    "GELU": (NAMES[1], {"activation": "gelu"}),
    "LayerNorm": (NAMES[0], {"activation": "gelu", "layer_norm": True}),
    "ReLU and LayerNorm": (NAMES[2], {"layer_norm": True}),
}


SLOW = (NAMES[0], NAMES[2], "LayerNorm")


@pytest.fixture(
    scope="module",
    params=[pytest.param(one, marks=[pytest.mark.slow] if one in SLOW else []) for one in DRAWN],
)
def drawn(request):
    """A problem on a model with random weights, as compiled or as trained."""
    name, kind = DRAWN[request.param]
    return smooth(AttributionProblem.of(load(name), n_rows=20), **kind)


def smooth(problem, seed=0, **kind):
    """Return the problem with weights drawn small, so that nothing is saturated."""
    rng = np.random.default_rng(seed)
    weights = problem.model.weights
    small = 0.7 / np.sqrt(weights.d_model)
    drawn = {
        name: rng.normal(0, 1.0 if name in ("W_E", "W_pos") else small, array.shape)
        for name, array in weights.arrays()
    }
    return replace(problem, model=Model(replace(weights, **drawn, **kind), problem.model.codec))


def pairs_of(problem):
    return problem.real[:, :, None] & problem.real[:, None, :]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_an_answer_that_can_be_scored(name, problem):
    before = problem.tokens.copy()
    one, again = (METHODS[name].function(problem) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(problem.tokens, before)
    assert checked_attribution(problem, one).any()


@pytest.mark.parametrize("name", METHODS)
def test_inputs_are_explained_one_by_one(name, problem, monkeypatch):
    """Neither the other inputs nor the pieces in which they are run matter, but for the draws."""
    whole = METHODS[name].function(problem)
    if name != "sampled-shapley":
        some = METHODS[name].function(replace(problem, tokens=problem.tokens[3:5]))
        np.testing.assert_allclose(some, whole[3:5], atol=1e-9)
    monkeypatch.setattr(sys.modules[logits_of.__module__], "_ELEMENTS_AT_ONCE", 1)
    np.testing.assert_allclose(METHODS[name].function(problem), whole, atol=1e-9)


def test_what_is_said_of_every_method():
    assert list(METHODS) == [
        "occlusion",
        "gradient-x-input",
        "integrated-gradients",
        "sampled-shapley",
        "attention-rollout",
    ]
    for name, method in METHODS.items():
        assert method.name == name
        assert "20" in method.citation
        assert method.sign


def test_many_inputs_are_run_in_the_order_given(problem):
    tokens = problem.tokens[[4, 1, 4, 0, 1, 4]]
    expected = run(problem.model.weights, tokens).logits
    np.testing.assert_allclose(logits_of(problem.model, tokens), expected, atol=1e-12)


# -- occlusion ---------------------------------------------------------------------


def test_occlusion_is_the_mean_distance_over_other_tokens(problem):
    weights, n_tokens = problem.model.weights, len(problem.model.codec.tokens)
    found = METHODS["occlusion"].function(problem)
    for row, place in np.argwhere(problem.real)[:25]:
        own = problem.tokens[row]
        moved = []
        for token in set(range(n_tokens)) - {own[place]}:
            other = own.copy()
            other[place] = token
            before, after = run(weights, np.stack([own, other])).logits
            moved.append(np.sqrt(((after - before) ** 2).sum(axis=-1)))
        np.testing.assert_allclose(found[row, :, place], np.mean(moved, axis=0), atol=1e-6)
    assert not found[:, :, 0].any()


def test_occlusion_finds_the_tokens_that_matter(task):
    pose = posed(task, 0)
    found = METHODS["occlusion"].function(pose.problem)[:, 1:, 1:]
    pairs = pairs_of(pose.problem)[:, 1:, 1:]
    np.testing.assert_array_equal((found > 0)[pairs], pose.relevance.sensitivity[pairs])


def test_of_a_large_vocabulary_some_other_tokens_are_drawn(monkeypatch):
    module = module_of("occlusion")
    problem = AttributionProblem.of(load("shift[vocab=6,length=2]"))
    whole = METHODS["occlusion"].function(problem)
    monkeypatch.setattr(module, "MOST_SUBSTITUTES", 5)
    np.testing.assert_array_equal(METHODS["occlusion"].function(problem), whole)
    monkeypatch.setattr(module, "MOST_SUBSTITUTES", 3)
    shifts = module._shifts(6, 2000)
    assert shifts.shape == (2000, 3)
    assert set(shifts.ravel()) == {1, 2, 3, 4, 5}
    assert all(len(set(row)) == 3 for row in shifts.tolist())
    counts = np.bincount(shifts.ravel())[1:]
    assert abs(counts / counts.sum() - 0.2).max() < 0.02
    fewer = METHODS["occlusion"].function(problem)
    np.testing.assert_array_equal(fewer > 0, whole > 0)


# -- gradients ---------------------------------------------------------------------


def stream_and_way(problem):
    """Return the embedded inputs, and the way of each from the mean token."""
    weights = problem.model.weights
    embed, positions = embeddings(weights, problem.tokens)
    mean = weights.W_E[: len(problem.model.codec.tokens)].mean(axis=0)
    return embed + positions, np.where(problem.real[..., None], embed - mean, 0.0)


def test_derivatives_are_those_of_finite_differences(drawn):
    weights = drawn.model.weights
    graph = ComponentGraph.of(weights)
    stream, _ = stream_and_way(drawn)
    tangents = np.random.default_rng(1).normal(size=(3, *stream.shape))
    found = derivative_of_logits(weights, graph, stream, tangents)
    step = 1e-6
    for tangent, moved in zip(tangents, found, strict=True):
        up, down = (resume(weights, graph, stream + sign * step * tangent, 0) for sign in (1, -1))
        np.testing.assert_allclose(moved, (up - down) / (2 * step), atol=1e-5)
    assert np.abs(found).max() > 0.1


def test_gradient_x_input_is_the_gradient_that_jax_takes(drawn):
    """Backwards through the Haiku host, output by output, in float64."""
    import haiku as hk
    import jax.numpy as jnp

    from glassbench.compiler.hosts.empty_axes import fill_empty_axes
    from glassbench.compiler.hosts.haiku import Transformer, layer_norm, to_haiku

    drawn = replace(drawn, tokens=drawn.tokens[:6])
    stream, way = stream_and_way(drawn)
    with jax.enable_x64(True):
        weights = fill_empty_axes(drawn.model.weights)
        params = to_haiku(drawn.model, dtype=np.float64).params

        def logits(embedded):
            last = Transformer(weights)(embedded)[-1]
            last = layer_norm(last) if weights.layer_norm else last
            return hk.Linear(weights.d_out, with_bias=False, name="unembed")(last)

        apply = hk.without_apply_rng(hk.transform(logits)).apply
        stream, way = jnp.asarray(stream), jnp.asarray(way)
        target = apply(params, stream) - apply(params, stream - way)
        expected = np.zeros(drawn.answer_shape)
        for output in range(stream.shape[1]):

            def projected(embedded, output=output):
                return jnp.sum(apply(params, embedded)[:, output] * target[:, output])

            expected[:, output] = (jax.grad(projected)(stream) * way).sum(axis=-1)
    found = METHODS["gradient-x-input"].function(drawn)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.abs(expected).max() > 1e-3


def test_integrated_gradients_sum_to_the_squared_distance_of_the_logits(drawn):
    stream, way = stream_and_way(drawn)
    weights = drawn.model.weights
    graph = ComponentGraph.of(weights)
    far = resume(weights, graph, stream, 0) - resume(weights, graph, stream - way, 0)
    found = mean_derivatives(drawn, [(step + 0.5) / 200 for step in range(200)])
    expected = (far**2).sum(axis=-1)
    np.testing.assert_allclose(found.sum(axis=2), expected, atol=2e-3 * expected.max())
    assert expected[drawn.real].min() > 0


def test_integrated_gradients_are_taken_at_midpoints(problem, monkeypatch):
    monkeypatch.setattr(module_of("integrated-gradients"), "STEPS", 2)
    found = METHODS["integrated-gradients"].function(problem)
    quarters = [mean_derivatives(problem, (share,)) for share in (0.25, 0.75)]
    np.testing.assert_allclose(found, sum(quarters) / 2, atol=1e-12)


def test_a_task_that_copies_is_explained_by_gradients():
    """`reverse` is linear in what it copies, so that the gradient tells all."""
    pose = posed(load("reverse[vocab=3,length=3]"), 0)
    for name in ("gradient-x-input", "integrated-gradients"):
        found = METHODS[name].function(pose.problem)[:, 1:, 1:]
        np.testing.assert_array_equal(found > 0.1, pose.relevance.sensitivity)


# -- sampled Shapley values --------------------------------------------------------


def test_sampled_shapley_values_come_near_the_exact_ones(task, monkeypatch):
    monkeypatch.setattr(module_of("sampled-shapley"), "SAMPLES", 2000)
    pose = posed(task, 0)
    found = METHODS["sampled-shapley"].function(pose.problem)[:, 1:, 1:]
    pairs = pairs_of(pose.problem)[:, 1:, 1:]
    np.testing.assert_allclose(found[pairs], pose.relevance.shapley[pairs], atol=0.06)
    assert np.abs(found - pose.relevance.shapley)[pairs].mean() < 0.008


def test_gains_of_an_order_sum_to_the_whole_gain(problem, monkeypatch):
    """With one order drawn, they are 1 or 0: the answer is there in the end, or was before."""
    monkeypatch.setattr(module_of("sampled-shapley"), "SAMPLES", 1)
    found = METHODS["sampled-shapley"].function(problem)
    real = problem.real
    sums = np.where(real[:, None, :], found, 0).sum(axis=2)[real]
    assert set(sums) == {0.0, 1.0}
    assert set(found[pairs_of(problem)]) <= {-1.0, 0.0, 1.0}


def test_orders_are_drawn_evenly():
    real = np.zeros((6000, 1, 5), bool)
    real[..., 1:4] = True
    turns = module_of("sampled-shapley")._turns(real, np.random.default_rng(0))
    assert set(turns[..., 1:4].ravel()) == {0, 1, 2}
    orders, counts = np.unique(turns[:, 0, 1:4], axis=0, return_counts=True)
    assert len(orders) == 6
    assert abs(counts / 1000 - 1).max() < 0.12


# -- attention rollout -------------------------------------------------------------


def test_patterns_are_those_that_the_model_mixes_by(drawn):
    weights = drawn.model.weights
    graph = ComponentGraph.of(weights)
    done = run(weights, drawn.tokens)
    n_heads = 0
    for layer in range(weights.n_layers):
        stream = done.streams[2 * layer]
        for writer in graph.writers_at(2 * layer):
            (pattern,) = attention_patterns(weights, layer, [writer.head], stream, stream).swapaxes(
                0, 1
            )
            read = normalised(weights, stream)
            values = read @ weights.W_V[layer, writer.head] @ weights.W_O[layer, writer.head]
            written = done.contributions[graph.writer_index[writer.name]]
            np.testing.assert_allclose(pattern @ values, written, atol=1e-9)
            n_heads += 1
    assert n_heads


def test_rollout_multiplies_the_layers(problem):
    weights = problem.model.weights
    graph = ComponentGraph.of(weights)
    done = run(weights, problem.tokens)
    found = METHODS["attention-rollout"].function(problem)
    for row in range(len(problem.tokens)):
        expected = np.eye(problem.tokens.shape[1])
        for layer in range(weights.n_layers):
            heads = [writer.head for writer in graph.writers_at(2 * layer)]
            if heads:
                stream = done.streams[2 * layer][row : row + 1]
                mean = attention_patterns(weights, layer, heads, stream, stream)[0].mean(axis=0)
                expected = (0.5 * mean + 0.5 * np.eye(len(mean))) @ expected
        np.testing.assert_allclose(found[row], expected, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=2), 1)


def test_rollout_looks_at_no_later_token_where_the_model_does_not():
    problem = AttributionProblem.of(load("count_so_far[vocab=2,length=3]"))
    assert problem.model.weights.causal
    assert not np.triu(METHODS["attention-rollout"].function(problem), 1).any()
