"""The built-in methods of the variables track."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassbench.compiler import run
from glassbench.compiler.component_graph import ComponentGraph
from glassbench.compiler.executor import reader_matrix, resume
from glassbench.evaluators import VariablesTrack, score
from glassbench.evaluators.methods import built_in
from glassbench.evaluators.methods.difference_pca import principal_differences
from glassbench.evaluators.methods.distributed_alignment_search import (
    DAS,
    DAS_FROM_PROBE,
    found_by,
)
from glassbench.evaluators.methods.linear_probe import probes
from glassbench.evaluators.methods.slim_forward import Between, SlimMLP, SlimModel, logits_from
from glassbench.evaluators.methods.subspace_choice import accuracies, best_of, telling_places
from glassbench.evaluators.methods.subspace_descent import projection
from glassbench.evaluators.variables_metrics import InterchangeRuns
from glassbench.evaluators.variables_pose import posed
from glassbench.evaluators.variables_problem import Subspace, checked_subspaces
from glassbench.ground_truth import load, make_task
from glassbench.ground_truth.row_space import row_space

TINY = "sort[vocab=2,length=3]/crowded[distractors=2,seed=1]/scrambled"
CHAIN = "frac_prevs/scrambled"
TRACK = VariablesTrack()
SHORT = {"candidates": 4, "first_steps": 3, "steps": 5, "hooks": 2}
METHODS = {
    **{name: method.function for name, method in built_in("variables").items()},
    "das": lambda problem: found_by(problem, replace(DAS, **SHORT)),
    "das-probe": lambda problem: found_by(problem, replace(DAS_FROM_PROBE, **SHORT)),
}


@pytest.fixture(scope="module")
def problem():
    return TRACK.problem(load(TINY), 0)


def test_the_methods_of_the_track():
    assert list(built_in("variables")) == ["das", "das-probe", "linear-probe", "difference-pca"]
    assert list(METHODS) == list(built_in("variables"))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_an_answer_that_can_be_scored(name, problem):
    before = [array.copy() for q in problem.variables.values() for array in vars(q.train).values()]
    one, again = (METHODS[name](problem) for _ in range(2))
    found = checked_subspaces(problem, one)
    assert list(found) == list(problem.variables)
    for variable, subspace in one.items():
        assert subspace.hook == again[variable].hook
        np.testing.assert_array_equal(subspace.directions, again[variable].directions)
    after = [array for q in problem.variables.values() for array in vars(q.train).values()]
    for array, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize("name", ["das", "das-probe", "linear-probe"])
def test_methods_find_the_variable_of_a_chain(name):
    result = score(name, CHAIN, TRACK)
    assert result.metrics["interchange_accuracy"].normalised > 0.9


def test_differences_find_little_in_sort():
    result = score("difference-pca", "sort/scrambled", TRACK)
    assert result.metrics["interchange_accuracy"].normalised < 0.1


def test_a_probe_finds_what_nothing_else_is_read_from():
    task = load("reverse/scrambled")
    result = score("linear-probe", task, TRACK)
    assert result.metrics["interchange_accuracy"].value > 0.95


def test_probes_read_the_variable_where_it_is():
    task = load("reverse/scrambled")
    pose = posed(task, 0)
    for name, key in pose.keys.items():
        question = pose.problem.variables[name]
        if question.max_directions != 1:
            continue
        runs = InterchangeRuns.of(pose.problem.model, question.train)
        place = key.window[0]
        (weights,) = probes(pose.problem, question, runs)[place].directions
        real = pose.problem.model.codec.is_real(question.train.base)
        numbers = np.array(question.numbers)[question.train.base_values[real]]
        read = runs.base[place][real] @ weights
        assert abs(np.corrcoef(read, numbers)[0, 1]) > 0.999


def test_principal_differences_are_those_where_the_variable_differs(problem):
    question = problem.variables["v0"]
    runs = InterchangeRuns.of(problem.model, question.train)
    axes = principal_differences(runs, 3)
    np.testing.assert_allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-9)
    pairs = question.train
    differs = pairs.where & (pairs.base_values != pairs.source_values)
    rows = (runs.source[3] - runs.base[3])[differs]
    values, vectors = np.linalg.eigh(rows.T @ rows)
    assert abs(axes[0] @ vectors[:, np.argmax(values)]) == pytest.approx(1)


def test_of_subspaces_as_good_the_smallest_is_taken(problem):
    question = problem.variables["v0"]
    runs = InterchangeRuns.of(problem.model, question.train)
    idle = np.eye(len(problem.model.weights.W_U))
    unseen = row_space(
        idle - np.linalg.pinv(problem.model.weights.W_U.T) @ problem.model.weights.W_U.T
    )
    wide, narrow = (Subspace(problem.hooks[-1], unseen[:size]) for size in (3, 1))
    seen = Subspace(problem.hooks[-1], row_space(problem.model.weights.W_U.T))
    earned = accuracies(runs, [wide, narrow, seen])
    assert earned[0] == earned[1] == runs.idle_hits().mean()
    assert best_of(runs, [wide, narrow]) is narrow
    assert best_of(runs, [wide, seen, narrow]) is (narrow if earned[1] >= earned[2] else seen)


def neurons_that_write(weights, reader):
    """Return which columns of a reader's matrix lead on: of an MLP not all, of others all."""
    return weights.W_out[reader.layer].any(axis=1) if reader.role == "mlp" else slice(None)


@pytest.mark.parametrize("name", [TINY, "reverse/scrambled", "histogram/crowded/scrambled"])
def test_nothing_reads_what_is_written_before_hooks_that_are_left_out(name):
    problem = TRACK.problem(load(name), 0)
    weights = problem.model.weights
    places = telling_places(weights)
    assert places[0] == 0
    assert len(places) < len(problem.hooks)
    runs = InterchangeRuns.of(problem.model, problem.variables["v0"].train)
    read = [
        (one.depth, reader_matrix(runs.live, one)[:, neurons_that_write(runs.live, one)])
        for one in ComponentGraph.of(runs.live).readers
    ]
    change = [source - base for source, base in zip(runs.source, runs.base, strict=True)]
    told = []
    for place in range(1, len(problem.hooks)):
        later = [matrix for depth, matrix in read if depth >= place]
        seen = (change[place] - change[place - 1]) @ np.concatenate(later, axis=1)
        told.append(np.abs(seen).max() > 1e-6)
    assert [0, *(np.flatnonzero(told) + 1)] == places


# -- distributed alignment search --------------------------------------------------


@pytest.mark.parametrize("name", [TINY, "histogram", "detect_pattern[vocab=3,length=4]"])
def test_the_slim_model_is_the_model(name):
    model, tokens = load(name).compiled.model, load(name).domain.tokens[:50]
    weights, slim = model.weights, SlimModel.of(model.weights)
    graph = ComponentGraph.of(weights)
    slim_logits = jax.jit(logits_from, static_argnames="between")
    rng = np.random.default_rng(0)
    for depth in range(2 * weights.n_layers + 1):
        stream = run(weights, tokens).streams[depth]
        stream = stream + 0.01 * rng.normal(size=stream.shape)
        own = slim_logits(slim, stream.astype(np.float32), depth, between=Between.of(weights))
        expected = resume(weights, graph, stream, depth)
        # In float32 the steps, which are steep, cannot be met more closely off their plateaus.
        np.testing.assert_allclose(own, expected, rtol=5e-3, atol=5e-3)


def test_the_slim_model_of_any_kind_is_the_model(random_model):
    weights, slim = random_model.weights, SlimModel.of(random_model.weights)
    done = run(weights, random_model.codec.encode(["abca", "bb", "cab", "a"]))
    for depth, stream in enumerate(done.streams):
        own = logits_from(slim, jnp.asarray(stream, jnp.float32), depth, Between.of(weights))
        np.testing.assert_allclose(own, done.logits, atol=1e-4)
    assert np.ptp(done.logits) > 0.1


def test_the_slim_model_leaves_out_what_nothing_reads():
    plain, crowded = (
        SlimModel.of(load(name).compiled.model.weights)
        for name in (
            "sort[vocab=2,length=3]",
            "sort[vocab=2,length=3]/crowded[distractors=4]/scrambled",
        )
    )

    def sizes(model):
        heads = sum(len(block) for block in model.blocks if not isinstance(block, SlimMLP))
        return heads, sum(len(b.b_in) for b in model.blocks if isinstance(b, SlimMLP))

    assert sizes(plain) == sizes(crowded)


def test_a_causal_model_is_slim_too():
    text = "n = selector_width(select(tokens, tokens, ==)); [n, tokens];"
    task = make_task(text, "ab", 3, causal=True)
    weights = task.compiled.model.weights
    done = run(weights, task.domain.tokens)
    stream = jnp.asarray(done.streams[0], jnp.float32)
    own = logits_from(SlimModel.of(weights), stream, 0, Between.of(weights))
    np.testing.assert_allclose(own, done.logits, atol=1e-4)
    other = logits_from(SlimModel.of(weights), stream, 0, Between(causal=False))
    assert np.abs(np.asarray(other) - done.logits).max() > 0.1


@pytest.mark.parametrize("text", ["[n, n == length];", "n;", "tokens == 'a';"])
def test_target_logits_decode_to_the_answers(text):
    task = make_task(f"n = selector_width(select(tokens, tokens, ==)); {text}", "ab", 3)
    codec = task.compiled.model.codec
    done = run(task.compiled.model.weights, task.domain.tokens)
    real = codec.is_real(task.domain.tokens)
    answers = codec.decode_ids(done.logits)
    target = codec.answer_logits(codec.ids_of(answers))
    np.testing.assert_array_equal(codec.decode_ids(target)[real], answers[real])
    np.testing.assert_allclose(target[real], done.logits[real], atol=1e-6)


def test_projections_are_those_on_the_columns_that_count():
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(9, 4)).astype(np.float32)
    mask = jnp.array([1.0, 1.0, 1.0, 0.0])
    kept = columns[:, :3]
    expected = kept @ np.linalg.pinv(kept)

    def entry(one):
        left, right = projection(one, mask)
        return (left @ right)[0, 1]

    left, right = projection(columns, mask)
    np.testing.assert_allclose(left @ right, expected, atol=1e-4)
    gradient = jax.grad(entry)(jnp.asarray(columns))
    assert np.isfinite(gradient).all()
    assert not np.asarray(gradient)[:, 3].any()
    assert np.isfinite(jax.grad(entry)(jnp.zeros((9, 4)))).all()


def test_searching_longer_is_better():
    task = load("sort/scrambled")
    problem, keys = TRACK.problem(task, 0), posed(task, 0).keys
    name = next(v for v, q in problem.variables.items() if q.max_directions == 6)
    one = replace(problem, variables={name: problem.variables[name]})
    runs = InterchangeRuns.of(problem.model, keys[name].held_out)
    earned = [
        accuracies(runs, [found_by(one, replace(DAS, first_steps=20, steps=steps))[name]])[0]
        for steps in (1, 300)
    ]
    assert earned[1] > 0.9 > earned[0]


def test_a_search_from_probes_is_no_worse_than_the_probes(problem):
    found = found_by(problem, replace(DAS_FROM_PROBE, **SHORT))
    for name, question in problem.variables.items():
        choose = question.train.take(slice(288, None))
        runs = InterchangeRuns.of(problem.model, choose)
        learn = InterchangeRuns.of(problem.model, question.train)
        best = accuracies(runs, list(probes(problem, question, learn).values())).max()
        assert accuracies(runs, [found[name]])[0] >= best
