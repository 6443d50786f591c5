"""The plain loop in PyTorch: its model is the one that we run, also where it is patched."""

import numpy as np
import pytest
import torch

from glassbench.benchmark_programs import TaskId
from glassbench.compiler.component_graph import ComponentGraph
from glassbench.compiler.executor import run
from glassbench.ground_truth.masked_interchanges import interchanged_logits
from glassbench.ground_truth.task_building import original_of
from glassbench.ground_truth.trained import initial_weights

REGIMES = ["d=16,heads=2", "d=16,heads=4,spare_layers=1,layer_norm=1"]
CAUSAL = "frac_prevs"


@pytest.fixture(scope="module", params=[f"{CAUSAL}/trained[{one}]" for one in REGIMES])
def weights(request):
    task = TaskId.parse(request.param)
    drawn = initial_weights(task, original_of(task).compiled, 3)
    arrays = {name: 3 * array + 0.1 for name, array in drawn.arrays()}
    return drawn.with_arrays(arrays)


@pytest.fixture
def tokens(weights):
    return np.random.default_rng(0).integers(0, len(weights.W_E), (2, 6, weights.n_ctx))


def test_it_runs_as_ours(weights, tokens, performance_script):
    model = performance_script("siit_in_torch").PlainTransformer(weights)
    logits, _ = model(torch.tensor(tokens[0]))
    np.testing.assert_allclose(
        logits.detach().numpy(), run(weights, tokens[0]).logits, rtol=1e-3, atol=1e-3
    )
    for (name, ours), (_, theirs) in zip(weights.arrays(), model.weights().arrays(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_patched_component_is_interchanged_for_all_that_read_it(
    weights, tokens, performance_script
):
    script, graph = performance_script("siit_in_torch"), ComponentGraph.of(weights)
    model, (base, source) = script.PlainTransformer(weights), tokens
    _, written = model(torch.tensor(source))
    positions = np.tile(np.arange(base.shape[1]), (len(base), 1))
    plain = run(weights, base).logits
    components = [one.name for one in graph.writers if one.name != "pos_embed"]
    for name in components:
        mask = graph.edge_mask({edge.name for edge in graph.edges if edge.writer.name == name})
        moved = np.broadcast_to(mask, (len(base), *mask.shape))
        wanted = interchanged_logits(weights, base, source, positions, moved)
        assert np.abs(wanted - plain).max() > 1e-2
        found, _ = model(torch.tensor(base), script.Patch(name, written))
        np.testing.assert_allclose(
            found.detach().numpy(), wanted, rtol=1e-3, atol=1e-3, err_msg=name
        )
