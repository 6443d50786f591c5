"""TransformerLens beside ours, on the same pairs: the same numbers."""

import numpy as np
import pytest

from glassbench.evaluators import built_in, scored
from glassbench.evaluators.adapters import transformer_lens_patching as adapter
from glassbench.evaluators.gated_model import GatedModel
from glassbench.evaluators.pair_runs import PairRuns

TASK = "sort[vocab=2,length=3]"


def assert_same(found, expected):
    largest = max(expected.values())
    apart = {edge: abs(score - expected[edge]) / largest for edge, score in found.items()}
    assert max(apart.values()) < 1e-4, max(apart, key=apart.get)


@pytest.mark.parametrize(
    ("function", "ours"),
    [
        (adapter.edge_attribution, "eap"),
        (adapter.node_attribution, "attribution-patching"),
        (adapter.path_patching, "interchange"),
    ],
)
def test_it_gives_what_ours_gives(random_circuit_problem, function, ours):
    found = function(random_circuit_problem)
    assert list(found) == list(random_circuit_problem.edges)
    expected = built_in("circuit")[ours].function(random_circuit_problem)
    assert sum(score > 1e-3 for score in expected.values()) > 20
    assert_same(found, expected)


def test_its_own_direct_paths_are_interchanges(random_circuit_problem):
    problem = random_circuit_problem
    found = adapter.direct_paths(problem)
    heads = [edge for edge in problem.edges if edge.count("h") == 2]
    assert sorted(found) == sorted(heads)
    assert all(score > 1e-6 for score in found.values())
    assert_same(found, built_in("circuit")["interchange"].function(problem))


def test_patching_a_node_interchanges_all_its_edges(random_circuit_problem):
    problem = random_circuit_problem
    model = GatedModel(problem.model.weights)
    (runs,) = PairRuns.of(model, problem)
    found = adapter.patched_nodes(problem)
    for place, writer in enumerate(model.graph.writers):
        if writer.name == "pos_embed":
            continue
        closed = (model.places.writers != place).astype(float)[None]
        done = model.run(model.gates(closed), runs.contributions[None, :2], runs.source)
        moved = np.linalg.norm(done.logits[0] - runs.logits, axis=-1)[runs.real].mean()
        assert found[writer.name] == pytest.approx(moved, abs=1e-6), writer.name


def test_it_is_scored_by_name(capfd):
    found = scored("transformer-lens-activation-patching", TASK)
    assert found.result.status == "ok"
    assert found.result.tool_version.startswith("4.")
    assert found.result.metrics["edge_average_precision"].normalised > 0.2
    assert not capfd.readouterr().err
