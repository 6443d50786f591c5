"""A matrix folded into a model, and the same model seen in the coordinates of the original."""

from dataclasses import replace

import numpy as np
import pytest

from glassbench.compiler import InputSpace, compile_program, rasp, run
from glassbench.compiler.component_graph import ComponentGraph
from glassbench.compiler.compress import compress, model_seen_through, seen_through
from glassbench.compiler.compression_quality import compression_quality
from glassbench.compiler.executor import interchange
from glassbench.compiler.model import Model


@pytest.fixture(scope="module")
def compiled():
    is_a = rasp.numerical(rasp.Map(lambda token: token == "a", rasp.tokens))
    before = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ)
    share = rasp.numerical(rasp.Aggregate(before, is_a, default=0))
    return compile_program(share, "ab", 4)


@pytest.fixture(scope="module")
def tokens(compiled):
    return InputSpace(2, 4).everything()


def orthogonal(size, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def test_an_orthogonal_matrix_changes_no_answer(compiled, tokens):
    W = orthogonal(compiled.model.weights.d_model)
    small = compress(compiled, W)
    assert small.apply([list("abab"), list("b")]) == compiled.apply([list("abab"), list("b")])
    before, after = (run(one.model.weights, tokens) for one in (compiled, small))
    np.testing.assert_allclose(after.logits, before.logits, atol=1e-9)
    np.testing.assert_allclose(after.streams[-1], before.streams[-1] @ W.T, atol=1e-9)


def test_it_is_an_ordinary_model_of_that_width(compiled, tokens):
    W = np.random.default_rng(0).normal(size=(5, compiled.model.weights.d_model)) / 3
    small = compress(compiled, W).model
    assert small.weights.d_model == 5
    apply, params = small.to_haiku()
    expected = run(small.weights, tokens).logits
    np.testing.assert_allclose(apply(params, tokens).logits, expected, rtol=1e-3, atol=1e-4)
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        logits = small.to_torch()(torch.as_tensor(tokens))
    np.testing.assert_allclose(logits.numpy(), expected, rtol=1e-3, atol=1e-4)


def test_the_two_forms_are_one_model(compiled, tokens):
    W = np.random.default_rng(1).normal(size=(6, compiled.model.weights.d_model)) / 3
    folded = run(compress(compiled, W).model.weights, tokens)
    seen = run(seen_through(compiled.model.weights, W), tokens)
    np.testing.assert_allclose(folded.logits, seen.logits, atol=1e-9)
    for ours, theirs in zip(folded.contributions, seen.contributions, strict=True):
        np.testing.assert_allclose(ours, theirs @ W.T, atol=1e-9)


def test_a_variable_is_interchanged_alike_in_both_forms(compiled, tokens):
    """What is swapped along its directions there is swapped along their images here."""
    W = np.random.default_rng(1).normal(size=(6, compiled.model.weights.d_model)) / 3
    small, seen = (make(compiled, W).model.weights for make in (compress, model_seen_through))
    graph, source = ComponentGraph.of(seen), np.random.default_rng(2).permutation(len(tokens))
    folded_base = run(small, tokens)
    seen_base, seen_source = (run(seen, some) for some in (tokens, tokens[source]))
    n_tried = 0
    for reader in graph.readers:
        for variable in compiled.source_map.variables:
            place = graph.writer_index[variable.writer]
            if graph.writers[place].depth >= reader.depth:
                continue
            D = variable.directions
            other = seen_source.contributions[place] - seen_base.contributions[place]
            delta = other @ D.T @ D
            np.testing.assert_allclose(
                interchange(small, graph, folded_base, reader, delta @ W.T),
                interchange(seen, graph, seen_base, reader, delta),
                atol=1e-9,
            )
            n_tried += 1
    assert n_tried > 10


def test_products_are_summed_in_order(compiled):
    """One axis after the other, each rounded by itself: the same bits on every machine."""
    W = np.random.default_rng(3).normal(size=(4, compiled.model.weights.d_model))
    rotated = compiled.model.weights.with_arrays(
        {
            name: np.random.default_rng(4).normal(size=getattr(compiled.model.weights, name).shape)
            for name in ("W_out", "W_in")
        }
    )
    small = compress(replace(compiled, model=Model(rotated, compiled.model.codec)), W)
    for d in range(len(W)):
        written = read = 0.0
        for axis in range(W.shape[1]):
            written += float(rotated.W_out[0, 0, axis]) * float(W[d, axis])
            read += float(rotated.W_in[0, axis, 0]) * float(W[d, axis])
        assert small.model.weights.W_out[0, 0, d] == written
        assert small.model.weights.W_in[0, d, 0] == read


def test_directions_go_where_the_matrix_sends_them(compiled):
    W = np.random.default_rng(2).normal(size=(6, compiled.model.weights.d_model))
    small = compress(compiled, W)
    for before, after in zip(
        compiled.source_map.variables, small.source_map.variables, strict=True
    ):
        np.testing.assert_allclose(after.directions, before.directions @ W.T)
        assert (after.name, after.writer, after.neurons) == (
            before.name,
            before.writer,
            before.neurons,
        )
    assert small.source_map.reads == compiled.source_map.reads


def test_quality_of_the_original_itself(compiled, tokens):
    quality = compression_quality(compiled.model, np.eye(compiled.model.weights.d_model), tokens)
    assert quality.accuracy == 1
    assert [part.name for part in quality.components] == ["m0", "a1.h0"]
    assert quality.cosine == pytest.approx(1)
    assert quality.error == 0
    assert quality.shortcomings == ()


def test_quality_by_hand(compiled, tokens):
    """Half of all that is read: the mean is of values that are read as half of what they are."""
    W = np.eye(compiled.model.weights.d_model)
    place = next(
        one for one in compiled.source_map.variables if one.writer == "m0" and one.node >= 0
    )
    axis = int(place.directions[0].argmax())
    W[axis, axis] = np.sqrt(0.5)
    quality = compression_quality(compiled.model, W, tokens)
    (mlp, head) = quality.components
    assert (mlp.cosine, mlp.error) == (pytest.approx(1), 0)
    assert head.cosine == pytest.approx(1)
    assert head.error == pytest.approx(0.5)
    assert quality.accuracy < 1
    assert [text.split(":")[0] for text in quality.shortcomings[1:]] == ["a1.h0"]
    assert (
        "error relative to the original must be at most 0.1, got 0.500" in (quality.shortcomings[1])
    )
