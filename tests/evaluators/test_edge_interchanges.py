"""Interchanges of single edges, and the methods that rank edges by them, one by one."""

from itertools import pairwise

import numpy as np
import pytest

from glassbench.compiler import interchange, run
from glassbench.compiler.input_space import InputSpace
from glassbench.evaluators import CircuitProblem, score
from glassbench.evaluators import edge_interchanges as module
from glassbench.evaluators.edge_interchanges import EdgeInterchanges
from glassbench.evaluators.live_model import LiveModel
from glassbench.evaluators.methods import exact_interchange as exact
from glassbench.evaluators.methods.exact_interchange import exact_interchange
from glassbench.evaluators.methods.interchange_patching import interchange_patching
from glassbench.ground_truth import EdgeState, load


def one_by_one(problem, base, source):
    """Yield each edge with the logits of every base after its interchange, all recomputed."""
    weights, graph = problem.model.weights, problem.graph
    there, here = run(weights, source), run(weights, base)
    for edge in graph.edges:
        place = graph.writer_index[edge.writer.name]
        delta = there.contributions[place] - here.contributions[place]
        yield edge.name, interchange(weights, graph, here, edge.reader, delta)


@pytest.mark.parametrize("most_bytes", [module.MOST_BYTES, 1])
def test_rows_are_single_interchanges(circuit_problem, monkeypatch, most_bytes):
    monkeypatch.setattr(module, "MOST_BYTES", most_bytes)
    model = LiveModel.of(circuit_problem.model.weights)
    base, source = circuit_problem.base[:4], circuit_problem.source[:4]
    interchanges = EdgeInterchanges(model, base, source)
    pair = np.tile(np.arange(len(base)), len(model.edges))
    edge = np.repeat(np.arange(len(model.edges)), len(base))
    found = interchanges.base.logits[pair]
    for moved in interchanges.logits(edge, pair, pair):
        found[moved.rows] = moved.logits
    expected = dict(one_by_one(circuit_problem, base, source))
    before = run(circuit_problem.model.weights, base).logits
    for place, one in enumerate(model.edges):
        np.testing.assert_allclose(found[edge == place], expected.pop(one.name), rtol=0, atol=1e-8)
    for logits in expected.values():  # over the others nothing passes
        np.testing.assert_allclose(logits, before, rtol=0, atol=1e-8)


def test_rows_that_change_nothing_are_dropped(circuit_problem):
    model = LiveModel.of(circuit_problem.model.weights)
    interchanges = EdgeInterchanges(model, circuit_problem.base)
    pair = np.arange(len(circuit_problem.base))
    for edge in range(len(model.edges)):
        (moved,) = interchanges.logits(np.full_like(pair, edge), pair, pair)
        assert not len(moved.rows)


def test_interchange_is_the_mean_distance_of_the_logits(circuit_problem):
    scores = interchange_patching(circuit_problem)
    assert tuple(scores) == circuit_problem.edges
    base, source = circuit_problem.base, circuit_problem.source
    before = run(circuit_problem.model.weights, base).logits
    real = circuit_problem.model.codec.is_real(base)
    for edge, logits in one_by_one(circuit_problem, base, source):
        distance = np.sqrt(((logits - before) ** 2).sum(axis=-1))[real]
        assert scores[edge] == pytest.approx(distance.mean(), abs=1e-8), edge


def test_interchange_finds_the_circuit(circuit_task):
    """Enough pairs show every causal edge, and logits move on no unwired one."""
    scores = interchange_patching(CircuitProblem.of(circuit_task, n_pairs=256))
    for edge, state in circuit_task.labels.states.items():
        if state is EdgeState.CAUSAL:
            assert scores[edge] > 1e-3, edge
        elif state is EdgeState.UNWIRED:
            assert scores[edge] < 1e-9, edge


def test_exact_scores_are_positive_where_edges_are_causal(circuit_task):
    """Ground truth knows the program and this method does not."""
    scores = exact_interchange(CircuitProblem.of(circuit_task, n_pairs=1))
    found = {edge for edge, share in scores.items() if share > 0}
    assert found == {e for e, s in circuit_task.labels.states.items() if s is EdgeState.CAUSAL}
    assert max(scores.values()) <= 1


def every_pair(problem):
    """Return, for each edge, whether some pair of the whole domain changes an answer."""
    codec, weights = problem.model.codec, problem.model.weights
    tokens = InputSpace(len(codec.tokens), codec.max_length).everything()
    before = codec.decode_ids(run(weights, tokens).logits)
    found = dict.fromkeys(problem.edges, False)
    for row in range(len(tokens)):
        source = np.repeat(tokens[row : row + 1], len(tokens), axis=0)
        for edge, logits in one_by_one(problem, tokens, source):
            differs = (codec.decode_ids(logits) != before) & codec.is_real(tokens)
            found[edge] |= bool(differs.any())
    return found


@pytest.mark.parametrize(
    "name",
    ["histogram[vocab=2,length=2]", "frac_prevs[vocab=2,length=2]", "sort[vocab=2,length=2]"],
)
@pytest.mark.parametrize("rounds", [exact.FIRST_ROUNDS, ()])
def test_exact_scores_are_positive_where_some_pair_of_all_shows_it(name, rounds, monkeypatch):
    """With random pairs first, and by trying everything alone."""
    monkeypatch.setattr(exact, "FIRST_ROUNDS", rounds)
    problem = CircuitProblem.of(load(name), n_pairs=1)
    scores = exact_interchange(problem)
    assert {edge: share > 0 for edge, share in scores.items()} == every_pair(problem)


def test_where_all_are_too_many_random_pairs_go_on(monkeypatch):
    problem = CircuitProblem.of(load("sort[vocab=2,length=3]"), n_pairs=1)
    usual = exact_interchange(problem)
    monkeypatch.setattr(exact, "FIRST_ROUNDS", ())
    monkeypatch.setattr(exact, "EXHAUSTIVE_LIMIT", 0)
    searched = exact_interchange(problem)
    assert {e: s > 0 for e, s in searched.items()} == {e: s > 0 for e, s in usual.items()}
    monkeypatch.setattr(exact, "LATER_ROUNDS", ())
    assert not any(exact_interchange(problem).values())


def test_a_large_domain_is_sampled(monkeypatch):
    """What is found on a sample is there, and no more than what there is."""
    task = load("sort[vocab=2,length=3]")
    problem = CircuitProblem.of(task, n_pairs=1)
    monkeypatch.setattr(exact, "DOMAIN_LIMIT", 10)
    monkeypatch.setattr(exact, "SAMPLE", 12)
    found = {edge for edge, share in exact_interchange(problem).items() if share > 0}
    causal = {e for e, s in task.labels.states.items() if s is EdgeState.CAUSAL}
    assert found and found <= causal


def test_shares_settle_as_pairs_grow_many(monkeypatch):
    problem = CircuitProblem.of(load("histogram[vocab=2,length=3]"), n_pairs=1)
    shares = []
    for size in (64, 1024, 16384):
        monkeypatch.setattr(exact, "FIRST_ROUNDS", (size,))
        shares.append(np.array(list(exact_interchange(problem).values())))
    gaps = [np.abs(later - sooner).max() for sooner, later in pairwise(shares)]
    assert gaps[1] < 0.05


def test_exact_scores_have_the_ceiling():
    task = load("sort[vocab=2,length=3]/crowded[distractors=2]/scrambled")
    assert score("interchange-exact", task).metrics["edge_average_precision"].value == 1
