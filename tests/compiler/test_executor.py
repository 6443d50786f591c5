"""The reference executor against a second implementation, and its interchanges."""

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program
from glassbench.compiler import ComponentGraph, compile_program, interchange, run
from glassbench.compiler.component_graph import edge_name

EXAMPLES = {"sort_unique": False, "histogram": True, "pair_balance": False}


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request):
    spec = get_program(request.param)
    vocabulary = spec.vocabulary(3)
    compiled = compile_program(
        spec.build(vocabulary, 4), vocabulary, 4, causal=EXAMPLES[request.param], placement_seed=0
    )
    weights = compiled.model.weights
    tokens = np.random.default_rng(0).integers(0, 5, size=(6, 5))
    return weights, ComponentGraph.of(weights), tokens


def test_logits_are_those_of_the_architecture(example, differential):
    weights, _, tokens = example
    expected = differential.forward(weights, tokens, np.float64)
    np.testing.assert_allclose(run(weights, tokens).logits, expected, rtol=0, atol=1e-12)
    short = run(weights, tokens[:, :3]).logits
    np.testing.assert_allclose(
        short, differential.forward(weights, tokens[:, :3], np.float64), rtol=0, atol=1e-12
    )


def test_contributions_add_up_to_the_stream(example):
    weights, graph, tokens = example
    done = run(weights, tokens)
    np.testing.assert_array_equal(done.contributions[0], weights.W_E[tokens])
    np.testing.assert_array_equal(done.contributions[1][2], weights.W_pos)
    total = sum(done.contributions)
    np.testing.assert_allclose(total @ weights.W_U, done.logits, rtol=0, atol=1e-12)
    for reader in graph.readers:
        before = [i for i, writer in enumerate(graph.writers) if writer.depth < reader.depth]
        np.testing.assert_allclose(
            done.streams[reader.depth],
            sum(done.contributions[place] for place in before),
            rtol=0,
            atol=1e-12,
        )


def test_every_reader_is_asked_once_in_order_and_knows_what_was_written(example):
    weights, graph, tokens = example
    asked = []

    def read(reader, stream, contributions):
        asked.append(reader)
        assert len(contributions) == sum(writer.depth < reader.depth for writer in graph.writers)
        np.testing.assert_allclose(sum(contributions), stream, rtol=0, atol=1e-12)
        return stream

    logits = run(weights, tokens, read=read).logits
    assert tuple(asked) == graph.readers
    np.testing.assert_array_equal(logits, run(weights, tokens).logits)


def test_an_interchange_is_a_run_in_which_one_reader_reads_something_else(example):
    weights, graph, tokens = example
    base, source = run(weights, tokens), run(weights, tokens[::-1])
    changed = 0
    for edge in graph.edges:
        writer = graph.writer_index[edge.writer.name]
        delta = source.contributions[writer] - base.contributions[writer]

        def read(reader, stream, contributions, edge=edge, delta=delta):
            return stream + delta if reader == edge.reader else stream

        slow = run(weights, tokens, read=read).logits
        fast = interchange(weights, graph, base, edge.reader, delta)
        np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-9, err_msg=edge.name)
        changed += np.abs(fast - base.logits).max() > 0.1
    assert 0 < changed < len(graph.edges)


def test_an_interchange_with_the_base_itself_changes_nothing(example):
    weights, graph, tokens = example
    base = run(weights, tokens)
    nothing = np.zeros_like(base.contributions[0])
    for reader in graph.readers:
        logits = interchange(weights, graph, base, reader, nothing)
        np.testing.assert_allclose(logits, base.logits, rtol=0, atol=1e-12)


def test_position_embeddings_can_be_replaced(example):
    weights, _, tokens = example
    rows = np.array([0, 2, 1, 4, 3])
    moved = run(
        weights, tokens, pos_embed=np.broadcast_to(weights.W_pos[rows], (6, 5, weights.d_model))
    )
    np.testing.assert_array_equal(moved.contributions[1][0], weights.W_pos[rows])
    plain = run(weights, tokens, pos_embed=np.broadcast_to(weights.W_pos, (6, 5, weights.d_model)))
    np.testing.assert_array_equal(plain.logits, run(weights, tokens).logits)


def test_causal_models_do_not_see_what_comes_later():
    spec = get_program("sort_by_frequency")
    vocabulary = spec.vocabulary(3)
    histogram = get_program("histogram").build(vocabulary, 4)
    weights = compile_program(histogram, vocabulary, 4, causal=True).model.weights
    tokens = np.array([[3, 0, 1, 0, 0]])
    later = np.array([[3, 0, 1, 1, 4]])
    np.testing.assert_array_equal(
        *([each[:, :3] for each in run(weights, ids).contributions] for ids in (tokens, later))
    )


def test_the_graph_of_a_model():
    spec = get_program("histogram")
    weights = compile_program(spec.build("ab", 3), "ab", 3).model.weights
    graph = ComponentGraph.of(weights)
    assert [writer.name for writer in graph.writers] == ["embed", "pos_embed", "a0.h0", "m0"]
    assert [reader.name for reader in graph.readers] == [
        "a0.h0<q>",
        "a0.h0<k>",
        "a0.h0<v>",
        "m0",
        "logits",
    ]
    assert graph.edge_names == (
        "embed->a0.h0<q>",
        "pos_embed->a0.h0<q>",
        "embed->a0.h0<k>",
        "pos_embed->a0.h0<k>",
        "embed->a0.h0<v>",
        "pos_embed->a0.h0<v>",
        "embed->m0",
        "pos_embed->m0",
        "a0.h0->m0",
        "embed->logits",
        "pos_embed->logits",
        "a0.h0->logits",
        "m0->logits",
    )
    assert [reader.component for reader in graph.readers] == ["a0.h0"] * 3 + ["m0", "logits"]


def test_heads_of_a_layer_do_not_read_each_other():
    spec = get_program("pair_balance")
    vocabulary = spec.vocabulary(3)
    graph = ComponentGraph.of(
        compile_program(spec.build(vocabulary, 3), vocabulary, 3).model.weights
    )
    heads = [writer for writer in graph.writers if writer.head >= 0]
    assert len(heads) == 2
    assert {head.layer for head in heads} == {heads[0].layer}
    assert edge_name(heads[0].name, f"{heads[1].name}<v>") not in graph.edge_names
    assert all(edge.writer.depth < edge.reader.depth for edge in graph.edges)
    assert len(set(graph.edge_names)) == len(graph.edge_names)
    assert len(graph.edges) == sum(
        writer.depth < reader.depth for writer in graph.writers for reader in graph.readers
    )


def test_components_that_are_all_zero_are_none():
    weights = compile_program(get_program("frac_prevs").build("ab", 3), "ab", 3).model.weights
    names = {writer.name for writer in ComponentGraph.of(weights).writers}
    written = {
        f"a{layer}.h{head}"
        for layer in range(weights.n_layers)
        for head in range(weights.n_heads)
        if weights.W_O[layer, head].any()
    }
    written |= {f"m{layer}" for layer in range(weights.n_layers) if weights.W_out[layer].any()}
    assert names == written | {"embed", "pos_embed"}
    assert len(written) < weights.n_layers * (weights.n_heads + 1)
