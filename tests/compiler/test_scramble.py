"""Scrambling changes what weights look like, and nothing that they compute."""

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program
from glassbench.compiler import ComponentGraph, InputSpace, compile_program, run, scramble
from glassbench.ground_truth.digest import weights_digest


@pytest.fixture(scope="module")
def compiled():
    """Two heads in a layer, two kinds of MLP blocks, several layers."""
    spec = get_program("shuffle_dyck2")
    vocabulary = spec.vocabulary(4)
    return compile_program(spec.build(vocabulary, 3), vocabulary, 3)


@pytest.fixture(scope="module", params=[0, 1])
def scrambled(request, compiled):
    return scramble(compiled, request.param)


def test_logits_stay_and_the_stream_is_rotated(compiled, scrambled):
    tokens = InputSpace(4, 3).everything()
    before, after = (run(c.model.weights, tokens) for c in (compiled, scrambled))
    np.testing.assert_allclose(after.logits, before.logits, rtol=0, atol=1e-9)
    streams = [sum(r.contributions).reshape(-1, r.streams[0].shape[-1]) for r in (before, after)]
    np.testing.assert_allclose(streams[0] @ streams[0].T, streams[1] @ streams[1].T, atol=1e-9)
    assert np.abs(streams[0] - streams[1]).max() > 0.1


def test_no_direction_stays_an_axis(scrambled):
    for variable in scrambled.source_map.variables:
        for direction in variable.directions:
            assert (np.abs(direction) > 1e-3).sum() > 3


def test_head_bases_are_rotated(compiled, scrambled):
    for name in ("W_Q", "W_K", "W_V", "W_O"):
        dense = (np.abs(getattr(scrambled.model.weights, name)) > 1e-6).mean()
        sparse = (np.abs(getattr(compiled.model.weights, name)) > 1e-6).mean()
        assert dense > 5 * sparse, name


def test_neurons_are_permuted_and_rescaled(compiled, scrambled):
    before, after = compiled.model.weights, scrambled.model.weights
    for layer in range(before.n_layers):
        used = np.flatnonzero(np.abs(before.W_in[layer]).sum(axis=0))
        if len(used) == 0:
            continue
        norms = np.linalg.norm(before.W_in[layer], axis=0)[used]
        products = norms * np.linalg.norm(before.W_out[layer], axis=1)[used]
        now = np.linalg.norm(after.W_in[layer], axis=0)
        moved = now * np.linalg.norm(after.W_out[layer], axis=1)
        kept = now > 0
        assert kept.sum() == len(used)
        np.testing.assert_allclose(np.sort(products), np.sort(moved[kept]), rtol=1e-9)
        ratios = np.sort(now[kept]) / np.sort(norms)
        assert (ratios > 0.49).all()
        assert (ratios < 2.01).all()


def test_heads_change_places(compiled):
    orders = set()
    for seed in range(8):
        variables = scramble(compiled, seed).source_map.variables
        orders.add(tuple(v.writer for v in variables if v.writer.startswith("a")))
    assert len(orders) > 2
    layers = [[name.split(".")[0] for name in order] for order in orders]
    assert all(order == layers[0] for order in layers)


def test_the_graph_keeps_its_shape(compiled, scrambled):
    before, after = (ComponentGraph.of(c.model.weights) for c in (compiled, scrambled))
    assert [w.depth for w in before.writers] == [w.depth for w in after.writers]
    assert len(before.edges) == len(after.edges)
    carried = [c.source_map.carried for c in (compiled, scrambled)]
    assert sorted(carried[0].values()) == sorted(carried[1].values())
    assert set(carried[1]) <= set(after.edge_names)


def test_the_seed_decides_and_the_original_is_left_alone(compiled, scrambled):
    digest = weights_digest(compiled.model.weights)
    again = scramble(compiled, 0)
    assert weights_digest(again.model.weights) == weights_digest(
        scramble(compiled, 0).model.weights
    )
    assert weights_digest(again.model.weights) != weights_digest(
        scramble(compiled, 2).model.weights
    )
    assert (
        weights_digest(compiled.model.weights) == digest != weights_digest(scrambled.model.weights)
    )
    assert scrambled.program is compiled.program
    assert scrambled.model.codec is compiled.model.codec
