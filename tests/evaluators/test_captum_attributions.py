"""captum beside ours, on the same inputs: the same numbers."""

import numpy as np
import pytest

pytest.importorskip("captum", reason="pip install 'glassbench[captum]'")

from glassbench.evaluators import AttributionProblem, built_in, scored
from glassbench.evaluators.adapters import captum_attributions as adapter
from glassbench.evaluators.methods.edge_scores import lower_of_ends


@pytest.fixture(scope="module")
def problem(random_circuit_problem):
    """Inputs of every length on a model with random weights."""
    tokens = np.concatenate([random_circuit_problem.base, random_circuit_problem.source])
    return AttributionProblem(random_circuit_problem.model, tokens)


def at_tokens(problem, scores):
    """What is measured of an answer."""
    return scores[problem.real[:, :, None] & problem.real[:, None, :]]


@pytest.mark.parametrize(
    ("function", "ours"),
    [
        (adapter.integrated_gradients, "integrated-gradients"),
        (adapter.input_x_gradient, "gradient-x-input"),
        (adapter.feature_ablation, "occlusion"),
    ],
)
def test_it_gives_what_ours_gives(problem, function, ours):
    found = at_tokens(problem, function(problem))
    expected = at_tokens(problem, built_in("attribution")[ours].function(problem))
    largest = np.abs(expected).max()
    assert (np.abs(expected) > 1e-3 * largest).mean() > 0.5
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * largest)


def test_shapley_values_are_those_that_ours_estimates(problem):
    found = at_tokens(problem, adapter.shapley_value_sampling(problem))
    expected = at_tokens(problem, built_in("attribution")["sampled-shapley"].function(problem))
    assert np.corrcoef(found, expected)[0, 1] > 0.9
    assert np.abs(found.mean() - expected.mean()) < 0.05


def test_conductances_of_a_layer_add_up(random_circuit_problem, monkeypatch):
    """All that reaches the logits passes the first layer or the stream beside it."""
    nodes = {}
    monkeypatch.setattr(
        adapter, "lower_of_ends", lambda problem, found: nodes.update(found) or found
    )
    adapter.layer_conductance(random_circuit_problem)
    assert set(nodes) == {"embed", *(f"a{i}.h{j}" for i in (0, 1) for j in (0, 1)), "m0", "m1"}
    base, source = random_circuit_problem.base, random_circuit_problem.source
    network = random_circuit_problem.model.to_torch()
    import torch

    with torch.no_grad():
        apart = (network(torch.as_tensor(base)) - network(torch.as_tensor(source))).numpy()
    real = random_circuit_problem.model.codec.is_real(base)
    whole = 0.5 * (np.square(apart).sum(axis=-1) * real).sum(axis=1).mean()
    assert nodes["embed"] == pytest.approx(whole, rel=0.05)
    assert min(nodes.values()) > 0
    assert set(lower_of_ends(random_circuit_problem, nodes)) == set(random_circuit_problem.edges)


@pytest.mark.parametrize(
    ("name", "track"),
    [("captum-layer-conductance", "circuit"), ("captum-integrated-gradients", "attribution")],
)
def test_it_is_scored_by_name(name, track):
    result = scored(name, "frac_prevs[vocab=2,length=3]/superposed[d=6]", track).result
    assert result.status == "ok"
    assert result.tool_version.startswith("0.")
