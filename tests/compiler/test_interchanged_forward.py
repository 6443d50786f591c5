"""The forward pass in jax against the executor, with any edges interchanged, and its gradient."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassbench.compiler import run
from glassbench.compiler.component_graph import ComponentGraph
from glassbench.compiler.interchanged_forward import InterchangedForward
from glassbench.compiler.weights import Weights

KINDS = {
    "compiled": {},
    "ordinary": {"causal": True, "activation": "gelu", "layer_norm": True},
    "causal": {"causal": True},
    "gelu": {"activation": "gelu"},
    "layer norm": {"activation": "gelu", "layer_norm": True},
}


@pytest.fixture(
    scope="module",
    params=[
        kind if kind in ("compiled", "ordinary") else pytest.param(kind, marks=pytest.mark.slow)
        for kind in KINDS
    ],
)
def weights(request):
    """A random model, whose first layer lacks a head and whose second lacks its MLP."""
    rng = np.random.default_rng(0)
    heads = (2, 3, 6, 2)
    shapes = {"W_E": (5, 6), "W_pos": (4, 6), "W_Q": heads, "b_Q": (2, 3, 2), "W_K": heads}
    shapes |= {"W_V": heads, "W_O": (2, 3, 2, 6), "W_in": (2, 6, 7), "b_in": (2, 7)}
    shapes |= {"W_out": (2, 7, 6), "b_out": (2, 6), "W_U": (6, 3)}
    arrays = {name: rng.normal(size=shape) / 2 for name, shape in shapes.items()}
    arrays["W_O"][0, 1] = 0
    arrays["W_out"][1], arrays["b_out"][1] = 0, 0
    return Weights(**arrays, **{"causal": False, **KINDS[request.param]})


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(1)
    base, source = rng.integers(5, size=(2, 8, 4))
    places = rng.permuted(np.tile(np.arange(4), (8, 1)), axis=1)
    return base, source, places


def interchanged(weights, graph, inputs, edges):
    """Return the logits by the executor, whose readers see what `edges` say."""
    base, source, places = inputs
    other = run(weights, source, pos_embed=weights.W_pos[places]).contributions
    order = [reader.name for reader in graph.readers]

    def read(reader, stream, contributions):
        share = edges[:, order.index(reader.name)]
        for place, own in enumerate(contributions):
            stream = stream + share[:, place, None, None] * (other[place] - own)
        return stream

    return run(weights, base, read=read)


@pytest.fixture(scope="module")
def edges(weights):
    """Edges that are interchanged, others in each row."""
    rng = np.random.default_rng(2)
    return rng.integers(2, size=(8, *InterchangedForward(weights).edge_shape)).astype(float)


@pytest.fixture(scope="module")
def computed(weights, inputs, edges):
    """What jax makes of it: runs with and without interchanges, and a gradient."""
    forward = InterchangedForward(weights)

    def loss(arrays, base, *others):
        written, logits = forward.interchange(arrays, base, *others)
        plain, _ = forward(arrays, base)
        return jnp.square(logits).mean(), (written, logits, plain)

    with jax.enable_x64(True):
        arrays = {name: jnp.asarray(array) for name, array in weights.arrays()}
        given = [jnp.asarray(one) for one in (*inputs, edges)]
        return jax.jit(jax.grad(loss, has_aux=True))(arrays, *given)


def test_it_does_what_the_executor_does(weights, inputs, edges, computed):
    expected = interchanged(weights, ComponentGraph.of(weights), inputs, edges)
    _, (written, logits, plain) = computed
    np.testing.assert_allclose(logits, expected.logits, atol=1e-12)
    for ours, theirs in zip(written, expected.contributions, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    for ours, theirs in zip(plain, run(weights, inputs[0]).contributions, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_an_edge_has_its_place(weights):
    forward = InterchangedForward(weights)
    for edge in forward.graph.edges:
        (at,) = np.argwhere(forward.graph.edge_mask([edge.name])).tolist()
        assert forward.graph.readers[at[0]].name == edge.reader.name
        assert forward.graph.writers[at[1]].name == edge.writer.name


def test_gradients_are_slopes(weights, inputs, edges, computed):
    gradient, _ = computed
    graph = ComponentGraph.of(weights)
    for name in ("W_E", "W_K", "W_in", "b_out", "W_U"):
        at = np.unravel_index(np.abs(gradient[name]).argmax(), gradient[name].shape)
        values = []
        for step in (-1e-5, 1e-5):
            moved = getattr(weights, name).copy()
            moved[at] += step
            other = replace(weights, **{name: moved})
            values.append(np.square(interchanged(other, graph, inputs, edges).logits).mean())
        assert (values[1] - values[0]) / 2e-5 == pytest.approx(float(gradient[name][at]), rel=1e-4)
