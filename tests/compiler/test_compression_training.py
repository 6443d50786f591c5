"""The loss of a compression, its slopes, its starts, and the way down."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassbench.compiler import InputSpace, compile_program, interchange, rasp, run
from glassbench.compiler.compression_loss import CompressionLoss
from glassbench.compiler.compression_starts import STARTS, read_error, read_moments
from glassbench.compiler.gauss_newton import _bend, _quadratic, descend


def of_two_kinds():
    """A program with a categorical and a numerical output."""
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    counts = rasp.SelectorWidth(same)
    share = rasp.numerical(
        rasp.Aggregate(
            rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ),
            rasp.numerical(rasp.tokens),
            default=0,
        )
    )
    return compile_program([counts, share], [0, 1], 3)


@pytest.fixture(scope="module", autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def compiled():
    return of_two_kinds()


@pytest.fixture(scope="module")
def tokens():
    return InputSpace(2, 3).everything()


@pytest.fixture(scope="module")
def loss(compiled, tokens):
    return CompressionLoss.of(compiled.model, tokens)


@pytest.fixture(scope="module")
def sample(loss, tokens):
    single = [{edge} for edge in loss.forward.graph.edge_names]
    return loss.sample(tokens, single, 60, np.random.default_rng(0))


@pytest.fixture(scope="module")
def loss_of(loss, sample):
    """The loss of a matrix, compiled once for each shape."""
    return jax.jit(lambda W: loss(W, sample))


@pytest.fixture(scope="module")
def quadratic(loss, sample):
    """Half the gradient and half the curvature, likewise."""
    return jax.jit(lambda W: _quadratic(loss, W, sample))


@pytest.fixture(scope="module")
def down(loss, sample):
    """The way down from a matrix, likewise, whatever the steps."""
    return jax.jit(lambda W, steps: descend(loss, W, sample, steps=steps, enough=1e-7))


@pytest.fixture(scope="module")
def fewer(compiled):
    """One dimension fewer than the original has."""
    return compiled.model.weights.d_model - 1


def test_the_forward_pass_is_that_of_the_executor(compiled, loss, tokens):
    expected = run(compiled.model.weights, tokens)
    written, logits = jax.jit(loss.forward)(loss.arrays, jnp.asarray(tokens))
    np.testing.assert_allclose(logits, expected.logits, atol=1e-9)
    for ours, theirs in zip(written, expected.contributions, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_the_loss_is_the_mean_over_rows(loss, loss_of, sample):
    d_model = loss.model.weights.d_model
    W = jnp.asarray(np.random.default_rng(0).normal(size=(d_model, d_model)))
    of_rows = jax.jit(loss.by_row)(W, sample)
    assert of_rows.shape == (len(sample.base),)
    assert (np.asarray(of_rows) >= 0).all()
    np.testing.assert_allclose(of_rows.mean(), loss_of(W), rtol=1e-9)


def test_edges_are_interchanged_together(loss, tokens):
    edges = set(loss.forward.graph.edge_names[:2])
    drawn = loss.sample(tokens, [edges], 5, np.random.default_rng(0))
    assert np.asarray(drawn.edges[: len(tokens)]).sum() == 0
    assert (np.asarray(drawn.edges[len(tokens) :]).sum(axis=(1, 2)) == 2).all()


def test_interchanges_are_those_of_the_executor(compiled, loss, sample):
    weights, graph = compiled.model.weights, loss.forward.graph
    base, source, places = (np.asarray(x) for x in (sample.base, sample.source, sample.places))
    from_base = run(weights, base, graph=graph)
    from_source = run(weights, source, graph=graph, pos_embed=weights.W_pos[places])
    seen = set()
    for row in range(len(base)):
        swapped = np.argwhere(np.asarray(sample.edges[row]))
        expected = from_base.logits[row : row + 1]
        for reader, writer in swapped:
            seen.add((reader, writer))
            change = from_source.contributions[writer] - from_base.contributions[writer]
            delta = change[row : row + 1]
            one = from_base.take(np.array([row]))
            expected = interchange(weights, graph, one, graph.readers[reader], delta)
        np.testing.assert_allclose(sample.logits[row : row + 1], expected, atol=1e-9)
    assert len(seen) == len(graph.edges)
    assert (places != np.arange(places.shape[1])).any()


def test_the_loss_is_zero_at_the_original_alone(compiled, loss_of):
    d_model = compiled.model.weights.d_model
    assert float(loss_of(jnp.eye(d_model))) == pytest.approx(0, abs=1e-12)
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(d_model, d_model)))[0]
    assert float(loss_of(jnp.asarray(turned))) == pytest.approx(0, abs=1e-9)
    assert float(loss_of(0.9 * jnp.eye(d_model))) > 1e-3


def test_weights_of_rows_sum_to_one(sample):
    for some in (sample, sample.take(jnp.array([3, 20, 41]))):
        assert float(some.at_layers.sum()) == pytest.approx(1)
        assert float(some.at_answers.sum()) == pytest.approx(1)


@pytest.mark.parametrize(
    "d", [None, *(pytest.param(d, marks=pytest.mark.slow) for d in (3, 8))], ids=str
)
def test_half_the_gradient(compiled, loss, sample, tokens, quadratic, d):
    """In as many dimensions as the original has, or in fewer."""
    d = d or compiled.model.weights.d_model
    W = jnp.asarray(STARTS["random"](compiled.model, tokens, d, np.random.default_rng(d)))
    gradient, curvature = quadratic(W)
    of_flat = jax.jit(jax.grad(lambda flat: loss(flat.reshape(W.shape), sample)))
    expected = of_flat(W.ravel()) / 2
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(curvature, curvature.T, atol=1e-9)
    assert np.linalg.eigvalsh(curvature).min() > -1e-8


def test_curvature_is_the_hessian_where_all_is_right(compiled, quadratic, loss_of):
    """There the residuals vanish, and so does what Gauss and Newton leave out."""
    W = jnp.eye(compiled.model.weights.d_model)
    _, curvature = quadratic(W)
    rng = np.random.default_rng(0)
    for _ in range(3):
        step = jnp.asarray(rng.normal(size=W.size))
        size = 1e-4
        bent = loss_of(W + (size * step).reshape(W.shape))
        assert float(step @ curvature @ step) == pytest.approx(float(bent) / size**2, rel=0.05)


def test_down_to_fewer_dimensions(compiled, loss_of, tokens, down, fewer):
    W = STARTS["reads"](compiled.model, tokens, fewer, np.random.default_rng(0))
    done = down(jnp.asarray(W), 40)
    assert float(done.loss) < 1e-6
    assert int(done.steps) < 40
    np.testing.assert_allclose(float(loss_of(done.W)), float(done.loss))


def test_a_descent_never_goes_up(compiled, tokens, down, fewer):
    W = jnp.asarray(STARTS["random"](compiled.model, tokens, fewer, np.random.default_rng(0)))
    losses = [float(down(W, steps).loss) for steps in (0, 1, 5, 20)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]


def test_starts(compiled, tokens):
    d_model = compiled.model.weights.d_model
    moments = read_moments(compiled.model, tokens)
    assert read_error(np.eye(d_model), *moments) == pytest.approx(0, abs=1e-12)
    errors = {}
    for name, start in STARTS.items():
        W = start(compiled.model, tokens, 6, np.random.default_rng(3))
        assert W.shape == (6, d_model)
        np.testing.assert_array_equal(
            W, start(compiled.model, tokens, 6, np.random.default_rng(3)), err_msg=name
        )
        errors[name] = read_error(W, *moments)
        if name in ("orthogonal", "pca", "embeddings"):
            np.testing.assert_allclose(W @ W.T, np.eye(6), atol=1e-9)
    assert errors["reads"] < min(error for name, error in errors.items() if name != "reads")


def test_the_error_of_reads_is_what_is_read_wrong(compiled, tokens):
    """Drawn anew: contributions of each writer from an input of its own."""
    from glassbench.compiler.executor import reader_matrix

    model = compiled.model
    moments = read_moments(model, tokens)
    rng = np.random.default_rng(0)
    W = STARTS["random"](model, tokens, 6, rng)
    done = run(model.weights, tokens)
    graph = CompressionLoss.of(model, tokens).forward.graph
    kept = np.argwhere(model.codec.is_bos_or_real(tokens))
    everywhere = np.argwhere(np.ones(tokens.shape, bool))
    off = W.T @ W - np.eye(W.shape[1])
    total = 0.0
    for reader in graph.readers:
        places = everywhere if reader.role == "k" else kept
        stream = np.zeros((40_000, W.shape[1]))
        for writer, written in zip(graph.writers, done.contributions, strict=True):
            if writer.depth < reader.depth:
                row, position = places[rng.integers(len(places), size=len(stream))].T
                stream += written[row, position]
        matrix = reader_matrix(model.weights, reader)
        size = np.square(stream @ matrix).sum(axis=1).mean()
        if size > 1e-12:
            total += np.square(stream @ off @ matrix).sum(axis=1).mean() / size
    assert read_error(W, *moments) == pytest.approx(total, rel=0.05)


def test_what_curves_away_is_the_second_difference_along_a_move(loss, sample):
    rng = np.random.default_rng(0)
    W, move = rng.normal(size=(2, 4, loss.model.weights.d_model))
    step = 1e-4

    @jax.jit
    def parts(W):
        return loss.parts(W, sample)

    def beside(change):
        """Return the parts ahead, here and behind."""
        return (parts(W + t * step * change) for t in (1, 0, -1))

    ahead, here, behind = beside(move)
    second = jax.tree.map(lambda a, b, c: (a - 2 * b + c) / step**2, ahead, here, behind)
    pulled = [second.residuals]
    for logits, curve in zip(here.logits, second.logits, strict=True):
        given = np.asarray(jax.nn.softmax(logits))
        fisher = given * (curve - (given * curve).sum(axis=-1, keepdims=True))
        pulled.append(sample.at_answers[..., None] / 2 * fisher)
    expected = []
    for axis in np.eye(W.size).reshape(-1, *W.shape):
        ahead, _, behind = map(jax.tree.leaves, beside(axis))
        slopes = [np.subtract(a, b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]
        expected.append(sum((s * p).sum() for s, p in zip(slopes, pulled, strict=True)))
    found = jax.jit(lambda move: _bend(loss, jnp.asarray(W), move, sample))(move)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
