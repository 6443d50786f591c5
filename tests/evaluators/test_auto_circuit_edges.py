"""auto-circuit beside ours, on the same pairs: the same numbers.

It needs an environment of its own: python -m glassbench.evaluators.adapters auto-circuit
"""

from dataclasses import replace

import numpy as np
import pytest

from glassbench.evaluators import TRACKS, built_in, scored
from glassbench.evaluators.adapters import ADAPTERS, ENVIRONMENTS
from glassbench.evaluators.adapters.scripts.auto_circuit_edges import ACDC_EXPONENTS, ACDC_FACTOR
from glassbench.evaluators.gated_model import GatedModel
from glassbench.evaluators.methods.acdc import surviving
from glassbench.evaluators.methods.edge_attribution_patching import first_order_effects
from glassbench.evaluators.pair_runs import PairRuns
from glassbench.ground_truth import load

TASK = "histogram[vocab=2,length=3]"

pytestmark = pytest.mark.skipif(
    not ENVIRONMENTS["auto-circuit"].is_there,
    reason="python -m glassbench.evaluators.adapters auto-circuit",
)


def summed_effects(problem):
    """First-order effects that are summed over pairs, as auto-circuit does."""
    model = GatedModel(problem.model.weights)
    effects = first_order_effects(problem, model).sum(axis=0)
    return dict(zip((edge.name for edge in model.edges), effects.tolist(), strict=True))


def least_thresholds(problem):
    """The least threshold at which ACDC prunes each edge; 10 where it never does."""
    model = GatedModel(problem.model.weights)
    thresholds = ACDC_FACTOR * np.power(10.0, ACDC_EXPONENTS)
    runs = list(PairRuns.of(model, problem, circuits=len(thresholds)))
    kept = surviving(model, runs, thresholds).astype(bool)
    least = np.where(kept.all(axis=0), 10.0, thresholds[kept.argmin(axis=0)])
    rest = {edge: thresholds[0] for edge in problem.edges if not edge.startswith("pos_embed")}
    return rest | dict(zip((edge.name for edge in model.edges), least.tolist(), strict=True))


OURS = {
    "eap": summed_effects,
    "edge-patching": built_in("circuit")["interchange"].function,
    "acdc": least_thresholds,
}


@pytest.mark.parametrize("name", ["eap", "acdc"])  # of patching the live part tells
@pytest.mark.parametrize("random_model", ["compiled"], indirect=True)
def test_it_gives_what_ours_gives(random_circuit_problem, name):
    check_against_ours(random_circuit_problem, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_it_does_so_on_every_kind_of_model(random_circuit_problem, name):
    check_against_ours(random_circuit_problem, name)


def check_against_ours(problem, name):
    ours = OURS[name]
    reply = ADAPTERS[f"auto-circuit-{name}"].ask(TRACKS["circuit"], problem)
    assert reply.error is None
    assert reply.version == "1.0.1"
    expected = dict.fromkeys(problem.edges, 0.0) | ours(problem)
    largest = max(map(abs, expected.values()))
    for edge, score in reply.answer.items():
        assert abs(score - expected[edge]) < 1e-4 * largest, edge
    assert sum(abs(score) > 1e-3 * largest for score in expected.values()) > 20


@pytest.mark.parametrize(
    ("by", "most"), [("ours", 1e-6), pytest.param("itself", 1e-9, marks=pytest.mark.slow)]
)
def test_the_live_part_gives_the_scores_of_the_whole_model(by, most):
    problem = TRACKS["circuit"].problem(
        load("histogram[vocab=2,length=2]/crowded[distractors=2]"), 0
    )
    live = ADAPTERS["auto-circuit-edge-patching"]
    assert live.live
    scores = live.ask(TRACKS["circuit"], problem).answer
    if by == "ours":
        expected = OURS["edge-patching"](problem)
    else:
        expected = replace(live, live=False).ask(TRACKS["circuit"], problem).answer
    for edge, score in expected.items():
        assert abs(scores[edge] - score) < most, edge
    assert sum(score > 1e-3 for score in expected.values()) > 3


@pytest.mark.slow
def test_it_gives_the_same_again():
    result, again = (scored("auto-circuit-subnetwork-probing", TASK).result for _ in range(2))
    assert again.metrics == result.metrics


def test_it_is_scored_by_name():
    result = scored("auto-circuit-subnetwork-probing", TASK).result
    assert result.status == "ok"
    assert result.told["tool"] == "auto-circuit"
    assert result.settings == {}
    assert result.metrics["edge_average_precision"].normalised > 0
