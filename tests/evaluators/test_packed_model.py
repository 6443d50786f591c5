"""The packed model does what the whole model does, in fewer heads and neurons."""

import numpy as np
import pytest

from glassbench.compiler.component_graph import ComponentGraph
from glassbench.compiler.executor import resume
from glassbench.evaluators.packed_model import packed
from glassbench.ground_truth import load


@pytest.mark.parametrize(
    "task",
    [
        "sort[vocab=2,length=3]/crowded[distractors=4]",
        "histogram[vocab=3,length=4]/crowded[distractors=4]/scrambled[seed=1]",
    ],
)
def test_it_has_the_logits_of_the_whole_model_after_any_change_of_the_stream(task):
    weights = load(task).compiled.model.weights
    small = packed(weights)
    assert small.d_mlp < weights.d_mlp / 2
    assert small.n_heads < weights.n_heads
    assert small.d_model == weights.d_model
    streams = np.random.default_rng(0).normal(size=(8, 5, weights.d_model))
    for depth in range(2 * weights.n_layers + 1):
        whole = resume(weights, ComponentGraph.of(weights), streams, depth)
        part = resume(small, ComponentGraph.of(small), streams, depth)
        np.testing.assert_allclose(part, whole, atol=1e-8)
